"""Conversion of GGUF files: the same numbers, the same tokens, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType
from safetensors.torch import load_file

from models.adapter import Adapter
from models.eight_bits import read_eight_bits
from models.errors import DamagedModelError, UnsupportedModelError
from models.gguf_conversion import convert_gguf
from models.progress import Progress, ignore_progress
from tests.unit.tiny_gguf import write_gguf
from tests.unit.tiny_models import load, random_tokens, read_in_chunks, reference

LENGTH = 30


def converted(file: Path) -> Path:
    folder = file.with_suffix("")
    folder.mkdir()
    convert_gguf(file, folder, ignore_progress)
    return folder


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
def test_an_unquantised_model_is_the_one_it_was_made_from(
    tmp_path: Path, architecture: str, tied: bool
) -> None:
    original = write_gguf(architecture, tmp_path / "m.gguf", tmp_path / "original", tied=tied)
    folder, tokens = converted(tmp_path / "m.gguf"), random_tokens(LENGTH)
    expected = reference(original)(tokens)
    actual = read_in_chunks(load(folder), tokens, [LENGTH])
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(reference(folder)(tokens), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("quantised", "step"), [("Q8_0", 0.012), ("Q4_0", 0.2), ("Q5_1", 0.08)])
@pytest.mark.parametrize("architecture", ["llama", "qwen2"])
def test_a_quantised_model_is_near_the_one_it_was_made_from(
    tmp_path: Path, architecture: str, quantised: str, step: float
) -> None:
    kind = GGMLQuantizationType[quantised]
    original = write_gguf(architecture, tmp_path / "m.gguf", tmp_path / "original", kind)
    folder, tokens = converted(tmp_path / "m.gguf"), random_tokens(LENGTH)
    written = load_file(folder / "model-00001.safetensors")
    for name, tensor in load_file(original / "model.safetensors").items():
        allowed = step if ".mlp." in name else 0.0
        torch.testing.assert_close(written[name], tensor, rtol=0, atol=allowed)
    actual = read_in_chunks(load(folder), tokens, [LENGTH])
    torch.testing.assert_close(actual, reference(folder)(tokens), rtol=1e-4, atol=1e-4)


def test_an_adapter_is_merged_and_what_it_leaves_alone_stays_as_it_was(tmp_path: Path) -> None:
    kind = GGMLQuantizationType.Q8_0
    write_gguf("qwen2", tmp_path / "m.gguf", tmp_path / "original", kind)
    name, other = (f"model.layers.{n}.mlp.up_proj.weight" for n in (0, 1))
    first, second = np.ones((2, 64), np.float32), np.full((96, 2), 0.5, np.float32)
    adapter = Adapter({name: (first, second)}, scale=0.25)
    plain, folder = converted(tmp_path / "m.gguf"), tmp_path / "adapted"
    folder.mkdir()
    convert_gguf(tmp_path / "m.gguf", folder, ignore_progress, adapter)
    before, after = (load_file(f / "model-00001.safetensors") for f in (plain, folder))
    torch.testing.assert_close(after[name], before[name] + 0.25)
    assert torch.equal(after[other], before[other])
    before_bits, after_bits = read_eight_bits(plain), read_eight_bits(folder)
    assert torch.equal(after_bits[other].values, before_bits[other].values)
    restored = after_bits[name].values.view(96, 2, 32) * after_bits[name].scale[:, :, None]
    torch.testing.assert_close(restored.view(96, 64), after[name], rtol=0, atol=0.02)


def test_the_tokenizer_comes_along(tmp_path: Path) -> None:
    original = load(write_gguf("qwen2", tmp_path / "m.gguf", tmp_path / "original")).tokenizer
    tokenizer = load(converted(tmp_path / "m.gguf")).tokenizer
    assert tokenizer.control == original.control
    assert tokenizer.start_tokens == []
    text = "def f():\n\tdef\n  # e\u0301 <|fim_middle|> 1234"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_model_that_wants_a_first_token_gets_it(tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    write_gguf("llama", file, tmp_path / "original", tokenizer__ggml__add_bos_token=True)
    assert load(converted(tmp_path / "m.gguf")).tokenizer.start_tokens == [258]


def test_large_models_are_written_in_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.gguf_conversion.SHARD_BYTES", 100_000)
    original = write_gguf("qwen2", tmp_path / "m.gguf", tmp_path / "original")
    folder, tokens = converted(tmp_path / "m.gguf"), random_tokens(LENGTH)
    shards = sorted(folder.glob("model-*.safetensors"))
    assert len(shards) > 2
    assert all(file.stat().st_size < 120_000 for file in shards)
    assert {file.stat().st_mode for file in shards} == {(folder / "config.json").stat().st_mode}
    expected = reference(original)(tokens)
    actual = read_in_chunks(load(folder), tokens, [LENGTH])
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)


def test_progress_is_told_to_the_end(tmp_path: Path) -> None:
    write_gguf("qwen2", tmp_path / "m.gguf", tmp_path / "original")
    (tmp_path / "m").mkdir()
    told: list[Progress] = []
    convert_gguf(tmp_path / "m.gguf", tmp_path / "m", told.append)
    fractions = [step.fraction for step in told if step.stage == "converting"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "tokenizer of another kind": ({"tokenizer__ggml__model": "llama"}, "tokenizer 'llama/qwen2'"),
    "unknown word splitting": ({"tokenizer__ggml__pre": "unheard-of"}, "'gpt2/unheard-of'"),
    "rotary scaling": ({"qwen2__rope__scaling__type": "yarn"}, "'rope.scaling.type' is yarn"),
    "turning half a head": ({"qwen2__rope__dimension_count": 8}, "'rope.dimension_count' is 8"),
    "a window": ({"qwen2__attention__sliding_window": 64}, "'attention.sliding_window' is 64"),
    "unequal layers": ({"qwen2__feed_forward_length": [96, 96, 64]}, "differs between layers"),
}


@pytest.mark.parametrize(("overrides", "problem"), REFUSED.values(), ids=REFUSED.keys())
def test_what_would_be_read_wrongly_is_refused(
    tmp_path: Path, overrides: dict[str, Any], problem: str
) -> None:
    write_gguf("qwen2", tmp_path / "m.gguf", tmp_path / "original", **overrides)
    with pytest.raises(UnsupportedModelError, match=problem):
        converted(tmp_path / "m.gguf")


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    write_gguf("qwen2", tmp_path / "m.gguf", tmp_path / "o", general__architecture="bloom")
    with pytest.raises(UnsupportedModelError, match="GGUF architecture 'bloom'"):
        converted(tmp_path / "m.gguf")


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:500], lambda data: data[:-4000], lambda _: b"", lambda _: b"GGUF" * 99],
    ids=["header cut off", "tensors cut off", "empty", "nonsense"],
)
def test_a_file_that_is_not_whole_is_damage(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    file = tmp_path / "m.gguf"
    write_gguf("qwen2", file, tmp_path / "original")
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(DamagedModelError, match="is not a whole GGUF model"):
        converted(file)


def test_a_missing_number_is_damage(tmp_path: Path) -> None:
    write_gguf("qwen2", tmp_path / "m.gguf", tmp_path / "original", qwen2__block_count=None)
    with pytest.raises(DamagedModelError, match=r"qwen2\.block_count"):
        converted(tmp_path / "m.gguf")
