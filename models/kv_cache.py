"""The key-value cache: keys and values of the tokens read so far, preallocated.

The cache is append-only: `length` tokens are filled, `truncate` forgets the tail. It holds the
token ids beside their keys and values, so that whoever owns it can tell what is in it.
"""

import torch
from torch import Tensor

from models.config import DecoderConfig


class KeyValueCache:
    """Rotated keys and values of every layer, each of shape [kv_heads, capacity, head_dim]."""

    def __init__(
        self, config: DecoderConfig, capacity: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        shape = (config.layers, config.kv_heads, capacity, config.head_dim)
        self._keys = torch.zeros(shape, device=device, dtype=dtype)
        self._values = torch.zeros(shape, device=device, dtype=dtype)
        self._tokens: list[int] = []

    @property
    def capacity(self) -> int:
        return self._keys.shape[2]

    @property
    def length(self) -> int:
        return len(self._tokens)

    @property
    def tokens(self) -> tuple[int, ...]:
        """The token ids whose keys and values are in the cache."""
        return tuple(self._tokens)

    def common_prefix(self, tokens: list[int]) -> int:
        """How many leading tokens of `tokens` the cache already holds."""
        pairs = zip(self._tokens, tokens, strict=False)
        return next(
            (i for i, (held, wanted) in enumerate(pairs) if held != wanted),
            min(len(self._tokens), len(tokens)),
        )

    def truncate(self, length: int) -> None:
        """Forget every token from `length` on."""
        assert 0 <= length <= self.length
        del self._tokens[length:]

    def write(self, layer: int, start: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Store `keys` and `values` [kv_heads, n, head_dim] of one layer from position `start` on.

        Returns views of that layer's keys and values up to and including the new ones.
        """
        end = start + keys.shape[1]
        assert end <= self.capacity
        self._keys[layer, :, start:end] = keys
        self._values[layer, :, start:end] = values
        return self._keys[layer, :, :end], self._values[layer, :, :end]

    def commit(self, tokens: list[int]) -> None:
        """Count `tokens` as read, once every layer has been written."""
        self._tokens.extend(tokens)
        assert self.length <= self.capacity
