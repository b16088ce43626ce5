"""The pipeline as an editor runs it, and without one of its parts each: the arms of an evaluation.

It owns how an editor gets to a place: which text it had read before, and what was typed since. It
must not know how places are drawn, nor what is thought of an answer.
"""

import asyncio
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import perf_counter

from completion.indentation import detect_indentation
from completion.monitors.monitors import Monitors
from completion.pipeline import Completer, CompletionOptions
from completion.token_types.fusion import load_type_fusion
from completion.values import CompletionRequest, Suggestion
from evaluation.points.sampling import HeldOut
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
from retrieval.index.schema import forget_database
from retrieval.workspace_files import WorkspaceFiles

FULL = "full"
PARTS = ("monitors", "retrieval", "pie")  # which the editor has; each can be taken away
EXTRAS = ("types",)  # which are off in the editor; each can be added
PATIENCE = 10.0  # seconds for a question: what is counted must not depend on the machine
CACHE_BYTES = 4 * 2**30  # for one copy of a place's cache each arm
NEAREST, FARTHEST = 6, 60  # lines above the cursor's, in which somebody has typed


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


@contextmanager
def stage(
    model: LanguageModel, repository: Repository, environment: Path | None, arms: Sequence[Arm]
) -> Iterator["Stage"]:
    """A repository in a folder of its own with its index, and all arms that work there.

    `environment` has the packages that the repository imports; without one Pirouette's own.
    """
    packages = "" if environment is None else str(environment)
    with ExitStack() as stack:
        scratch = tempfile.TemporaryDirectory(prefix="pirouette-eval-")
        # By its own name, which the model reads.
        root = Path(stack.enter_context(scratch)).resolve() / repository.name
        root.mkdir()
        write_sources(repository.files, root)
        related = None
        if any(arm.retrieval for arm in arms):
            stack.callback(forget_database, index_file(root))
            if not asyncio.run(update(root, packages)):
                raise InputError(
                    f"no file of {repository.name} could be indexed in {root.parent}; "
                    "set TMPDIR to a folder that can be written and that git does not ignore"
                )
            related = WorkspaceCode(WorkspaceFiles((root,)), environment=packages)
        monitors = None
        if any(arm.monitors for arm in arms):
            worker = jedi_worker(packages or None)
            analyst = stack.enter_context(ProcessAnalyst(timeout=PATIENCE, worker=worker))
            analyst.wait_until_warm(PATIENCE)
            monitors = Monitors(model.tokenizer, analyst, (root,), PATIENCE)
        types = load_type_fusion(model.tokenizer) if any(arm.types for arm in arms) else None
        options = CompletionOptions(cache_bytes=CACHE_BYTES)
        whole = Completer(model, options, standing_still, related=related)
        make = {
            arm: partial(
                whole.with_parts,
                monitors if arm.monitors else None,
                types if arm.types else None,
                exact=not arm.pie,
            )
            for arm in arms
        }
        yield Stage(root, whole, make)


@dataclass(frozen=True, slots=True)
class Stage:
    """A repository's folder, the completer that reads there, and what makes that of each arm.

    Every arm goes on from a copy of the same cache, so that the text before is read only once. It
    has written nothing at any other place: what it has learnt to draft must not depend on where a
    run was cut off, since the size of a pass decides between tokens that are all but equally
    likely.
    """

    root: Path
    whole: Completer
    make: Mapping[Arm, Callable[[], Completer]]

    def ask(self, place: HeldOut, most: int, seed: int, turn: int) -> list[Written]:
        """Up to `most` suggestions of every arm at a place, in the order of the arms.

        The arms begin in turns, so that none is always the first.
        """
        file = self.root / place.path
        arms = list(self.make)
        start = turn % len(arms)
        request = self._request(*text_before(place, seed), place)
        bare = replace(request, document=f"{place.key}/bare")
        related = replace(request, document=f"{place.key}/related")
        with changed_for_now(file, place.before + place.after):
            self.whole.read(bare)
            if any(arm.retrieval for arm in arms):
                self.whole.fork(bare.document, related.document)
                self.whole.read_related(related)
                self.whole.heal(related.document)
            written = {
                arm: self._write(arm, related if arm.retrieval else bare, place, most)
                for arm in [*arms[start:], *arms[:start]]
            }
        self.whole.close(bare.document)
        self.whole.close(related.document)
        return [written[arm] for arm in arms]

    def _write(self, arm: Arm, earlier: CompletionRequest, place: HeldOut, most: int) -> Written:
        """What an arm suggests, whose cache is that of the request a moment `earlier`."""
        own = f"{place.key}/{arm.name}"
        self.whole.fork(earlier.document, own)
        completer = self.make[arm]()
        completer.learn_file(replace(earlier, document=own))
        request = replace(self._request(place.before, place.after, place), document=own)
        started = perf_counter()
        suggestions = completer.complete_several(request, most)
        ms = 1e3 * (perf_counter() - started)
        completer.close(own)
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
    near = range(max(0, len(above) - FARTHEST), len(above) - NEAREST + 1)
    candidates = [number for number in near if above[number].strip()]
    if candidates:
        choose = random.Random(f"{seed}/{place.key}")  # noqa: S311 - draws a line
        del above[choose.choice(candidates)]
    return "\n".join(above), place.after
