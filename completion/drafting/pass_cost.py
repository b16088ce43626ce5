"""What a pass over several tokens takes on this machine, measured while it works.

Each token beside the first costs as much as any other: some of the time that a single token takes,
which is that of reading all weights. That one number is measured, and all sizes follow from it,
those that were never tried too.
"""

LARGEST = 32  # tokens of a pass
EXPECTED = 0.1  # of a single token's time, before anything was measured
EXPECTED_WEIGHT = 16.0  # tokens that the expectation counts as
MOST = 4.0  # of it for each token: a pass that took longer was held up
MEMORY = 0.97  # what a pass still counts after the next one


class PassCost:
    """Costs relative to a single token's; they follow the load of the machine."""

    def __init__(self) -> None:
        self._single: float | None = None  # seconds
        self._more = EXPECTED * EXPECTED_WEIGHT  # that passes took, relative to a single token
        self._tokens = EXPECTED_WEIGHT  # beside the first of each

    def observe(self, tokens: int, seconds: float) -> None:
        """A pass over so many tokens took so long; a clock that stands still tells nothing."""
        if seconds <= 0:
            return
        if tokens == 1:
            self._single = seconds if self._single is None else 0.8 * self._single + 0.2 * seconds
        elif self._single is not None:
            more = min(max(0.0, seconds - self._single), tokens * MOST * self._single)
            self._more = MEMORY * self._more + more / self._single
            self._tokens = MEMORY * self._tokens + tokens - 1

    def of(self, tokens: int) -> float:
        """The cost of a pass over so many tokens."""
        return 1 + (tokens - 1) * self._more / self._tokens
