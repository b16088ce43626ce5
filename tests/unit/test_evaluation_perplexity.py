"""Perplexity: the losses are those of the whole window read at once, and tokens must be equal."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from evaluation.perplexity import AT_ONCE, losses, main
from models.progress import ignore_progress
from tests.unit.tiny_models import load, random_tokens, read_in_chunks, save_model


def test_losses_are_of_every_token_after_the_first(tmp_path: Path) -> None:
    model = load(save_model("qwen2", tmp_path))
    windows = [random_tokens(AT_ONCE + 30), random_tokens(17)]
    found = losses(model, windows, ignore_progress)
    expected = [
        float(F.cross_entropy(read_in_chunks(model, w, [len(w)])[:-1], torch.tensor(w[1:])))
        for w in windows
    ]
    assert found == pytest.approx(expected, rel=1e-4)


def test_an_unknown_model_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no-such-model", "--files", "0"]) == 2
    assert capsys.readouterr().err.startswith("perplexity: argument --files")
