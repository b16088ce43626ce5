"""The weights of a decoder by their role, each checked against the configuration.

Names are those of Hugging Face checkpoints. A tensor that is absent or has another shape than
`config.json` promises is a damaged model, told in one line before anything runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from models.config import DecoderConfig
from models.errors import DamagedModelError


@dataclass(frozen=True, slots=True)
class Affine:
    """Weight and optional bias of a projection ([out, in]) or a norm ([hidden])."""

    weight: Tensor
    bias: Tensor | None


@dataclass(frozen=True, slots=True)
class Layer:
    """The weights of one block; `gate` is absent where the feed-forward is not gated."""

    attention_norm: Affine
    query: Affine
    key: Affine
    value: Affine
    output: Affine
    query_norm: Affine | None
    key_norm: Affine | None
    mlp_norm: Affine
    gate: Affine | None
    up: Affine
    down: Affine


@dataclass(frozen=True, slots=True)
class DecoderWeights:
    """Everything a decoder multiplies with; `head` may be the embedding itself."""

    embedding: Tensor
    layers: tuple[Layer, ...]
    final_norm: Affine
    head: Tensor


def read_decoder_weights(config: DecoderConfig, weights: Mapping[str, Tensor]) -> DecoderWeights:
    """The tensors of `weights` by role, or a `DamagedModelError`."""
    table = (config.vocabulary, config.hidden)
    embedding = checked(weights, "model.embed_tokens.weight", table)
    own_head = not config.tied_embeddings or "lm_head.weight" in weights
    return DecoderWeights(
        embedding=embedding,
        layers=tuple(read_layer(config, weights, i) for i in range(config.layers)),
        final_norm=read_affine(weights, "model.norm", (config.hidden,)),
        head=checked(weights, "lm_head.weight", table) if own_head else embedding,
    )


def read_layer(config: DecoderConfig, weights: Mapping[str, Tensor], index: int) -> Layer:
    prefix = f"model.layers.{index}"
    gated = config.mlp == "gated_silu"
    up_name, down_name = ("up_proj", "down_proj") if gated else ("c_fc", "c_proj")
    hidden = config.hidden
    queries, keys = config.heads * config.head_dim, config.kv_heads * config.head_dim
    inner = present(weights, f"{prefix}.mlp.{up_name}.weight").shape[:1].numel()

    def part(name: str, *shape: int) -> Affine:
        return read_affine(weights, f"{prefix}.{name}", shape)

    return Layer(
        attention_norm=part("input_layernorm", hidden),
        query=part("self_attn.q_proj", queries, hidden),
        key=part("self_attn.k_proj", keys, hidden),
        value=part("self_attn.v_proj", keys, hidden),
        output=part("self_attn.o_proj", hidden, queries),
        query_norm=part("self_attn.q_norm", config.head_dim) if config.qk_norm else None,
        key_norm=part("self_attn.k_norm", config.head_dim) if config.qk_norm else None,
        mlp_norm=part("post_attention_layernorm", hidden),
        gate=part("mlp.gate_proj", inner, hidden) if gated else None,
        up=part(f"mlp.{up_name}", inner, hidden),
        down=part(f"mlp.{down_name}", hidden, inner),
    )


def read_affine(weights: Mapping[str, Tensor], name: str, shape: tuple[int, ...]) -> Affine:
    """A weight of `shape` and its bias, where there is one, of as many numbers as the rows."""
    bias = f"{name}.bias"
    return Affine(
        checked(weights, f"{name}.weight", shape),
        checked(weights, bias, shape[:1]) if bias in weights else None,
    )


def checked(weights: Mapping[str, Tensor], name: str, shape: tuple[int, ...]) -> Tensor:
    tensor = present(weights, name)
    if tuple(tensor.shape) != shape:
        raise DamagedModelError(
            f"the tensor '{name}' has shape {tuple(tensor.shape)}, not the {shape} that "
            "config.json promises; fetch the model again"
        )
    return tensor


def present(weights: Mapping[str, Tensor], name: str) -> Tensor:
    if name not in weights:
        raise DamagedModelError(f"the weights lack the tensor '{name}'; fetch the model again")
    return weights[name]
