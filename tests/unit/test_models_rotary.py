"""Rotary scaling rules against transformers' own, and the rules that are refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from models.config import DEFAULTS, parse_rope, read_decoder_config
from models.errors import DamagedModelError, UnsupportedModelError
from models.rotary import inverse_frequencies, rotate, rotation

HEAD_DIM = 64
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 256}
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 256,
}
RULES: dict[str, dict[str, Any]] = {
    "default": {"rope_type": "default"},
    "linear": {"rope_type": "linear", "factor": 2.5},
    "dynamic": {"rope_type": "dynamic", "factor": 4.0},
    "dynamic, original length set": {
        "rope_type": "dynamic",
        "factor": 4.0,
        "original_max_position_embeddings": 128,
    },
    "llama3": LLAMA3,
    "yarn": YARN,
    "yarn, no stretch": YARN | {"factor": 1.0},
    "yarn, attention factor": YARN | {"attention_factor": 0.7},
    "yarn, both mscales": YARN | {"mscale": 0.707, "mscale_all_dim": 1.2},
    "yarn, one mscale": YARN | {"mscale": 0.707},
    "yarn, not truncated": YARN | {"truncate": False},
    "yarn, betas": YARN | {"beta_fast": 16, "beta_slow": 2},
    "yarn, fields of null": YARN | {"beta_fast": None, "attention_factor": None, "factor": None},
}


def raw_config(rule: dict[str, Any]) -> dict[str, Any]:
    return {
        "hidden_size": 4 * HEAD_DIM,
        "num_attention_heads": 4,
        "head_dim": HEAD_DIM,
        "max_position_embeddings": 1024,
        "rope_theta": 50_000.0,
        "rope_scaling": rule,
    }


@pytest.mark.parametrize("length", [10, 1024, 3000])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_frequencies_equal_those_of_transformers(rule: dict[str, Any], length: int) -> None:
    config = LlamaConfig(**raw_config(dict(rule)))
    compute: Callable[..., tuple[torch.Tensor, float]] = ROPE_INIT_FUNCTIONS.get(
        rule["rope_type"], LlamaRotaryEmbedding.compute_default_rope_parameters
    )
    expected, expected_factor = compute(config, device=torch.device("cpu"), seq_len=length)
    actual, factor = inverse_frequencies(parse_rope(raw_config(rule)), HEAD_DIM, length)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=0)
    assert factor == pytest.approx(expected_factor)


def test_the_original_length_may_stand_at_the_top() -> None:
    rule = {key: value for key, value in YARN.items() if not key.startswith("original")}
    raw = raw_config(rule) | {"original_max_position_embeddings": 256}
    assert parse_rope(raw) == parse_rope(raw_config(YARN))


def test_both_spellings_are_read() -> None:
    old = raw_config({"type": "linear", "factor": 2.0})
    new = raw_config({}) | {
        "rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 50_000}
    }
    del new["rope_theta"], new["rope_scaling"]
    assert parse_rope(old) == parse_rope(new)


def test_turning_twice_is_turning_by_the_sum() -> None:
    rope = parse_rope(raw_config({"rope_type": "default"}))
    keys = torch.randn(2, 3, HEAD_DIM, dtype=torch.float64)

    def turned(vectors: torch.Tensor, positions: list[int]) -> torch.Tensor:
        cosine, sine = rotation(rope, HEAD_DIM, torch.tensor(positions), 100)
        return rotate(vectors, cosine.double(), sine.double())

    moved = turned(turned(keys, [5, 6, 7]), [4, 4, 4])
    torch.testing.assert_close(moved, turned(keys, [9, 10, 11]), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"rope_scaling": {"rope_type": "longrope", "factor": 2}}, "'longrope' is not supported"),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor 0.5"),
        ({"rope_scaling": {"rope_type": "default", "partial_rotary_factor": 0.25}}, "0.25"),
        ({"rope_parameters": {"full_attention": {"rope_theta": 1e4}}}, "differ between layers"),
    ],
)
def test_other_rules_are_refused_in_one_line(
    tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    write_config(tmp_path, change)
    with pytest.raises(UnsupportedModelError, match=problem):
        read_decoder_config(tmp_path)


@pytest.mark.parametrize(
    "rule",
    [
        {"rope_type": "linear"},
        {"rope_type": "dynamic"},
        LLAMA3 | {"low_freq_factor": None},
        "yarn",
        [1],
    ],
    ids=str,
)
def test_a_rule_without_its_numbers_is_damage(tmp_path: Path, rule: object) -> None:
    write_config(tmp_path, {"rope_scaling": rule})
    with pytest.raises(DamagedModelError, match="is incomplete"):
        read_decoder_config(tmp_path)


def write_config(folder: Path, change: dict[str, Any]) -> None:
    """A `config.json` that is fine but for the change."""
    base = raw_config({}) | dict(DEFAULTS["llama"]) | {"model_type": "llama"}
    base |= {"vocab_size": 8, "num_hidden_layers": 1}
    (folder / "config.json").write_text(json.dumps(base | change))
