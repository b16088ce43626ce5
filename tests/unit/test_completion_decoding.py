"""Greedy decoding, with a decoder that writes what the test says."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from completion.covers import NOTHING_OPEN, OpenEnd, open_end
from completion.decoded import Decoded
from completion.decoding import decode_greedily
from completion.drafting.drafter import LOOK_UP, RECYCLING, TreeDrafter
from completion.drafting.drafts import Draft, Drafter, ExpectedText
from completion.drafting.pass_cost import PassCost
from completion.stop_rules import Stop, first_line_only
from completion.values import never_cancelled
from models.errors import Cancelled
from models.language_model import LanguageModel
from models.token_tree import NO_TREE, ReadTree, TokenTree, chain
from tests.unit.completion_helpers import (
    CERTAIN,
    CancelAfter,
    load_tiny_model,
    scripted,
    write_model,
)

PROMPT = [1, 2, 3]
TYPED = st.sampled_from(
    ["", "    ", "ret", "x =", "é", "def add(first", "  self.", "print(name, e"]
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


class RandomTrees(Drafter):
    """Trees of random shape and tokens, more often than chance those that will be written."""

    def __init__(self, choose: random.Random, likely: Sequence[int]) -> None:
        self._choose = choose
        self._likely = likely

    def draft(self, before: Sequence[int], token: int, most: int) -> Draft:
        tokens, parents = [token], [-1]
        for node in range(1, self._choose.randint(1, 12)):
            tokens.append(self._choose.choice(self._likely))
            parents.append(self._choose.randrange(node))
        return Draft(TokenTree(tokens, parents))


class NothingCosts(PassCost):
    """Tokens that are read together cost no more than one."""

    def of(self, tokens: int) -> float:
        return 1.0


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a script, the texts that stop rules saw, and the tokens that were read."""

    decoded: Decoded
    seen: list[str]
    read: list[list[int]]


def run(
    model: LanguageModel,
    script: Sequence[int],
    max_tokens: int = 50,
    *,
    single_line: bool = False,
    end: OpenEnd = NOTHING_OPEN,
) -> Run:
    writer, decoder = scripted(model, script)
    seen: list[str] = []

    def find_stop(text: str) -> Stop | None:
        seen.append(text)
        return first_line_only(text) if single_line else None

    cache = model.decoder.new_cache(100)
    decoded = decode_greedily(
        writer,
        cache,
        decoder.logits(decoder.forward([0], cache)[-1]),
        end_tokens=model.end_tokens,
        max_tokens=max_tokens,
        find_stop=find_stop,
        cancelled=never_cancelled,
        end=end,
    )
    return Run(decoded, seen, decoder.read[1:])


def bytes_as_tokens(model: LanguageModel, data: bytes) -> list[int]:
    """One token for each byte."""
    token_of = {model.tokenizer.token_bytes(t): t for t in range(256 + 10)}
    return [token_of[bytes([byte])] for byte in data]


def test_end_token_ends(model: LanguageModel) -> None:
    text = model.tokenizer.encode("x = 1")
    end = next(iter(model.end_tokens))
    result = run(model, [*text, end, *text])

    assert result.decoded == Decoded("x = 1", tuple(text), "end", passes=len(text))
    assert result.read == [[token] for token in text]


def log_probability(chosen: float, others: int) -> float:
    """Of the one token of a script, where each of so many `others` has 0."""
    return chosen - math.log(math.exp(chosen) + others)


def test_the_log_probability_of_each_choice_is_told(model: LanguageModel) -> None:
    """The end counts where it was chosen; the first token competes with other covers only."""
    tokenizer, end = model.tokenizer, next(iter(model.end_tokens))
    text = tokenizer.encode("x = 1")
    free = log_probability(CERTAIN, model.decoder.config.vocabulary - 1)
    cut = run(model, text, max_tokens=len(text)).decoded.log_probabilities
    assert cut == pytest.approx([free] * len(text), abs=1e-5)
    ended = run(model, [*text, end]).decoded.log_probabilities
    assert ended == pytest.approx([free] * (len(text) + 1), abs=1e-5)

    [space] = tokenizer.encode(" ")
    open_text = open_end(tokenizer, "x ")
    told = run(model, [space, *text, end], end=open_text).decoded.log_probabilities
    assert len(told) == len(text) + 2
    assert max(told) <= 0


def test_end_token_at_once_gives_nothing(model: LanguageModel) -> None:
    assert run(model, [next(iter(model.end_tokens))]).decoded == Decoded("", (), "end")


