"""How near one model is to another: a model agrees with itself, in one pass and step by step."""

from dataclasses import replace
from pathlib import Path

import pytest

from completion.prompt import Prompt
from evaluation.agreement import agreement, agreements
from models.decoder import Decoder
from models.language_model import LanguageModel
from models.progress import Progress, ignore_progress
from models.weights import load_weights
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
    decoder = model.decoder
    weights = load_weights(model.folder, decoder.device, decoder.dtype, ignore_progress)
    quantised = replace(model, decoder=Decoder(decoder.config, weights, quantised=True))
    told: list[Progress] = []
    prompts = [Prompt(model.tokenizer.encode(text)) for text in ("x = 1\n", "def f(a):\n    ")]
    found = agreements(model, quantised, prompts, told.append)
    assert all(0 < one.kl < 0.1 for one in found)
    assert [one.done for one in told] == [0, 1, 2]
