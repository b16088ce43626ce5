"""Small random models in Hugging Face layout, and what transformers computes with them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM

from models.language_model import LanguageModel, load_language_model

BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
VOCABULARY = 320  # the 256 bytes, some merges and markers, and ids without a token

SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "bos_token_id": None,
    "eos_token_id": 300,
    "pad_token_id": None,
}


def byte_level_tokenizer() -> Tokenizer:
    """Byte-level BPE: every byte, two merges and four markers, one of them not called special."""
    vocabulary = {character: i for i, character in enumerate(BYTES)} | {"de": 256, "def": 257}
    tokenizer = Tokenizer(models.BPE(vocabulary, [("d", "e"), ("de", "f")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>", "<|fim_prefix|>", "<|fim_suffix|>"])
    tokenizer.add_tokens(["<|fim_middle|>"])
    return tokenizer


def save_model(architecture: str, folder: Path, *, shard_size: str = "5GB", **options: Any) -> Path:
    """A seeded random model of that `model_type`, saved by transformers, and a tokenizer.

    Weights are drawn wide enough for attention to differ between tokens, norms and biases too.
    """
    config = AutoConfig.for_model(architecture, **(SIZES | options))
    generator = torch.Generator().manual_seed(7)
    model = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator) * 0.3
            parameter.copy_(1 + noise if "norm" in name and name.endswith("weight") else noise)
    model.save_pretrained(folder, max_shard_size=shard_size)
    byte_level_tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def load(folder: Path) -> LanguageModel:
    return load_language_model("tiny", folder, device=torch.device("cpu"), exact=True)


def reference(folder: Path) -> Callable[[list[int]], Tensor]:
    """What transformers says: tokens to logits [n, vocabulary], float32, read in one go."""
    run = reference_model(folder)
    return lambda tokens: run(tokens).logits[0]


def reference_attention(folder: Path) -> Callable[[list[int]], Tensor]:
    """How much the last token attends to each, over all heads and layers: [n]."""
    run = reference_model(folder)
    return lambda tokens: torch.cat(run(tokens).attentions)[:, :, -1].sum((0, 1))


def reference_model(folder: Path) -> Callable[[list[int]], Any]:
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    )

    def run(tokens: list[int]) -> Any:
        with torch.inference_mode():
            return model(torch.tensor([tokens]), output_attentions=True)

    return run


def random_tokens(count: int, seed: int = 0) -> list[int]:
    generator = torch.Generator().manual_seed(seed)
    drawn: list[int] = torch.randint(VOCABULARY, (count,), generator=generator).tolist()
    return drawn


def read_in_chunks(model: LanguageModel, tokens: list[int], sizes: list[int]) -> Tensor:
    """Our logits [n, vocabulary] when the tokens are read in chunks of these sizes."""
    assert sum(sizes) == len(tokens)
    cache = model.decoder.new_cache(len(tokens))
    parts, start = [], 0
    for size in sizes:
        hidden = model.decoder.forward(tokens[start : start + size], cache)
        parts.append(model.decoder.logits(hidden))
        start += size
    return torch.cat(parts)
