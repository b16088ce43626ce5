"""The shape of a decoder, read from a Hugging Face `config.json`.

One configuration drives the one decoder of this package; what the five supported architectures
differ in is a field here and nothing else. Whether a projection has a bias is read from the
weights themselves.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from models.errors import DamagedModelError, UnsupportedModelError

SUPPORTED_ARCHITECTURES: Mapping[str, str] = {
    "llama": "Llama",
    "mistral": "Mistral",
    "qwen2": "Qwen2",
    "qwen3": "Qwen3",
    "starcoder2": "StarCoder2",
}

RopeKind = Literal["default", "linear", "dynamic", "llama3", "yarn"]
ROPE_KINDS: tuple[RopeKind, ...] = ("default", "linear", "dynamic", "llama3", "yarn")


@dataclass(frozen=True, slots=True)
class RopeConfig:
    """Rotary position embedding: the base, its scaling rule, and that rule's own numbers."""

    kind: RopeKind
    theta: float
    parameters: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """A decoder-only transformer with grouped-query attention and rotary positions."""

    architecture: str
    vocabulary: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    context_length: int
    norm: Literal["rms", "layer"]
    norm_epsilon: float
    mlp: Literal["gated_silu", "gelu_tanh"]
    qk_norm: bool
    tied_embeddings: bool
    rope: RopeConfig
    window: int | None
    windowed_layers: frozenset[int]


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a model folder; a missing or broken file is a damaged model."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnsupportedModelError(
            f"{path.parent} has no {path.name}; name a folder in Hugging Face layout"
        ) from None
    except (ValueError, OSError) as error:
        raise DamagedModelError(f"{path} cannot be read ({error}); fetch it again") from None
    if not isinstance(value, dict):
        raise DamagedModelError(f"{path} is not a JSON object; fetch it again")
    return value


def read_decoder_config(folder: Path) -> DecoderConfig:
    """The configuration of the model in `folder`, or a one-line reason why it cannot be run."""
    raw = read_json(folder / "config.json")
    architecture = str(raw.get("model_type", "unknown"))
    if architecture not in SUPPORTED_ARCHITECTURES:
        names = ", ".join(SUPPORTED_ARCHITECTURES.values())
        raise UnsupportedModelError(
            f"architecture '{architecture}' of {folder} is not supported; use a model of {names}"
        )
    if raw.get("quantization_config"):
        raise UnsupportedModelError(
            f"the weights of {folder} are quantised; use the unquantised model of the same name"
        )
    try:
        return parse_decoder_config(architecture, raw)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise DamagedModelError(
            f"{folder / 'config.json'} is incomplete ({error!r}); fetch it again"
        ) from None


def parse_decoder_config(architecture: str, raw: Mapping[str, Any]) -> DecoderConfig:
    hidden, heads, layers = (
        int(raw[key]) for key in ("hidden_size", "num_attention_heads", "num_hidden_layers")
    )
    starcoder = architecture == "starcoder2"
    expected_activations = {"gelu_pytorch_tanh", "gelu_new"} if starcoder else {"silu"}
    activation = str(raw.get("hidden_act", "gelu_pytorch_tanh" if starcoder else "silu"))
    if activation not in expected_activations:
        raise UnsupportedModelError(
            f"activation '{activation}' is not the one of {architecture}; use its standard form"
        )
    window = raw.get("sliding_window")
    return DecoderConfig(
        architecture=architecture,
        vocabulary=int(raw["vocab_size"]),
        hidden=hidden,
        layers=layers,
        heads=heads,
        kv_heads=int(raw.get("num_key_value_heads") or heads),
        head_dim=int(raw.get("head_dim") or hidden // heads),
        context_length=int(raw.get("max_position_embeddings", 2048)),
        norm="layer" if starcoder else "rms",
        norm_epsilon=float(raw["norm_epsilon"] if starcoder else raw["rms_norm_eps"]),
        mlp="gelu_tanh" if starcoder else "gated_silu",
        qk_norm=architecture == "qwen3",
        tied_embeddings=bool(raw.get("tie_word_embeddings", starcoder)),
        rope=parse_rope(raw),
        window=int(window) if window else None,
        windowed_layers=windowed_layers(architecture, raw, layers) if window else frozenset(),
    )


def windowed_layers(architecture: str, raw: Mapping[str, Any], layers: int) -> frozenset[int]:
    """Which layers attend to the last `window` tokens only."""
    kinds = raw.get("layer_types")
    if kinds:
        return frozenset(i for i, kind in enumerate(kinds) if kind == "sliding_attention")
    if architecture in {"mistral", "starcoder2"}:
        return frozenset(range(layers))
    if architecture in {"qwen2", "qwen3"} and raw.get("use_sliding_window", False):
        return frozenset(range(int(raw.get("max_window_layers", layers)), layers))
    return frozenset()


def parse_rope(raw: Mapping[str, Any]) -> RopeConfig:
    """Both spellings: `rope_parameters` (transformers 5) and `rope_theta` with `rope_scaling`."""
    scaling = raw.get("rope_parameters") or raw.get("rope_scaling") or {}
    theta = float(scaling.get("rope_theta") or raw.get("rope_theta") or 10_000.0)
    name = str(scaling.get("rope_type") or scaling.get("type") or "default")
    kind = next((known for known in ROPE_KINDS if known == name), None)
    if kind is None:
        raise UnsupportedModelError(
            f"rotary scaling '{name}' is not supported; use a model with {', '.join(ROPE_KINDS)}"
        )
    numbers = {
        key: float(value)
        for key, value in scaling.items()
        if isinstance(value, int | float) and key != "rope_theta"
    }
    numbers.setdefault(
        "original_max_position_embeddings", float(raw.get("max_position_embeddings", 2048))
    )
    return RopeConfig(kind, theta, numbers)
