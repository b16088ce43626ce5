"""The api benchmark: what it asks, what it hides, and what counts as found."""

from functools import partial
from pathlib import Path

import pytest

from evaluation.api_questions import (
    draw_questions,
    first_sentence,
    outlines_of,
    questions_at_calls,
    without_docs,
)
from evaluation.benchmarks.api import RETRIEVE, ApiOptions, Found, run_api
from evaluation.repositories import Repository
from models.errors import InputError
from models.language_model import LanguageModel
from models.progress import ignore_progress
from tests.unit.completion_helpers import load_tiny_model, write_model
from tests.unit.index_helpers import BagOfWords

FILES = {
    "shop/mail.py": (
        "class Mailer:\n"
        '    def send_letter(self, to):\n        """Send a letter to somebody. Or not."""\n'
        '    def _close(self):\n        """Close what is open now."""\n'
        '    def stop(self):\n        """Stop it."""\n'
    ),
    "shop/post.py": 'def post(to):\n    """Send a letter to somebody.\n\n    More."""\n',
    "shop/sums.py": 'def add_up(lines):\n    """Adds up all the lines."""\n',
    "tests/test_mail.py": 'def test_it():\n    """A test of the mail."""\n',
}
REPOSITORY = Repository("shop==1.0", FILES, {})


def test_questions_are_what_public_apis_say_of_themselves() -> None:
    questions = draw_questions(outlines_of(REPOSITORY), 10, seed=0)
    assert {question.wish: question.answers for question in questions} == {
        "Send a letter to somebody.": {
            ("shop/mail.py", "Mailer.send_letter"),
            ("shop/post.py", "post"),  # its twin is as right
        },
        "Adds up all the lines.": {("shop/sums.py", "add_up")},
    }


def test_the_same_seed_asks_the_same() -> None:
    outlines = outlines_of(REPOSITORY)
    assert draw_questions(outlines, 1, seed=3) == draw_questions(outlines, 1, seed=3)


@pytest.mark.parametrize(
    ("doc", "sentence"),
    [
        ("One thing. Two.", "One thing."),
        ("One\nthing\n\nTwo", "One thing"),
        ("Version 2.0 of it", "Version 2.0 of it"),
        ("", ""),
    ],
)
def test_the_first_sentence(doc: str, sentence: str) -> None:
    assert first_sentence(doc) == sentence


def test_documentation_is_hidden() -> None:
    outline = without_docs(outlines_of(REPOSITORY)["shop/mail.py"])
    assert {one.doc for one in outline.declarations} == {""}


def no_model() -> LanguageModel:
    raise AssertionError("no model is needed")


def test_arms_are_asked_the_same_questions(tmp_path: Path) -> None:
    write_model(tmp_path)
    options = ApiOptions(limit=10, samples=tmp_path / "found.jsonl")
    embedder, load = BagOfWords(), partial(load_tiny_model, tmp_path)
    result = run_api(options, embedder, load, [REPOSITORY], ignore_progress)
    rows = {row.arm: row for row in result.rows}
    arms = ["lexical", "dense", "fused", "reranked"]
    assert list(rows) == [*arms, "fused - lexical", "fused - dense", "reranked - fused"]
    assert {row.n for row in result.rows} == {2}
    assert {row.slice for row in result.rows} == {"ask"}
    assert rows["lexical"].metrics["hit_at_5"].value == 1
    embedded = len(embedder.embedded)
    again = run_api(options, embedder, load, [REPOSITORY], ignore_progress)
    assert (again.rows, len(embedder.embedded)) == (result.rows, embedded)  # kept


CALLS = {
    "shop/mail.py": FILES["shop/mail.py"],
    "shop/thank.py": (
        "def thank(mailer, to):\n"
        '    """Thanks somebody."""\n'
        "    letter = 1\n"
        "    mailer.send_letter(to)\n"
        "    return letter\n"
    ),
}


def test_what_is_called_next_is_asked_for_the_lines_before() -> None:
    repository = Repository("shop", CALLS, {})
    [question] = questions_at_calls(repository, outlines_of(repository), 5, seed=0)
    assert question.wish.endswith("letter = 1\n    mailer.")
    assert question.answers == {("shop/mail.py", "Mailer.send_letter")}
    assert question.hidden == {("shop/thank.py", "thank")}


def test_answers_are_retrieved_by_every_arm() -> None:
    options = ApiOptions(task=RETRIEVE, limit=5)
    repositories = [Repository("shop", CALLS, {})]
    result = run_api(options, BagOfWords(), no_model, repositories, ignore_progress)
    rows = {row.arm: row.metrics for row in result.rows}
    assert {row.slice for row in result.rows} == {"retrieve"}
    assert rows["lexical"]["recall_at_10"].value == 1
    assert rows["fused - dense"]["ndcg_at_10"].value >= 0


def test_gain_falls_with_the_rank_and_rises_with_the_answers() -> None:
    assert Found("a", [1, 2], 2).gain == 1
    assert Found("a", [2], 1).gain == pytest.approx(0.6309, abs=1e-4)
    assert Found("a", [1, 11], 2).recall == 0.5
    assert Found("a", [11], 1).gain == 0


def test_without_documentation_there_is_nothing_to_ask(tmp_path: Path) -> None:
    write_model(tmp_path)
    bare = Repository("bare", {"a.py": "def f(): ..."}, {})
    with pytest.raises(InputError, match="documented"):
        run_api(
            ApiOptions(), BagOfWords(), partial(load_tiny_model, tmp_path), [bare], ignore_progress
        )
