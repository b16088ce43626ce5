"""Servers for tests, started as processes: the real one with its model watched, and a broken one.

python -P tests/protocol/servers.py observed    tells `$/test/forward` before each pass
python -P tests/protocol/servers.py failing     raises whenever it is asked to complete
python -P tests/protocol/servers.py unsure      suggests `value`, with a confidence of one half
python -P tests/protocol/servers.py scripted    suggests `(one, two)`, tells `$/test/asked` then
python -P tests/protocol/servers.py echoing     suggests a digest of the text around the cursor
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from torch import Tensor

from completion.menu.names import MenuNames
from completion.menu.ranking import RankedName, unranked, with_kinds
from completion.pipeline import Completer, CompletionOptions
from completion.suggestion_reuse import SuggestionReuse
from completion.values import CancelCheck, CompletionRequest, Suggestion, never_cancelled
from lsp_server.features import create_server
from lsp_server.logs import log_to_stderr
from lsp_server.serve import leave
from lsp_server.server import PirouetteServer, load_completer
from models.decoder import Decoder
from models.kv_cache import KeyValueCache
from models.store import ModelStore, default_home
from models.token_tree import NO_TREE, TokenTree

FORWARD = "$/test/forward"
CHECKED = "$/test/checked"
ASKED = "$/test/asked"


class ObservedDecoder(Decoder):
    """The same decoder, which says how many tokens it is about to read."""

    def __init__(self, decoder: Decoder, observe: Callable[[int], None]) -> None:
        self.__dict__.update(decoder.__dict__)
        self._observe = observe

    def encode(
        self,
        cache: KeyValueCache,
        positions: Sequence[int],
        cancelled: CancelCheck = never_cancelled,
        attention: Tensor | None = None,
        ahead: TokenTree = NO_TREE,
    ) -> Tensor:
        self._observe(len(positions))
        return super().encode(cache, positions, cancelled, attention, ahead)


class CheckedCompleter(Completer):
    """The same completer, which says after each model call whether its cache is the document's."""

    def __init__(self, completer: Completer, tell: Callable[[dict[str, Any]], None]) -> None:
        self.__dict__.update(vars(completer))
        self._tell = tell

    def _complete(
        self, request: CompletionRequest, cancelled: CancelCheck, budget_ms: int
    ) -> Suggestion:
        suggestion = super()._complete(request, cancelled, budget_ms)
        if suggestion.stop != "reuse":
            session = self._sessions.of(request.document)
            held, tokenizer = session.cache, self.model.tokenizer
            read = list(held.tokens[: suggestion.tokens.prompt])
            read += self.prompts.build(request, session.edges, session.related).end.rewritten
            suffix, middle = (
                read.index(tokenizer.control[name]) for name in ("<|fim_suffix|>", "<|fim_middle|>")
            )
            before = tokenizer.decode(read[1:suffix]) + tokenizer.decode(read[middle + 1 :])
            after = tokenizer.decode(read[suffix + 1 : middle])
            self._tell(
                {
                    "true": request.before.endswith(before) and request.after.startswith(after),
                    "read": not held.unread(),
                    "caches": len(self._sessions),
                    "memory": memory_in_use(),
                    "prompt": suggestion.tokens.prompt,
                    "encoded": suggestion.tokens.encoded,
                }
            )
        return suggestion


