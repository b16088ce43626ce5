"""Matrices in 8 bits: how near they are, which there are, and that the kept ones are the same."""

from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType
from hypothesis import given
from hypothesis import strategies as st

from models.eight_bits import FILE, GROUP, HEAD, in_eight_bits, quantised, read_eight_bits
from models.gguf_conversion import convert_gguf, halves_from_pairs, in_order
from models.language_model import load_language_model
from models.progress import ignore_progress
from models.weights import load_weights
from tests.unit.tiny_gguf import write_gguf
from tests.unit.tiny_models import random_tokens, read_in_chunks

CPU = torch.device("cpu")


@given(rows=st.lists(st.lists(st.floats(-1e6, 1e6, width=32), min_size=5, max_size=5), min_size=1))
def test_each_number_is_at_most_half_a_step_away(rows: list[list[float]]) -> None:
    weight = torch.tensor(rows)
    bits = in_eight_bits(weight)
    steps = bits.scale.repeat_interleave(GROUP, 1)[:, : weight.shape[1]]
    assert bits.values.dtype == torch.int8
    assert bits.values.abs().max() <= 127
    assert ((bits.values * steps - weight).abs() <= 0.5001 * steps).all()


@pytest.mark.parametrize("tied", [False, True])
def test_all_matrices_but_the_embeddings_are_in_8_bits(tmp_path: Path, tied: bool) -> None:
    folder = write_gguf("qwen2", tmp_path / "m.gguf", tmp_path / "original", tied=tied)
    weights = load_weights(folder, CPU, torch.float32, ignore_progress)
    matrices = quantised(weights, tied=tied)
    assert len([name for name in matrices if name.startswith("model.layers.1.")]) == 7
    assert "model.embed_tokens.weight" not in matrices
    assert HEAD in matrices


@pytest.mark.parametrize("tied", [False, True])
def test_kept_matrices_are_those_that_loading_would_make(tmp_path: Path, tied: bool) -> None:
    write_gguf("qwen2", tmp_path / "m.gguf", tmp_path / "original", tied=tied)
    folder, tokens = tmp_path / "m", random_tokens(30)
    folder.mkdir()
    convert_gguf(tmp_path / "m.gguf", folder, ignore_progress)
    assert read_eight_bits(folder)
    kept = load_language_model("kept", folder, device=CPU)
    (folder / FILE).unlink()
    made = load_language_model("made", folder, device=CPU)
    outputs = [read_in_chunks(model, tokens, [30]) for model in (kept, made)]
    assert torch.equal(*outputs)
    assert read_eight_bits(folder) == {}


@pytest.mark.parametrize("kind", ["Q4_0", "Q5_0", "Q8_0"])
@pytest.mark.parametrize("architecture", ["llama", "qwen2"])
def test_whole_numbers_of_a_file_stay_what_they_are(
    tmp_path: Path, architecture: str, kind: str
) -> None:
    quantised_as = GGMLQuantizationType[kind]
    write_gguf(architecture, tmp_path / "m.gguf", tmp_path / "original", quantised_as)
    folder = tmp_path / "m"
    folder.mkdir()
    convert_gguf(tmp_path / "m.gguf", folder, ignore_progress)
    weights = load_weights(folder, CPU, torch.float32, ignore_progress)
    kept = {name: bits for name, bits in read_eight_bits(folder).items() if ".mlp." in name}
    assert kept
    for name, bits in kept.items():
        assert torch.equal(bits.values * bits.scale.repeat_interleave(GROUP, 1), weights[name])


@pytest.mark.parametrize(("name", "heads"), [("q_proj", 4), ("k_proj", 2)])
def test_scales_go_with_their_rows(name: str, heads: int) -> None:
    rows = np.arange(16, dtype=np.float32)[:, None]
    config = {"model_type": "llama", "num_attention_heads": 4, "num_key_value_heads": 2}
    ordered = in_order(f"model.layers.0.self_attn.{name}.weight", rows, config)
    assert np.array_equal(ordered, halves_from_pairs(rows, heads))
    assert not np.array_equal(ordered, rows)
    assert in_order(f"model.layers.0.self_attn.{name}.weight", rows, {"model_type": "x"}) is rows
