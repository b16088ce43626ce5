"""Examples of an evaluation that a person learns from: what went best, and what went worst."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.points.parts import FULL
from evaluation.points.results import Judged

LINES_ABOVE = 8
SHOWN = 12  # of each


@dataclass(frozen=True, slots=True)
class Example:
    """A place with some lines above it, the truth, what the editor would show, and what it would
    show without a part where that is something else, by arm."""

    judged: Judged
    above: str
    others: Sequence[tuple[str, str]]


def best_of(judged: Sequence[Judged]) -> list[Example]:
    """The right ones that save most typing."""
    full = [one for one in judged if one.completed.arm == FULL and one.exact]
    full.sort(key=lambda one: (-len(one.place.truth), one.place.key))
    return [example(one, judged) for one in full[:SHOWN]]


def worst_of(judged: Sequence[Judged]) -> list[Example]:
    """The wrong ones that the model was surest of: a person is most likely to be misled by them."""
    full = [
        one
        for one in judged
        if one.completed.arm == FULL and one.completed.texts[0] and not one.exact
    ]
    full.sort(key=lambda one: (-one.completed.confidence, one.similarity, one.place.key))
    return [example(one, judged) for one in full[:SHOWN]]


def example(one: Judged, judged: Sequence[Judged]) -> Example:
    here = [other for other in judged if other.place is one.place]
    others = [
        (other.completed.arm, other.text)
        for other in here
        if other.completed.arm != FULL and other.text != one.text
    ]
    *above, begun = one.place.before.split("\n")
    return Example(one, "\n".join([*above[-LINES_ABOVE:], begun]), others)
