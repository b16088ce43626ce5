"""`pirouette bench api`: how well the APIs of a repository are found.

The task `ask`: an API for a wish in words. The task `retrieve`: what is called next, for the lines
before that. By each ranking alone, by both together, and for a wish in the order that the model
gives what both have found.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from math import log2
from pathlib import Path
from statistics import mean

from completion.api_ranking import best_first
from evaluation.api_questions import (
    ApiQuestion,
    draw_questions,
    outlines_of,
    questions_at_calls,
    without_docs,
)
from evaluation.intervals import bootstrap_mean
from evaluation.kept_results import KeptResults
from evaluation.provenance import made_here, own_commit, run_name
from evaluation.repositories import Repository
from evaluation.results import BenchResult, Row, metric, rate, rate_difference
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback
from retrieval.index.database import IndexDatabase, digest_of, open_database
from retrieval.index.declarations import Outline
from retrieval.index.search import DEEP, ApiSearch
from retrieval.index.update import Embeds, update_vectors
from retrieval.workspace_files import Stamp

ASK, RETRIEVE = "ask", "retrieve"
DEEPEST = 10  # that recall and gain look at
DEPTHS = {"accuracy_at_1": 1, "hit_at_5": 5, "hit_at_10": 10}
Rank = Callable[[IndexDatabase, ApiSearch, str], list[int]]
LEXICAL, DENSE, FUSED, RERANKED = "lexical", "dense", "fused", "reranked"
SEARCHES: Mapping[str, Rank] = {
    LEXICAL: lambda _, search, wish: search.lexical(wish, DEEP),
    DENSE: lambda _, search, wish: search.dense(wish, DEEP),
    FUSED: lambda _, search, wish: search.ranked(wish),
}
COMPARED = ((FUSED, LEXICAL), (FUSED, DENSE), (RERANKED, FUSED))


@dataclass(frozen=True, slots=True)
class ApiOptions:
    """The task, and how many questions of all repositories together, drawn with which seed.

    `samples` names a JSON-lines file for every result, from which a run that was cut off goes on.
    """

    task: str = ASK
    limit: int = 600
    seed: int = 0
    samples: Path | None = None
    command: str = "pirouette bench api"


@dataclass(frozen=True, slots=True)
class Found:
    """At which ranks, from 1 on, an arm has right answers, of so many that there are."""

    arm: str
    ranks: list[int]
    answers: int

    def hits(self, depth: int) -> bool:
        return any(rank <= depth for rank in self.ranks)

    @property
    def recall(self) -> float:
        """The share of the answers that is among the first ten."""
        return sum(rank <= DEEPEST for rank in self.ranks) / self.answers

    @property
    def gain(self) -> float:
        """Normalised discounted cumulative gain among the first ten, every answer worth the same
        (Järvelin and Kekäläinen 2002, section 3)."""
        ideal = sum(1 / log2(1 + rank) for rank in range(1, min(self.answers, DEEPEST) + 1))
        return sum(1 / log2(1 + rank) for rank in self.ranks if rank <= DEEPEST) / ideal


def run_api(
    options: ApiOptions,
    embedder: Embeds,
    load: Callable[[], LanguageModel],
    repositories: Sequence[Repository],
    progress: ProgressCallback,
) -> BenchResult:
    """Ask every repository as many questions; progress counts repositories, then texts.

    The model of the task `ask` is loaded."""
    bench, arms = f"api {options.task}, {embedder.name}", SEARCHES
    if options.task == ASK:
        model = load()
        arms = {**SEARCHES, RERANKED: partial(reranked, model)}
        run = run_name(bench, model, arms)
    else:
        run = f"{bench}, {', '.join(arms)}, commit {own_commit()}"
    kept = KeptResults(options.samples, run, Found)
    found: list[Found] = []
    for number, repository in enumerate(repositories):
        progress(Progress("repositories", number, len(repositories)))
        outlines = outlines_of(repository)
        share = options.limit // len(repositories) + (number < options.limit % len(repositories))
        if options.task == RETRIEVE:
            questions = questions_at_calls(repository, outlines, share, options.seed)
        else:
            questions = draw_questions(outlines, share, options.seed)
            outlines = {path: without_docs(outline) for path, outline in outlines.items()}
        key = f"{repository.name}/{options.seed}/{share}"
        found += kept.get(key, partial(ask, questions, outlines, arms, embedder, progress))
    progress(Progress("repositories", len(repositories), len(repositories)))
    if not found:
        reason = "called in them" if options.task == RETRIEVE else "documented"
        raise InputError(f"no API of these repositories is {reason}; name others")
    return made_here("api", options.command, options.seed, rows_of(found, options))


def reranked(
    model: LanguageModel, database: IndexDatabase, search: ApiSearch, wish: str
) -> list[int]:
    """What both rankings find, in the order of the model."""
    places = database.places(search.ranked(wish))
    return [place.id for place in best_first(model, wish, places)]


def ask(
    questions: Sequence[ApiQuestion],
    outlines: Mapping[str, Outline],
    arms: Mapping[str, Rank],
    embedder: Embeds,
    progress: ProgressCallback,
) -> list[Found]:
    """Every arm's answer to every question."""
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
            Found(
                arm,
                ranks_of(question, database, rank(database, search, question.wish)),
                len(question.answers),
            )
            for question in questions
            for arm, rank in arms.items()
        ]


def fill(database: IndexDatabase, outlines: Mapping[str, Outline]) -> None:
    with database.transaction():
        for path, outline in outlines.items():
            database.replace(path, digest_of(path.encode()), Stamp(0, 0), outline)


def ranks_of(question: ApiQuestion, database: IndexDatabase, ids: Sequence[int]) -> list[int]:
    """The ranks of the right answers, what is hidden left out."""
    found = [(place.path, place.declaration.qualified) for place in database.places(ids)]
    shown = [one for one in found if one not in question.hidden]
    return [rank for rank, one in enumerate(shown, 1) if one in question.answers]


def rows_of(found: Sequence[Found], options: ApiOptions) -> Iterator[Row]:
    """Each arm, then by how much some are better than others."""
    arms = dict.fromkeys(one.arm for one in found)
    by_arm = {arm: [one for one in found if one.arm == arm] for arm in arms}
    for arm, ones in by_arm.items():
        metrics = {name: rate(one.hits(depth) for one in ones) for name, depth in DEPTHS.items()}
        for name, values in graded(ones, options.task).items():
            metrics[name] = metric(mean(values), bootstrap_mean(values, options.seed))
        yield Row(arm, options.task, len(ones), metrics)
    for better, other in COMPARED:
        if better not in by_arm:
            continue
        differences = {
            name: rate_difference(
                [one.hits(depth) for one in by_arm[better]],
                [one.hits(depth) for one in by_arm[other]],
            )
            for name, depth in DEPTHS.items()
        }
        lower = graded(by_arm[other], options.task)
        for name, values in graded(by_arm[better], options.task).items():
            gained = [high - low for high, low in zip(values, lower[name], strict=True)]
            differences[name] = metric(mean(gained), bootstrap_mean(gained, options.seed))
        yield Row(f"{better} - {other}", options.task, len(by_arm[better]), differences)


def graded(found: Sequence[Found], task: str) -> dict[str, list[float]]:
    """What is told of each question where several answers are looked for."""
    if task != RETRIEVE:
        return {}
    return {
        "recall_at_10": [one.recall for one in found],
        "ndcg_at_10": [one.gain for one in found],
    }
