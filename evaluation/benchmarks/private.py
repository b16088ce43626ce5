"""`pirouette bench api --task private`: programs with libraries that the model has not seen.

Each is written without documentation, with what the search tool finds for what the program's own
comments say, and with the APIs that people named as needed (an oracle); then it is run. The tool
searches the whole public API of the library, read from its files as a developer has them installed.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from completion.pipeline import Completer, CompletionOptions
from completion.values import CancelCheck, CompletionRequest
from evaluation.kept_results import KeptResults
from evaluation.monkey_library import write_monkey
from evaluation.private_tasks import (
    LIBRARIES,
    LIMITS,
    MONKEY_LIBRARY,
    PrivateLibrary,
    PrivateTask,
    libraries_of,
    program_of,
    read_private_tasks,
)
from evaluation.programs import Libraries, run_program
from evaluation.provenance import made_here, run_name
from evaluation.results import BenchResult, Row, rate, rate_difference
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback
from retrieval.api_docs.api_docs import LibraryDocs
from retrieval.api_docs.packages import package_in, update_package
from retrieval.api_docs.wish import wish_above
from retrieval.index.database import open_database
from retrieval.related.related_code import NOTHING_RELATED, RelatedCode
from retrieval.related.similar_code import CodeBlock

NO_DOCS = "no_docs"
DEPTHS = {"tool_1": 1, "tool_3": 3, "tool_5": 5}
ORACLE = "oracle"
ARMS = (NO_DOCS, *DEPTHS, ORACLE)
MOST_TOKENS = 2048  # of documentation: all of what an arm finds
LONGEST = 100  # tokens of a program, as published


@dataclass(frozen=True, slots=True)
class PrivateOptions:
    """The folder of the tasks, and how many of each library, all if None.

    `samples` names a JSON-lines file for every result, from which a run that was cut off goes on.
    """

    data: Path
    folder: Path
    limit: int | None = None
    seed: int = 0
    samples: Path | None = None
    command: str = "pirouette bench api --task private"


@dataclass(frozen=True, slots=True)
class Tried:
    """What one arm wrote for a task, and whether it does what it should.

    `needed` says whether people named APIs for it, `found` whether one of them was told.
    """

    arm: str
    library: str
    task: str
    text: str
    passed: bool
    reason: str
    needed: bool
    found: bool
    docs: str


@dataclass(slots=True)
class GivenDocs:
    """Finds whatever `blocks` are given, until others are."""

    library: str = ""
    blocks: tuple[CodeBlock, ...] = ()

    def related(self, _: CompletionRequest, __: CancelCheck) -> RelatedCode:
        return RelatedCode(self.library, "main.py", self.blocks) if self.blocks else NOTHING_RELATED


@dataclass(frozen=True, slots=True)
class Bench:
    """What all tasks of one library have in common."""

    library: PrivateLibrary
    docs: LibraryDocs
    libraries: Libraries
    completer: Completer
    given: GivenDocs
    outcomes: dict[str, tuple[bool, str]] = field(default_factory=dict)  # by program

    def attempt(self, task: PrivateTask) -> Iterator[Tried]:
        """Every arm at one task; each of them is a document of its own."""
        wish = wish_above(task.prompt)
        for arm in ARMS:
            if arm == ORACLE:
                apis = [api for name in task.apis if (api := self.docs.named(name, wish))]
            else:
                apis = self.docs.found(wish)[: DEPTHS.get(arm, 0)]
            self.given.library = self.library.name
            self.given.blocks = tuple(self.docs.block(api, wish) for api in apis)
            text = self._write(task, arm)
            passed, reason = self._run(program_of(self.library, task, text))
            yield Tried(
                arm,
                self.library.name,
                task.task_id,
                text,
                passed,
                reason,
                bool(task.apis),
                any(api.declaration.name in task.apis for api in apis),
                "".join(block.text for block in self.given.blocks),
            )

    def _write(self, task: PrivateTask, arm: str) -> str:
        request = CompletionRequest(
            f"{task.task_id}/{arm}", task.prompt, "", path="main.py", language="python"
        )
        self.completer.read_related(request)
        text = self.completer.complete(request).text
        self.completer.close(request.document)
        return text

    def _run(self, program: str) -> tuple[bool, str]:
        if program not in self.outcomes:
            outcome = run_program(program, LIMITS, self.libraries)
            self.outcomes[program] = outcome.passed, outcome.reason
        return self.outcomes[program]


def run_private(
    options: PrivateOptions, load: Callable[[], LanguageModel], progress: ProgressCallback
) -> BenchResult:
    """Let every arm write every program; progress counts them.

    Raises `InputError` for data that is not there, before the model is loaded, and
    `DownloadError` for libraries that cannot be had.
    """
    tasks = {
        library: read_private_tasks(options.data, library)[: options.limit] for library in LIBRARIES
    }
    model = load()
    run = f"{run_name('private', model, ARMS)}, {LONGEST} tokens"
    kept = KeptResults(options.samples, run, Tried)
    given = GivenDocs()
    settings = CompletionOptions(max_tokens=LONGEST, related_tokens=MOST_TOKENS)
    completer = Completer(model, settings, related=given)
    tried: list[Tried] = []
    total, done = sum(map(len, tasks.values())), 0
    for library, ones in tasks.items():
        site, libraries = libraries_of(library, options.folder, progress)
        with docs_of(library, site) as docs:
            bench = Bench(library, docs, libraries, completer, given)
            for task in ones:
                progress(Progress("private", done, total))
                tried += kept.get(task.task_id, partial(bench.attempt, task))
                done += 1
    progress(Progress("private", total, total))
    return made_here("api", options.command, options.seed, rows_of(tried))


@contextmanager
def docs_of(library: PrivateLibrary, site: Path) -> Iterator[LibraryDocs]:
    """What a library says of itself, indexed for now from its files alone."""
    with tempfile.TemporaryDirectory() as folder:
        if library is MONKEY_LIBRARY:
            write_monkey(site, Path(folder))
            site = Path(folder)
        with closing(open_database(Path(folder) / "index.sqlite")) as database:
            package = package_in(site, library.name)
            assert package is not None
            update_package(database, package, lambda _, __, ___: None)
            yield LibraryDocs(site, database)


def rows_of(tried: Sequence[Tried]) -> Iterator[Row]:
    """Each arm on each library, over all its tasks and over those for which people named an API,
    and by how much it is better than without documentation."""
    for library in dict.fromkeys(one.library for one in tried):
        yield from arms_of(f"private {library}", [one for one in tried if one.library == library])
        needed = [one for one in tried if one.library == library and one.needed]
        if needed:
            yield from arms_of(f"private {library}, APIs named", needed)


def arms_of(name: str, tried: Sequence[Tried]) -> Iterator[Row]:
    by_arm = {arm: [one for one in tried if one.arm == arm] for arm in ARMS}
    for arm, ones in by_arm.items():
        metrics = {"pass_at_1": rate(one.passed for one in ones)}
        if arm != NO_DOCS:
            metrics["api_told"] = rate(one.found for one in ones)
        yield Row(arm, name, len(ones), metrics)
    without = [one.passed for one in by_arm[NO_DOCS]]
    for arm in ARMS[1:]:
        difference = rate_difference([one.passed for one in by_arm[arm]], without)
        yield Row(f"{arm} - {NO_DOCS}", name, len(without), {"pass_at_1": difference})
