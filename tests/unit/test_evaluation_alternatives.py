"""Superposed drafts and branches, by a small decoder with random weights."""

from math import exp, log
from pathlib import Path

import pytest
import torch

from completion.prompt import PromptBuilder
from completion.values import CompletionRequest
from evaluation.alternatives_race import (
    BRANCHES,
    LIKELIEST,
    SUPERPOSED,
    AlternativesRace,
    Lines,
    alternatives_rows,
    stem_of,
)
from evaluation.confidence_samples import Point
from evaluation.superposed import (
    NGRAM_WEIGHT,
    UNSEEN_PROBABILITY,
    NGrams,
    SuperposedDecoder,
    Superposition,
    log_probability,
)
from models.language_model import LanguageModel
from models.progress import ignore_progress
from tests.unit.completion_helpers import load_tiny_model, write_model

PROMPT = [1, 2, 3]


@pytest.fixture
def model(tmp_path: Path) -> LanguageModel:
    write_model(tmp_path)
    return load_tiny_model(tmp_path)


def test_the_longest_known_run_tells_how_likely_a_token_is() -> None:
    ngrams = NGrams()
    ngrams.add([1, 2, 3, 1, 2, 4, 9, 2, 4])
    assert exp(log_probability([ngrams], [1, 2], 3)) == pytest.approx(1 / 2)
    assert exp(log_probability([ngrams], [7, 2], 4)) == pytest.approx(2 / 3)
    assert exp(log_probability([ngrams, ngrams], [7, 2], 4)) == pytest.approx(2 / 3)
    assert log_probability([ngrams], [1, 2], 7) == log(UNSEEN_PROBABILITY)


def test_one_draft_alone_is_greedy_decoding(model: LanguageModel) -> None:
    """Its own embedding is all that is read, and no n-gram can tell it from another."""
    decoder, cache = model.decoder, model.decoder.new_cache(60)
    decoder.forward(PROMPT, cache)
    draft = Superposition((5,), -0.5)
    superposed = SuperposedDecoder(model)
    [line] = superposed.lines(cache, [draft], [], frozenset(), 6)
    assert cache.tokens == tuple(PROMPT)
    assert superposed.passes == len(line.tokens) - 1

    expected, token, known = [5], 5, -0.5
    for _ in range(len(line.tokens) - 1):
        scores = decoder.logits(decoder.forward([token], cache)[-1]).log_softmax(-1)
        token = int(scores.argmax())
        expected.append(token)
        known += (1 - NGRAM_WEIGHT) * float(scores[token])
        known += NGRAM_WEIGHT * log(UNSEEN_PROBABILITY)
    assert list(line.tokens) == expected
    assert line.log_probability == pytest.approx(known, abs=0.01)


def test_what_is_read_is_the_mean_of_the_drafts(model: LanguageModel) -> None:
    """Two drafts that are equally likely: half of each one's embedding."""
    cache = model.decoder.new_cache(60)
    model.decoder.forward(PROMPT, cache)
    superposed = SuperposedDecoder(model)
    drafts = [Superposition((5,), -1.0), Superposition((6,), -1.0)]
    superposed.lines(cache, drafts, [], frozenset(), 2)
    embedding = model.decoder._embedding
    torch.testing.assert_close(embedding[-1], (embedding[5] + embedding[6]) / 2)


def test_a_draft_that_has_ended_is_read_no_more(model: LanguageModel) -> None:
    cache = model.decoder.new_cache(60)
    model.decoder.forward(PROMPT, cache)
    superposed = SuperposedDecoder(model)
    drafts = [Superposition((5,), -0.1), Superposition((6,), -9.0)]
    lines = superposed.lines(cache, drafts, [], frozenset({5, 6}), 9)
    assert lines == drafts
    assert superposed.passes == 0


def test_the_stem_writes_no_more_than_what_is_open() -> None:
    spell = [b"  ", b"  r", b"x"].__getitem__
    assert stem_of([0, 2, 1], spell, 2) == (0,)
    assert stem_of([1, 2], spell, 2) == ()
    assert stem_of([0, 0, 2], spell, 4) == (0, 0)
    assert stem_of([], spell, 4) == ()


def test_all_arms_write_lines_and_leave_the_cache(model: LanguageModel) -> None:
    request = CompletionRequest("tiny/a.py", "def add(first, second):\n    return ", "\n")
    points = [Point("tiny", request, "first + second"), Point("tiny", request, "0")]
    builder = PromptBuilder.for_model(model, 64)
    race = AlternativesRace(model, builder, 3, {"tiny": NGrams()})
    lines = race.run(points, ignore_progress)
    assert [one.arm for one in lines] == 2 * [LIKELIEST, BRANCHES, SUPERPOSED]
    assert all(1 <= len(one.right) <= 3 for one in lines)
    assert lines[0].right == lines[1].right[:1]


def test_rows_tell_the_first_and_any() -> None:
    lines = [
        Lines(arm, right, 4, 0.2)
        for arm in (LIKELIEST, BRANCHES, SUPERPOSED)
        for right in ((True, False), (False, True), (False, False), (False,))
    ]
    for row in alternatives_rows(lines):
        metrics = {name: metric.value for name, metric in row.metrics.items()}
        assert metrics == {
            "first_right": 0.25,
            "any_right": 0.5,
            "lines": 1.75,
            "passes": 4,
            "ms": 200,
        }
