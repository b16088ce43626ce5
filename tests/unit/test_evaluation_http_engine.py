"""Peers over HTTP: what they are asked, and every way in which they may fail."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from completion.values import CompletionRequest
from evaluation.http_engine import HttpEngine, PeerEndpoint, endpoint_of
from evaluation.tasks import Completion
from models.catalogue import PUBLISHED_MODEL
from models.errors import InputError
from models.processor import processor_count
from models.store import ModelStore
from tests.unit.scripted_endpoint import Reply, scripted_endpoint

LINE = CompletionRequest("d", "x = ", "\nprint(x)\n", single_line=True)
REST = CompletionRequest("d", "def f():\n", "")
Answer = Callable[[str, Any], tuple[int, bytes]]


@contextmanager
def scripted(answer: Answer) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """An endpoint that answers as it is told: its URL, and what it has been asked."""
    asked: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            asked.append((self.path, json.loads(self.rfile.read(length) or b"null")))
            status, body = answer(*asked[-1])
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - as the base class names it

        def log_message(self, *_: object) -> None:
            """Nothing is to be printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()


def llama(url: str, seconds: float = 5.0) -> HttpEngine:
    return HttpEngine(PeerEndpoint("llama.cpp", url), 16, seconds=seconds)


def test_llama_cpp_gets_both_sides_of_the_cursor() -> None:
    with scripted(lambda *_: (200, b'{"content": "1\\n2", "tokens_predicted": 3}')) as (url, asked):
        assert llama(url).ready().complete(LINE) == Completion("1", 3)
        assert llama(url).complete(REST) == Completion("1\n2", 3)
    assert asked[0] == ("/health", None)
    path, line = asked[1]
    assert path == "/infill"
    assert (line["input_prefix"], line["input_suffix"]) == (LINE.before, LINE.after)
    assert (line["n_predict"], line["temperature"], line["stop"]) == (16, 0, ["\n"])
    assert "stop" not in asked[2][1]


def test_an_openai_compatible_server_is_asked_for_its_own_model() -> None:
    def answer(path: str, _: Any) -> tuple[int, bytes]:
        if path == "/v1/models":
            return 200, b'{"data": [{"id": "coder"}]}'
        return 200, b'{"choices": [{"text": "1"}], "usage": {"completion_tokens": 1}}'

    with scripted(answer) as (url, asked):
        engine = HttpEngine(endpoint_of(f"openai={url}/v1/"), 16).ready()
        assert engine.complete(LINE) == engine.complete(REST) == Completion("1", 1)
    (path, line), (_, rest) = asked[1:]
    assert path == "/v1/completions"
    assert (line["model"], line["prompt"], line["suffix"]) == ("coder", LINE.before, LINE.after)
    assert (line["max_tokens"], line["temperature"], line["stop"]) == (16, 0, ["\n"])
    assert "suffix" not in rest
    assert "stop" not in rest


def test_a_text_that_llama_cpp_has_cut_is_not_compared() -> None:
    """Its server cuts what does not fit into its batch, and answers all the same."""

    def answer(path: str, question: Any) -> tuple[int, bytes]:
        if path == "/tokenize":
            return 200, json.dumps({"tokens": [*question["content"]]}).encode()
        return 200, b'{"content": "1", "tokens_predicted": 1, "tokens_evaluated": 14}'

    with scripted(answer) as (url, _):
        assert llama(url).complete(LINE).text == "1"  # of 14 characters
        with pytest.raises(InputError, match=r"it read 14 of 15 tokens; its options -c and -b"):
            llama(url).complete(replace(LINE, before=f" {LINE.before}"))


def test_what_is_no_text_is_replaced() -> None:
    """JSON can spell half of a pair of surrogates, which no file of samples can hold."""
    answer = b'{"content": "a\\ud800", "tokens_predicted": 1, "tokens_evaluated": "all"}'
    with scripted(lambda *_: (200, answer)) as (url, _):
        assert llama(url).complete(REST) == Completion("a?", 1)