def memory_in_use() -> int:
    """Bytes of this process that no file stands behind; mapped weights are not among them."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(status.partition("RssAnon:")[2].split()[0])


class WithoutModel(Completer):
    """Remembers and prepares nothing."""

    def __init__(self) -> None: ...

    def remembered(self, request: CompletionRequest) -> Suggestion | None:
        return None

    def prepare(self, request: CompletionRequest, cancelled: CancelCheck = never_cancelled) -> int:
        return 0

    def get_ahead(
        self, request: CompletionRequest, shown: Suggestion, cancelled: CancelCheck
    ) -> None: ...

    def close(self, document: str) -> None: ...


class FailingCompleter(WithoutModel):
    """Fails as a defect would, with source text in its message."""

    def complete_several(
        self, request: CompletionRequest, most: int, cancelled: CancelCheck = never_cancelled
    ) -> list[Suggestion]:
        raise ValueError(request.before)


class UnsureCompleter(WithoutModel):
    """Suggests the same everywhere."""

    def complete_several(
        self, request: CompletionRequest, most: int, cancelled: CancelCheck = never_cancelled
    ) -> list[Suggestion]:
        return [Suggestion("value", "none", "end", confidence=0.5)]


class ScriptedCompleter(WithoutModel):
    """Writes the same everywhere, remembers it as any other, and tells what it was asked.

    Work ahead counts as asking, too: it is the model's.
    """

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self.options = CompletionOptions()
        self._reuse = SuggestionReuse()
        self._tell = tell

    def _ask_model(
        self, request: CompletionRequest, cancelled: CancelCheck, budget_ms: int, others: int = 0
    ) -> list[Suggestion]:
        self._tell({"before": request.before, "after": request.after, "ahead": False})
        return [Suggestion("(one, two)", "none", "end", confidence=1.0)]

    def remembered(self, request: CompletionRequest) -> Suggestion | None:
        return self._reuse.find(request)

    def get_ahead(
        self, request: CompletionRequest, shown: Suggestion, cancelled: CancelCheck
    ) -> None:
        self._tell({"before": request.before, "after": request.after, "ahead": True})


def digest_of(before: str, after: str) -> str:
    return sha256(f"{before}\0{after}".encode()).hexdigest()


class EchoingCompleter(UnsureCompleter):
    """Says what it was asked, and lists names in the order of their spelling."""

    def complete_several(
        self, request: CompletionRequest, most: int, cancelled: CancelCheck = never_cancelled
    ) -> list[Suggestion]:
        return [Suggestion(digest_of(request.before, request.after), "none", "end", confidence=1.0)]

    complete_by_hand = complete_several

    def rank_names(
        self, request: CompletionRequest, names: MenuNames, cancelled: CancelCheck, seconds: float
    ) -> list[RankedName]:
        found = names.wait(seconds, cancelled)
        return with_kinds(unranked(found), found)


def observed_server() -> PirouetteServer:
    def load(*arguments: Any) -> Completer:
        completer = load_completer(ModelStore(default_home()), *arguments)

        def observe(tokens: int) -> None:
            server.protocol.notify(FORWARD, {"tokens": tokens})

        decoder = ObservedDecoder(completer.model.decoder, observe)
        model = replace(completer.model, decoder=decoder)
        return Completer(
            model,
            completer.options,
            monitors=completer.monitors,
            related=completer.related,
            types=completer.types,
        )

    server = create_server(load)
    return server


def checked_server() -> PirouetteServer:
    def load(*arguments: Any) -> Completer:
        completer = load_completer(ModelStore(default_home()), *arguments)
        return CheckedCompleter(completer, lambda told: server.protocol.notify(CHECKED, told))

    server = create_server(load)
    return server


def failing_server() -> PirouetteServer:
    return create_server(lambda *_: FailingCompleter())


def unsure_server() -> PirouetteServer:
    return create_server(lambda *_: UnsureCompleter())


def scripted_server() -> PirouetteServer:
    server = create_server(
        lambda *_: ScriptedCompleter(lambda told: server.protocol.notify(ASKED, told))
    )
    return server


def echoing_server() -> PirouetteServer:
    return create_server(lambda *_: EchoingCompleter())


if __name__ == "__main__":
    log_to_stderr()
    servers = {
        "observed": observed_server,
        "checked": checked_server,
        "failing": failing_server,
        "unsure": unsure_server,
        "scripted": scripted_server,
        "echoing": echoing_server,
    }
    servers[sys.argv[1]]().start_io()
    leave(0)
