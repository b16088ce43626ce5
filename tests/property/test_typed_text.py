"""Types that follow the text are those of a text that is read for the first time."""

from hypothesis import given
from hypothesis import strategies as st

from completion.token_types.typed_text import STEP, TypedEnd, TypedText

PIECES = st.sampled_from(
    [
        *("a", "b = 1", "def f(a, b):", "class C:", "import os", "self.x = ", "lambda y: "),
        *("for i in ", "\n", "\n\n", "\n    ", "\n        ", "\n" * STEP, "\\\n"),
        *("'", '"""', "(", ")", "[", "#", ",", "."),
    ]
)
TEXTS = st.lists(PIECES, max_size=30).map("".join)


def seen(end: TypedEnd) -> tuple[object, ...]:
    """All that can be seen of an end."""
    return end.tokens, end.in_string, end.column, end.scopes.declared(), end.scopes.roles()


@given(st.lists(TEXTS, min_size=1, max_size=6), TEXTS)
def test_any_text_after_any_other(texts: list[str], written: str) -> None:
    followed = TypedText()
    for text in texts:
        one, other = followed.follow(text), TypedText().follow(text)
        assert one.lines == other.lines
        assert seen(one.with_text(written)) == seen(other.with_text(written))


@given(TEXTS, TEXTS)
def test_lines_keep_their_types_as_the_text_goes_on(text: str, more: str) -> None:
    lines = TypedText().follow(text).lines
    assert TypedText().follow(text + more).lines[: len(lines)] == lines


@given(TEXTS, TEXTS)
def test_what_is_written_has_the_types_that_it_has_in_the_text(text: str, written: str) -> None:
    before, whole = TypedText().follow(text), TypedText().follow(text + written)
    end, same = before.with_text(written), whole.with_text("")
    read = [one for line in whole.lines[len(before.lines) :] for one in line.tokens]
    assert end.tokens == (*read, *same.tokens)
    assert seen(end)[1:] == seen(same)[1:]
