"""GGUF to a Hugging Face folder: float32 safetensors, `config.json` and `tokenizer.json`.

Beside them stand the matrices in 8 bits, which is how a CPU multiplies them. Done once per model.
The folder is written aside and renamed when complete, so that a folder under its final name is
always whole. Weights are written in shards, so memory stays near one shard. The result is an
ordinary folder that transformers can load too.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFReader, ReaderTensor
from gguf.quants import dequantize
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save_file

from models.adapter import UNCHANGED, Adapter
from models.config import write_json
from models.disk import system_error
from models.errors import DamagedModelError, UnsupportedModelError
from models.gguf_tokenizer import build_tokenizer, tokenizer_settings
from models.progress import Progress, ProgressCallback

# Blocks that begin with a scale in 16 bits and hold nothing else but whole numbers.
WHOLE_NUMBERS = (
    GGMLQuantizationType.Q4_0,
    GGMLQuantizationType.Q5_0,
    GGMLQuantizationType.Q8_0,
)
SHARD_BYTES = 512 * 2**20

# Names of GGUF tensors and what transformers calls them; `N` is the number of the block.
TENSOR_NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "model.layers.N.input_layernorm",
    "ffn_norm": "model.layers.N.post_attention_layernorm",
    "attn_q": "model.layers.N.self_attn.q_proj",
    "attn_k": "model.layers.N.self_attn.k_proj",
    "attn_v": "model.layers.N.self_attn.v_proj",
    "attn_output": "model.layers.N.self_attn.o_proj",
    "attn_q_norm": "model.layers.N.self_attn.q_norm",
    "attn_k_norm": "model.layers.N.self_attn.k_norm",
    "ffn_gate": "model.layers.N.mlp.gate_proj",
    "ffn_up": "model.layers.N.mlp.up_proj",
    "ffn_down": "model.layers.N.mlp.down_proj",
}
ARCHITECTURES = {
    "llama": "LlamaForCausalLM",
    "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
}


def convert_gguf(
    source: Path, target: Path, progress: ProgressCallback, adapter: Adapter = UNCHANGED
) -> None:
    """Write the model of the file `source`, changed by `adapter`, into the empty folder `target`.

    Raises `UnsupportedModelError` for an architecture or tokenizer that cannot be run,
    `DamagedModelError` for a file that is not whole, `OSError` where the disk refuses.
    """
    progress(Progress("reading", 0, 1))
    try:
        reader = GGUFReader(source)
        fields = {name: field.contents() for name, field in reader.fields.items()}
        convert_parts(reader.tensors, fields, source, target, progress, adapter)
    except (ValueError, TypeError, LookupError) as error:
        raise DamagedModelError(
            f"{source} is not a whole GGUF model ({error!r}); fetch it again"
        ) from None


def convert_parts(
    tensors: list[ReaderTensor],
    fields: dict[str, Any],
    source: Path,
    target: Path,
    progress: ProgressCallback,
    adapter: Adapter,
) -> None:
    architecture = str(fields["general.architecture"])
    if architecture not in ARCHITECTURES:
        raise UnsupportedModelError(
            f"GGUF architecture '{architecture}' of {source} cannot be converted; "
            f"use one of {', '.join(ARCHITECTURES)}"
        )
    # Written here, since the tokenizers library tells of a full disk in words only.
    tokenizer = build_tokenizer(fields).to_str(pretty=True)
    (target / "tokenizer.json").write_text(tokenizer, encoding="utf-8")
    write_json(target / "tokenizer_config.json", tokenizer_settings(fields))
    shapes = {tensor.name: tuple(map(int, reversed(tensor.shape))) for tensor in tensors}
    config = hugging_face_config(fields, shapes)
    write_json(target / "config.json", config)
    adapter.require_names(hugging_face_name(tensor.name) for tensor in tensors)
    weights = (
        (name, adapter.merged(name, values)) for name, values in converted_tensors(tensors, config)
    )
    total = sum(4 * int(tensor.n_elements) for tensor in tensors)
    write_shards(weights, total, target, progress)
    whole = kept_scales(tensors, config)
    scales = {name: scale for name, scale in whole if name not in adapter.factors}
    write_matrices(target, scales, tied=config["tie_word_embeddings"])


def hugging_face_config(
    fields: dict[str, Any], shapes: dict[str, tuple[int, ...]]
) -> dict[str, Any]:
    """The `config.json`; what transformers or this decoder would read otherwise is refused."""
    architecture = fields["general.architecture"]

    def number(name: str, default: Any = None) -> Any:
        value = fields.get(f"{architecture}.{name}", default)
        if value is None:
            raise KeyError(f"{architecture}.{name}")
        if isinstance(value, list):
            raise UnsupportedModelError(
                f"the GGUF field '{name}' differs between layers; use a model of equal layers"
            )
        return value

    heads, hidden = number("attention.head_count"), number("embedding_length")
    head_dim = number("attention.key_length", hidden // heads)
    plain = {
        "rope.scaling.type": "none",
        "rope.dimension_count": head_dim,
        "attention.value_length": head_dim,
        "attention.sliding_window": 0,
    }
    for name, expected in plain.items():
        if (value := number(name, expected)) != expected:
            raise UnsupportedModelError(
                f"the GGUF field '{name}' is {value}, and only {expected} can be converted; "
                "use the model's safetensors form"
            )
    return {
        "architectures": [ARCHITECTURES[architecture]],
        "model_type": architecture,
        "hidden_act": "silu",
        "vocab_size": shapes["token_embd.weight"][0],
        "hidden_size": hidden,
        "intermediate_size": number("feed_forward_length"),
        "num_hidden_layers": number("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": number("attention.head_count_kv", heads),
        "head_dim": head_dim,
        "max_position_embeddings": number("context_length"),
        "rms_norm_eps": number("attention.layer_norm_rms_epsilon"),
        "rope_theta": number("rope.freq_base", 10_000.0),
        "tie_word_embeddings": "output.weight" not in shapes,
        "bos_token_id": fields.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": fields.get("tokenizer.ggml.eos_token_id"),
        "dtype": "float32",
    }


def write_shards(
    weights: Iterable[tuple[str, NDArray[np.float32]]],
    total: int,
    target: Path,
    progress: ProgressCallback,
) -> None:
    """`model-0000i.safetensors` files of about `SHARD_BYTES`, and the index that maps names.

    `total` is what all weights take, in bytes.
    """
    weight_map: dict[str, str] = {}
    shard: dict[str, NDArray[np.float32]] = {}
    held = done = number = 0

    def flush() -> None:
        nonlocal shard, held, number
        if shard:
            number += 1
            file = f"model-{number:05}.safetensors"
            save_shard(shard, target / file)
            weight_map.update(dict.fromkeys(shard, file))
            shard, held = {}, 0

    for name, values in weights:
        if held + values.nbytes > SHARD_BYTES:
            flush()
        shard[name] = values
        held += values.nbytes
        done += values.nbytes
        progress(Progress("converting", done, total))
    flush()
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    write_json(target / "model.safetensors.index.json", index)


def save_shard(shard: dict[str, NDArray[np.float32]], file: Path) -> None:
    try:
        save_file(shard, file, metadata={"format": "pt"})
    except SafetensorError as error:
        raise system_error(error) or error from None
    # The library makes files that nobody else may read; a model folder may be shared.
    file.chmod((file.parent / "config.json").stat().st_mode & 0o777)


def write_matrices(folder: Path, scales: Mapping[str, NDArray[np.float32]], *, tied: bool) -> None:
    """The 8-bit form of what has just been written, made where nobody waits for a suggestion."""
    import torch

    from models.eight_bits import quantised, write_eight_bits
    from models.weights import load_weights

    weights = load_weights(folder, torch.device("cpu"), torch.float32, lambda _: None)
    known = {name: torch.from_numpy(scale) for name, scale in scales.items()}
    write_eight_bits(quantised(weights, tied=tied, scales=known), folder)


def kept_scales(
    tensors: list[ReaderTensor], config: dict[str, Any]
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The scales [out, in / 32] of matrices that the file keeps as whole numbers."""
    for tensor in tensors:
        if tensor.tensor_type in WHOLE_NUMBERS and len(tensor.shape) == 2:
            name = hugging_face_name(tensor.name)
            size, block = GGML_QUANT_SIZES[tensor.tensor_type]
            width, outputs = (int(n) for n in tensor.shape)
            blocks = tensor.data.reshape(outputs, width // size, block)
            scales = np.ascontiguousarray(blocks[:, :, :2]).view(np.float16)[:, :, 0]
            yield name, in_order(name, scales.astype(np.float32), config)


def converted_tensors(
    tensors: list[ReaderTensor], config: dict[str, Any]
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for tensor in tensors:
        name = hugging_face_name(tensor.name)
        try:
            numbers = dequantize(tensor.data, tensor.tensor_type)
        except NotImplementedError:
            raise UnsupportedModelError(
                f"the GGUF tensor '{tensor.name}' is of type {tensor.tensor_type.name}, which "
                "cannot be converted; use a file quantised in another way"
            ) from None
        shape = tuple(int(size) for size in reversed(tensor.shape))
        values = np.ascontiguousarray(numbers, dtype=np.float32).reshape(shape)
        yield name, in_order(name, values, config)


def in_order(name: str, rows: NDArray[np.float32], config: dict[str, Any]) -> NDArray[np.float32]:
    """The rows of a matrix of that name, or what there is of each, in Hugging Face's order."""
    if config["model_type"] != "llama":
        return rows
    pairs = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}
    heads = next((config[n] for part, n in pairs.items() if f".{part}." in name), None)
    return rows if heads is None else halves_from_pairs(rows, heads)


def hugging_face_name(name: str) -> str:
    match = re.fullmatch(r"(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)", name)
    if match is None or match[2] not in TENSOR_NAMES:
        raise UnsupportedModelError(
            f"the GGUF file holds a tensor '{name}' that this decoder has no place for; "
            "use a plain model of a supported architecture"
        )
    return f"{TENSOR_NAMES[match[2]].replace('N', match[1] or '')}.{match[3]}"


def halves_from_pairs(values: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Rows of a Llama query or key projection, from GGUF's order to Hugging Face's.

    GGUF stores the two components that turn together side by side; transformers keeps them half
    a head apart (see `models.rotary`).
    """
    paired = values.reshape(heads, -1, 2, *values.shape[1:])
    return np.ascontiguousarray(paired.swapaxes(1, 2)).reshape(values.shape)
