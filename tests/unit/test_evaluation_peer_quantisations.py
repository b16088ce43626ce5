"""Other quantisations of a model's file, for llama.cpp: made once, whole, and of the same model."""

from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader
from gguf.quants import dequantize

from evaluation.peer_quantisations import own_name, peer_files, requantise
from models.progress import Progress, ignore_progress
from tests.unit.tiny_gguf import write_gguf

Q4_0, Q8_0 = GGMLQuantizationType.Q4_0, GGMLQuantizationType.Q8_0


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "tiny-q5_0.gguf"
    write_gguf("qwen2", file, tmp_path / "scratch", quantised=GGMLQuantizationType.Q5_0)
    return file


def test_matrices_are_quantised_and_everything_else_is_kept(source: Path, tmp_path: Path) -> None:
    files = peer_files(source, tmp_path / "peers", ignore_progress)
    assert list(files) == ["Q5_0", "Q4_0", "Q8_0"]
    original = GGUFReader(source)
    for kind, error in ((Q4_0, 0.2), (Q8_0, 0.01)):
        made = GGUFReader(files[kind.name])
        for name in set(original.fields) - {"general.file_type"}:
            if not name.startswith("GGUF."):
                assert made.fields[name].contents() == original.fields[name].contents(), name
        for old, new in zip(original.tensors, made.tensors, strict=True):
            assert (old.name, list(old.shape)) == (new.name, list(new.shape))
            if len(old.shape) < 2:
                assert new.tensor_type == old.tensor_type
            else:
                assert new.tensor_type == (Q8_0 if old.name == "output.weight" else kind)
            before, after = (dequantize(t.data, t.tensor_type) for t in (old, new))
            assert np.abs(before - after).max() <= error * np.abs(before).max()


def test_they_are_made_once(source: Path, tmp_path: Path) -> None:
    first, told = peer_files(source, tmp_path, ignore_progress), list[Progress]()
    assert peer_files(source, tmp_path, told.append) == first
    assert told == []


def test_a_file_that_could_not_be_finished_is_not_left_behind(source: Path, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.done == 3:
            raise KeyboardInterrupt

    target = tmp_path / "peers" / "tiny-q8_0.gguf"
    target.parent.mkdir()
    with pytest.raises(KeyboardInterrupt):
        requantise(source, target, Q8_0, stop)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "name"),
    [("qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", "Q4_K_M"), ("SmolLM2-135M.Q4_1.gguf", "Q4_1")],
)
def test_the_quantisation_a_model_comes_in_is_told_by_its_file(file: str, name: str) -> None:
    assert own_name(Path(file)) == name
