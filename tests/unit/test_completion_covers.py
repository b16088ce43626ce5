"""The text before the cursor is written again by the likeliest tokens that write it."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from completion.covers import NOTHING_OPEN, OpenEnd, open_end
from completion.decoding import decode_greedily
from completion.pipeline import Completer, CompletionOptions
from completion.values import never_cancelled
from models.language_model import LanguageModel
from models.tokenizer import CodeTokenizer
from tests.unit.completion_helpers import at, load_tiny_model, write_model

TYPED = ["    ", "ret", "x =", "def add(first", "print(name, e", "x\n    "]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


def stems_of(tokenizer: CodeTokenizer, text: str) -> list[tuple[list[str], str]]:
    return [
        ([tokenizer.decode([token]) for token in stem.tokens], stem.pending.decode())
        for stem in open_end(tokenizer, text).stems
    ]


@pytest.mark.model
def test_stems_end_wherever_a_token_may_go_on(default_model: LanguageModel) -> None:
    """`numpy` is a token and ` numpy` another; `num` and `py` are as well."""
    assert stems_of(default_model.tokenizer, "import nump") == [
        ([], " nump"),
        ([" "], "nump"),
        ([" n"], "ump"),
        ([" nu"], "mp"),
        ([" num"], "p"),
        ([" n", "ump"], ""),
    ]


@pytest.mark.model
@pytest.mark.parametrize("text", ["", "x = [1, 2, 3", "import os\n", "y = 1\n\n"], ids=repr)
def test_text_with_one_stem_is_settled(default_model: LanguageModel, text: str) -> None:
    end = open_end(default_model.tokenizer, text.rpartition("\n")[2])
    assert (end.stems, end.rewritten) == (NOTHING_OPEN.stems, ())


@pytest.mark.model
def test_what_stands_before_the_last_word_is_settled(default_model: LanguageModel) -> None:
    """A bracket and a letter may be one token; a word and a bracket are none."""
    assert open_end(default_model.tokenizer, "    value = self.function(argum").piece == b"(argum"
    assert open_end(default_model.tokenizer, "    value = self.function(").piece == b"("


@settings(deadline=None, max_examples=30)
@given(text=st.sampled_from(TYPED), prompt=st.lists(st.integers(0, 200), min_size=1, max_size=4))
def test_the_likeliest_of_all_covers_is_written(
    model: LanguageModel, text: str, prompt: list[int]
) -> None:
    """Against every token after every stem, each read alone."""
    end = open_end(model.tokenizer, text)
    _, expected = max(all_covers(model, prompt, end))
    cache = model.decoder.new_cache(60)
    decoded = decode_greedily(
        model,
        cache,
        model.decoder.logits(model.decoder.forward(prompt, cache)[-1]),
        end_tokens=frozenset(),
        max_tokens=3,
        find_stop=lambda text: None,
        cancelled=never_cancelled,
        end=end,
    )
    assert decoded.tokens[: len(expected)] == expected


def all_covers(
    model: LanguageModel, prompt: list[int], end: OpenEnd
) -> list[tuple[float, tuple[int, ...]]]:
    """Every cover that the tokenizer writes, with the logarithm of its probability."""
    found = []
    for stem in end.stems:
        cache = model.decoder.new_cache(60)
        hidden = model.decoder.forward([*prompt, *stem.tokens], cache)[len(prompt) - 1 :]
        scores = model.decoder.logits(hidden).log_softmax(-1)
        known = sum(float(scores[i, token]) for i, token in enumerate(stem.tokens))
        found += [
            (known + float(scores[-1, token]), (*stem.tokens, token))
            for token in model.tokenizer.longer_than(stem.pending).tolist()
            if end.canonical(model.tokenizer, stem, token)
        ]
    return found


SETTINGS = """\
class Settings:
    def __init__(self, initial_position, client_secret):
        self.initial_position = initial_position
        self.client_secret = client_secret

    def copy(self):
        return Settings(
            initial_position=self.initial_position,
            ▮
        )
"""
LINE = "client_secret=self.client_secret"


@pytest.mark.model
def test_real_model_goes_on_from_every_place_in_a_line(default_model: LanguageModel) -> None:
    completer = Completer(default_model, CompletionOptions(context_tokens=256, max_tokens=16))
    for cut in reversed(range(1, len(LINE))):  # typing forward, a suggestion would be used again
        suggestion = completer.complete(at(SETTINGS.replace("▮", LINE[:cut] + "▮")))
        assert suggestion.stop != "reuse"
        assert LINE[:cut] + suggestion.text.partition("\n")[0].rstrip(",") == LINE