@pytest.mark.parametrize("max_tokens", [0, 1, 3])
def test_no_more_tokens_than_allowed(model: LanguageModel, max_tokens: int) -> None:
    """The last token is written, but not read: nothing follows it."""
    script = bytes_as_tokens(model, b"abcdef")
    result = run(model, script, max_tokens)

    passes = max(0, max_tokens - 1)
    text, tokens = "abcdef"[:max_tokens], tuple(script[:max_tokens])
    assert result.decoded == Decoded(text, tokens, "length", passes=passes)
    assert len(result.read) == passes


def test_stop_rule_ends_and_cuts(model: LanguageModel) -> None:
    script = model.tokenizer.encode("x = 1\ny = 2")
    decoded = run(model, script, single_line=True).decoded

    assert (decoded.text, decoded.stop) == ("x = 1", "line")
    assert len(decoded.tokens) < len(script)


def test_stop_rules_see_whole_characters_only(model: LanguageModel) -> None:
    text = "é漢\U0001f600"
    result = run(model, bytes_as_tokens(model, text.encode()), max_tokens=9)

    assert result.seen == ["", "é", "é", "é", "é漢", "é漢", "é漢", "é漢", text]
    assert result.decoded.text == text


def test_character_cut_at_the_end_is_left_out(model: LanguageModel) -> None:
    script = bytes_as_tokens(model, "aé漢".encode()[:-1])
    assert run(model, script, max_tokens=len(script)).decoded.text == "aé"


@pytest.mark.parametrize("data", [b"a\x80b", b"a\xe6b", b"a\xffb"], ids=repr)
def test_bytes_that_are_no_text_end(model: LanguageModel, data: bytes) -> None:
    decoded = run(model, bytes_as_tokens(model, data)).decoded
    assert (decoded.text, decoded.stop) == ("a", "bytes")


@pytest.mark.parametrize("times", [0, 1, 4])
def test_cancel_is_asked_before_every_token(model: LanguageModel, times: int) -> None:
    script = bytes_as_tokens(model, b"abcdef")
    writer, decoder = scripted(model, script)
    cache = model.decoder.new_cache(100)
    cancel = CancelAfter(times)

    with pytest.raises(Cancelled):
        decode_greedily(
            writer,
            cache,
            decoder.logits(decoder.forward([0], cache)[-1]),
            end_tokens=model.end_tokens,
            max_tokens=50,
            find_stop=lambda text: None,
            cancelled=cancel,
        )

    assert cancel.asked == times + 1
    read = script[: max(0, times - 1)]
    assert decoder.read[1:] == [[token] for token in read]
    assert cache.tokens == (0, *read)


def written(
    model: LanguageModel, drafter: Drafter | None, end: OpenEnd = NOTHING_OPEN
) -> tuple[tuple[int, ...], int]:
    """Eight tokens that a real decoder writes with drafts, and its forward passes for them."""
    decoded, passes = write_eight(model, drafter, end)
    return decoded.tokens, passes


def write_eight(
    model: LanguageModel,
    drafter: Drafter | None,
    end: OpenEnd = NOTHING_OPEN,
    ahead: TokenTree = NO_TREE,
) -> tuple[Decoded, int]:
    decoder = model.decoder
    cache = decoder.new_cache(60)
    hidden = decoder.encode(cache, cache.append(PROMPT), ahead=ahead)
    logits = decoder.logits(hidden[len(PROMPT) - 1 :])
    with patch.object(decoder, "branch", wraps=decoder.branch) as branch:
        decoded = decode_greedily(
            model,
            cache,
            logits[0],
            end_tokens=frozenset(),
            max_tokens=8,
            find_stop=lambda text: None,
            cancelled=never_cancelled,
            end=end,
            drafter=drafter,
            ahead=ReadTree(ahead, logits[1:]),
        )
    read = (*PROMPT, *decoded.tokens[:-1])
    assert cache.tokens[: len(read)] == read
    return decoded, branch.call_count


def test_right_draft_is_one_pass(model: LanguageModel) -> None:
    alone, passes = written(model, None)
    assert passes == len(alone) - 1
    assert written(model, ExpectedText(len(PROMPT), alone)) == (alone, 1)


