"""The context budget: which piece of the text around the cursor is read."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from completion.context_budget import (
    LONGEST_MIDDLE,
    MIDDLE_LINES,
    NO_EDGES,
    edge_at,
    find_edge,
    fit_after,
    fit_before,
    fit_window,
    line_steps,
    middle_start,
)
from models.tokenizer import CodeTokenizer
from tests.unit.completion_helpers import write_tokenizer

FILE = "".join(f"    value_{n} = compute(first, {n}, second)\n" for n in range(400))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> CodeTokenizer:
    folder: Path = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder)
    return CodeTokenizer(folder)


TEXTS = st.lists(
    st.sampled_from(
        ["\n", "    ", "\t", "x", "name", " = ", "é", "漢字", "\U0001f600", "\r", "\u2028"]
    )
    | st.text(max_size=3),
    max_size=80,
).map("".join)


@given(before=TEXTS, after=TEXTS, budget=st.integers(0, 60), uses_suffix=st.booleans())
def test_window_is_one_piece_of_the_text_around_the_cursor(
    tokenizer: CodeTokenizer, before: str, after: str, budget: int, uses_suffix: bool
) -> None:
    window = fit_window(tokenizer, before, after, budget, uses_suffix=uses_suffix)
    read_before, read_after = tokenizer.decode(window.before), tokenizer.decode(window.after)

    assert len(window.before) + len(window.after) <= budget
    assert before.endswith(read_before)
    assert after.startswith(read_after)
    assert uses_suffix or not read_after


@given(before=TEXTS, after=TEXTS, budget=st.integers(0, 60))
def test_the_middle_follows_the_prefix_within_the_budget(
    tokenizer: CodeTokenizer, before: str, after: str, budget: int
) -> None:
    window = fit_window(tokenizer, before, after, budget, uses_suffix=True, has_middle=True)

    assert len(window.before) + len(window.middle) + len(window.after) <= budget
    assert before.endswith(tokenizer.decode(window.before + window.middle))


def test_the_middle_begins_at_the_same_line_while_lines_are_typed() -> None:
    lines = [f"value_{n} = compute({n * n})\n" for n in range(100)]
    starts = [middle_start("".join(lines[:count]) + "    typed", 1000) for count in range(100)]
    texts = ["".join(lines[:count]) for count in range(100)]
    assert len(set(starts)) < 40
    for text, start in zip(texts, starts, strict=True):
        assert start == 0 or text[start - 1] == "\n"
        assert text.count("\n", start) <= MIDDLE_LINES


def test_the_middle_begins_at_the_same_line_whatever_is_typed_on_the_cursor_s() -> None:
    starts = {middle_start(FILE + typed, 1000) for typed in ("", "    ", "    x", "    x = f(")}
    assert len(starts) == 1


def test_lines_added_far_above_do_not_move_the_middle() -> None:
    added = "import os\n" * 3
    assert middle_start(added + FILE, 1000) == len(added) + middle_start(FILE, 1000)


@settings(max_examples=50)
@example(before="\nx\n", after="", budget=4)  # a short edge that stands there twice
@given(before=TEXTS, after=TEXTS, budget=st.integers(0, 60))
def test_a_window_whose_edges_are_known_is_the_same(
    tokenizer: CodeTokenizer, before: str, after: str, budget: int
) -> None:
    first = fit_window(tokenizer, before, after, budget, uses_suffix=True, has_middle=True)
    again = fit_window(
        tokenizer, before, after, budget, uses_suffix=True, has_middle=True, last=first.edges
    )
    assert again == first


def windows(tokenizer: CodeTokenizer, cursors: Sequence[int], text: str) -> list[str]:
    """What is read before each cursor, one after the other."""
    edges, read = NO_EDGES, []
    for cursor in cursors:
        window = fit_window(
            tokenizer,
            text[:cursor],
            text[cursor:],
            400,
            uses_suffix=True,
            has_middle=True,
            last=edges,
        )
        read.append(tokenizer.decode(window.before + window.middle))
        edges = window.edges
    return read


def test_going_back_within_the_window_leaves_its_start(tokenizer: CodeTokenizer) -> None:
    text = "".join(f"value_{n} = compute({n * n})\n" for n in range(400))
    end, near, far = (text.index(f"value_{n} =") for n in (300, 297, 270))
    first, back, away = windows(tokenizer, [end, near, far], text)
    assert first == back + text[near:end]
    assert text.index(away) < text.index(first)


def test_the_middle_stays_until_the_cursor_has_gone_far() -> None:
    lines = [f"value_{n} = compute({n * n})\n" for n in range(200)]
    starts: list[int] = []
    edge = ""
    for count in range(200):
        before = "".join(lines[:count]) + "    typed"
        starts.append(middle_start(before, 1000, edge))
        edge = edge_at(before, starts[-1])
        assert before.count("\n", starts[-1]) <= LONGEST_MIDDLE
    assert starts == sorted(starts)
    assert len(set(starts)) < 200 / (LONGEST_MIDDLE - MIDDLE_LINES) + 10


def test_an_edge_is_the_last_line_that_follows_its_text() -> None:
    assert find_edge("x\na\nb\na\nc", "a\n") == 8
    assert find_edge("a\nb\na\nc", "a\n") == 2  # which was all that stood before it
    assert find_edge("a" * 199 + "\nb\n" + "a" * 199 + "\nc", "a" * 199 + "\n") == 402
    assert find_edge("a\nb\n", "c\n") is None
    assert find_edge("ab", "a") is None
    assert find_edge("a\n", "") is None


@pytest.mark.parametrize(
    ("before", "start"),
    [("", 0), ("x", 0), ("\n\n    x", 2), ("x" * 200, 200), ("x\n" + "y" * 200, 202)],
    ids=["empty", "first line", "blank above", "long line", "long line below"],
)
def test_the_middle_of_short_and_long_texts(before: str, start: int) -> None:
    assert middle_start(before, 100) == start


@given(text=TEXTS, budget=st.integers(1, 200))
def test_what_fits_is_read_whole(tokenizer: CodeTokenizer, text: str, budget: int) -> None:
    if len(tokenizer.encode(text)) <= budget:
        assert tokenizer.decode(fit_before(tokenizer, text, budget)) == text
        assert tokenizer.decode(fit_after(tokenizer, text, budget)) == text


@pytest.mark.parametrize("budget", [150, 333, 1000])
def test_whole_lines_are_read(tokenizer: CodeTokenizer, budget: int) -> None:
    window = fit_window(tokenizer, FILE + "    x", "y\n" + FILE, budget, uses_suffix=True)
    read_before, read_after = tokenizer.decode(window.before), tokenizer.decode(window.after)

    assert read_before.startswith("    value_")
    assert read_before.endswith("\n    x")
    assert read_after.startswith("y\n")
    assert read_after.endswith("second)\n")
    assert len(window.before) + len(window.after) > budget // 2


@pytest.mark.parametrize(
    ("before", "after"),
    [("", ""), ("", FILE), (FILE, ""), ("x = ", ""), ("", "\n")],
    ids=["empty file", "start", "end", "one line", "line end"],
)
def test_edges_of_the_file(tokenizer: CodeTokenizer, before: str, after: str) -> None:
    window = fit_window(tokenizer, before, after, 200, uses_suffix=True)
    assert bool(window.before) == bool(before)
    assert bool(window.after) == bool(after)


@pytest.mark.parametrize("before", ["x = ", FILE], ids=["short prefix", "long prefix"])
def test_suffix_keeps_to_its_share(tokenizer: CodeTokenizer, before: str) -> None:
    window = fit_window(tokenizer, before, FILE, 400, uses_suffix=True)
    assert 60 < len(window.after) <= 100


def test_prefix_takes_what_a_short_suffix_leaves(tokenizer: CodeTokenizer) -> None:
    text = "x = 1\n" * 500
    with_suffix = fit_window(tokenizer, text, text, 400, uses_suffix=True)
    alone = fit_window(tokenizer, text, "", 400, uses_suffix=True)
    assert len(alone.before) > len(with_suffix.before) > 150


def test_without_a_suffix_the_prefix_takes_all(tokenizer: CodeTokenizer) -> None:
    window = fit_window(tokenizer, FILE, FILE, 400, uses_suffix=False)
    assert window.after == []
    assert len(window.before) > 200


def test_cursor_s_line_stays_where_it_alone_is_too_long(tokenizer: CodeTokenizer) -> None:
    line = "é漢" * 500
    window = fit_window(tokenizer, FILE + line, line + "\n" + FILE, 100, uses_suffix=True)

    assert len(tokenizer.decode(window.before).encode()) > 40
    assert line.endswith(tokenizer.decode(window.before))
    assert line.startswith(tokenizer.decode(window.after))


def test_giant_line_above_does_not_leave_a_blank_prefix(tokenizer: CodeTokenizer) -> None:
    tokens = fit_before(tokenizer, "data = '" + "ab cd " * 2000 + "'\n", 200)
    assert len(tokens) > 100


def starts_while_typing(tokenizer: CodeTokenizer, base: str, typed: str, budget: int) -> int:
    """How often the prefix begins elsewhere while `typed` is written after `base`."""
    texts = [base + typed[:length] for length in range(0, len(typed) + 1, 3)]
    reads = [tokenizer.decode(fit_before(tokenizer, text, budget)) for text in texts]
    starts = [len(text) - len(read) for text, read in zip(texts, reads, strict=True)]
    return sum(one != following for one, following in pairwise(starts))


@pytest.mark.parametrize(
    ("base", "typed", "budget", "moves"),
    [
        ("    x = 1\n" * 200, "    x = 1\n" * 50, 180, 4),
        (FILE, FILE[:800], 400, 5),
        ("x = [" + "name, " * 2000, "name, " * 100, 200, 12),
    ],
    ids=["short lines", "long lines", "one giant line"],
)
def test_typing_rarely_moves_the_start(
    tokenizer: CodeTokenizer, base: str, typed: str, budget: int, moves: int
) -> None:
    """More is typed than the budget holds, so the start has to move; but a few times only."""
    assert len(tokenizer.encode(typed)) > budget
    assert 1 <= starts_while_typing(tokenizer, base, typed, budget) <= moves


def test_typing_does_not_move_the_end_of_the_suffix(tokenizer: CodeTokenizer) -> None:
    ends = {
        len(fit_window(tokenizer, FILE + "name"[:n], "\n" + FILE, 600, uses_suffix=True).after)
        for n in range(5)
    }
    assert len(ends) == 1


@pytest.mark.parametrize(("budget", "step"), [(100, 16), (768, 16), (1536, 32), (6144, 128)])
def test_a_larger_window_moves_in_larger_steps(budget: int, step: int) -> None:
    assert list(line_steps(budget)) == [step >> n for n in range(step.bit_length() - 1)]


def test_a_large_window_moves_rarely(tokenizer: CodeTokenizer) -> None:
    """Over 200 typed lines a window of 4,000 tokens moves once in 64 lines."""
    lines = FILE.splitlines(keepends=True)
    starts = {
        tokenizer.decode(fit_before(tokenizer, "".join(lines[:count]), 4000))[:40]
        for count in range(200, 400, 4)
    }
    assert len(starts) <= 4
