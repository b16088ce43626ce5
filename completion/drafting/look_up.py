"""Drafts from text that was seen: what followed the last tokens when they stood there before.

Prompt look-up decoding (Saxena 2023) over the prompts of a session and what was written in them,
and any other text of the repository that it is given. The longest run of tokens that was seen
before decides, as in a language model that backs off.
"""

from collections.abc import Sequence

from completion.drafting.guesses import Guess

LONGEST = 6  # tokens that are looked up
FOLLOWERS = 3  # kept for each run, the latest first
MOST_RUNS = 400_000  # 70 MB
PRIORS = (0.15, 0.35, 0.5, 0.6, 0.65, 0.75)  # of runs of 1, 2, ... tokens


class LookUp:
    """Runs of tokens and what followed them."""

    def __init__(self) -> None:
        self._followers: dict[tuple[int, ...], tuple[int, ...]] = {}

    def add(self, tokens: Sequence[int], places: range) -> None:
        """Learn what each of the tokens at `places` follows."""
        for place in places:
            for length in range(1, min(LONGEST, place) + 1):
                self._follow(tuple(tokens[place - length : place]), tokens[place])

    def _follow(self, run: tuple[int, ...], token: int) -> None:
        known = self._followers.pop(run, ())
        others = (other for other in known if other != token)
        self._followers[run] = (token, *others)[:FOLLOWERS]
        if len(self._followers) > MOST_RUNS:
            del self._followers[next(iter(self._followers))]

    def guesses(self, before: Sequence[int]) -> list[Guess]:
        for length in range(min(LONGEST, len(before)), 0, -1):
            known = self._followers.get(tuple(before[len(before) - length :]))
            if known is not None:
                return [
                    Guess(token, f"seen {length}, {rank}", PRIORS[length - 1] / 2**rank)
                    for rank, token in enumerate(known)
                ]
        return []