@settings(deadline=None, max_examples=40)
@given(
    right=st.integers(0, 8),
    wrong=st.lists(st.integers(0, 200), max_size=8),
    text=TYPED,
)
def test_any_draft_gives_the_same_tokens(
    model: LanguageModel, right: int, wrong: list[int], text: str
) -> None:
    end = open_end(model.tokenizer, text)
    alone, _ = written(model, None, end)
    draft = ExpectedText(len(PROMPT), [*alone[:right], *wrong])
    assert written(model, draft, end)[0] == alone


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32), text=TYPED)
def test_any_tree_gives_the_same_tokens(model: LanguageModel, seed: int, text: str) -> None:
    end = open_end(model.tokenizer, text)
    alone, passes = written(model, None, end)
    drafter = RandomTrees(random.Random(seed), alone)
    tokens, fewer = written(model, drafter, end)
    assert tokens == alone
    assert fewer <= passes


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), text=TYPED)
def test_whatever_is_read_ahead_the_same_tokens_are_written(
    model: LanguageModel, seed: int, text: str
) -> None:
    end, choose = open_end(model.tokenizer, text), random.Random(seed)
    alone, passes = write_eight(model, None, end)
    trees = RandomTrees(choose, [*alone.tokens, *(t for stem in end.stems for t in stem.tokens)])
    ahead = trees.draft([], alone.tokens[0], 12).tree
    decoded, fewer = write_eight(model, trees if seed % 2 else None, end, ahead)
    assert decoded.tokens == alone.tokens
    assert fewer <= passes


def test_what_was_read_ahead_and_is_right_needs_no_pass(model: LanguageModel) -> None:
    alone, _ = write_eight(model, None)
    decoded, passes = write_eight(model, None, ahead=chain(alone.tokens))
    assert passes == 0
    assert decoded.tokens == alone.tokens
    assert decoded.accepted == decoded.drafted == len(alone.tokens)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32), text=TYPED)
def test_any_tree_gives_the_same_log_probabilities(
    model: LanguageModel, seed: int, text: str
) -> None:
    end = open_end(model.tokenizer, text)
    alone, _ = write_eight(model, None, end)
    drafter = RandomTrees(random.Random(seed), alone.tokens)
    drafted, _ = write_eight(model, drafter, end)
    assert len(alone.log_probabilities) == len(alone.tokens)
    assert drafted.log_probabilities == pytest.approx(alone.log_probabilities, abs=1e-4)


def test_what_was_written_once_is_guessed_the_next_time(model: LanguageModel) -> None:
    drafter = TreeDrafter(NothingCosts(), sources=(LOOK_UP, RECYCLING))
    alone, passes = written(model, None)
    first, second = written(model, drafter), written(model, drafter)
    assert first[0] == second[0] == alone
    assert second[1] < first[1] <= passes


@given(text=TYPED)
def test_what_is_written_begins_with_the_open_text(model: LanguageModel, text: str) -> None:
    end = open_end(model.tokenizer, text)
    tokens, _ = written(model, None, end)
    spelled = map(model.tokenizer.token_bytes, [*end.settled, *tokens])
    assert b"".join(spelled).startswith(end.piece)


def test_the_open_text_is_no_part_of_the_answer(model: LanguageModel) -> None:
    """After a space that is written again with the word that it belongs to."""
    script = model.tokenizer.encode(" first + second")
    result = run(
        model, [*script, next(iter(model.end_tokens))], end=open_end(model.tokenizer, "x ")
    )
    assert result.decoded.text == "first + second"
    assert result.decoded.tokens == tuple(script)


def test_as_many_tokens_as_the_open_text_has_do_not_count(model: LanguageModel) -> None:
    end, script = open_end(model.tokenizer, "x "), model.tokenizer.encode(" +++")
    assert len(end.rewritten) == 1
    result = run(model, script, max_tokens=1, end=end)
    assert (result.decoded.tokens, result.decoded.stop) == (tuple(script[:2]), "length")


def test_a_stem_that_cannot_win_is_not_read(model: LanguageModel) -> None:
    """The model is sure of a token that writes the open space and more: it reads that alone."""
    script = [*model.tokenizer.encode(" +"), next(iter(model.end_tokens))]
    assert run(model, script, end=open_end(model.tokenizer, "x ")).read == [script[:1]]


def test_stems_are_read_in_one_pass(model: LanguageModel) -> None:
    """The model is sure of an indentation and of a word after it, whose space belongs to it."""
    text = "    return first"
    script = [*model.tokenizer.encode(text), next(iter(model.end_tokens))]
    result = run(model, script, end=open_end(model.tokenizer, "    "))
    assert result.decoded.text == "return first"
    assert result.read == [[token] for token in script[:-1]]
