"""An OpenAI-compatible endpoint as a judge's chat model: chat completions over HTTP.

What comes back is the word of a stranger: it is read up to a limit of bytes and of time, and taken
for nothing that it does not prove to be. The key goes to the endpoint alone: redirects are not
followed, and it stands in no message.
"""

import ipaddress
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from evaluation.judges.ratings import rating_token
from evaluation.judges.values import Answer, Message, NoAnswer, RatingToken
from models.errors import InputError

AT_ONCE = 4
TRIES = 5  # of a request that may yet be answered
LONGEST_PAUSE = 60.0  # seconds between two tries
MOST_BYTES = 16 * 2**20  # of an answer; one of 1,024 tokens with 20 alternatives each has 3 MB
BLOCK = 2**16
SHOWN = 200  # characters of what an endpoint says is wrong
WRITABLE = re.compile("[!-~]+")  # in a request: ASCII without blanks
SETTINGS_ARE_WRONG = (401, 403, 404, 405)
MAY_YET_ANSWER = (408, 409, 425, 429)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is asked, with the name it has there; `timeout` in seconds.

    `url` is the base that ends in `/v1` as a rule. The key is empty where none is needed.
    `alternatives` are asked for each token, to tell the odds of ratings; 0 asks for none.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)
    timeout: float = 60.0
    alternatives: int = 20


class EndpointChat:
    """Asks an endpoint, and asks again, more and more slowly, while it is busy or out of order.

    Raises `InputError` where the address cannot be one.
    """

    at_once = AT_ONCE

    def __init__(self, endpoint: Endpoint, pause: Callable[[float], None] = time.sleep) -> None:
        self._url = completions_url(endpoint.url)
        self._endpoint = endpoint
        self._pause = pause
        self._opener = opener_for(endpoint.url)
        self.name = endpoint.model
        self.identity = f"{self._url}, {endpoint.model}, {endpoint.alternatives} alternatives"

    def ask(self, conversation: tuple[Message, ...], limit: int) -> Answer:
        body = json.dumps(request_fields(self._endpoint, conversation, limit)).encode()
        reason = ""
        for tried in range(TRIES):
            try:
                return answer_of(self._send(body))
            except Busy as busy:
                reason = str(busy)
                if tried < TRIES - 1:
                    self._pause(min(LONGEST_PAUSE, busy.wait or 2.0**tried))
        raise NoAnswer(self._without_key(reason))

    def _send(self, body: bytes) -> bytes:
        """The bytes of one answer. Raises `Busy` where it is worth trying again."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._endpoint.key:
            headers["Authorization"] = f"Bearer {self._endpoint.key}"
        request = urllib.request.Request(self._url, body, headers)  # noqa: S310 - http or https
        ends = time.monotonic() + self._endpoint.timeout
        try:
            with self._opener.open(request, timeout=self._endpoint.timeout) as response:
                return read_up_to(response, MOST_BYTES, ends)
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise self._refused(refusal, ends) from None
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise Busy(f"no answer ({reason})") from None

    def _refused(self, refusal: urllib.error.HTTPError, ends: float) -> Exception:
        """What an HTTP error means for the request, the run, or another try."""
        try:
            said = told(read_up_to(refusal, BLOCK, ends))
        except (Busy, OSError, HTTPException):
            said = ""
        reason = self._without_key(f"HTTP {refusal.code} {said}".strip())
        if refusal.code in SETTINGS_ARE_WRONG or refusal.code < 400:
            return InputError(
                f"the judge's endpoint refuses ({reason}); check --judge, --judge-model and the key"
            )
        if refusal.code in MAY_YET_ANSWER or refusal.code >= 500:
            return Busy(reason, seconds_of(refusal.headers.get("Retry-After")))
        return NoAnswer(reason)

    def _without_key(self, text: str) -> str:
        return text.replace(self._endpoint.key, "...") if self._endpoint.key else text


class Busy(Exception):
    """The endpoint did not answer; it may in `wait` seconds, or sooner or later."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another host: it is an error instead."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def opener_for(url: str) -> urllib.request.OpenerDirector:
    """What asks an address: it follows no redirect, and no proxy hears what this machine serves.

    Of other machines the proxies of the environment are asked, as everywhere.
    """
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = False
    directly = (urllib.request.ProxyHandler({}),) if here else ()
    return urllib.request.build_opener(NoRedirects, *directly)


