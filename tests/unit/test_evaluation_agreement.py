"""How near one model is to another: a model agrees with itself, in one pass and step by step."""

from pathlib import Path

import pytest

from completion.prompt import Prompt
from evaluation.agreement import agreement, agreements
from models.language_model import LanguageModel, load_language_model
from models.progress import Progress
from tests.unit.completion_helpers import load_tiny_model, write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


def test_a_model_agrees_with_itself(model: LanguageModel) -> None:
    prompt = Prompt(model.tokenizer.encode("def add(first, second):\n"))
    found = agreement(model, model, prompt)
    assert found.same_line
    assert found.kl == 0


def test_eight_bits_are_near_and_not_the_same(model: LanguageModel) -> None:
    quantised = load_language_model("tiny", model.folder, device=model.decoder.device)
    told: list[Progress] = []
    prompts = [Prompt(model.tokenizer.encode(text)) for text in ("x = 1\n", "def f(a):\n    ")]
    found = agreements(model, quantised, prompts, told.append)
    assert all(0 < one.kl < 0.1 for one in found)
    assert [one.done for one in told] == [0, 1, 2]
