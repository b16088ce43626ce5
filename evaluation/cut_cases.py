"""Cut lines: a line of a file held out, and the places at which a cursor may cut it in two."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from completion.values import CompletionRequest
from evaluation.edit_cases import TRIES, Spot, draw_spot
from evaluation.repositories import Repository
from models.tokenizer import CodeTokenizer

MOST_CUTS = 24  # of a line


@dataclass(frozen=True, slots=True)
class CutLine:
    """A held-out line and its cuts, each the number of characters typed after the indentation."""

    spot: Spot
    cuts: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"{self.spot.repository.name}/{self.spot.path}:{len(self.spot.above) + 1}"

    @property
    def text(self) -> str:
        """The line without its indentation and what ends it."""
        return self.spot.line.strip()

    def request(self, cut: int) -> CompletionRequest:
        return self.spot.request(typed=self.text[:cut])

    def truth(self, cut: int) -> str:
        return self.text[cut:]


def draw_lines(repositories: Sequence[Repository], count: int, seed: int) -> list[CutLine]:
    """`count` lines, the repositories taking turns; fewer where none can be found.

    The same seed gives the same lines and cuts, and the first lines of a larger draw.
    """
    lines: list[CutLine] = []
    for number in range(count if repositories else 0):
        choose = random.Random(f"{seed}/{number}")  # noqa: S311 - draws cases
        for attempt in range(TRIES):
            spot = draw_spot(repositories[(number + attempt) % len(repositories)], choose)
            if spot is not None:
                places = range(1, len(spot.line.strip()))
                cuts = choose.sample(places, min(MOST_CUTS, len(places)))
                lines.append(CutLine(spot, tuple(sorted(cuts))))
                break
    return lines


def inside_token(tokenizer: CodeTokenizer, line: CutLine, cut: int) -> bool:
    """Whether the cut is inside a token of the whole line."""
    starts = {start for start, _ in tokenizer.encode_with_offsets(line.spot.line).offsets}
    return len(line.spot.indent) + cut not in starts
