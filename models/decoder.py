"""One decoder for the Llama family: Llama, Mistral, Qwen2, Qwen3 and StarCoder2.

Plain functions over tensors, without modules or hooks: a forward pass is a loop over layers that
encodes some of the tokens that a key-value cache lays out. What architectures differ in comes from
`DecoderConfig`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.config import DecoderConfig
from models.errors import Cancelled
from models.kv_cache import KeyValueCache, cache_bytes
from models.layer_weights import Affine, Layer, read_decoder_weights
from models.linear import linear
from models.rotary import rotate
from models.token_tree import TokenTree


@dataclass(frozen=True, slots=True)
class Reading:
    """One pass: its tokens, where their keys go and how they turn, and who looks at whom."""

    tokens: Sequence[int]
    where: slice | Tensor
    turn: tuple[Tensor, Tensor]  # cosine and sine, each [n, head_dim]
    end: int
    masks: tuple[Tensor | None, Tensor | None]  # for layers that see all, and for windowed ones


class Decoder:
    """Weights of one model, ready to run on their device and in their dtype."""

    def __init__(self, config: DecoderConfig, weights: Mapping[str, Tensor]) -> None:
        self.config = config
        parts = read_decoder_weights(config, weights)
        self._embedding = parts.embedding
        self._layers = parts.layers
        self._final_norm = parts.final_norm
        self._head = parts.head

    @property
    def device(self) -> torch.device:
        return self._embedding.device

    @property
    def dtype(self) -> torch.dtype:
        return self._embedding.dtype

    def cache_bytes(self, capacity: int) -> int:
        """The memory of a cache for up to `capacity` tokens."""
        return cache_bytes(self.config, capacity, self.dtype)

    def new_cache(self, capacity: int) -> KeyValueCache:
        """An empty cache for up to `capacity` tokens of this model."""
        return KeyValueCache(self.config, capacity, self.device, self.dtype)

    def forward(self, tokens: Sequence[int], cache: KeyValueCache) -> Tensor:
        """Read `tokens` after what `cache` holds; hidden states [n, hidden] after the last norm."""
        return self.encode(cache, cache.append(tokens))

    @torch.inference_mode()
    def encode(
        self,
        cache: KeyValueCache,
        positions: Sequence[int],
        cancelled: Callable[[], bool] = lambda: False,
        attention: Tensor | None = None,
    ) -> Tensor:
        """Encode the tokens laid out at `positions` (ascending), wherever they stand.

        Each attends to itself and to all that stands before it; what stands before the last of
        them is read already or is among them. Returns hidden states [n, hidden] after the last
        norm. To `attention` [last position + 1] is added how much the last token attends to each,
        over all heads and layers. Asks `cancelled` before each layer and raises `Cancelled`: the
        tokens are then no less read than they were, and not exact.
        """
        assert positions
        reading = Reading(
            tokens=cache.begin(positions),
            where=place_of(positions, self.device),
            turn=cache.turn(positions),
            end=positions[-1] + 1,
            masks=self._masks(lambda window: seen_positions(positions, window, self.device)),
        )
        hidden = self._read(cache, reading, cancelled, attention)
        cache.commit(positions)
        return hidden

    @torch.inference_mode()
    def branch(self, cache: KeyValueCache, tree: TokenTree) -> Tensor:
        """Read all that might follow what `cache` holds; hidden states [nodes, hidden].

        Each token attends to what the cache holds and to the way that leads to it. The cache
        stays as it is until one way is taken (`KeyValueCache.take`), and needs room for all.
        """
        start = cache.length
        assert start + len(tree.tokens) <= cache.capacity
        reading = Reading(
            tokens=tree.tokens,
            where=slice(start, start + len(tree.tokens)),
            turn=cache.turn([start + depth for depth in tree.depths]),
            end=start + len(tree.tokens),
            masks=self._masks(lambda window: seen_branches(tree, start, window, self.device)),
        )
        return self._read(cache, reading, lambda: False, None)

    def _read(
        self,
        cache: KeyValueCache,
        reading: Reading,
        cancelled: Callable[[], bool],
        attention: Tensor | None,
    ) -> Tensor:
        tokens = torch.tensor(reading.tokens, device=self.device)
        hidden = F.embedding(tokens, self._embedding)
        for index, layer in enumerate(self._layers):
            if cancelled():
                raise Cancelled
            mask = reading.masks[index in self.config.windowed_layers]
            keys, values, query = self._project(layer, index, hidden, cache, reading)
            if attention is not None:
                attention += self._attention_of_last(query, keys, mask)
            hidden = hidden + self._attention(layer, query, keys, values, mask)
            hidden = hidden + self._feed_forward(layer, hidden)
        return self._norm(hidden, self._final_norm)

    @torch.inference_mode()
    def logits(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary, float32, for hidden states [..., hidden]."""
        return linear(hidden, self._head).float()

    def _project(
        self,
        layer: Layer,
        index: int,
        hidden: Tensor,
        cache: KeyValueCache,
        reading: Reading,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Keys and values before the end, the new ones stored, and the turned queries."""
        normed = self._norm(hidden, layer.attention_norm)
        # [n, heads * head_dim] -> [heads, n, head_dim]
        query, key, value = (
            linear(normed, p.weight, p.bias)
            .view(len(normed), -1, self.config.head_dim)
            .transpose(0, 1)
            for p in (layer.query, layer.key, layer.value)
        )
        if layer.query_norm is not None and layer.key_norm is not None:
            query = self._norm(query, layer.query_norm)
            key = self._norm(key, layer.key_norm)
        cache.write(index, reading.where, key, value, rotate(key, *reading.turn))
        return (*cache.view(index, reading.end), rotate(query, *reading.turn))

    def _attention(
        self, layer: Layer, query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None
    ) -> Tensor:
        config = self.config
        count = query.shape[1]
        # Query heads that share a key head stand in one row block, so that keys are never copied:
        # [kv_heads, group * n, head_dim] against [kv_heads, length, head_dim].
        group = config.heads // config.kv_heads
        query = query.reshape(config.kv_heads, group * count, config.head_dim)
        mixed = F.scaled_dot_product_attention(query[None], keys[None], values[None], mask)[0]
        joined = mixed.reshape(config.heads, count, config.head_dim).transpose(0, 1)
        return linear(joined.reshape(count, -1), layer.output.weight, layer.output.bias)

    def _attention_of_last(self, query: Tensor, keys: Tensor, mask: Tensor | None) -> Tensor:
        """How much the last query attends to each key, summed over the heads: [length]."""
        config = self.config
        last = query[:, -1].reshape(config.kv_heads, -1, config.head_dim)
        scores = last @ keys.transpose(1, 2) / math.sqrt(config.head_dim)
        if mask is not None:
            scores = scores + mask[-1]
        return scores.softmax(-1).sum((0, 1))

    def _masks(
        self, seen: Callable[[int | None], Tensor | None]
    ) -> tuple[Tensor | None, Tensor | None]:
        """Of who sees whom with no window and with the model's."""
        full = self._mask(seen(None))
        return full, self._mask(seen(self.config.window)) if self.config.windowed_layers else full

    def _mask(self, seen: Tensor | None) -> Tensor | None:
        """What is added to a layer's scores, [group * n, end], or None where all see all."""
        if seen is None:
            return None
        added = torch.zeros(seen.shape, device=self.device, dtype=self.dtype)
        added.masked_fill_(~seen, float("-inf"))
        return added.repeat(self.config.heads // self.config.kv_heads, 1)

    def _feed_forward(self, layer: Layer, hidden: Tensor) -> Tensor:
        normed = self._norm(hidden, layer.mlp_norm)
        wide = linear(normed, layer.up.weight, layer.up.bias)
        if layer.gate is not None:
            wide = F.silu(linear(normed, layer.gate.weight, layer.gate.bias)) * wide
        else:
            wide = F.gelu(wide, approximate="tanh")
        return linear(wide, layer.down.weight, layer.down.bias)

    def _norm(self, hidden: Tensor, norm: Affine) -> Tensor:
        size, epsilon = norm.weight.shape, self.config.norm_epsilon
        if self.config.norm == "layer":
            return F.layer_norm(hidden, size, norm.weight, norm.bias, epsilon)
        return F.rms_norm(hidden, size, norm.weight, epsilon)


def place_of(positions: Sequence[int], device: torch.device) -> slice | Tensor:
    """How to write at `positions`: a slice where they follow one another, else their indices."""
    if positions[-1] - positions[0] + 1 == len(positions):
        return slice(positions[0], positions[-1] + 1)
    return torch.tensor(positions, device=device)


def seen_positions(
    positions: Sequence[int], window: int | None, device: torch.device
) -> Tensor | None:
    """Who looks at whom: bool [len(positions), last position + 1], or None where all look at all.

    Row i stands at `positions[i]` and sees itself and what is before it, no further back than
    `window` tokens in all.
    """
    end = positions[-1] + 1
    if len(positions) == 1 and (window is None or end <= window):
        return None
    rows = torch.tensor(positions, device=device)[:, None]
    columns = torch.arange(end, device=device)[None, :]
    seen = columns <= rows
    return seen if window is None else seen & (columns > rows - window)


def seen_branches(
    tree: TokenTree, start: int, window: int | None, device: torch.device
) -> Tensor | None:
    """The same for a tree that follows `start` tokens: bool [nodes, start + nodes]."""
    depths = torch.tensor(tree.depths, device=device)
    rows = (start + depths)[:, None]
    columns = torch.cat((torch.arange(start, device=device), start + depths))[None, :]
    seen = torch.ones(len(tree.tokens), start + len(tree.tokens), dtype=torch.bool, device=device)
    seen[:, start:] = torch.tensor(tree.ways, device=device)
    if window is not None:
        seen &= columns > rows - window
    return None if seen.all() else seen
