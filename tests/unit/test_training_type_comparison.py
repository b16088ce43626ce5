"""The comparison of weights of the second task: one adapter for each seed and weight."""

import json
from pathlib import Path

import pytest

from models.config import write_json
from tests.unit.tiny_models import save_model
from training.infilling_samples import Sample
from training.prepare import RECORD
from training.sample_file import write_samples
from training.type_comparison import main, summed_up


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model("qwen2", tmp_path_factory.mktemp("model"), tie_word_embeddings=True)


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    folder = tmp_path / "samples"
    folder.mkdir()
    learned = [Sample("line", [10, 20 + n, 30, 40, 50], 2, [1, 2, 3]) for n in range(8)]
    write_samples(learned, folder / "learn.safetensors")
    write_samples(learned[:2], folder / "judge.safetensors")
    write_json(folder / RECORD, {"seed": 0})
    return folder


def test_each_weight_is_learned_with_each_seed(
    model: Path, samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(model), str(samples), str(tmp_path / "runs"), "--updates", "2"]
    assert main([*arguments, "--weights", "0", "0.5", "--seeds", "2"]) == 0
    *runs, summary = map(json.loads, capsys.readouterr().out.splitlines())
    assert [(one["seed"], one["type_weight"]) for one in runs] == [
        (0, 0.0), (0, 0.5), (1, 0.0), (1, 0.5),
    ]  # fmt: skip
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {
        "seed-0-types-0.0", "seed-0-types-0.5", "seed-1-types-0.0", "seed-1-types-0.5",
    }  # fmt: skip
    assert summary["0.0"]["loss"]["difference"] == 0.0
    assert summary["0.5"]["loss"]["mean"] == (runs[1]["loss"] + runs[3]["loss"]) / 2


def judged(loss: float, accuracy: float) -> dict[str, float]:
    return {"loss": loss, "accuracy": accuracy, "whole": 0.0}


def test_differences_are_of_the_same_seed() -> None:
    control = [judged(2.0, 0.5), judged(1.0, 0.5)]
    other = [judged(1.5, 0.6), judged(0.5, 0.4)]
    summary = summed_up(other, control)
    assert summary["loss"] == {"mean": 1.0, "difference": -0.5, "deviation": 0.0}
    assert summary["accuracy"]["difference"] == pytest.approx(0.0)
    assert summed_up(other[:1], control[:1])["loss"]["deviation"] is None


def test_a_weight_named_twice_is_told(
    model: Path, samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(model), str(samples), str(tmp_path / "r"), "--weights", "0", "0.0"]) == 2
    assert capsys.readouterr().err == "type_comparison: a weight is named twice; name each once\n"
