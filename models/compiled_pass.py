"""A pass through a decoder in 8 bits on the CPU: few tokens at the speed of its memory.

Rows are multiplied, attend and are normed each on its own, so that what comes of a token is the
same bit for bit whatever is read beside it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models import attention_kernels, kernels
from models.attention import attention_of
from models.attention_kernels import POSITIONS, ROWS
from models.compiler import THREADS
from models.config import DecoderConfig
from models.errors import Cancelled
from models.kernels import Floats
from models.kv_cache import KeyValueCache
from models.layer_weights import Norm
from models.linear import QuantisedLinear
from models.token_tree import TokenTree


@dataclass(frozen=True, slots=True)
class Sight:
    """What each token looks at: positions from `first` until `end`, then `counts` of `others`."""

    first: NDArray[np.int64]
    end: NDArray[np.int64]
    others: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def width(self) -> int:
        """Positions of the whole blocks that hold all that any of them looks at."""
        stop = np.maximum(self.end, self.others.max(axis=1, initial=0) + 1)
        return int((-(-stop // POSITIONS) - self.first // POSITIONS).max()) * POSITIONS


@dataclass(frozen=True, slots=True)
class PackedNorm:
    """Weight and bias, each [hidden], and the kind of norm."""

    weight: Floats
    bias: Floats
    centred: bool
    epsilon: np.float32

    def after(self, hidden: Floats, change: Floats) -> Floats:
        """hidden += change, and the norm of it."""
        normed = np.empty_like(hidden)
        kernels.add_and_norm(
            hidden, change, self.weight, self.bias, self.centred, self.epsilon, normed
        )
        return normed


@dataclass(frozen=True, slots=True)
class CompiledLayer:
    """One layer as the kernels take it; its products are those of all passes."""

    attention_norm: PackedNorm
    project: QuantisedLinear
    output: QuantisedLinear
    query_norm: PackedNorm | None
    key_norm: PackedNorm | None
    mlp_norm: PackedNorm
    widen: QuantisedLinear
    down: QuantisedLinear
    gated: bool


class CompiledPass:
    """All layers of one decoder."""

    def __init__(
        self,
        config: DecoderConfig,
        embedding: Tensor,
        layers: Sequence[CompiledLayer],
        final_norm: Norm,
    ) -> None:
        self._config = config
        self._embedding = embedding.numpy()
        self._layers = layers
        self._final_norm = pack_norm(config, final_norm)
        group = config.heads // config.kv_heads
        # In how many parts the queries of a key head are shared out among threads.
        self._parts = min(-(-THREADS // config.kv_heads), group)

    def read(
        self,
        cache: KeyValueCache,
        tokens: Sequence[int],
        slots: Sequence[int],
        turned: tuple[Tensor, Tensor],
        sights: tuple[Sight, Sight],
        cancelled: Callable[[], bool] = lambda: False,
        attention: Tensor | None = None,
    ) -> Tensor:
        """Read `tokens` into the cache's `slots`; hidden states [n, hidden] after the last norm.

        `turned` are cosine and sine, each [n, head_dim]. `sights` are for layers that see all, and
        for those that look no further back than a window. To `attention` [last slot + 1] is added
        how much the last token attends to each. Asks `cancelled` before each layer and raises
        `Cancelled`.
        """
        config, count = self._config, len(tokens)
        cosine, sine = (part.numpy() for part in turned)
        where = np.asarray(slots, np.int64)
        hidden = self._embedding[np.asarray(tokens)]
        change = np.zeros_like(hidden)
        queries = np.empty((count, config.heads, config.head_dim), np.float32)
        mixed = np.empty_like(queries)
        scores = self._room_for_scores(count, max(sight.width for sight in sights))
        memory = cache.arrays()
        for index, layer in enumerate(self._layers):
            if cancelled():
                raise Cancelled
            masters, keys, values = (store[index] for store in memory)
            product = layer.project.product(layer.attention_norm.after(hidden, change))
            self._norm_heads(layer, product)
            kernels.place(product, cosine, sine, where, masters, keys, values, queries)
            sight = sights[index in config.windowed_layers]
            seen = (sight.first, sight.end, sight.others, sight.counts)
            attention_kernels.attend(queries, keys, values, *seen, self._parts, scores, mixed)
            if attention is not None:
                attended = slice(sight.first[-1], sight.end[-1])
                seen_keys = torch.from_numpy(keys[:, attended])
                attention[attended] += attention_of(torch.from_numpy(queries[-1]), seen_keys)
            change = layer.output.product(mixed.reshape(count, -1))
            wide = layer.widen.product(layer.mlp_norm.after(hidden, change))
            active = np.empty((count, layer.down.width), np.float32)
            kernels.activate(wide, layer.gated, active)
            change = layer.down.product(active)
        return torch.from_numpy(self._final_norm.after(hidden, change))

    def _room_for_scores(self, count: int, width: int) -> Floats:
        kv_heads, parts = self._config.kv_heads, self._parts
        most = -(-self._config.heads // (kv_heads * parts))
        return np.empty((kv_heads * parts, min(count, ROWS), most, width), np.float32)

    def _norm_heads(self, layer: CompiledLayer, product: Floats) -> None:
        query, key, config = layer.query_norm, layer.key_norm, self._config
        if query is None or key is None:
            return
        first = 0
        for norm, heads in ((query, config.heads), (key, config.kv_heads)):
            kernels.norm_heads(
                product, first, heads, norm.weight, norm.bias, norm.centred, norm.epsilon
            )
            first += heads * config.head_dim


def pack_norm(config: DecoderConfig, norm: Norm) -> PackedNorm:
    weight = norm.weight.numpy()
    return PackedNorm(
        weight=weight,
        bias=np.zeros_like(weight) if norm.bias is None else norm.bias.numpy(),
        centred=config.norm == "layer",
        epsilon=np.float32(config.norm_epsilon),
    )


def sight(positions: Sequence[int], tree: TokenTree, length: int, window: int | None) -> Sight:
    """Of tokens at `positions`, then of a tree that follows `length` tokens.

    Each sees itself and what is before it, no further back than `window` tokens in all. The nodes
    of the tree stand behind all others, and see the way that leads to them.
    """
    nodes = [length + depth for depth in tree.depths]
    own_end = np.asarray([*positions, *nodes], np.int64) + 1
    first = np.zeros_like(own_end) if window is None else np.maximum(own_end - window, 0)
    end = np.minimum(own_end, length)
    others = np.zeros((len(end), len(nodes)), np.int64)
    counts = np.zeros_like(end)
    for row, way in enumerate(map(tree.way, range(len(nodes))), len(positions)):
        known = [length + n for depth, n in enumerate(way) if length + depth >= first[row]]
        others[row, : len(known)] = known
        counts[row] = len(known)
    return Sight(np.minimum(first, end), end, others, counts)
