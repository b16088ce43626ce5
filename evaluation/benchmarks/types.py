"""`pirouette bench types`: what the types of tokens, and where names are declared, are worth.

Lines of real files are held out. Each next token of them is looked for among what the model finds
likely: by its probability alone, with the probability of its type, with what it gains by where it
is declared, and with both. The whole line is written with types and without. In every other file a
line above is cut off, as it is while somebody writes elsewhere.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import log
from pathlib import Path
from statistics import mean
from typing import Any

from completion.pipeline import Completer
from completion.token_types.fusion import SURE, WEIGHT, TypeFusion
from completion.token_types.types import NAMES, TokenType
from completion.values import PYTHON, CompletionRequest
from evaluation.edit_cases import TRIES, draw_spot
from evaluation.intervals import bootstrap_mean
from evaluation.kept_results import KeptResults
from evaluation.metrics.lines import line_similarity
from evaluation.next_tokens import LineReader, NextToken, NextTokens
from evaluation.provenance import made_here, run_name
from evaluation.repositories import Repository
from evaluation.results import BenchResult, Metric, Row, metric, rate, rate_difference
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback

PLAIN, FUSION, RERANK, BOTH = ARMS = ("plain", "fusion", "rerank", "both")
# The weights of types and of scopes.
WEIGHTS: Mapping[str, tuple[float, float]] = {
    PLAIN: (0, 0),
    FUSION: (WEIGHT, 0),
    RERANK: (0, 1),
    BOTH: (WEIGHT, 1),
}
IDENTIFIERS = {kind.name for kind in NAMES - {TokenType.ATTRIBUTE}}
SLICES: Mapping[str, Callable[[NextTokens], bool]] = {
    "any": lambda _: True,
    "identifier": lambda place: place.type in IDENTIFIERS,
    "attribute": lambda place: place.type == TokenType.ATTRIBUTE.name,
    "function": lambda place: place.type == TokenType.FUNCTION.name,
    "keyword": lambda place: place.type == TokenType.KEYWORD.name,
    "cardinal": lambda place: place.cardinal,
}
CUT_AMONG = 12  # lines above the cursor, of which one is cut off


@dataclass(frozen=True, slots=True)
class TypesOptions:
    """How many lines of all repositories together, drawn with which seed.

    `samples` names a JSON-lines file for every result, from which a run that was cut off goes on.
    """

    limit: int = 300
    seed: int = 0
    samples: Path | None = None
    command: str = "pirouette bench types"


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A request at a line's start, the line's rest in truth, and whether the text is cut above."""

    request: CompletionRequest
    truth: str
    cut: bool


@dataclass(frozen=True, slots=True)
class Reached:
    """A line in truth, as it was written with types and without, and its places."""

    cut: bool
    truth: str
    plain: str
    fusion: str
    places: tuple[NextTokens, ...]


def run_types(
    options: TypesOptions,
    model: LanguageModel,
    types: TypeFusion,
    repositories: Sequence[Repository],
    progress: ProgressCallback,
) -> BenchResult:
    """Read and write every line; progress counts lines."""
    held_out = draw_lines(repositories, options.limit, options.seed)
    if not held_out:
        raise InputError("no line could be drawn from these repositories; name larger ones")
    kept = KeptResults(options.samples, run_name("types", model, ARMS), restored)
    completer = Completer(model)
    reader = LineReader(completer, types.reader)
    reached: list[Reached] = []
    for done, (number, one) in enumerate(held_out.items()):
        progress(Progress("types", done, len(held_out)))
        key = f"{options.seed}/{number}/{one.request.document}"
        reached += kept.get(key, partial(reach, reader, completer, types, one))
    progress(Progress("types", len(held_out), len(held_out)))
    return made_here("types", options.command, options.seed, rows_of(reached, options.seed))


