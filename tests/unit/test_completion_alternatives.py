"""Other suggestions than the likeliest, by a small decoder with random weights."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from completion.alternatives import likeliest_branches, read_branch
from completion.covers import NOTHING_OPEN, OpenEnd, open_end
from completion.decoded import TRUNK, Branch, Decoded
from completion.decoding import decode_greedily
from completion.drafting.drafts import Drafter, ExpectedText
from completion.pipeline import Completer, CompletionOptions
from completion.values import CompletionRequest, never_cancelled
from models.kv_cache import KeyValueCache
from models.language_model import LanguageModel
from tests.unit.completion_helpers import at, load_tiny_model, write_model

PROMPT = [1, 2, 3]
RUNNERS_UP = 3
WRITTEN = 8
OPEN = st.sampled_from(["", "    ", "ret", "x =", "def add(first", "  self."])
PLACES = ["def f(a):\n    return ▮\n", "x =▮", "for name in na▮:\n", "▮"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


def read_prompt(model: LanguageModel) -> tuple[KeyValueCache, torch.Tensor]:
    cache = model.decoder.new_cache(60)
    return cache, model.decoder.logits(model.decoder.forward(PROMPT, cache)[-1])


def decode(
    model: LanguageModel,
    cache: KeyValueCache,
    logits: torch.Tensor,
    branch: Branch = TRUNK,
    *,
    end: OpenEnd = NOTHING_OPEN,
    drafter: Drafter | None = None,
    runners_up: int = RUNNERS_UP,
) -> Decoded:
    return decode_greedily(
        model,
        cache,
        logits,
        end_tokens=frozenset(),
        max_tokens=WRITTEN,
        find_stop=lambda text: None,
        cancelled=never_cancelled,
        end=end,
        drafter=drafter,
        branch=branch,
        runners_up=runners_up,
    )


@given(text=OPEN)
def test_keeping_branches_changes_no_answer(model: LanguageModel, text: str) -> None:
    end = open_end(model.tokenizer, text)
    with_branches = decode(model, *read_prompt(model), end=end)
    without = decode(model, *read_prompt(model), end=end, runners_up=0)
    assert with_branches == without
    assert with_branches.branches
    assert without.branches == ()


def test_a_branch_is_what_was_nearly_written(model: LanguageModel) -> None:
    """Three for each token, each after the tokens before it, with the model's own probabilities."""
    decoded = decode(model, *read_prompt(model))
    assert len(decoded.branches) == RUNNERS_UP * len(decoded.tokens)
    for branch in decoded.branches:
        *before, last = branch.tokens
        assert tuple(before) == decoded.tokens[: len(before)]
        assert last != decoded.tokens[len(before)]
        cache = model.decoder.new_cache(60)
        logits = model.decoder.logits(model.decoder.forward([*PROMPT, *before], cache)[-1])
        assert last in logits.topk(1 + RUNNERS_UP).indices
        known = float(logits.log_softmax(-1)[last])
        assert branch.log_probabilities[-1] == pytest.approx(known, abs=1e-4)
        assert branch.log_probabilities[:-1] == decoded.log_probabilities[: len(before)]


def test_drafts_leave_the_same_branches(model: LanguageModel) -> None:
    alone = decode(model, *read_prompt(model))
    drafted = decode(
        model, *read_prompt(model), drafter=ExpectedText(len(PROMPT), alone.tokens[:5])
    )
    assert [b.tokens for b in drafted.branches] == [b.tokens for b in alone.branches]


