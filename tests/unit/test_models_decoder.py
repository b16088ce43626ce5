"""The decoder against transformers, float32, on small random models of every architecture."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from models.config import read_decoder_config
from models.errors import Cancelled
from models.language_model import LanguageModel, load_language_model
from models.prefill import CHUNK_TOKENS, prefill
from tests.unit.tiny_models import (
    load,
    random_tokens,
    read_in_chunks,
    reference,
    reference_attention,
    save_model,
)

WINDOW = 12
LENGTH = 40  # well past the window

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "llama with biases": ("llama", {"attention_bias": True, "mlp_bias": True}),
    "llama, tied": ("llama", {"tie_word_embeddings": True}),
    "llama, one key head": ("llama", {"num_key_value_heads": 1}),
    "llama, a key head each": ("llama", {"num_key_value_heads": 4}),
    "llama, in shards": ("llama", {"shard_size": "20KB"}),
    "llama, wide heads": ("llama", {"head_dim": 48}),
    "llama, narrow heads": ("llama", {"head_dim": 8}),
    "mistral": ("mistral", {"sliding_window": None}),
    "mistral, window": ("mistral", {"sliding_window": WINDOW}),
    "qwen2": ("qwen2", {"sliding_window": WINDOW, "use_sliding_window": False}),
    "qwen2, window from the second layer": (
        "qwen2",
        {"sliding_window": WINDOW, "use_sliding_window": True, "max_window_layers": 1},
    ),
    "qwen2, tied": ("qwen2", {"tie_word_embeddings": True}),
    "qwen3": ("qwen3", {"head_dim": 16}),
    "qwen3, window": (
        "qwen3",
        {
            "head_dim": 16,
            "sliding_window": WINDOW,
            "use_sliding_window": True,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        },
    ),
    "starcoder2": ("starcoder2", {}),
    "starcoder2, window, no biases": ("starcoder2", {"sliding_window": WINDOW, "use_bias": False}),
    "starcoder2, untied": ("starcoder2", {"tie_word_embeddings": False}),
}


@pytest.fixture(scope="module", params=[*MODELS.values()], ids=[*MODELS])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    architecture, options = request.param
    return save_model(architecture, tmp_path_factory.mktemp("model"), **options)


@pytest.fixture(scope="module")
def model(folder: Path) -> LanguageModel:
    return load(folder)


@pytest.fixture(scope="module")
def expected(folder: Path) -> Tensor:
    return reference(folder)(random_tokens(LENGTH))


def assert_close(actual: Tensor, expected: Tensor) -> None:
    assert expected.abs().max() > 0.5, "the comparison would say nothing"
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "sizes",
    [[LENGTH], [1] * LENGTH, [7, 1, 13, 1, 1, 17], [LENGTH - 1, 1]],
    ids=["whole", "step by step", "uneven chunks", "one step"],
)
def test_logits_equal_those_of_transformers(
    model: LanguageModel, expected: Tensor, sizes: list[int]
) -> None:
    assert_close(read_in_chunks(model, random_tokens(LENGTH), sizes), expected)


def test_a_truncated_cache_reads_on_as_if_new(model: LanguageModel, expected: Tensor) -> None:
    tokens = random_tokens(LENGTH)
    cache = model.decoder.new_cache(LENGTH + 9)
    model.decoder.forward(tokens[:20] + random_tokens(9, seed=1), cache)
    cache.truncate(20)
    hidden = model.decoder.forward(tokens[20:], cache)
    assert_close(model.decoder.logits(hidden), expected[20:])
    assert cache.tokens == tuple(tokens)


def test_attention_of_the_last_token_is_that_of_transformers(
    folder: Path, model: LanguageModel
) -> None:
    tokens, attention = random_tokens(LENGTH), torch.zeros(LENGTH)
    cache = model.decoder.new_cache(LENGTH)
    model.decoder.forward(tokens[:30], cache)
    model.decoder.encode(cache, cache.append(tokens[30:]), attention=attention)
    assert_close(attention, reference_attention(folder)(tokens))


def test_prefill_gives_the_last_logits_chunk_by_chunk(tmp_path: Path) -> None:
    folder = save_model("qwen2", tmp_path)
    model, tokens = load(folder), random_tokens(CHUNK_TOKENS + 20)
    logits = prefill(model.decoder, model.decoder.new_cache(200), tokens, lambda: False)
    assert_close(logits, reference(folder)(tokens)[-1])


def test_prefill_that_is_called_off_keeps_whole_chunks(tmp_path: Path) -> None:
    model, tokens = load(save_model("qwen2", tmp_path)), random_tokens(2 * CHUNK_TOKENS)
    cache = model.decoder.new_cache(len(tokens))
    with pytest.raises(Cancelled) as called_off:
        prefill(model.decoder, cache, tokens, iter([False, True]).__next__)
    assert called_off.value.encoded == cache.length == CHUNK_TOKENS
    assert cache.tokens == tuple(tokens[:CHUNK_TOKENS])


def old_spelling(config: dict[str, Any]) -> dict[str, Any]:
    """As transformers 4 wrote it: rotary numbers at the top level."""
    rope = config.pop("rope_parameters")
    kind = rope.pop("rope_type")
    scaling = {"type": kind} | {k: v for k, v in rope.items() if k != "rope_theta"}
    return config | {
        "rope_theta": rope["rope_theta"],
        "rope_scaling": None if kind == "default" else scaling,
    }


def bare(config: dict[str, Any]) -> dict[str, Any]:
    """Only what tells one model of an architecture from another."""
    kept = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "model_type")
    return {key: config[key] for key in (*kept, "num_attention_heads", "num_key_value_heads")}


@pytest.mark.parametrize("architecture", ["llama", "mistral", "qwen2", "qwen3", "starcoder2"])
@pytest.mark.parametrize("rewrite", [old_spelling, bare])
def test_other_spellings_of_a_configuration_mean_the_same(
    tmp_path: Path, architecture: str, rewrite: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    options: dict[str, Any] = {"head_dim": 128} if architecture == "qwen3" else {}
    folder = save_model(architecture, tmp_path, **options)
    file = folder / "config.json"
    file.write_text(json.dumps(rewrite(json.loads(file.read_text()))))
    tokens = random_tokens(LENGTH)
    assert_close(read_in_chunks(load(folder), tokens, [LENGTH]), reference(folder)(tokens))


@pytest.mark.parametrize(
    "scaling",
    [
        {"rope_type": "dynamic", "factor": 4.0},
        {"rope_type": "linear", "factor": 3.0},
        {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16},
    ],
    ids=lambda scaling: scaling["rope_type"],
)
def test_positions_beyond_the_trained_length(tmp_path: Path, scaling: dict[str, Any]) -> None:
    longest = 64 if scaling["rope_type"] == "yarn" else 16
    options: dict[str, Any] = {"rope_theta": 10_000.0, "rope_scaling": scaling}
    folder = save_model("llama", tmp_path, max_position_embeddings=longest, **options)
    tokens = random_tokens(LENGTH)
    assert_close(read_in_chunks(load(folder), tokens, [LENGTH]), reference(folder)(tokens))


def test_weights_on_the_cpu_are_in_8_bits_unless_they_are_to_be_exact(
    folder: Path, model: LanguageModel
) -> None:
    quantised = in_8_bits(folder)
    assert (model.decoder.quantised, quantised.decoder.quantised) == (False, True)
    (expected, _), (near, _) = map(logits_and_attention, (model, quantised))
    assert 0 < (near - expected).norm() < 0.1 * expected.norm()


def test_in_8_bits_kernels_come_to_what_a_tensor_library_does(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to the rounding of inputs, which a last bit may turn."""
    kernels = logits_and_attention(in_8_bits(folder))
    monkeypatch.setattr("models.decoder.FLOATS", 1_000)  # wider than any head
    for actual, expected in zip(kernels, logits_and_attention(in_8_bits(folder)), strict=True):
        assert (actual - expected).norm() < 0.01 * expected.norm()


def in_8_bits(folder: Path) -> LanguageModel:
    return load_language_model("tiny", folder, device=torch.device("cpu"))


def logits_and_attention(model: LanguageModel) -> tuple[Tensor, Tensor]:
    decoder = model.decoder
    cache, attention = decoder.new_cache(LENGTH), torch.zeros(LENGTH)
    hidden = decoder.encode(cache, cache.append(random_tokens(LENGTH)), attention=attention)
    return decoder.logits(hidden), attention


def test_end_tokens_are_those_that_the_files_declare(tmp_path: Path) -> None:
    folder = save_model("qwen2", tmp_path, eos_token_id=[300, 301])
    (folder / "generation_config.json").write_text('{"eos_token_id": 302}')
    assert load(folder).end_tokens == {300, 301, 302}


def test_a_window_is_read_only_where_it_is_used(tmp_path: Path) -> None:
    folder = save_model("qwen2", tmp_path, sliding_window=WINDOW, use_sliding_window=False)
    config = read_decoder_config(folder)
    assert (config.window, config.windowed_layers) == (None, frozenset())
