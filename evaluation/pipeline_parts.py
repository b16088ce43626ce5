"""The pipeline as an editor runs it, and without one of its parts each: the arms of an evaluation.

It owns how an editor gets to a place: which text it had read before, and what was typed since. It
must not know how places are drawn, nor what is thought of an answer.
"""

import asyncio
import random
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from completion.indentation import detect_indentation
from completion.monitors.monitors import Monitors
from completion.pipeline import Completer, CompletionOptions
from completion.token_types.fusion import TypeFusion, load_type_fusion
from completion.values import CompletionRequest, Suggestion
from evaluation.point_sampling import HeldOut
from evaluation.repositories import Repository
from evaluation.source_folder import changed_for_now, write_sources
from lsp_server.documents import language_of
from lsp_server.index_command import index_file
from lsp_server.indexing import update
from lsp_server.workspace_code import WorkspaceCode
from models.errors import InputError
from models.language_model import LanguageModel
from retrieval.analyst.analyst import ProcessAnalyst
from retrieval.analyst.child import jedi_worker
from retrieval.index.schema import remove_database
from retrieval.workspace_files import WorkspaceFiles

FULL = "full"
PARTS = ("monitors", "retrieval", "pie")  # which the editor has; each can be taken away
EXTRAS = ("types",)  # which are off in the editor; each can be added
PATIENCE = 10.0  # seconds for a question: what is counted must not depend on the machine
CACHE_BYTES = 4 * 2**30  # for one copy of a place's cache each arm
NEAREST, FARTHEST = 5, 60  # lines above the cursor's, in which somebody has typed


@dataclass(frozen=True, slots=True)
class Arm:
    """The pipeline with or without its parts; `pie` is the cache that follows edits, without which
    all that comes after an edit is read again."""

    name: str
    monitors: bool = True
    retrieval: bool = True
    pie: bool = True
    types: bool = False


def arms_of(without: Sequence[str], added: Sequence[str]) -> list[Arm]:
    """The editor's own pipeline, then one arm for each part that is taken away or added.

    Raises `InputError` for a part that does not exist.
    """
    for part in without:
        if part in EXTRAS:
            raise InputError(f"{part} are off in the editor too; compare with --with {part}")
        if part not in PARTS:
            raise InputError(f"there is no part '{part}'; the parts are {', '.join(PARTS)}")
    for part in added:
        if part not in EXTRAS:
            raise InputError(f"'{part}' cannot be added; what can is {', '.join(EXTRAS)}")
    full = Arm(FULL)
    return [
        full,
        *(
            replace(full, name=f"without {part}", **{part: False})
            for part in dict.fromkeys(without)
        ),
        *(replace(full, name=f"with {part}", **{part: True}) for part in dict.fromkeys(added)),
    ]


@dataclass(frozen=True, slots=True)
class Written:
    """Suggestions of an arm at a place, the likeliest first, and the milliseconds they took."""

    arm: Arm
    suggestions: Sequence[Suggestion]
    ms: float


class Stage:
    """A repository in a folder of its own with its index, and all arms that work there.

    Every arm goes on from a copy of the same cache, so that the text before is read only once.
    `environment` has the packages that the repository imports; without one Pirouette's own. What
    has to be closed at the end goes on the stack.
    """

    def __init__(
        self,
        model: LanguageModel,
        repository: Repository,
        environment: Path | None,
        arms: Sequence[Arm],
        stack: ExitStack,
    ) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="pirouette-eval-")
        self.root = Path(stack.enter_context(scratch)).resolve()
        self.arms = arms
        write_sources(repository.files, self.root)
        packages = "" if environment is None else str(environment)
        related = None
        if any(arm.retrieval for arm in arms):
            stack.callback(remove_database, index_file(self.root))
            asyncio.run(update(self.root, packages))
            related = WorkspaceCode(WorkspaceFiles((self.root,)), environment=packages)
        self._whole = Completer(
            model, CompletionOptions(cache_bytes=CACHE_BYTES), standing_still, related=related
        )
        monitors = None
        if any(arm.monitors for arm in arms):
            worker = jedi_worker(packages or None)
            analyst = stack.enter_context(ProcessAnalyst(timeout=PATIENCE, worker=worker))
            analyst.wait_until_warm(PATIENCE)
            monitors = Monitors(model.tokenizer, analyst, (self.root,), PATIENCE)
        types = load_type_fusion(model.tokenizer) if any(arm.types for arm in arms) else None
        self._completers = {arm: self._completer(arm, monitors, types) for arm in arms}

    def _completer(
        self, arm: Arm, monitors: Monitors | None, types: TypeFusion | None
    ) -> Completer:
        return self._whole.with_parts(
            monitors if arm.monitors else None, types if arm.types else None, exact=not arm.pie
        )

    def ask(self, place: HeldOut, most: int, seed: int, turn: int) -> list[Written]:
        """Up to `most` suggestions of every arm at a place, in the order of the arms.

        The arms begin in turns, so that none is always the first.
        """
        file = self.root / place.path
        with changed_for_now(file, place.before + place.after):
            earlier = self._request(*text_before(place, seed), place)
            bare, with_related = f"{place.key}/bare", f"{place.key}/related"
            self._whole.read(replace(earlier, document=bare))
            self._whole.fork(bare, with_related)
            if any(arm.retrieval for arm in self.arms):
                self._whole.read_related(replace(earlier, document=with_related))
            start = turn % len(self.arms)
            written = {
                arm: self._write(arm, with_related if arm.retrieval else bare, place, most)
                for arm in [*self.arms[start:], *self.arms[:start]]
            }
            self._whole.close(bare)
            self._whole.close(with_related)
        return [written[arm] for arm in self.arms]

    def _write(self, arm: Arm, document: str, place: HeldOut, most: int) -> Written:
        own = f"{place.key}/{arm.name}"
        self._whole.fork(document, own)
        request = replace(self._request(place.before, place.after, place), document=own)
        started = perf_counter()
        suggestions = self._completers[arm].complete_several(request, most)
        ms = 1e3 * (perf_counter() - started)
        self._completers[arm].close(own)
        return Written(arm, suggestions, ms)

    def _request(self, before: str, after: str, place: HeldOut) -> CompletionRequest:
        path = self.root / place.path
        indentation = detect_indentation(place.before + place.after)
        return CompletionRequest(
            "", before, after, indentation, path=str(path), language=language_of(path)
        )


def standing_still() -> float:
    """A clock by which the machine is always as fast as a completer takes it to be at first: how
    much of a cache it repairs must not depend on the hour."""
    return 0.0


def text_before(place: HeldOut, seed: int) -> tuple[str, str]:
    """What stood before and after the cursor a moment ago.

    The cursor's line was not begun, and one of those above it, drawn with the seed, was not there:
    it has been typed since, as an import is that turns out to be missing.
    """
    above = place.before.removesuffix(place.begun).removesuffix("\n").split("\n")
    near = range(max(0, len(above) - FARTHEST), len(above) - NEAREST)
    candidates = [number for number in near if above[number].strip()]
    if candidates:
        choose = random.Random(f"{seed}/{place.key}")  # noqa: S311 - draws a line
        del above[choose.choice(candidates)]
    return "\n".join(above), place.after
