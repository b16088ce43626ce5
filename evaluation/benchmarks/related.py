"""`pirouette bench related`: what code of other files before the file is worth.

A line of a real file is held out; the pipeline is asked for it without other files, with what the
repository's index finds for that place, and once the cache has been made exact after that. The
repository is indexed as it is; the file with the line is never looked into.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean

from completion.pipeline import Completer
from evaluation.confidence_samples import Point, draw_points
from evaluation.indexed_repositories import IndexedRepositories
from evaluation.intervals import bootstrap_mean
from evaluation.kept_results import KeptResults
from evaluation.metrics.lines import line_similarity
from evaluation.provenance import made_here, run_name
from evaluation.repositories import Repository
from evaluation.results import BenchResult, Metric, Row, metric, rate, rate_difference
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback

ARMS = ("plain", "related", "healed")


@dataclass(frozen=True, slots=True)
class RelatedOptions:
    """How many lines of all repositories together, drawn with which seed.

    `samples` names a JSON-lines file for every result, from which a run that was cut off goes on.
    """

    limit: int = 200
    seed: int = 0
    samples: Path | None = None
    command: str = "pirouette bench related"


@dataclass(frozen=True, slots=True)
class Written:
    """The line that one arm wrote, and the true one.

    `encoded` are the tokens read while somebody waits, `read` those of other files, in idle time.
    `told` is whether the true line stands in that code as it is.
    """

    arm: str
    repository: str
    line: str
    truth: str
    encoded: int
    read: int
    told: bool

    @property
    def exact(self) -> bool:
        return self.line.rstrip() == self.truth.rstrip()

    @property
    def similarity(self) -> float:
        return line_similarity(self.line, self.truth)


def run_related(
    options: RelatedOptions,
    model: LanguageModel,
    repositories: Sequence[Repository],
    progress: ProgressCallback,
) -> BenchResult:
    """Ask every arm at every place; progress counts places."""
    points = draw_points(repositories, options.limit, options.seed)
    if not points:
        raise InputError("no line could be drawn from these repositories; name larger ones")
    kept = KeptResults(options.samples, run_name("related", model, ARMS), Written)
    written: list[Written] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        indexed = IndexedRepositories()
        indexed.add(repositories, folder, stack, progress)
        completer = Completer(model, related=indexed)
        for done, (number, point) in enumerate(points.items()):
            progress(Progress("related", done, len(points)))
            key = f"{options.seed}/{number}/{point.request.document}"
            written += kept.get(key, partial(ask, completer, point))
    progress(Progress("related", len(points), len(points)))
    return made_here("related", options.command, options.seed, rows_of(written, options.seed))


def ask(completer: Completer, point: Point) -> Iterator[Written]:
    """Every arm's line; one cache goes from one to the next, as it would in an editor."""
    told, read = False, 0
    for arm in ARMS:
        own = completer.with_parts()
        if arm == "related":
            related = own.read_related(point.request)
            line = point.request.before.rpartition("\n")[2] + point.truth
            told = any(line.strip() in block.text for block in related.blocks)
            read = sum(len(completer.model.tokenizer.encode(b.text)) for b in related.blocks)
        elif arm == "healed":
            own.heal(point.request.document)
        suggestion = own.complete(point.request)
        line = suggestion.text.partition("\n")[0]
        encoded = suggestion.tokens.encoded
        yield Written(arm, point.repository, line, point.truth, encoded, read, told)
    completer.close(point.request.document)


def rows_of(written: Sequence[Written], seed: int) -> Iterable[Row]:
    """Each arm over all places, over those whose line is told and the others, and over each
    repository; after them, by how much it is nearer to the truth than without other files."""
    told = [one.told for one in written if one.arm == ARMS[-1] for _ in ARMS]
    slices: dict[str, Callable[[int, Written], bool]] = {
        "all": lambda _, __: True,
        "told": lambda place, _: told[place],
        "not told": lambda place, _: not told[place],
    }
    for repository in dict.fromkeys(one.repository for one in written):
        slices[repository] = lambda _, one, name=repository: one.repository == name  # type: ignore[misc]
    for name, belongs in slices.items():
        chosen = [one for place, one in enumerate(written) if belongs(place, one)]
        if not chosen:
            continue
        by_arm = {arm: [one for one in chosen if one.arm == arm] for arm in ARMS}
        for arm, ones in by_arm.items():
            yield Row(arm, name, len(ones), metrics_of(ones, seed))
        for arm in ARMS[1:]:
            yield Row(
                f"{arm} - {ARMS[0]}",
                name,
                len(by_arm[arm]),
                differences(by_arm[arm], by_arm[ARMS[0]], seed),
            )


def metrics_of(written: Sequence[Written], seed: int) -> Mapping[str, Metric]:
    similarities = [one.similarity for one in written]
    return {
        "exact_match": rate(one.exact for one in written),
        "edit_similarity": metric(mean(similarities), bootstrap_mean(similarities, seed)),
        "tokens_encoded": Metric(mean(one.encoded for one in written)),
        "tokens_related": Metric(mean(one.read for one in written)),
    }


def differences(
    written: Sequence[Written], first: Sequence[Written], seed: int
) -> Mapping[str, Metric]:
    """On the same places in order."""
    nearer = [a.similarity - b.similarity for a, b in zip(written, first, strict=True)]
    exact = rate_difference([one.exact for one in written], [one.exact for one in first])
    return {
        "exact_match": exact,
        "edit_similarity": metric(mean(nearer), bootstrap_mean(nearer, seed)),
    }
