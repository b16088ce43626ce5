"""What the edits benchmark has found: one record for each arm and case, and rows of them."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, median

from evaluation.edit_cases import EditCase
from evaluation.intervals import bootstrap_mean
from evaluation.metrics.lines import line_similarity
from evaluation.results import Metric, Row, metric, rate, rate_difference


@dataclass(frozen=True, slots=True)
class Reached:
    """What one arm made of one case; `kl` and the agreements are with the first arm.

    A server that tells no logits has no `kl` and no `top1`.
    """

    arm: str
    kind: str
    context: int
    prompt: int
    encoded: int
    ms: float
    kl: float | None
    top1: bool | None
    same_line: bool
    line: str
    truth: str

    @property
    def exact(self) -> bool:
        return self.line.strip() == self.truth.strip()

    @property
    def similarity(self) -> float:
        return line_similarity(self.line, self.truth)


def case_key(case: EditCase, context: int) -> str:
    """The same for the same requests and prompt size."""
    return f"{context}/{hashlib.sha256(repr(case).encode()).hexdigest()}"


def rows_of(reached: Sequence[Reached], seed: int) -> Iterable[Row]:
    """Each arm over all cases, over each kind, and over each prompt size.

    After them, by how much each is better than the first arm, case by case.
    """
    slices: dict[str, Callable[[Reached], bool]] = {"all": lambda _: True}
    for kind in dict.fromkeys(one.kind for one in reached):
        slices[kind] = lambda one, kind=kind: one.kind == kind  # type: ignore[misc]
    for context in dict.fromkeys(one.context for one in reached):
        slices[f"context-{context}"] = lambda one, size=context: one.context == size  # type: ignore[misc]
    first = reached[0].arm
    for name, belongs in slices.items():
        chosen = {
            arm: [one for one in reached if one.arm == arm and belongs(one)]
            for arm in dict.fromkeys(one.arm for one in reached)
        }
        for arm, ones in chosen.items():
            yield Row(arm, name, len(ones), metrics_of(ones, seed))
        for arm, ones in chosen.items():
            if arm != first:
                differences = differences_of(ones, chosen[first], seed)
                yield Row(f"{arm} - {first}", name, len(ones), differences)


def metrics_of(reached: Sequence[Reached], seed: int) -> dict[str, Metric]:
    """`share_encoded` is of the prompt's tokens: the mean over cases, with its median beside it."""
    kls = [one.kl for one in reached if one.kl is not None]
    first_tokens = [one.top1 for one in reached if one.top1 is not None]
    similarities = [one.similarity for one in reached]
    shares = [one.encoded / one.prompt for one in reached]
    return {
        "tokens_encoded": Metric(mean(one.encoded for one in reached)),
        "share_encoded": metric(mean(shares), bootstrap_mean(shares, seed)),
        "share_encoded_median": Metric(median(shares)),
        "ms_first_token": Metric(median(one.ms for one in reached)),
        **({"kl": metric(mean(kls), bootstrap_mean(kls, seed))} if kls else {}),
        **({"kl_median": Metric(median(kls))} if kls else {}),
        **({"top1": rate(first_tokens)} if first_tokens else {}),
        "line_agreement": rate(one.same_line for one in reached),
        "exact_match": rate(one.exact for one in reached),
        "edit_similarity": metric(mean(similarities), bootstrap_mean(similarities, seed)),
    }


def differences_of(
    reached: Sequence[Reached], first: Sequence[Reached], seed: int
) -> dict[str, Metric]:
    """By how much an arm is nearer to the truth than the first arm, on the same cases in order."""
    nearer = [a.similarity - b.similarity for a, b in zip(reached, first, strict=True)]
    return {
        "exact_match": rate_difference([one.exact for one in reached], [b.exact for b in first]),
        "edit_similarity": metric(mean(nearer), bootstrap_mean(nearer, seed)),
    }
