"""GGUF to a Hugging Face folder: float32 safetensors, `config.json` and `tokenizer.json`.

Done once per model. The folder is written aside and renamed when complete, so that a folder under
its final name is always whole. Weights are written in shards, so memory stays near one shard.
The result is an ordinary folder that transformers can load too.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader, ReaderTensor
from gguf.quants import dequantize
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

from models.errors import UnsupportedModelError
from models.progress import Progress, ProgressCallback

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
CONTROL, USER_DEFINED, UNUSED = 3, 4, 5  # token types of GGUF


def convert_gguf(source: Path, target: Path, progress: ProgressCallback) -> None:
    """Write the model of the file `source` into the existing empty folder `target`.

    Raises `UnsupportedModelError` for an architecture or tokenizer that cannot be run.
    """
    progress(Progress("reading", 0, 1))
    reader = GGUFReader(source)
    fields = {name: field.contents() for name, field in reader.fields.items()}
    architecture = str(fields["general.architecture"])
    if architecture not in ARCHITECTURES:
        raise UnsupportedModelError(
            f"GGUF architecture '{architecture}' of {source} cannot be converted; "
            f"use one of {', '.join(ARCHITECTURES)}"
        )
    tokenizer = build_tokenizer(fields)
    tokenizer.save(str(target / "tokenizer.json"))
    write_json(target / "tokenizer_config.json", tokenizer_settings(fields))
    names = {tensor.name for tensor in reader.tensors}
    config = hugging_face_config(fields, tied="output.weight" not in names)
    write_json(target / "config.json", config)
    write_shards(reader.tensors, config, target, progress)


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def hugging_face_config(fields: dict[str, Any], *, tied: bool) -> dict[str, Any]:
    architecture = fields["general.architecture"]

    def number(name: str) -> Any:
        return fields[f"{architecture}.{name}"]

    heads, hidden = number("attention.head_count"), number("embedding_length")
    return {
        "architectures": [ARCHITECTURES[architecture]],
        "model_type": architecture,
        "hidden_act": "silu",
        "vocab_size": len(fields["tokenizer.ggml.tokens"]),
        "hidden_size": hidden,
        "intermediate_size": number("feed_forward_length"),
        "num_hidden_layers": number("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": number("attention.head_count_kv"),
        "head_dim": fields.get(f"{architecture}.attention.key_length", hidden // heads),
        "max_position_embeddings": number("context_length"),
        "rms_norm_eps": number("attention.layer_norm_rms_epsilon"),
        "rope_theta": number("rope.freq_base"),
        "tie_word_embeddings": tied,
        "bos_token_id": fields.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": fields.get("tokenizer.ggml.eos_token_id"),
        "dtype": "float32",
    }


def write_shards(
    tensors: list[ReaderTensor], config: dict[str, Any], target: Path, progress: ProgressCallback
) -> None:
    """`model-0000i.safetensors` files of about `SHARD_BYTES`, and the index that maps names."""
    total = sum(4 * int(tensor.n_elements) for tensor in tensors)
    weight_map: dict[str, str] = {}
    shard: dict[str, NDArray[np.float32]] = {}
    held = done = number = 0

    def flush() -> None:
        nonlocal shard, held, number
        if shard:
            number += 1
            file = f"model-{number:05}.safetensors"
            save_file(shard, target / file, metadata={"format": "pt"})
            weight_map.update(dict.fromkeys(shard, file))
            shard, held = {}, 0

    for name, values in converted_tensors(tensors, config):
        if held + values.nbytes > SHARD_BYTES:
            flush()
        shard[name] = values
        held += values.nbytes
        done += values.nbytes
        progress(Progress("converting", done, total))
    flush()
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    write_json(target / "model.safetensors.index.json", index)


def converted_tensors(
    tensors: list[ReaderTensor], config: dict[str, Any]
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    rows_in_pairs: dict[str, int] = {}
    if config["model_type"] == "llama":
        rows_in_pairs = {
            "q_proj": config["num_attention_heads"],
            "k_proj": config["num_key_value_heads"],
        }
    for tensor in tensors:
        name = hugging_face_name(tensor.name)
        values = np.ascontiguousarray(
            dequantize(tensor.data, tensor.tensor_type), dtype=np.float32
        ).reshape(tuple(int(size) for size in reversed(tensor.shape)))
        heads = next((n for part, n in rows_in_pairs.items() if f".{part}." in name), None)
        yield name, values if heads is None else halves_from_pairs(values, heads)


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


def build_tokenizer(fields: dict[str, Any]) -> Tokenizer:
    """The byte-level BPE tokenizer that a GGUF file describes."""
    kind = str(fields.get("tokenizer.ggml.model"))
    splitter = SPLITTERS.get(str(fields.get("tokenizer.ggml.pre")))
    if kind != "gpt2" or splitter is None:
        raise UnsupportedModelError(
            f"GGUF tokenizer '{kind}/{fields.get('tokenizer.ggml.pre')}' cannot be converted; "
            f"use one of {', '.join(SPLITTERS)}"
        )
    tokens: list[str] = fields["tokenizer.ggml.tokens"]
    types: list[int] = fields["tokenizer.ggml.token_type"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    vocabulary = {token: i for i, token in enumerate(tokens) if types[i] != UNUSED}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = splitter()
    tokenizer.decoder = decoders.ByteLevel()
    added = (CONTROL, USER_DEFINED)
    tokenizer.add_tokens(
        [
            AddedToken(token, normalized=False, special=types[i] == CONTROL)
            for i, token in enumerate(tokens)
            if types[i] in added
        ]
    )
    return tokenizer


def tokenizer_settings(fields: dict[str, Any]) -> dict[str, Any]:
    tokens = fields["tokenizer.ggml.tokens"]

    def name(kind: str) -> str | None:
        token = fields.get(f"tokenizer.ggml.{kind}_token_id")
        return None if token is None else str(tokens[token])

    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": name("bos"),
        "eos_token": name("eos"),
        "pad_token": name("padding"),
    }


def qwen2_splitter() -> pre_tokenizers.PreTokenizer:
    """Qwen2 splits off contractions, words, single digits, punctuation and line breaks."""
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def smollm_splitter() -> pre_tokenizers.PreTokenizer:
    """SmolLM splits single digits off, then as GPT-2 does."""
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )


SPLITTERS: dict[str, Callable[[], pre_tokenizers.PreTokenizer]] = {
    "qwen2": qwen2_splitter,
    "smollm": smollm_splitter,
}
