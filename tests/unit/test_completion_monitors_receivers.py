"""Which question is asked about an attribute: the same one wherever that changes nothing."""

import pytest

from completion.monitors.receivers import question_text, used_in


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("        total = self.", "        self."),
        ("        self.x = f(self.", "        self."),
        ("        self.x = 1\n        y = self.", "        self."),
        ("    print(os.path.", "    os.path."),
        ("    a = 1\n    b = [os.", "    a = 1\n    os."),
        ("    x = self.items.", "    self.items."),
        # what is bound on its line, or told to be something there
        ("    [x for x in y if x.", "    [x for x in y if x."),
        ("    if isinstance(x, A) and x.", "    if isinstance(x, A) and x."),
        # what may be another `self`, or one with more
        ("    if hasattr(self, 'a'): self.", "    if hasattr(self, 'a'): self."),
        ("    class A:\n        x = self.", "    class A:\n        x = self."),
        # what is no name
        ("    x = f(a).", "    x = f(a)."),
        ("    x = rows[0].", "    x = rows[0]."),
        ("    x = 'a'.", "    x = 'a'."),
        ("import ", "import "),
    ],
)
def test_what_is_asked(text: str, asked: str) -> None:
    assert question_text(text.encode()) == asked.encode()


def test_attributes_that_a_text_makes_or_was_found_to_read() -> None:
    text = b"self.a = 1\nself.b: int = 2\nif self.c == 3: other.self.d\ncls.e = self.f"
    assert used_in(text) == {b"a", b"b", b"c", b"e", b"f"}
