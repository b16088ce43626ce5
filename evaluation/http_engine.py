"""A peer that is driven over HTTP: another engine that completes the same texts.

Two kinds of servers are known. llama.cpp's fills in the middle itself (`POST /infill`:
`input_prefix`, `input_suffix`, `n_predict`; ggml-org/llama.cpp, `tools/server/README.md`). Servers
that are compatible with OpenAI's (`POST /v1/completions`: `model`, `prompt`, `suffix`,
`max_tokens`) are told of what follows only where anything does, since several refuse it. Both
decode greedily. Nothing leaves the machine but to the endpoint that was named: redirects are not
followed.
"""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Literal, get_args

from completion.values import CompletionRequest
from evaluation.judges.endpoint import Busy, address_in, opener_for, read_up_to
from evaluation.tasks import Completion
from models.errors import InputError

Kind = Literal["llama.cpp", "openai"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SECONDS = 300.0  # for one answer, the reading of a long prompt included
LARGEST_ANSWER = 16 << 20  # bytes


@dataclass(frozen=True, slots=True)
class PeerEndpoint:
    """Where a peer listens, without a slash at the end, and what it understands."""

    kind: Kind
    url: str


def endpoint_of(text: str) -> PeerEndpoint:
    """The endpoint in `KIND=URL`. Raises `InputError` for anything else."""
    kind, _, url = text.partition("=")
    known = next((one for one in KINDS if one == kind), None)
    parts = address_in(url)
    plain = parts and not (parts.username or parts.password or parts.query or parts.fragment)
    if known is None or not plain:
        raise InputError(
            f"'{text}' is no engine; name one as {' or '.join(f'{one}=http://…' for one in KINDS)}"
        )
    return PeerEndpoint(known, url.rstrip("/").removesuffix("/v1"))


@dataclass(frozen=True, slots=True)
class HttpEngine:
    """Completes requests with a peer; `model` is what an OpenAI-compatible one calls its model."""

    endpoint: PeerEndpoint
    answer_tokens: int
    model: str = ""
    seconds: float = SECONDS

    def complete(self, request: CompletionRequest) -> Completion:
        """The text, of a single line up to its end. Raises `InputError` where none is had."""
        llama = self.endpoint.kind == "llama.cpp"
        answer = self._ask("/infill" if llama else "/v1/completions", self._question(request))
        try:
            if llama:
                text, tokens = answer["content"], answer["tokens_predicted"]
            else:
                text, tokens = answer["choices"][0]["text"], answer["usage"]["completion_tokens"]
            if not isinstance(text, str) or not isinstance(tokens, int):
                raise TypeError
        except (KeyError, IndexError, TypeError):
            raise self._refusal(f"it did not answer with a completion ({shown(answer)})") from None
        if llama:
            self._require_all_read(request, answer.get("tokens_evaluated"))
        text = text.encode(errors="replace").decode()  # JSON can spell what is no text
        return Completion(text.split("\n", 1)[0] if request.single_line else text, tokens)

    def _require_all_read(self, request: CompletionRequest, read: object) -> None:
        """llama.cpp's server cuts what it is given to its batch, and says so by a number alone."""
        if not isinstance(read, int):
            return
        answers = [
            self._ask("/tokenize", {"content": text}) for text in (request.before, request.after)
        ]
        try:
            given = sum(len(answer["tokens"]) for answer in answers)
        except (KeyError, TypeError):
            raise self._refusal("it does not tell how many tokens a text has") from None
        if read < given:
            raise self._refusal(f"it read {read} of {given} tokens; its options -c and -b say more")

    def _question(self, request: CompletionRequest) -> Mapping[str, Any]:
        greedy: dict[str, Any] = {"temperature": 0, "stream": False}
        if request.single_line:
            greedy["stop"] = ["\n"]
        if self.endpoint.kind == "llama.cpp":
            return greedy | {
                "input_prefix": request.before,
                "input_suffix": request.after,
                "n_predict": self.answer_tokens,
                "cache_prompt": False,
            }
        question = {"model": self.model, "prompt": request.before, "max_tokens": self.answer_tokens}
        return greedy | question | ({"suffix": request.after} if request.after else {})

    def _ask(self, path: str, question: Mapping[str, Any] | None = None) -> Any:
        """What the peer answers, as JSON."""
        body = None if question is None else json.dumps(question).encode()
        request = urllib.request.Request(  # noqa: S310 - only http and https get here
            self.endpoint.url + path, body, {"Content-Type": "application/json"}
        )
        try:
            opener = opener_for(self.endpoint.url)
            with opener.open(request, timeout=self.seconds) as response:
                return json.loads(read_up_to(response, LARGEST_ANSWER, monotonic() + self.seconds))
        except urllib.error.HTTPError as error:
            with error:
                told = shown(error.read(LARGEST_ANSWER).decode(errors="replace"))
            raise self._refusal(f"status {error.code}: {told}") from None
        except Busy as busy:
            raise self._refusal(str(busy)) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            if isinstance(reason, TimeoutError):
                reason = f"no answer within {self.seconds:g} s"
            raise self._refusal(str(reason) or type(error).__name__) from None
        except (ValueError, RecursionError):
            raise self._refusal("its answer is no JSON") from None

    def _refusal(self, reason: str) -> InputError:
        return InputError(
            f"{self.endpoint.kind} at {self.endpoint.url} does not complete ({shown(reason)}); "
            "start it as the benchmark's page says, or leave out --engine"
        )

    def ready(self) -> "HttpEngine":
        """The engine once its peer has shown that it is there, with the model that it runs.

        Raises `InputError` where it is not.
        """
        if self.endpoint.kind == "llama.cpp":
            self._ask("/health")
            return self
        listed = self._ask("/v1/models")
        try:
            name = str(listed["data"][0]["id"])
        except (KeyError, IndexError, TypeError):
            raise self._refusal(f"it lists no models ({shown(listed)})") from None
        return HttpEngine(self.endpoint, self.answer_tokens, name, self.seconds)


def shown(answer: object) -> str:
    """An answer on one line, and not too long a one."""
    text = " ".join(str(answer).split())
    return text if len(text) <= 200 else f"{text[:200]}…"
