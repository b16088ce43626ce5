"""An endpoint that answers chat completions by a script, over real HTTP."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from evaluation.judges.endpoint import Endpoint

KEY = "a-key-that-nobody-may-see"


@dataclass(frozen=True)
class Reply:
    """One HTTP answer; its body comes in `pieces`, a pause of so many seconds before each."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: int = 1
    pause: float = 0.0


@dataclass
class Asked:
    """What the endpoint was asked, in order."""

    url: str
    bodies: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def endpoint(self, **fields: Any) -> Endpoint:
        return Endpoint(**{"url": f"{self.url}/v1", "model": "judge", "key": KEY, **fields})


def said(
    text: str, odds: Mapping[str, float] | None = None, usage: tuple[int, int] | None = (100, 1)
) -> Reply:
    """A chat completion of one token, with the log-probabilities of what could stand there."""
    choice: dict[str, Any] = {"message": {"role": "assistant", "content": text}}
    if odds is not None:
        alternatives = [{"token": token, "logprob": value} for token, value in odds.items()]
        choice["logprobs"] = {
            "content": [{"token": text, "logprob": odds[text], "top_logprobs": alternatives}]
        }
    counted = {"prompt_tokens": usage[0], "completion_tokens": usage[1]} if usage else None
    return Reply(json.dumps({"choices": [choice], "usage": counted}).encode())


@contextmanager
def scripted_endpoint(replies: Sequence[Reply]) -> Iterator[Asked]:
    """It gives these answers in order, the last one over and over."""
    left = list(replies)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                asked.bodies.append(body)
                asked.paths.append(self.path)
                asked.headers.append(dict(self.headers))
                reply = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            size = -(-len(reply.body) // reply.pieces) or 1
            try:
                for start in range(0, max(1, len(reply.body)), size):
                    time.sleep(reply.pause)
                    self.wfile.write(reply.body[start : start + size])
                    self.wfile.flush()
            except OSError:
                pass  # nobody waits any more

        def do_GET(self) -> None:
            asked.paths.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    asked = Asked(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()
