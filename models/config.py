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

# What an architecture means where its config.json leaves a field out.
QWEN_DEFAULTS = {
    "max_position_embeddings": 32768,
    "rms_norm_eps": 1e-6,
    "sliding_window": 4096,
    "max_window_layers": 28,
}
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "llama": {"max_position_embeddings": 2048, "rms_norm_eps": 1e-6},
    "mistral": {
        "max_position_embeddings": 131072,
        "rms_norm_eps": 1e-6,
        "num_key_value_heads": 8,
        "sliding_window": 4096,
    },
    "qwen2": QWEN_DEFAULTS,
    "qwen3": {**QWEN_DEFAULTS, "head_dim": 128},
    "starcoder2": {
        "max_position_embeddings": 4096,
        "norm_epsilon": 1e-5,
        "num_key_value_heads": 2,
        "hidden_act": "gelu_pytorch_tanh",
        "tie_word_embeddings": True,
    },
}

RopeKind = Literal["default", "linear", "dynamic", "llama3", "yarn"]
ROPE_KINDS: tuple[RopeKind, ...] = ("default", "linear", "dynamic", "llama3", "yarn")
REQUIRED_NUMBERS: Mapping[RopeKind, tuple[str, ...]] = {
    "default": (),
    "linear": ("factor",),
    "dynamic": ("factor",),
    "llama3": ("factor", "low_freq_factor", "high_freq_factor"),
    "yarn": ("factor",),
}


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
    except (ValueError, RecursionError, OSError) as error:
        raise DamagedModelError(f"{path} cannot be read ({error}); fetch it again") from None
    if not isinstance(value, dict):
        raise DamagedModelError(f"{path} is not a JSON object; fetch it again")
    return value


def write_json(path: Path, value: object) -> None:
    """Beside what `read_json` reads: a file of a model folder that is being made."""
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


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
        config = parse_decoder_config(architecture, {**DEFAULTS[architecture], **raw})
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise DamagedModelError(
            f"{folder / 'config.json'} is incomplete ({error!r}); fetch it again"
        ) from None
    sizes = (config.vocabulary, config.hidden, config.layers, config.heads, config.kv_heads)
    if min(*sizes, config.head_dim, config.context_length) < 1:
        raise DamagedModelError(f"{folder / 'config.json'} holds a size below one; fetch it again")
    if config.heads % config.kv_heads or config.head_dim % 2:
        raise DamagedModelError(
            f"{folder / 'config.json'} has {config.heads} heads of {config.head_dim} numbers for "
            f"{config.kv_heads} key heads, which cannot be grouped; fetch it again"
        )
    return config


def parse_decoder_config(architecture: str, raw: Mapping[str, Any]) -> DecoderConfig:
    hidden, heads, layers = (
        int(raw[key]) for key in ("hidden_size", "num_attention_heads", "num_hidden_layers")
    )
    starcoder = architecture == "starcoder2"
    expected_activations = {"gelu_pytorch_tanh", "gelu_new"} if starcoder else {"silu"}
    activation = str(raw.get("hidden_act", "silu"))
    if activation not in expected_activations:
        raise UnsupportedModelError(
            f"activation '{activation}' is not the one of {architecture}; use its standard form"
        )
    windowed = windowed_layers(architecture, raw, layers)
    return DecoderConfig(
        architecture=architecture,
        vocabulary=int(raw["vocab_size"]),
        hidden=hidden,
        layers=layers,
        heads=heads,
        kv_heads=int(raw.get("num_key_value_heads") or heads),
        head_dim=int(raw.get("head_dim") or hidden // heads),
        context_length=int(raw["max_position_embeddings"]),
        norm="layer" if starcoder else "rms",
        norm_epsilon=float(raw["norm_epsilon"] if starcoder else raw["rms_norm_eps"]),
        mlp="gelu_tanh" if starcoder else "gated_silu",
        qk_norm=architecture == "qwen3",
        tied_embeddings=bool(raw.get("tie_word_embeddings", False)),
        rope=parse_rope(raw),
        window=int(raw["sliding_window"]) if windowed else None,
        windowed_layers=windowed,
    )


def windowed_layers(architecture: str, raw: Mapping[str, Any], layers: int) -> frozenset[int]:
    """Which layers attend to the last `sliding_window` tokens only."""
    if not raw.get("sliding_window"):
        return frozenset()
    if architecture in {"mistral", "starcoder2"}:
        return frozenset(range(layers))
    if architecture not in {"qwen2", "qwen3"} or not raw.get("use_sliding_window", False):
        return frozenset()
    if kinds := raw.get("layer_types"):
        if unknown := set(kinds) - {"sliding_attention", "full_attention"}:
            raise UnsupportedModelError(
                f"attention of the kind '{sorted(unknown)[0]}' is not supported; "
                "use a model with full or sliding attention"
            )
        return frozenset(i for i, kind in enumerate(kinds) if kind == "sliding_attention")
    return frozenset(range(int(raw["max_window_layers"]), layers))


def parse_rope(raw: Mapping[str, Any]) -> RopeConfig:
    """Both spellings: `rope_parameters` (transformers 5) and `rope_theta` with `rope_scaling`."""
    scaling = raw.get("rope_scaling") or raw.get("rope_parameters") or {}
    theta = float(scaling.get("rope_theta") or raw.get("rope_theta") or 10_000.0)
    name = str(scaling.get("rope_type") or scaling.get("type") or "default")
    kind = next((known for known in ROPE_KINDS if known == name), None)
    if kind is None:
        raise UnsupportedModelError(
            f"rotary scaling '{name}' is not supported; use a model with {', '.join(ROPE_KINDS)}"
        )
    if any(isinstance(value, Mapping) for value in scaling.values()):
        raise UnsupportedModelError(
            "rotary positions that differ between layers are not supported; use a model with one "
            "rule for all layers"
        )
    partial = scaling.get("partial_rotary_factor") or raw.get("partial_rotary_factor") or 1.0
    if float(partial) != 1.0:
        raise UnsupportedModelError(
            f"rotary positions on a part of each head (partial_rotary_factor {partial}) are not "
            "supported; use a model that turns whole heads"
        )
    return RopeConfig(kind, theta, rope_numbers(kind, scaling, raw))


def rope_numbers(
    kind: RopeKind, scaling: Mapping[str, Any], raw: Mapping[str, Any]
) -> dict[str, float]:
    """The numbers of a scaling rule, all that it needs among them."""
    numbers = {
        key: float(value)
        for key, value in scaling.items()
        if isinstance(value, int | float) and key != "rope_theta"
    }
    longest = float(raw["max_position_embeddings"])
    original = raw.get("original_max_position_embeddings")
    if kind == "dynamic":
        numbers["original_max_position_embeddings"] = longest
    elif original is not None:
        numbers["original_max_position_embeddings"] = float(original)
    numbers.setdefault("original_max_position_embeddings", longest)
    if kind == "yarn":
        numbers.setdefault("factor", longest / numbers["original_max_position_embeddings"])
    if missing := [key for key in REQUIRED_NUMBERS[kind] if key not in numbers]:
        raise KeyError(*missing)
    return numbers
