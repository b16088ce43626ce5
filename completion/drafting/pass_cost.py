"""What a pass over several tokens takes on this machine, measured while it works."""

from bisect import bisect_left

BUCKETS = (1, 4, 8, 16, 32)  # the largest number of tokens in each
LARGEST = BUCKETS[-1]
EXPECTED = (1.0, 1.15, 1.3, 1.6, 2.4)  # times a single token, before anything was measured
EXPECTED_WEIGHT = 2.0  # passes that the expectation counts as
MEMORY = 0.97  # what an observation still counts after the next one


class PassCost:
    """Costs relative to a single token's; they follow the load of the machine."""

    def __init__(self) -> None:
        self._single: float | None = None  # seconds
        self._ratios = list(EXPECTED)
        self._weights = [EXPECTED_WEIGHT] * len(BUCKETS)

    def observe(self, tokens: int, seconds: float) -> None:
        """A pass over so many tokens took so long."""
        if tokens == 1:
            self._single = seconds if self._single is None else 0.8 * self._single + 0.2 * seconds
        elif self._single is not None and tokens <= LARGEST:
            bucket = bisect_left(BUCKETS, tokens)
            weight = self._weights[bucket]
            total = self._ratios[bucket] * weight + seconds / self._single
            self._ratios[bucket] = total / (weight + 1)
            self._weights[bucket] = MEMORY * (weight + 1)

    def of(self, tokens: int) -> float:
        """The cost of a pass over so many tokens, between the largest of two buckets."""
        upper = bisect_left(BUCKETS, tokens)
        if upper == 0:
            return self._ratios[0]
        low, high = BUCKETS[upper - 1], BUCKETS[upper]
        share = (tokens - low) / (high - low)
        return (1 - share) * self._ratios[upper - 1] + share * self._ratios[upper]