JUNK = {
    "no JSON": (200, b"<html>"),
    "no object": (200, b"[]"),
    "nothing": (200, b""),
    "another answer": (200, b'{"error": "FIM\\nis not supported"}'),
    "a text that is none": (200, b'{"content": 7, "tokens_predicted": 1}'),
    "an error": (500, b'{"error": {"message": "context\\nis full"}}'),
    "a page that is not there": (404, b"not found" * 100),
    "bytes": (200, b"\xff\xfe"),
    "a deep one": (200, b"[" * 100_000),
    "no tokens of a text": (
        200,
        b'{"content": "1", "tokens_predicted": 1, "tokens_evaluated": 9, "tokens": 7}',
    ),
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK.keys())
@pytest.mark.parametrize("kind", ["llama.cpp", "openai"])
def test_junk_is_told_in_one_line(junk: tuple[int, bytes], kind: str) -> None:
    with scripted(lambda *_: junk) as (url, _):
        engine = HttpEngine(endpoint_of(f"{kind}={url}"), 16)
        with pytest.raises(InputError, match=f"{kind} at {url} does not complete") as caught:
            engine.complete(LINE)
    told = str(caught.value)
    assert "\n" not in told
    assert len(told) < 500


@pytest.mark.parametrize(
    ("status", "body"), [(200, b'{"data": []}'), (200, b"[]"), (503, b'{"status": "loading"}')]
)
def test_a_server_without_a_model_is_told_before_anything_is_run(status: int, body: bytes) -> None:
    with (
        scripted(lambda *_: (status, body)) as (url, _),
        pytest.raises(InputError, match=r"lists no models|status 503"),
    ):
        HttpEngine(PeerEndpoint("openai", url), 16).ready()


def test_nobody_at_the_endpoint_is_told() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(InputError, match=r"Connection refused.*leave out --engine"):
            llama(url).ready()
    with pytest.raises(InputError, match="does not complete"):
        llama("http://no.such.host.invalid").ready()


def test_a_slow_server_is_not_waited_for_forever() -> None:
    released = threading.Event()

    def answer(*_: object) -> tuple[int, bytes]:
        released.wait(30)
        return 200, b"{}"

    with scripted(answer) as (url, _):
        try:
            with pytest.raises(InputError, match=r"no answer within 0\.2 s"):
                llama(url, seconds=0.2).complete(LINE)
        finally:
            released.set()


def test_an_answer_that_never_ends_is_not_waited_for_either() -> None:
    dribble = Reply(b" " * 100, pieces=100, pause=0.05)
    with scripted_endpoint([dribble]) as asked, pytest.raises(InputError, match="takes too long"):
        llama(asked.url, seconds=0.3).complete(LINE)


def test_no_redirect_is_followed() -> None:
    with scripted_endpoint([Reply()]) as elsewhere:
        away = Reply(b"", 302, {"Location": f"{elsewhere.url}/infill"})
        with scripted_endpoint([away]) as asked, pytest.raises(InputError, match="status 302"):
            llama(asked.url).complete(LINE)
        assert elsewhere.paths == []


def test_a_connection_that_breaks_off_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")

        threading.Thread(target=hang_up, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(InputError, match="does not complete"):
            llama(url).complete(LINE)


@pytest.mark.parametrize(
    "text",
    [
        *("", "llama.cpp", "llama.cpp=", "vllm=http://x", "openai=file:///x", "http://x"),
        *("openai=http://me:key@x", "openai=http://x/?key=y", "openai=http://[::1"),
        *("openai=http://é", "openai=http://a b", "openai=http://a..b", "openai=http://x:port"),
    ],
)
def test_an_engine_is_named_by_kind_and_address(text: str) -> None:
    with pytest.raises(InputError, match=r"is no engine; name one as llama\.cpp=http://"):
        endpoint_of(text)


def test_an_address_may_end_in_a_slash_or_a_version() -> None:
    for url in ("http://x:1", "http://x:1/", "http://x:1/v1", "http://x:1/v1/"):
        assert endpoint_of(f"openai={url}") == PeerEndpoint("openai", "http://x:1")


@pytest.mark.model
def test_a_real_llama_cpp_server_completes_over_http(model_home: Path) -> None:
    """The server of `xllamacpp` listens on a port of this machine, as `llama-server` does."""
    package = pytest.importorskip("xllamacpp")
    parameters = package.CommonParams()
    parameters.model.path = str(ModelStore(model_home).gguf(PUBLISHED_MODEL))
    parameters.n_ctx = 512
    parameters.n_parallel = 1
    parameters.verbosity = 1
    parameters.cpuparams.n_threads = processor_count()
    server = package.Server(parameters)
    source = "def add(first, second):\n    return "
    request = CompletionRequest("d", source, "\n\nprint(add(1, 2))\n", single_line=True)
    for kind in ("llama.cpp", "openai"):
        engine = HttpEngine(endpoint_of(f"{kind}={server.listening_address}"), 16).ready()
        completion = engine.complete(request)
        assert completion.text.strip() == "first + second"
        assert completion.tokens > 0