def completions_url(base: str) -> str:
    """Where chat completions are asked for. Raises `InputError`."""
    parts = address_in(base)
    if parts is None:
        raise InputError(
            f"'{base}' is no address of an endpoint; name one like http://127.0.0.1:8000/v1, "
            "or the judge 'local'"
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InputError(
            "the endpoint's address may hold no key and nothing after its path; "
            "give the key with --judge-key-variable"
        )
    return f"{base.rstrip('/')}/chat/completions"


def address_in(text: str) -> urllib.parse.SplitResult | None:
    """The parts of an address of HTTP that can be asked, or None."""
    try:
        parts = urllib.parse.urlsplit(text)
        host = parts.hostname or ""
        host.encode("idna")  # which refuses labels that are empty or too long
        usable = parts.scheme in ("http", "https") and host != "" and parts.port != 0
    except ValueError:
        return None
    return parts if usable and WRITABLE.fullmatch(text) else None


def request_fields(
    endpoint: Endpoint, conversation: tuple[Message, ...], limit: int
) -> dict[str, Any]:
    """A request as the interface of chat completions has it; the likeliest answer is asked for."""
    asked: dict[str, Any] = {
        "model": endpoint.model,
        "messages": [{"role": one.role, "content": one.content} for one in conversation],
        "max_tokens": limit,
        "temperature": 0,
    }
    if endpoint.alternatives:
        asked |= {"logprobs": True, "top_logprobs": endpoint.alternatives}
    return asked


def read_up_to(response: Any, most: int, ends: float) -> bytes:
    """A body of at most so many bytes, read before the clock's `ends`. Raises `Busy`."""
    parts: list[bytes] = []
    size = 0
    while block := response.read1(BLOCK):
        size += len(block)
        if size > most:
            raise Busy(f"an answer of more than {most:,} bytes")
        if time.monotonic() > ends:
            raise Busy("an answer that takes too long")
        parts.append(block)
    return b"".join(parts)


def answer_of(body: bytes) -> Answer:
    """The first choice of a chat completion. Raises `Busy` where the body is none."""
    try:
        fields = json.loads(body)
        choice = fields["choices"][0]
        text = choice["message"]["content"]
    except (ValueError, TypeError, LookupError, RecursionError):
        raise Busy(f"an answer that is no chat completion: {told(body)}") from None
    usage = fields.get("usage")
    return Answer(
        text if isinstance(text, str) else "",
        tuple(rating_tokens(choice.get("logprobs"))),
        count(usage, "prompt_tokens"),
        count(usage, "completion_tokens"),
    )


def rating_tokens(logprobs: Any) -> Iterator[RatingToken]:
    """The tokens of an answer that are ratings; none where their form is not the expected one."""
    for token in items(logprobs, "content"):
        if isinstance(token, Mapping) and isinstance(text := token.get("token"), str):
            alternatives = (pair(one) for one in items(token, "top_logprobs"))
            found = rating_token(text, [one for one in alternatives if one is not None])
            if found is not None:
                yield found


def items(fields: Any, name: str) -> list[Any]:
    found = fields.get(name) if isinstance(fields, Mapping) else None
    return found if isinstance(found, list) else []


def pair(alternative: Any) -> tuple[str, float] | None:
    """A token and its log-probability."""
    if not isinstance(alternative, Mapping):
        return None
    token, log_probability = alternative.get("token"), alternative.get("logprob")
    if isinstance(token, str) and isinstance(log_probability, int | float):
        return token, log_probability
    return None


def count(usage: Any, name: str) -> int | None:
    number = usage.get(name) if isinstance(usage, Mapping) else None
    return number if isinstance(number, int) and 0 <= number <= MOST_BYTES else None


def told(body: bytes) -> str:
    """What a body says is wrong, in short and in one line."""
    try:
        fields = json.loads(body)
        said = fields["error"]["message"]
    except (ValueError, TypeError, LookupError, RecursionError):
        said = body.decode("utf-8", errors="replace")
    return " ".join(str(said).split())[:SHOWN]


def seconds_of(header: str | None) -> float | None:
    """A `Retry-After` of seconds; one that is a date, or none, says nothing."""
    return float(header) if header is not None and header.strip().isdecimal() else None
