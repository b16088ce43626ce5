"""One decoder for the Llama family: Llama, Mistral, Qwen2, Qwen3 and StarCoder2.

Plain functions over tensors, without modules or hooks: a forward pass is a loop over layers that
encodes some of the tokens that a key-value cache lays out. What architectures differ in comes from
`DecoderConfig`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from models.attention import added, attend, attention_of, seen
from models.compiled_pass import CompiledLayer, CompiledPass, pack_norm, sight
from models.compiler import FLOATS
from models.config import DecoderConfig
from models.eight_bits import EightBits, Weight
from models.errors import Cancelled
from models.kv_cache import KeyValueCache, cache_bytes
from models.layer_weights import Layer, Norm, read_decoder_weights
from models.linear import Joined, QuantisedLinear, linear_of, side_by_side
from models.processor import all_processors, use_all_processors
from models.rotary import rotate
from models.token_choice import likeliest
from models.token_tree import NO_TREE, TokenTree


@dataclass(frozen=True, slots=True)
class Reading:
    """One pass: its tokens, where their keys go and how they turn, and how far it looks."""

    tokens: Sequence[int]
    where: slice | Tensor
    turn: tuple[Tensor, Tensor]  # cosine and sine, each [n, head_dim]
    end: int


M = TypeVar("M")
Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor]  # layer, query, keys, values -> [n, width]


class Block:
    """The products and norms of one layer, ready to run."""

    def __init__(self, layer: Layer) -> None:
        self.attention_norm = layer.attention_norm
        self.project = side_by_side((layer.query, layer.key, layer.value))
        self.output = linear_of(layer.output)
        self.query_norm, self.key_norm = layer.query_norm, layer.key_norm
        self.mlp_norm = layer.mlp_norm
        widening = (layer.up,) if layer.gate is None else (layer.up, layer.gate)
        self.widen = side_by_side(widening)
        self.down = linear_of(layer.down)


class Decoder:
    """Weights of one model, ready to run on their device and in their dtype, or in 8 bits."""

    def __init__(self, config: DecoderConfig, weights: Mapping[str, Weight]) -> None:
        self.config = config
        parts = read_decoder_weights(config, weights)
        self.quantised = isinstance(parts.head.weight, EightBits)
        self._embedding = parts.embedding
        # Packing weights in 8 bits is work for all cores.
        with ThreadPoolExecutor(initializer=use_all_processors) as pool:
            head = pool.submit(linear_of, parts.head)
            blocks = [pool.submit(Block, layer) for layer in parts.layers]
        self._head = head.result()
        self._blocks = [block.result() for block in blocks]
        self._final_norm = parts.final_norm
        self._compiled = self._compiled_pass()
        likeliest(torch.zeros(1))  # compiled now, and not when somebody waits

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

    def encode(
        self,
        cache: KeyValueCache,
        positions: Sequence[int],
        cancelled: Callable[[], bool] = lambda: False,
        attention: Tensor | None = None,
        ahead: TokenTree = NO_TREE,
    ) -> Tensor:
        """Encode the tokens laid out at `positions` (ascending), wherever they stand.

        Each attends to itself and to all that stands before it; what stands before the last of
        them is read already or is among them. What might follow all that the cache holds can be
        read `ahead` in the same pass, as by `branch`. Returns hidden states [n + nodes, hidden]
        after the last norm. To `attention` [last position + 1] is added how much the last token
        attends to each, over all heads and layers; nothing can be read ahead then. Asks
        `cancelled` before each layer and raises `Cancelled`: the tokens are then no less read
        than they were, and not exact.
        """
        assert positions
        assert attention is None or not ahead.tokens
        tokens = cache.begin(positions)
        hidden = self._pass(cache, tokens, positions, ahead, cancelled, attention)
        cache.commit(positions)
        return hidden

    def branch(
        self,
        cache: KeyValueCache,
        tree: TokenTree,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Tensor:
        """Read all that might follow what `cache` holds; hidden states [nodes, hidden].

        Each token attends to what the cache holds and to the way that leads to it. The cache
        stays as it is until one way is taken (`KeyValueCache.take`), and needs room for all. Asks
        `cancelled` before each layer and raises `Cancelled`.

        In 8 bits on the CPU what comes of a token is the same bit for bit whatever else is read
        beside it.
        """
        assert tree.tokens
        return self._pass(cache, [], [], tree, cancelled, None)

    @torch.inference_mode()
    def _pass(
        self,
        cache: KeyValueCache,
        tokens: Sequence[int],
        positions: Sequence[int],
        tree: TokenTree,
        cancelled: Callable[[], bool],
        attention: Tensor | None,
    ) -> Tensor:
        """Read `tokens` at their positions, and a tree after all that the cache holds."""
        length, nodes = cache.length, len(tree.tokens)
        assert length + nodes <= cache.capacity
        tokens = [*tokens, *tree.tokens]
        slots = [*positions, *range(length, length + nodes)]
        turn = cache.turn([*positions, *(length + depth for depth in tree.depths)])
        if self._compiled is not None:
            sights = self._by_window(lambda window: sight(positions, tree, length, window))
            return self._compiled.read(cache, tokens, slots, turn, sights, cancelled, attention)
        where = place_of(slots, self.device)
        reading = Reading(tokens=tokens, where=where, turn=turn, end=slots[-1] + 1)
        masks = self._by_window(lambda window: self._mask(seen(positions, tree, length, window)))

        def attend_all(layer: int, query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
            mask = masks[layer in self.config.windowed_layers]
            if attention is not None:
                last = query[:, -1] / math.sqrt(self.config.head_dim)
                attention.add_(attention_of(last, keys, None if mask is None else mask[-1]))
            return attend(query, keys, values, mask)

        return self._read(cache, reading, attend_all, cancelled)

    def _compiled_pass(self) -> CompiledPass | None:
        """What reads tokens in 8 bits, compiled, threads started: of heads of whole vectors."""
        if not self.quantised or self.config.head_dim % FLOATS:
            return None
        layers = [compiled_layer(self.config, block) for block in self._blocks]
        compiled = CompiledPass(self.config, self._embedding, layers, self._final_norm)
        cache, one = self.new_cache(1), sight([0], NO_TREE, 1, None)
        with all_processors():
            compiled.read(cache, [0], cache.append([0]), cache.turn([0]), (one, one))
        return compiled

    @property
    def _group(self) -> int:
        """How many query heads share a key head."""
        return self.config.heads // self.config.kv_heads

    def _mask(self, seen: Tensor | None) -> Tensor | None:
        """For `attend`, once for all layers: [group * n, length]."""
        return None if seen is None else added(seen, self.dtype, self.device).repeat(self._group, 1)

    def _by_window(self, of: Callable[[int | None], M]) -> tuple[M, M]:
        """For layers that see all, and for those that look no further back than a window."""
        full = of(None)
        return full, of(self.config.window) if self.config.windowed_layers else full

    def _read(
        self,
        cache: KeyValueCache,
        reading: Reading,
        attend: Attend,
        cancelled: Callable[[], bool],
    ) -> Tensor:
        tokens = torch.tensor(reading.tokens, device=self.device)
        hidden = F.embedding(tokens, self._embedding)
        for index, block in enumerate(self._blocks):
            if cancelled():
                raise Cancelled
            keys, values, query = self._project(block, index, hidden, cache, reading)
            hidden = hidden + block.output(attend(index, query, keys, values))
            hidden = hidden + self._feed_forward(block, hidden)
        return self._norm(hidden, self._final_norm)

    @torch.inference_mode()
    def logits(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary, float32, for hidden states [n, hidden] or one [hidden]."""
        if hidden.dim() == 1:
            return self._head(hidden[None])[0].float()
        return self._head(hidden).float()

    def _project(
        self, block: Block, index: int, hidden: Tensor, cache: KeyValueCache, reading: Reading
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Keys and values before the end, the new ones stored, and the turned queries."""
        normed = self._norm(hidden, block.attention_norm)
        # [n, heads * head_dim] -> [heads, n, head_dim]
        query, key, value = (
            product.view(len(normed), -1, self.config.head_dim).transpose(0, 1)
            for product in block.project(normed)
        )
        if block.query_norm is not None and block.key_norm is not None:
            query = self._norm(query, block.query_norm)
            key = self._norm(key, block.key_norm)
        cache.write(index, reading.where, key, value, rotate(key, *reading.turn))
        return (*cache.view(index, reading.end), rotate(query, *reading.turn))

    def _feed_forward(self, block: Block, hidden: Tensor) -> Tensor:
        wide, *gate = block.widen(self._norm(hidden, block.mlp_norm))
        if gate:
            return block.down(F.silu(gate[0]) * wide)
        return block.down(F.gelu(wide, approximate="tanh"))

    def _norm(self, hidden: Tensor, norm: Norm) -> Tensor:
        size, epsilon = norm.weight.shape, self.config.norm_epsilon
        if self.config.norm == "layer":
            return F.layer_norm(hidden, size, norm.weight, norm.bias, epsilon)
        return F.rms_norm(hidden, size, norm.weight, epsilon)


def compiled_layer(config: DecoderConfig, block: Block) -> CompiledLayer:
    """A layer in 8 bits as its kernels take it."""
    project, widen = block.project, block.widen
    output, down = block.output, block.down
    assert isinstance(project, Joined)
    assert isinstance(widen, Joined)
    assert isinstance(output, QuantisedLinear)
    assert isinstance(down, QuantisedLinear)
    query_norm, key_norm = block.query_norm, block.key_norm
    return CompiledLayer(
        attention_norm=pack_norm(config, block.attention_norm),
        project=project.linear,
        output=output,
        query_norm=None if query_norm is None else pack_norm(config, query_norm),
        key_norm=None if key_norm is None else pack_norm(config, key_norm),
        mlp_norm=pack_norm(config, block.mlp_norm),
        widen=widen.linear,
        down=down,
        gated=len(widen.sizes) == 2,
    )


def place_of(positions: Sequence[int], device: torch.device) -> slice | Tensor:
    """How to write at `positions`: a slice where they follow one another, else their indices."""
    if positions[-1] - positions[0] + 1 == len(positions):
        return slice(positions[0], positions[-1] + 1)
    return torch.tensor(positions, device=device)