@settings(max_examples=30)
@given(text=OPEN, number=st.integers(0, 100))
def test_what_follows_a_branch_is_what_follows_its_tokens(
    model: LanguageModel, text: str, number: int
) -> None:
    """The cache still holds another text when it is gone back to; a fresh one writes the same."""
    end = open_end(model.tokenizer, text)
    cache, logits = read_prompt(model)
    first = decode(model, cache, logits, end=end)
    branch = first.branches[number % len(first.branches)]
    after = read_branch(model.decoder, cache, len(PROMPT), branch)
    assert cache.tokens == (*PROMPT, *branch.tokens)
    assert not cache.inexact()

    fresh = model.decoder.new_cache(60)
    hidden = model.decoder.forward([*PROMPT, *branch.tokens], fresh)
    torch.testing.assert_close(after, model.decoder.logits(hidden[-1]), atol=1e-4, rtol=1e-4)
    gone_on = decode(model, cache, after, branch, end=end)
    alone = decode(model, fresh, after, branch, end=end)
    assert gone_on == alone
    assert gone_on.tokens[: len(branch.tokens)] == branch.tokens
    assert gone_on.log_probabilities[: len(branch.tokens)] == branch.log_probabilities


def spelled(token: int) -> bytes:
    return [b"a", b"b", b"ab", b"c", b""][token]


def test_the_likeliest_that_write_something_else_are_tried_the_longest_first() -> None:
    """`ab` writes what `a` and `b` write; the end writes nothing."""
    other, longer = Branch((0, 3), (-1.0, -1.0)), Branch((0, 1, 3), (-1.0, -0.5, -0.5))
    unlikely = Branch((3,), (-9.0,))
    same, ending = Branch((2,), (-0.1,)), Branch((0, 1, 4), (-0.1, -0.1, -0.1))
    decoded = Decoded("ab", (0, 1), "end", branches=(unlikely, other, same, longer, ending))
    assert likeliest_branches(decoded, spelled, {4}, 2) == [longer, other]
    assert likeliest_branches(decoded, spelled, {4}, 9) == [longer, other, unlikely]
    assert likeliest_branches(decoded, spelled, {4}, 0) == []


def texts(completer: Completer, request: CompletionRequest, most: int) -> list[str]:
    return [suggestion.text for suggestion in completer.complete_several(request, most)]


@pytest.mark.parametrize("place", PLACES)
def test_several_are_the_same_one_and_others(model: LanguageModel, place: str) -> None:
    options = CompletionOptions(context_tokens=200, max_tokens=12)
    alone = Completer(model, options).complete(at(place)).text
    several = texts(Completer(model, options), at(place), 4)
    assert several[0] == alone
    assert len(set(several)) == len(several) <= 4
    assert "" not in several[1:]


def test_there_are_others(model: LanguageModel) -> None:
    options = CompletionOptions(context_tokens=200, max_tokens=12)
    found = [texts(Completer(model, options), at(place), 4) for place in PLACES]
    assert max(map(len, found)) == 4


def test_one_that_is_shown_stays_the_first(model: LanguageModel) -> None:
    completer = Completer(model, CompletionOptions(context_tokens=200, max_tokens=12))
    place = at(PLACES[0])
    shown = completer.complete(place)
    typed = CompletionRequest("file.py", place.before + shown.text[:2], place.after)
    several = texts(completer, typed, 3)
    assert several[0] == shown.text[2:]
    assert several.count(several[0]) == 1


def test_asking_again_and_typing_one_of_them_costs_no_model_call(model: LanguageModel) -> None:
    completer = Completer(model, CompletionOptions(context_tokens=200, max_tokens=12))
    place = at(PLACES[0])
    first, second, *_ = texts(completer, place, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model.decoder, "encode", None)
        patch.setattr(model.decoder, "branch", None)
        assert texts(completer, place, 3)[:2] == [first, second]
        assert texts(completer, place, 2) == [first, second]
        typed = CompletionRequest("file.py", place.before + second[:3], place.after)
        assert completer.complete(typed).text == second[3:]
        assert completer.complete(place).text == first


def test_more_than_were_asked_for_are_looked_for(model: LanguageModel) -> None:
    completer = Completer(model, CompletionOptions(context_tokens=200, max_tokens=12))
    two, four = texts(completer, at(PLACES[0]), 2), texts(completer, at(PLACES[0]), 4)
    assert len(two) == 2 < len(four) == 4
    assert four[0] == two[0]
