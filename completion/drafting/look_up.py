"""Drafts from text that was seen: what followed the last tokens when they stood there before.

Prompt look-up decoding (Saxena 2023) over the prompts of a session and what was written in them,
and any other text of the repository that it is given. The longest run of tokens that was seen
before decides, as in a language model that backs off.
"""

from collections.abc import Sequence

from completion.drafting.guesses import Guess
from completion.values import CancelCheck
from models.errors import Cancelled

FOLLOWERS = 3  # kept for each run, the latest first
MOST_RUNS = 350_000  # 90 MB
PIECE = 512  # tokens that are learnt at once, a few milliseconds
# How long the runs are that are looked up, and how often the last token that followed one of them
# follows it again, before anything was observed.
PRIORS = {1: 0.15, 2: 0.35, 4: 0.6, 8: 0.75, 16: 0.85}


class LookUp:
    """Runs of tokens and what followed them."""

    def __init__(self) -> None:
        self._followers: dict[tuple[int, ...], tuple[int, ...]] = {}

    def add(self, tokens: Sequence[int], places: range, *, far: bool = False) -> None:
        """Learn what each of the tokens at `places` follows.

        It is likelier than what was known, or less where it stands `far` from what is written.
        """
        for place in places:
            for length in PRIORS:
                if length <= place:
                    self._follow(tuple(tokens[place - length : place]), tokens[place], far)

    def add_file(self, tokens: Sequence[int], cancelled: CancelCheck) -> None:
        """Learn a whole file, which is far but for what was read of it. Raises `Cancelled`."""
        for start in range(0, len(tokens), PIECE):
            if cancelled():
                raise Cancelled
            self.add(tokens, range(start, min(start + PIECE, len(tokens))), far=True)

    def _follow(self, run: tuple[int, ...], token: int, far: bool) -> None:
        known = self._followers.pop(run, ())
        if not far:
            known = (token, *(other for other in known if other != token))
        elif token not in known:
            known = (*known, token)
        self._followers[run] = known[:FOLLOWERS]
        if len(self._followers) > MOST_RUNS:
            del self._followers[next(iter(self._followers))]

    def guesses(self, before: Sequence[int]) -> list[Guess]:
        for length, prior in reversed(PRIORS.items()):
            run = tuple(before[-length:])
            if len(run) == length and (known := self._followers.get(run)):
                return [
                    Guess(token, f"seen {length}, {rank}", prior / 2**rank)
                    for rank, token in enumerate(known)
                ]
        return []
