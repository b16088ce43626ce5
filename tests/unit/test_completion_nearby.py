"""The lines around the cursor: whole lines, and no string cut in two."""

import pytest

from completion.brackets import mask, quotes_at
from completion.nearby import NEAR_AFTER, NEAR_BEFORE, nearby
from completion.stop_rules import find_stop, stop_context
from completion.values import CompletionRequest

LINES = "value = compute(first, second)\n" * 1000
DOCSTRING = '"""A long one.\n' + "don't (\n" * 2000 + '"""\n'


def test_short_text_is_kept_whole() -> None:
    request = CompletionRequest("file.py", "x = 1\n", "\ny = 2\n", "\t", single_line=True)
    assert nearby(request) == request


def test_whole_lines_around_the_cursor_are_kept() -> None:
    near = nearby(CompletionRequest("file.py", LINES + "  x", "y\n" + LINES))

    assert near.before.startswith("value")
    assert near.before.endswith("\n  x")
    assert near.after.startswith("y\n")
    assert near.after.endswith("second)")
    assert NEAR_BEFORE <= len(near.before) < NEAR_BEFORE + 100
    assert NEAR_AFTER <= len(near.after) < NEAR_AFTER + 100


@pytest.mark.parametrize("quotes", ['"""', "'''"])
@pytest.mark.parametrize(
    ("before", "after", "inside"),
    [
        (DOCSTRING + LINES[:6000], "", False),
        ("", "\n" + DOCSTRING, False),
        (DOCSTRING, DOCSTRING, False),
        (DOCSTRING[:-4], DOCSTRING[-4:], True),
        (DOCSTRING[:60], DOCSTRING[60:] + LINES, True),
        (LINES + '"""\n', LINES, False),
    ],
    ids=["above", "below", "both", "at its end", "at its beginning", "just begun"],
)
def test_long_strings_are_not_cut(quotes: str, before: str, after: str, inside: bool) -> None:
    request = CompletionRequest(
        "file.py", before.replace('"""', quotes), after.replace('"""', quotes)
    )
    near = nearby(request)

    assert request.before.endswith(near.before)
    assert request.after.startswith(near.after)
    assert mask(near.before).open_quotes == mask(request.before).open_quotes
    assert bool(quotes_at(near.before, near.after)) == inside


def test_rules_hold_below_a_long_docstring() -> None:
    context = stop_context(nearby(CompletionRequest("file.py", DOCSTRING + "def f():", "")))
    stop = find_stop(context, "\n    return 1\ny = 2")
    assert stop is not None
    assert stop.reason == "dedent"
