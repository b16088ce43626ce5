"""What a pass over several tokens takes on this machine, measured while it works.

A few tokens are read as fast as memory gives the weights. Many take what the processor needs for
each of them: that is measured, and all sizes follow from it, those that were never tried too.
"""

LARGEST = 32  # tokens of a pass
BESIDE = 0.08  # of a single token's time, for one that is read beside it while memory is the limit
ONCE = 0.2  # of it, whatever is read, where the processor is
FEWEST_TELLING = 5  # tokens, from which on it is the processor
EXPECTED = 0.25  # of it for each token then, before anything was measured
EXPECTED_WEIGHT = 2.0  # passes that the expectation counts as
MEMORY = 0.97  # what an observation still counts after the next one


class PassCost:
    """Costs relative to a single token's; they follow the load of the machine."""

    def __init__(self) -> None:
        self._single: float | None = None  # seconds
        self._each = EXPECTED
        self._weight = EXPECTED_WEIGHT

    def observe(self, tokens: int, seconds: float) -> None:
        """A pass over so many tokens took so long; a clock that stands still tells nothing."""
        if seconds <= 0:
            return
        if tokens == 1:
            self._single = seconds if self._single is None else 0.8 * self._single + 0.2 * seconds
        elif self._single is not None and FEWEST_TELLING <= tokens <= LARGEST:
            each = max(0.0, seconds / self._single - ONCE) / tokens
            self._each = (self._each * self._weight + each) / (self._weight + 1)
            self._weight = MEMORY * (self._weight + 1)

    def of(self, tokens: int) -> float:
        """The cost of a pass over so many tokens."""
        return max(1 + BESIDE * (tokens - 1), ONCE + self._each * tokens)
