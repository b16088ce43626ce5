"""What a library says of its APIs, found by what is said above a cursor."""

from pathlib import Path

import pytest

from retrieval.api_docs.api_docs import LibraryDocs
from retrieval.api_docs.wish import wish_above
from tests.unit.index_helpers import indexed
from tests.unit.workspaces import write_files

PIPES = '''\
from _shared import Base


class DemultiplexerPipe(Base):
    """Splits a pipe into several by a function.

    Args:
        count: how many

    Examples:
        >>> # not this one
        >>> odd, even = Demultiplexer(pipe, 2, odd_or_even)
        >>> rest = Demultiplexer(
        ...     pipe,
        ...     3,
        ... )
    """

    def __init__(
        self,
        source,
        count: int,
    ) -> None: ...

    def close(self) -> None:
        """Ends the pipe and gives back what it holds."""

    def _split(self) -> None:
        """Splits by a function of its own."""


def split_by_hand(source):
    """Splits a pipe by hand, once a function has been asked."""
'''
FILES = {
    "plumbing/__init__.py": "from plumbing.pipes import DemultiplexerPipe as Demultiplexer\n",
    "plumbing/pipes.py": PIPES,
    "plumbing/_shared.py": 'class Base:\n    def flush(self):\n        """Empties it."""\n',
    "plumbing/tests/test_pipes.py": 'def test_split():\n    """Splits a pipe by a function."""\n',
}


@pytest.fixture
def docs(tmp_path: Path) -> LibraryDocs:
    root = write_files(tmp_path / "site", FILES)
    return LibraryDocs(root, indexed(root, tmp_path / "index.sqlite"))


@pytest.mark.parametrize(
    ("before", "wish"),
    [
        ("import x\n# Split it\n# in two\npipe = ", "Split it in two"),
        ("x = 1\n    // Say hello \n    say", "Say hello"),
        ("/* Say hello */\nsay", "Say hello"),
        ('def get_odd(pipe):\n    """Split it."""\n    ', "get odd Split it."),
        (
            'def get_odd(pipe):\n    """\n    Split it\n\n    in two.\n    """\n',
            "get odd Split it in two.",
        ),
        ("async def get_odd(pipe):\n    # Split it\n    return ", "get odd Split it"),
        ("# Split it\n\npipe = ", ""),
        ("def get_odd(pipe):\n    ", ""),
        ('text = """\n', ""),
        ("", ""),
    ],
)
def test_a_wish_is_what_is_said_right_above(before: str, wish: str) -> None:
    assert wish_above(before) == wish


def test_an_api_is_shown_as_its_users_call_it(docs: LibraryDocs) -> None:
    [block, *_] = docs.for_cursor("# split the pipe by a function\n", 5)
    assert (block.path, block.first_line) == ("plumbing/pipes.py", 4)
    assert block.text == (
        "class Demultiplexer:\n"
        "    def __init__(self, source, count: int) -> None:\n"
        '        """Splits a pipe into several by a function.\n'
        "        >>> odd, even = Demultiplexer(pipe, 2, odd_or_even)\n"
        "        >>> rest = Demultiplexer(pipe, 3)\n"
        '        """\n'
    )


def test_examples_like_the_wish_come_first(docs: LibraryDocs) -> None:
    api = docs.named("Demultiplexer", "split")
    assert api is not None
    assert docs.block(api, "the rest").text.splitlines()[3].strip().startswith(">>> rest")


def test_what_is_exported_comes_before_what_is_not_and_private_names_never(
    docs: LibraryDocs,
) -> None:
    names = [api.name for api in docs.found("splits a pipe by a function by hand")]
    assert names == ["Demultiplexer", "close", "split_by_hand"]
    assert docs.named("_split", "split") is None
    assert docs.named("test_split", "split") is None


def test_a_method_is_found_with_its_class(docs: LibraryDocs) -> None:
    [block] = docs.for_cursor("# end the pipe, give back all\n", 1)
    assert block.text == (
        "class DemultiplexerPipe:\n"
        "    def close(self) -> None:\n"
        '        """Ends the pipe and gives back what it holds."""\n'
    )


def test_where_nothing_is_said_nothing_is_looked_for(docs: LibraryDocs) -> None:
    assert docs.for_cursor("pipe = 1\n", 5) == []
    assert docs.for_cursor("# of quite another thing\n", 5) == []
