"""A model ready to run: its decoder, tokenizer and the tokens at which it ends a text."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from models.adapter import UNCHANGED, Adapter, adapter_hash, read_adapter
from models.config import read_decoder_config, read_json
from models.decoder import Decoder
from models.device import preferred_device
from models.eight_bits import EightBits, quantised, read_eight_bits
from models.errors import DamagedModelError
from models.progress import ProgressCallback, ignore_progress
from models.tokenizer import CodeTokenizer
from models.weights import load_weights


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """`name` is what the user asked for; `end_tokens` those the model's own files declare;
    `adapter` the hash of the adapter that has changed it, empty for none."""

    name: str
    folder: Path
    decoder: Decoder
    tokenizer: CodeTokenizer
    end_tokens: frozenset[int]
    adapter: str = ""


def load_language_model(
    name: str,
    folder: Path,
    progress: ProgressCallback = ignore_progress,
    device: torch.device | None = None,
    *,
    exact: bool = False,
    adapter: Path | None = None,
) -> LanguageModel:
    """The model in `folder`, which is in Hugging Face layout (see `models.store`), changed by what
    an `adapter` folder holds.

    On the CPU its matrices are in 8 bits, unless they are to stay `exact` (float32).

    Raises a `PirouetteError` whose message says why the folder cannot be run.
    """
    factors = UNCHANGED if adapter is None else read_adapter(adapter)
    config = read_decoder_config(folder)
    tokenizer = CodeTokenizer(folder)
    if tokenizer.size > config.vocabulary:
        raise DamagedModelError(
            f"the tokenizer of {folder} has {tokenizer.size} tokens, its config.json "
            f"{config.vocabulary}; fetch the model again"
        )
    device = device or preferred_device()
    on_cpu = device.type == "cpu"
    weights = load_weights(folder, device, torch.float32 if on_cpu else torch.bfloat16, progress)
    changed = adapted(weights, factors)
    weights |= changed
    matrices: Mapping[str, EightBits] = {}
    if on_cpu and not exact:
        matrices = read_eight_bits(folder) or quantised(weights, tied=config.tied_embeddings)
        matrices = {**matrices, **quantised(changed, tied=False)}
    decoder = Decoder(config, {**weights, **matrices})
    by = "" if adapter is None else adapter_hash(adapter)
    return LanguageModel(name, folder, decoder, tokenizer, declared_end_tokens(folder), by)


def adapted(weights: Mapping[str, Tensor], adapter: Adapter) -> dict[str, Tensor]:
    """Those matrices that an adapter changes, as it has them."""
    adapter.require_names(weights)
    merged: dict[str, Tensor] = {}
    for name in adapter.factors:
        weight = weights[name]
        changed = adapter.merged(name, weight.to("cpu", torch.float32).numpy())
        merged[name] = torch.from_numpy(changed).to(weight)
    return merged


def declared_end_tokens(folder: Path) -> frozenset[int]:
    tokens: set[int] = set()
    for file in ("config.json", "generation_config.json"):
        if (folder / file).exists():
            value = read_json(folder / file).get("eos_token_id")
            listed = value if isinstance(value, list) else [value]
            tokens.update(token for token in listed if isinstance(token, int))
    return frozenset(tokens)
