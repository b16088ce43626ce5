"""The task `token` of `pirouette bench api`: the name of what is called, where a repository calls
its own APIs."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, median

import numpy as np

from completion.pipeline import Completer
from evaluation.call_site_arms import Named, name_everywhere
from evaluation.call_sites import CallSite, draw_call_sites
from evaluation.indexed_repositories import IndexedRepositories
from evaluation.intervals import bootstrap_mean
from evaluation.kept_results import KeptResults
from evaluation.provenance import made_here, run_name
from evaluation.repositories import Repository
from evaluation.results import BenchResult, Metric, Row, metric, rate, rate_difference
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback
from retrieval.analyst.analyst import ProcessAnalyst
from retrieval.analyst.child import jedi_worker
from retrieval.analyst.questions import Analyst
from retrieval.related.related_code import RepositoryCode

TASK = "token"
ARMS = ("model", "jedi", "lexical", "menu", "lance", "menu_related", "lance_related")
BEST = ARMS[-1]
PATIENCE = 20.0  # seconds for static analysis to start, and to answer


@dataclass(frozen=True, slots=True)
class CallSiteOptions:
    """How many sites of all repositories together, drawn with which seed.

    What the repositories, in Python unless they are `in_java`, import is looked up in the
    `environment`, as for dereferences. `samples`
    names a JSON-lines file for every result, from which a run that was cut off goes on.
    """

    limit: int = 300
    seed: int = 0
    in_java: bool = False
    environment: Path | None = None
    samples: Path | None = None
    command: str = "pirouette bench api --task token"


@dataclass(frozen=True, slots=True)
class Listed:
    """At which rank, from 1 on, an arm has the true name; None where it has not got it."""

    arm: str
    dereferenced: bool
    rank: int | None
    ms: float | None


def run_call_sites(
    options: CallSiteOptions,
    model: LanguageModel,
    repositories: Sequence[Repository],
    progress: ProgressCallback,
) -> BenchResult:
    """Let every arm list names at every site; progress counts sites."""
    sites = draw_call_sites(repositories, options.limit, options.seed)
    if not sites:
        raise InputError("no call of an API of its own in these repositories; name larger ones")
    kept = KeptResults(options.samples, run_name("api token", model, ARMS), Listed)
    listed: list[Listed] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        indexed = IndexedRepositories()
        indexed.add(repositories, folder, stack, progress)
        analyst = None if options.in_java else stack.enter_context(started(options.environment))
        completer = Completer(model, related=indexed)
        for number, site in enumerate(sites):
            progress(Progress("call sites", number, len(sites)))
            key = f"{options.seed}/{site.key}"
            code = indexed.codes[site.repository]
            listed += kept.get(key, partial(list_everywhere, completer, analyst, site, code))
    progress(Progress("call sites", len(sites), len(sites)))
    rows = rows_of(listed, options.seed)
    return made_here("api", options.command, options.seed, rows)


def started(environment: Path | None) -> ProcessAnalyst:
    """Static analysis, as soon as it answers."""
    worker = jedi_worker(str(environment) if environment else None)
    analyst = ProcessAnalyst(timeout=PATIENCE, worker=worker)
    analyst.wait_until_warm(PATIENCE)
    return analyst


def list_everywhere(
    completer: Completer, analyst: Analyst | None, site: CallSite, code: RepositoryCode
) -> Iterator[Listed]:
    """What every arm lists at one site."""
    for named in name_everywhere(completer, analyst, site, code):
        yield judged(named, site)


def judged(named: Named, site: CallSite) -> Listed:
    rank = named.names.index(site.name) + 1 if site.name in named.names else None
    return Listed(named.arm, site.dereferenced, rank, named.ms)


def rows_of(listed: Sequence[Listed], seed: int) -> Iterable[Row]:
    """Each arm at all sites, at those after a dot and at the others; then by how much the best one
    is better than each."""
    slices: dict[str, Callable[[Listed], bool]] = {
        TASK: lambda _: True,
        f"{TASK} attribute": lambda one: one.dereferenced,
        f"{TASK} name": lambda one: not one.dereferenced,
    }
    for name, belongs in slices.items():
        by_arm = {arm: [one for one in listed if one.arm == arm and belongs(one)] for arm in ARMS}
        if not by_arm[BEST]:
            continue
        there = {arm: ones for arm, ones in by_arm.items() if ones}
        for arm, ones in there.items():
            yield Row(arm, name, len(ones), metrics_of(ones, seed))
        for arm, ones in there.items():
            if arm != BEST:
                more = differences(there[BEST], ones, seed)
                yield Row(f"{BEST} - {arm}", name, len(ones), more)


def metrics_of(listed: Sequence[Listed], seed: int) -> dict[str, Metric]:
    waited = [one.ms for one in listed if one.ms is not None]
    reciprocal = reciprocals(listed)
    return {
        "accuracy_at_1": rate(hits(listed, 1)),
        "hit_at_5": rate(hits(listed, 5)),
        "listed": rate(one.rank is not None for one in listed),
        "mrr": metric(mean(reciprocal), bootstrap_mean(reciprocal, seed)),
        **({"p50_ms": Metric(median(waited))} if waited else {}),
        **({"p95_ms": Metric(float(np.percentile(waited, 95)))} if waited else {}),
    }


def differences(first: Sequence[Listed], second: Sequence[Listed], seed: int) -> dict[str, Metric]:
    """On the same sites in order."""
    more = [a - b for a, b in zip(reciprocals(first), reciprocals(second), strict=True)]
    return {
        "accuracy_at_1": rate_difference(hits(first, 1), hits(second, 1)),
        "hit_at_5": rate_difference(hits(first, 5), hits(second, 5)),
        "mrr": metric(mean(more), bootstrap_mean(more, seed)),
    }


def hits(listed: Sequence[Listed], depth: int) -> list[bool]:
    return [one.rank is not None and one.rank <= depth for one in listed]


def reciprocals(listed: Sequence[Listed]) -> list[float]:
    return [1 / one.rank if one.rank is not None else 0.0 for one in listed]
