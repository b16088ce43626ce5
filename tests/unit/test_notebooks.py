"""What of a notebook's cell is Python."""

import pytest

from lsp_server.notebooks import without_magic


@pytest.mark.parametrize(
    "line",
    ["%matplotlib inline", "%%time", "!ls -l", "?print", "??print", "print?", "x.y??", "a = !ls"],
)
def test_what_a_notebook_reads_by_itself_becomes_a_comment(line: str) -> None:
    assert without_magic(f"x = 1\n{line}\ny = 2") == f"x = 1\n# {line}\ny = 2"


def test_in_a_block_a_statement_stays() -> None:
    assert without_magic("if x:\n    !ls\n") == "if x:\n    pass  # !ls\n"


@pytest.mark.parametrize(
    "text",
    ["x = (a\n     % b)", "y = (a\n     != b)", "z = '%s' % a", "a %= 2", "# what?", "f(a=1)\n%"],
)
def test_python_stays_python(text: str) -> None:
    assert without_magic(text) == text
