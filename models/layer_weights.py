"""The weights of a decoder by their role, each checked against the configuration.

Names are those of Hugging Face checkpoints. A tensor that is absent or has another shape than
`config.json` promises is a damaged model, told in one line before anything runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from models.config import DecoderConfig
from models.eight_bits import EMBEDDING, HEAD, Weight
from models.errors import DamagedModelError


@dataclass(frozen=True, slots=True)
class Norm:
    """Weight and optional bias, each [hidden]."""

    weight: Tensor
    bias: Tensor | None


@dataclass(frozen=True, slots=True)
class Projection:
    """Weight [out, in], exact or in 8 bits, and optional bias [out]."""

    weight: Weight
    bias: Tensor | None


@dataclass(frozen=True, slots=True)
class Layer:
    """The weights of one block; `gate` is absent where the feed-forward is not gated."""

    attention_norm: Norm
    query: Projection
    key: Projection
    value: Projection
    output: Projection
    query_norm: Norm | None
    key_norm: Norm | None
    mlp_norm: Norm
    gate: Projection | None
    up: Projection
    down: Projection


@dataclass(frozen=True, slots=True)
class DecoderWeights:
    """Everything a decoder multiplies with; `head` may be the embedding itself."""

    embedding: Tensor
    layers: tuple[Layer, ...]
    final_norm: Norm
    head: Projection


def read_decoder_weights(config: DecoderConfig, weights: Mapping[str, Weight]) -> DecoderWeights:
    """The tensors of `weights` by role, or a `DamagedModelError`."""
    table = (config.vocabulary, config.hidden)
    embedding = exact(weights, EMBEDDING, table)
    own_head = not config.tied_embeddings or HEAD in weights
    return DecoderWeights(
        embedding=embedding,
        layers=tuple(read_layer(config, weights, i) for i in range(config.layers)),
        final_norm=read_norm(weights, "model.norm", config.hidden),
        head=Projection(checked(weights, HEAD, table) if own_head else embedding, None),
    )


def read_layer(config: DecoderConfig, weights: Mapping[str, Weight], index: int) -> Layer:
    prefix = f"model.layers.{index}"
    gated = config.mlp == "gated_silu"
    up_name, down_name = ("up_proj", "down_proj") if gated else ("c_fc", "c_proj")
    hidden = config.hidden
    queries, keys = config.heads * config.head_dim, config.kv_heads * config.head_dim
    inner = present(weights, f"{prefix}.mlp.{up_name}.weight").shape[:1].numel()

    def norm(name: str, size: int) -> Norm:
        return read_norm(weights, f"{prefix}.{name}", size)

    def part(name: str, *shape: int) -> Projection:
        return read_projection(weights, f"{prefix}.{name}", shape)

    return Layer(
        attention_norm=norm("input_layernorm", hidden),
        query=part("self_attn.q_proj", queries, hidden),
        key=part("self_attn.k_proj", keys, hidden),
        value=part("self_attn.v_proj", keys, hidden),
        output=part("self_attn.o_proj", hidden, queries),
        query_norm=norm("self_attn.q_norm", config.head_dim) if config.qk_norm else None,
        key_norm=norm("self_attn.k_norm", config.head_dim) if config.qk_norm else None,
        mlp_norm=norm("post_attention_layernorm", hidden),
        gate=part("mlp.gate_proj", inner, hidden) if gated else None,
        up=part(f"mlp.{up_name}", inner, hidden),
        down=part(f"mlp.{down_name}", hidden, inner),
    )


def read_norm(weights: Mapping[str, Weight], name: str, size: int) -> Norm:
    return Norm(exact(weights, f"{name}.weight", (size,)), read_bias(weights, name, size))


def read_projection(weights: Mapping[str, Weight], name: str, shape: tuple[int, ...]) -> Projection:
    weight = checked(weights, f"{name}.weight", shape)
    return Projection(weight, read_bias(weights, name, shape[0]))


def read_bias(weights: Mapping[str, Weight], name: str, size: int) -> Tensor | None:
    bias = f"{name}.bias"
    return exact(weights, bias, (size,)) if bias in weights else None


def exact(weights: Mapping[str, Weight], name: str, shape: tuple[int, ...]) -> Tensor:
    tensor = checked(weights, name, shape)
    assert isinstance(tensor, Tensor)  # only matrices that are multiplied are ever in 8 bits
    return tensor


def checked(weights: Mapping[str, Weight], name: str, shape: tuple[int, ...]) -> Weight:
    tensor = present(weights, name)
    if tuple(tensor.shape) != shape:
        raise DamagedModelError(
            f"the tensor '{name}' has shape {tuple(tensor.shape)}, not the {shape} that "
            "config.json promises; fetch the model again"
        )
    return tensor


def present(weights: Mapping[str, Weight], name: str) -> Weight:
    if name not in weights:
        raise DamagedModelError(f"the weights lack the tensor '{name}'; fetch the model again")
    return weights[name]
