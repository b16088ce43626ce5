"""`pirouette bench edits`: how true the cache stays to edited text, and at what cost.

It replays edit cases and lets every arm bring the same cache to the last prompt. The first arm
recomputes everything; the others are compared with it and with the held-out line.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, median

from rapidfuzz.distance import Indel

from completion.decoding import decode_greedily
from completion.edit_session import EditSession
from completion.prompt import PromptBuilder
from completion.repair import Repair
from completion.stop_rules import Stop
from completion.values import never_cancelled
from evaluation.edit_arms import ARMS, REPAIR_TOKENS, Corrected, corrected_by, divergence
from evaluation.edit_cases import EditCase, draw_cases
from evaluation.intervals import bootstrap_mean
from evaluation.provenance import own_commit, this_machine
from evaluation.repositories import Repository
from evaluation.results import BenchResult, Metric, Row, metric, rate
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback

LINE_TOKENS = 32


@dataclass(frozen=True, slots=True)
class EditOptions:
    """How many cases, drawn with which seed, at which prompt sizes in tokens."""

    limit: int = 208
    seed: int = 0
    contexts: tuple[int, ...] = (1024,)
    command: str = "pirouette bench edits"


@dataclass(frozen=True, slots=True)
class Reached:
    """What one arm made of one case; `kl` and the agreements are with the first arm."""

    arm: str
    kind: str
    context: int
    prompt: int
    encoded: int
    ms: float
    kl: float
    top1: bool
    same_line: bool
    exact: bool
    similarity: float


def run_edits(
    options: EditOptions,
    model: LanguageModel,
    repositories: Sequence[Repository],
    progress: ProgressCallback,
) -> BenchResult:
    """Replay the cases at every prompt size; progress counts cases."""
    reached: list[Reached] = []
    replays = [
        (case, builder)
        for builder in (PromptBuilder.for_model(model, size) for size in options.contexts)
        for case in draw_cases(repositories, options.limit, options.seed, changes(builder))
    ]
    if not replays:
        raise InputError("no edit could be drawn from these repositories; name larger ones")
    for done, (case, builder) in enumerate(replays):
        progress(Progress("edits", done, len(replays)))
        reached += replay(case, model, builder)
    progress(Progress("edits", len(replays), len(replays)))
    return BenchResult(
        bench="edits",
        commit=own_commit(),
        machine=this_machine(),
        command=options.command,
        seed=options.seed,
        rows=tuple(rows_of(reached, options.seed)),
    )


def changes(builder: PromptBuilder) -> Callable[[EditCase], bool]:
    """Whether the model gets to see an edit, which may lie outside of what it reads."""

    def useful(case: EditCase) -> bool:
        first, second = (builder.build(request).tokens for request in case.requests[-2:])
        return first != second and len(second) >= builder.budget // 4

    return useful


def replay(case: EditCase, model: LanguageModel, builder: PromptBuilder) -> list[Reached]:
    """All arms on one case, each from its own copy of the same cache."""
    prompts = [builder.build(request) for request in case.requests]
    before = EditSession(model.decoder, builder.budget + LINE_TOKENS)
    for prompt in prompts[:-1]:
        before.read(prompt, Repair(REPAIR_TOKENS), never_cancelled)
    reached: list[Reached] = []
    exact: Corrected | None = None
    exact_line = ""
    for name, arm in ARMS.items():
        corrected = corrected_by(arm, before, prompts[-1])
        line = first_line(model, builder, corrected)
        if exact is None:
            exact, exact_line = corrected, line
        reached.append(
            Reached(
                arm=name,
                kind=case.kind,
                context=builder.budget,
                prompt=len(prompts[-1].tokens),
                encoded=corrected.encoded,
                ms=corrected.ms,
                kl=divergence(exact.logits, corrected.logits),
                top1=bool(exact.logits.argmax() == corrected.logits.argmax()),
                same_line=line == exact_line,
                exact=line.strip() == case.truth.strip(),
                similarity=Indel.normalized_similarity(line.strip(), case.truth.strip()),
            )
        )
    return reached


def first_line(model: LanguageModel, builder: PromptBuilder, corrected: Corrected) -> str:
    """The line that is written on from a corrected cache."""
    decoded = decode_greedily(
        model,
        corrected.session.cache,
        corrected.logits,
        end_tokens=builder.end_tokens,
        max_tokens=LINE_TOKENS,
        find_stop=end_of_line,
        cancelled=never_cancelled,
    )
    return decoded.text


def end_of_line(text: str) -> Stop | None:
    end = text.find("\n")
    return None if end < 0 else Stop("line", end, end + 1)


def rows_of(reached: Sequence[Reached], seed: int) -> Iterable[Row]:
    """Each arm over all cases, over each kind, and over each prompt size."""
    slices: dict[str, Callable[[Reached], bool]] = {"all": lambda _: True}
    for kind in dict.fromkeys(one.kind for one in reached):
        slices[kind] = lambda one, kind=kind: one.kind == kind  # type: ignore[misc]
    for context in dict.fromkeys(one.context for one in reached):
        slices[f"context-{context}"] = lambda one, size=context: one.context == size  # type: ignore[misc]
    for name, belongs in slices.items():
        for arm in ARMS:
            chosen = [one for one in reached if one.arm == arm and belongs(one)]
            yield Row(arm, name, len(chosen), metrics_of(chosen, seed))


def metrics_of(reached: Sequence[Reached], seed: int) -> dict[str, Metric]:
    kls = [one.kl for one in reached]
    similarities = [one.similarity for one in reached]
    return {
        "tokens_encoded": Metric(mean(one.encoded for one in reached)),
        "ms_first_token": Metric(median(one.ms for one in reached)),
        "kl": metric(mean(kls), bootstrap_mean(kls, seed)),
        "top1": rate(one.top1 for one in reached),
        "line_agreement": rate(one.same_line for one in reached),
        "exact_match": rate(one.exact for one in reached),
        "edit_similarity": metric(mean(similarities), bootstrap_mean(similarities, seed)),
    }