def draw_lines(repositories: Sequence[Repository], count: int, seed: int) -> dict[int, HeldOut]:
    """Lines by number, the repositories taking turns; the same for a seed, however many."""
    found: dict[int, HeldOut] = {}
    for number in range(count if repositories else 0):
        choose = random.Random(f"{seed}/{number}")  # noqa: S311 - draws lines
        repository = repositories[number % len(repositories)]
        spots = (draw_spot(repository, choose) for _ in range(TRIES if repository.files else 0))
        spot = next((one for one in spots if one is not None), None)
        if spot is not None:
            cut = bool(number // len(repositories) % 2)
            above = cut_off(spot.above, choose) if cut else spot.above
            request = replace(spot.request(above), language=PYTHON)
            found[number] = HeldOut(request, spot.line.strip(), cut)
    return found


def cut_off(above: Sequence[str], choose: random.Random) -> list[str]:
    """Lines of which one, not far from the last, ends somewhere within its code."""
    lines = list(above)
    near = range(max(0, len(lines) - CUT_AMONG), len(lines))
    places = [number for number in near if lines[number].strip()]
    if places:
        number = choose.choice(places)
        line = lines[number].rstrip("\n")
        begin = len(line) - len(line.lstrip())
        lines[number] = line[: choose.randrange(begin, len(line))] + "\n"
    return lines


def reach(
    reader: LineReader, completer: Completer, types: TypeFusion, one: HeldOut
) -> Iterable[Reached]:
    """One cache goes from one to the next; the document is then closed."""
    plain, fusion = (
        completer.with_parts(types=some).complete(one.request).text.partition("\n")[0].rstrip()
        for some in (None, types)
    )
    places = tuple(reader.places(one.request, one.truth))
    completer.close(one.request.document)
    yield Reached(one.cut, one.truth, plain, fusion, places)


def restored(places: Sequence[Mapping[str, Any]], **fields: Any) -> Reached:
    found = (
        NextTokens(**{**place, "candidates": tuple(NextToken(**c) for c in place["candidates"])})
        for place in places
    )
    return Reached(places=tuple(found), **fields)


def rank(place: NextTokens, types: float, scopes: float) -> int:
    """The true token's place among the candidates, from 1, with types and scopes of some weight; 0
    where it is none of them.

    As in decoding, types have no say where the model is sure.
    """
    surest = max((one.log_probability for one in place.candidates), default=0.0)
    if surest >= log(SURE):
        types = 0

    def score(one: NextToken) -> float:
        return one.log_probability + types * one.log_type + scopes * one.boost

    by_score = sorted(place.candidates, key=score, reverse=True)
    ranks = (
        number
        for number, one in enumerate(by_score, 1)
        if (one.text, one.type) == (place.truth, place.type)
    )
    return next(ranks, 0)


def rows_of(reached: Sequence[Reached], seed: int) -> Iterable[Row]:
    """Each arm by type of token, on whole files, cut ones, and both; after them, by how much it is
    better than the model alone."""
    for name, lines in (
        ("all", reached),
        ("whole", [one for one in reached if not one.cut]),
        ("cut", [one for one in reached if one.cut]),
    ):
        if lines:
            yield from line_rows(name, lines, seed)
        for kind, belongs in SLICES.items():
            places = [place for one in lines for place in one.places if belongs(place)]
            if places:
                yield from token_rows(f"{name} {kind}", places, seed)


def line_rows(name: str, lines: Sequence[Reached], seed: int) -> Iterable[Row]:
    exact = {
        PLAIN: [one.plain == one.truth for one in lines],
        FUSION: [one.fusion == one.truth for one in lines],
    }
    near = {
        PLAIN: [line_similarity(one.plain, one.truth) for one in lines],
        FUSION: [line_similarity(one.fusion, one.truth) for one in lines],
    }
    for arm in (PLAIN, FUSION):
        similarity = metric(mean(near[arm]), bootstrap_mean(near[arm], seed))
        metrics = {"exact_match": rate(exact[arm]), "edit_similarity": similarity}
        yield Row(arm, f"{name} lines", len(lines), metrics)
    nearer = [a - b for a, b in zip(near[FUSION], near[PLAIN], strict=True)]
    yield Row(
        f"{FUSION} - {PLAIN}",
        f"{name} lines",
        len(lines),
        {
            "exact_match": rate_difference(exact[FUSION], exact[PLAIN]),
            "edit_similarity": metric(mean(nearer), bootstrap_mean(nearer, seed)),
        },
    )


def token_rows(name: str, places: Sequence[NextTokens], seed: int) -> Iterable[Row]:
    ranks = {arm: [rank(place, *weights) for place in places] for arm, weights in WEIGHTS.items()}
    reciprocals = {arm: [1 / one if one else 0.0 for one in found] for arm, found in ranks.items()}
    for arm in ARMS:
        mrr = metric(mean(reciprocals[arm]), bootstrap_mean(reciprocals[arm], seed))
        accuracy = rate(one == 1 for one in ranks[arm])
        yield Row(arm, name, len(places), {"accuracy": accuracy, "mrr": mrr})
    for arm in ARMS[1:]:
        better = [a - b for a, b in zip(reciprocals[arm], reciprocals[PLAIN], strict=True)]
        first = [[one == 1 for one in ranks[which]] for which in (arm, PLAIN)]
        metrics: dict[str, Metric] = {
            "accuracy": rate_difference(first[0], first[1]),
            "mrr": metric(mean(better), bootstrap_mean(better, seed)),
        }
        yield Row(f"{arm} - {PLAIN}", name, len(places), metrics)
