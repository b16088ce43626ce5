"""What counts as an answer, and what is read before it, is always a part of what there was."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.loaders.crosscodeeval import f1_of_sets, statement
from evaluation.loaders.dotprompts import method_rest
from evaluation.loaders.py150 import with_literals
from evaluation.loaders.repobench import first_code_line
from evaluation.loaders.repoeval import repoeval
from evaluation.tasks import Task, last_tokens
from models.tokenizer import CodeTokenizer
from tests.unit.completion_helpers import write_tokenizer

CODE = st.lists(
    st.sampled_from(
        ["\n", "    ", "x", "(", ")", "{", "}", ";", '"', "'", '"""', "#", "//", "/*", "*/", " = "]
    )
    | st.text(max_size=3),
    max_size=40,
).map("".join)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> CodeTokenizer:
    folder: Path = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder)
    return CodeTokenizer(folder)


@given(text=CODE, language=st.sampled_from(["python", "java"]))
def test_the_first_line_of_code_is_one_of_the_lines(text: str, language: str) -> None:
    assert first_code_line(text, language) in text.split("\n")


@given(before=CODE, text=CODE, language=st.sampled_from(["python", "java", "csharp"]))
def test_a_statement_is_the_beginning_of_a_completion(
    before: str, text: str, language: str
) -> None:
    assert text.startswith(statement(Task("", before, "", language=language), text))


@given(begun=CODE, text=CODE)
def test_the_rest_of_a_method_is_the_beginning_of_a_completion(begun: str, text: str) -> None:
    rest = method_rest("{" + begun, text)
    assert text.startswith(rest) or (rest.startswith(text) and not rest[len(text) :].strip("}"))


@given(text=CODE, most=st.integers(-1, 60))
def test_what_is_left_of_a_text_is_its_end(tokenizer: CodeTokenizer, text: str, most: int) -> None:
    left = last_tokens(tokenizer, text, most)
    assert text.endswith(left)
    if len(tokenizer.encode(text)) <= most:
        assert left == text


@given(text=CODE)
def test_the_truth_itself_is_always_right(text: str) -> None:
    task = Task("", "", text)
    assert repoeval().judge(task, text).scores == {"exact_match": True, "edit_similarity": 1.0}


@given(first=st.lists(st.sampled_from("abc")), second=st.lists(st.sampled_from("abc")))
def test_f1_is_the_harmonic_mean_of_precision_and_recall(
    first: list[str], second: list[str]
) -> None:
    common = len({*first} & {*second})
    if not common:
        assert f1_of_sets(first, second) == 0.0
        return
    precision, recall = common / len({*first}), common / len({*second})
    assert f1_of_sets(first, second) == pytest.approx(2 * precision * recall / (precision + recall))


@given(text=st.text(st.sampled_from("ab <>:_UNM+0")))
def test_text_without_marks_is_left_alone(text: str) -> None:
    assert with_literals(text) == text or "U+0020" in text
