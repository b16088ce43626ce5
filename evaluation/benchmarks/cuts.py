"""`pirouette bench cuts`: lines cut in two at every place, and how often the rest is written.

A cursor inside a token is what it is about: each arm goes on from there in another way. It owns
the order of the run and its figures; the arms are those of `evaluation.cut_arms`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean

from completion.prompt import PromptBuilder
from evaluation.cut_arms import ARMS, Cutter
from evaluation.cut_cases import CutLine, draw_lines, inside_token
from evaluation.intervals import bootstrap_mean
from evaluation.kept_results import KeptResults
from evaluation.provenance import made_here, run_name
from evaluation.repositories import Repository
from evaluation.results import BenchResult, Metric, Row, metric
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback

CONTEXT = 1024  # tokens of the largest prompt


@dataclass(frozen=True, slots=True)
class CutOptions:
    """How many lines, drawn with which seed.

    `samples` names a JSON-lines file for every result, from which a run that was cut off goes on.
    """

    limit: int = 300
    seed: int = 0
    samples: Path | None = None
    command: str = "pirouette bench cuts"


@dataclass(frozen=True, slots=True)
class Continued:
    """Whether one arm wrote the true rest of one line, cut after so many characters."""

    arm: str
    line: str
    cut: int
    inside: bool
    exact: bool


def run_cuts(
    options: CutOptions,
    model: LanguageModel,
    repositories: Sequence[Repository],
    progress: ProgressCallback,
) -> BenchResult:
    """Cut the lines and let every arm go on; progress counts lines."""
    kept = KeptResults(options.samples, run_name("cuts", model, ARMS), Continued)
    lines = draw_lines(repositories, options.limit, options.seed)
    if not lines:
        raise InputError("no line could be drawn from these repositories; name larger ones")
    builder = PromptBuilder.for_model(model, CONTEXT)
    cutter = Cutter(model, builder)
    continued: list[Continued] = []
    for number, line in enumerate(lines):
        progress(Progress("cuts", number, len(lines)))
        key = f"{options.seed}/{number}/{line.name}"
        continued += kept.get(key, partial(cut_everywhere, line, key, model, builder, cutter))
    progress(Progress("cuts", len(lines), len(lines)))
    return made_here("cuts", options.command, options.seed, rows_of(continued, options.seed))


def cut_everywhere(
    line: CutLine, key: str, model: LanguageModel, builder: PromptBuilder, cutter: Cutter
) -> Iterable[Continued]:
    """Every arm at every cut; prompts differ in their last tokens only, which alone are read."""
    for cut in line.cuts:
        prompt = builder.build(line.request(cut))
        inside = inside_token(model.tokenizer, line, cut)
        for name, arm in ARMS.items():
            yield Continued(name, key, cut, inside, arm(cutter, prompt, line.truth(cut)))


def rows_of(continued: Sequence[Continued], seed: int) -> Iterable[Row]:
    """Each arm at all cuts, at those inside a token and at the others; then paired differences.

    Cuts of one line are much alike. So the rates are means over lines of the share of its cuts,
    and their intervals are over lines, of which there are `n`.
    """
    slices: dict[str, Callable[[Continued], bool]] = {
        "all": lambda _: True,
        "inside": lambda one: one.inside,
        "between": lambda one: not one.inside,
    }
    for name, belongs in slices.items():
        chosen = [one for one in continued if belongs(one)]
        if not chosen:
            continue
        shares = {arm: shares_of([one for one in chosen if one.arm == arm]) for arm in ARMS}
        cuts = Metric(len(chosen) / len(ARMS))
        for arm, share in shares.items():
            yield Row(arm, name, len(share), {"exact_match": averaged(share, seed), "cuts": cuts})
        for arm, other in (("healed", "naive"), ("byte_exact", "naive"), ("byte_exact", "healed")):
            more = [a - b for a, b in zip(shares[arm], shares[other], strict=True)]
            yield Row(f"{arm} - {other}", name, len(more), {"exact_match": averaged(more, seed)})


def shares_of(continued: Sequence[Continued]) -> list[float]:
    """For each line, the share of its cuts after which the rest was right."""
    lines: dict[str, list[bool]] = {}
    for one in continued:
        lines.setdefault(one.line, []).append(one.exact)
    return [mean(exact) for exact in lines.values()]


def averaged(shares: Sequence[float], seed: int) -> Metric:
    return metric(mean(shares), bootstrap_mean(shares, seed))
