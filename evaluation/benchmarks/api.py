"""`pirouette bench api`: how well the APIs of a repository are found.

The task `ask`: an API for a wish in words, by each ranking alone and by both together.
"""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from evaluation.api_questions import ApiQuestion, draw_questions, outlines_of, without_docs
from evaluation.kept_results import KeptResults
from evaluation.provenance import made_here, own_commit
from evaluation.repositories import Repository
from evaluation.results import BenchResult, Row, rate, rate_difference
from models.errors import InputError
from models.progress import Progress, ProgressCallback
from retrieval.index.database import IndexDatabase, digest_of, open_database
from retrieval.index.declarations import Outline
from retrieval.index.search import DEEP, ApiSearch
from retrieval.index.update import Embeds, update_vectors
from retrieval.workspace_files import Stamp

ASK = "ask"
DEPTHS = {"accuracy_at_1": 1, "hit_at_5": 5, "hit_at_10": 10}
Rank = Callable[[ApiSearch, str], list[int]]
ARMS: Mapping[str, Rank] = {
    "lexical": lambda search, wish: search.lexical(wish, DEEP),
    "dense": lambda search, wish: search.dense(wish, DEEP),
    "fused": lambda search, wish: search.ranked(wish),
}


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """How many questions of all repositories together, drawn with which seed.

    `samples` names a JSON-lines file for every result, from which a run that was cut off goes on.
    """

    limit: int = 600
    seed: int = 0
    samples: Path | None = None
    command: str = "pirouette bench api"


@dataclass(frozen=True, slots=True)
class Found:
    """At which rank, from 1 on, an arm has the first right answer; None where it has none."""

    arm: str
    task: str
    rank: int | None


def run_api(
    options: ApiOptions,
    embedder: Embeds,
    repositories: Sequence[Repository],
    progress: ProgressCallback,
) -> BenchResult:
    """Ask every repository as many questions; progress counts repositories, then texts."""
    run = f"api, {embedder.name}, {', '.join(ARMS)}, commit {own_commit()}"
    kept = KeptResults(options.samples, run, Found)
    found: list[Found] = []
    for number, repository in enumerate(repositories):
        progress(Progress("repositories", number, len(repositories)))
        outlines = outlines_of(repository)
        share = options.limit // len(repositories) + (number < options.limit % len(repositories))
        questions = draw_questions(outlines, share, options.seed)
        key = f"{repository.name}/{options.seed}/{share}"
        found += kept.get(key, partial(ask, questions, outlines, embedder, progress))
    progress(Progress("repositories", len(repositories), len(repositories)))
    if not found:
        raise InputError("no API of these repositories is documented; name others")
    return made_here("api", options.command, options.seed, rows_of(found))


def ask(
    questions: Sequence[ApiQuestion],
    outlines: Mapping[str, Outline],
    embedder: Embeds,
    progress: ProgressCallback,
) -> list[Found]:
    """Every arm's answer to every question, about code without its documentation."""
    if not questions:
        return []

    def report(stage: str, done: int, total: int) -> None:
        progress(Progress(stage, done, total))

    with (
        tempfile.TemporaryDirectory() as folder,
        closing(open_database(Path(folder) / "index.sqlite")) as database,
    ):
        fill(database, outlines)
        update_vectors(database, embedder, report)
        search = ApiSearch(database, Path(folder), embedder)
        return [
            Found(arm, ASK, rank_of(question, database, rank(search, question.wish)))
            for question in questions
            for arm, rank in ARMS.items()
        ]


def fill(database: IndexDatabase, outlines: Mapping[str, Outline]) -> None:
    with database.transaction():
        for path, outline in outlines.items():
            database.replace(path, digest_of(path.encode()), Stamp(0, 0), without_docs(outline))


def rank_of(question: ApiQuestion, database: IndexDatabase, ids: Sequence[int]) -> int | None:
    for rank, place in enumerate(database.places(ids), 1):
        if (place.path, place.declaration.qualified) in question.answers:
            return rank
    return None


def rows_of(found: Sequence[Found]) -> Iterable[Row]:
    """Each arm on each task, then by how much both rankings together are better than each."""
    for task in dict.fromkeys(one.task for one in found):
        ranks = {
            arm: [one.rank for one in found if (one.arm, one.task) == (arm, task)] for arm in ARMS
        }
        for arm, ones in ranks.items():
            metrics = {name: rate(hits(ones, depth)) for name, depth in DEPTHS.items()}
            yield Row(arm, task, len(ones), metrics)
        for other in ("lexical", "dense"):
            differences = {
                name: rate_difference(hits(ranks["fused"], depth), hits(ranks[other], depth))
                for name, depth in DEPTHS.items()
            }
            yield Row(f"fused - {other}", task, len(ranks["fused"]), differences)


def hits(ranks: Sequence[int | None], depth: int) -> list[bool]:
    return [rank is not None and rank <= depth for rank in ranks]
