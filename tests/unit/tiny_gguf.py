"""Small GGUF files, written with the official writer from models in Hugging Face layout."""

from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import quantize
from numpy.typing import NDArray
from safetensors.numpy import load_file

from models.config import read_json
from models.gguf_conversion import TENSOR_NAMES
from models.tokenizer_file import control_tokens
from tests.unit.tiny_models import VOCABULARY, save_model

CONTROL, NORMAL, UNUSED = 3, 1, 5
GGUF_SIZES: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "max_position_embeddings": 128,
}


def write_gguf(
    architecture: str,
    file: Path,
    scratch: Path,
    quantised: GGMLQuantizationType | None = None,
    tied: bool = False,
    **overrides: Any,
) -> Path:
    """A seeded random model as GGUF; the folder it came from, in Hugging Face layout.

    `quantised` is the type of the feed-forward's tensors. `overrides` replace fields by name,
    dots written as two underscores; None leaves a field out.
    """
    folder = save_model(architecture, scratch, tie_word_embeddings=tied, **GGUF_SIZES)
    writer = GGUFWriter(file, architecture)
    for name, value in (fields(folder, architecture) | dotted(overrides)).items():
        add_field(writer, name, value)
    heads = {"attn_q": 4, "attn_k": 2} if architecture == "llama" else {}
    for name, values in load_file(folder / "model.safetensors").items():
        role, gguf_name = gguf_names(name)
        if (count := heads.get(role)) is not None:
            values = pairs_from_halves(values, count)
        if quantised is not None and role.startswith("ffn_") and values.ndim == 2:
            writer.add_tensor(gguf_name, quantize(values, quantised), raw_dtype=quantised)
        else:
            writer.add_tensor(gguf_name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return folder


def dotted(overrides: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("__", "."): value for name, value in overrides.items()}


def add_field(writer: GGUFWriter, name: str, value: Any) -> None:
    if isinstance(value, bool):
        writer.add_bool(name, value)
    elif isinstance(value, str):
        writer.add_string(name, value)
    elif isinstance(value, int):
        writer.add_uint32(name, value)
    elif isinstance(value, float):
        writer.add_float32(name, value)
    elif isinstance(value, list):
        writer.add_array(name, value)


def fields(folder: Path, architecture: str) -> dict[str, Any]:
    """The model's numbers and tokenizer as converters for GGUF write them."""
    config, tokenizer = read_json(folder / "config.json"), read_json(folder / "tokenizer.json")
    control = control_tokens(tokenizer)
    pieces = {number: piece for piece, number in (tokenizer["model"]["vocab"] | control).items()}
    tokens = [pieces.get(i, f"[PAD{i}]") for i in range(VOCABULARY)]
    numbers = {
        "block_count": config["num_hidden_layers"],
        "context_length": config["max_position_embeddings"],
        "embedding_length": config["hidden_size"],
        "feed_forward_length": config["intermediate_size"],
        "attention.head_count": config["num_attention_heads"],
        "attention.head_count_kv": config["num_key_value_heads"],
        "attention.layer_norm_rms_epsilon": config["rms_norm_eps"],
        "attention.key_length": config["head_dim"] if architecture == "qwen3" else None,
        "rope.freq_base": config["rope_parameters"]["rope_theta"],
    }
    return {f"{architecture}.{name}": value for name, value in numbers.items()} | {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm" if architecture == "llama" else "qwen2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [
            CONTROL if i in control.values() else NORMAL if i in pieces else UNUSED
            for i in range(VOCABULARY)
        ],
        "tokenizer.ggml.merges": [" ".join(pair) for pair in tokenizer["model"]["merges"]],
        "tokenizer.ggml.bos_token_id": 258,
        "tokenizer.ggml.eos_token_id": 259,
        "tokenizer.ggml.add_bos_token": False,
    }


def gguf_names(name: str) -> tuple[str, str]:
    """The role of a tensor in GGUF, and its whole name there."""
    stem, kind = name.rsplit(".", 1)
    parts = stem.split(".")
    number = parts[2] if parts[1:2] == ["layers"] else None
    general = stem if number is None else ".".join([*parts[:2], "N", *parts[3:]])
    role = next(role for role, known in TENSOR_NAMES.items() if known == general)
    return role, f"{role}.{kind}" if number is None else f"blk.{number}.{role}.{kind}"


def pairs_from_halves(values: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Rows of a Llama projection as llama.cpp wants them: components that turn together adjoin."""
    rows = np.arange(values.shape[0]).reshape(heads, -1)
    half = rows.shape[1] // 2
    order = np.stack((rows[:, :half], rows[:, half:]), axis=2).ravel()
    return np.ascontiguousarray(values[order])
