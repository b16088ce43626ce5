"""The cache that follows a text from one request to the next.

It reuses what the new prompt and the cached one begin with in common.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from models.decoder import Decoder
from models.kv_cache import KeyValueCache
from models.prefill import prefill


@dataclass(frozen=True, slots=True)
class Prefilled:
    """Logits [vocabulary] after the prompt, and how many prompt tokens came from where."""

    logits: Tensor
    reused: int
    encoded: int


class EditSession:
    """One cache for prompts of up to `capacity` tokens, generated ones included."""

    def __init__(self, decoder: Decoder, capacity: int) -> None:
        self._decoder = decoder
        self._capacity = capacity
        self._cache: KeyValueCache | None = None

    @property
    def cache(self) -> KeyValueCache:
        if self._cache is None:
            self._cache = self._decoder.new_cache(self._capacity)
        return self._cache

    def read(self, prompt: list[int], cancelled: Callable[[], bool]) -> Prefilled:
        """Make the cache hold exactly `prompt`, reading only what it does not hold yet.

        The last token is always read, for its logits. Raises `Cancelled`.
        """
        cache = self.cache
        reused = min(cache.common_prefix(prompt), len(prompt) - 1)
        cache.truncate(reused)
        logits = prefill(self._decoder, cache, prompt[reused:], cancelled)
        return Prefilled(logits, reused, len(prompt) - reused)
