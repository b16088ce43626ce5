"""What a library says of its APIs, found by what is said above a cursor."""

from contextlib import closing
from pathlib import Path

import pytest

from retrieval.api_docs.api_docs import LibraryDocs, fitting_first
from retrieval.api_docs.packages import (
    Package,
    find_package,
    imported_packages,
    package_in,
    packages_of,
    update_package,
)
from retrieval.api_docs.wish import wish_above
from retrieval.index.database import open_database
from retrieval.related.similar_code import CodeBlock
from tests.unit.index_helpers import silent
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
    return docs_of("plumbing", write_files(tmp_path / "site", FILES), tmp_path)


def docs_of(name: str, site: Path, folder: Path) -> LibraryDocs:
    """Of a package in `site`, whose index is in `folder`."""
    package = package_in(site, name)
    assert package is not None
    database = open_database(folder / "index.sqlite")
    update_package(database, package, silent)
    return LibraryDocs(site, database)


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
        (
            "def get_odd(\n    pipe: Pipe = Pipe(),\n) -> list[\n    int\n]:\n    # Split it\n    ",
            "get odd Split it",
        ),
        ("function getOdd(\n  pipe,\n) {\n  // Split it\n  ", "getOdd Split it"),
        ("def get_odd(pipe):\n    call(\n        pipe\n    )\n    # Split it\n    ", "Split it"),
        ("def get_odd(pipe):\n    x = 1\n    # Split it\n    ", "Split it"),
        ("# Split it\n\npipe = ", ""),
        ("def get_odd(pipe):\n    ", ""),
        ('text = """\n', ""),
        ('text = """send\nit"""\n', ""),
        ('def get_odd(pipe):\n    r"""Split it."""\n    ', "get odd Split it."),
        (
            "def f():\n" + '    """Split\n' + "    more\n" * 30 + '    it."""\n',
            "f Split" + " more" * 11,
        ),
        ("call(\n    *args,\n    **kwargs,\n    ", ""),
        ("#!/bin/python\n# -*- coding: utf-8 -*-\n# -----\n# type: ignore\n", ""),
        ("/**\n * Split it\n */\n", "Split it"),
        ("", ""),
    ],
)
def test_a_wish_is_what_is_said_right_above(before: str, wish: str) -> None:
    assert wish_above(before) == wish


def test_an_api_is_shown_as_its_users_call_it(docs: LibraryDocs) -> None:
    [block, *_] = docs.for_wish("split the pipe by a function", 5)
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
    names = [api.declaration.name for api in docs.found("splits a pipe by a function by hand")]
    assert names == ["Demultiplexer", "close", "split_by_hand"]
    assert docs.named("_split", "split") is None
    assert docs.named("test_split", "split") is None


def test_an_alias_is_that_of_its_own_module(tmp_path: Path) -> None:
    files = {
        "foo/__init__.py": "from foo.a import run as start\nfrom foo.b import Tap as _Tap\n",
        "foo/_own/__init__.py": "from foo._own.c import drip as flow\n",
        "foo/a.py": 'def run(x="a( b"):\n    """Runs."""\n',
        "foo/b.py": 'def run():\n    """Turns."""\nclass Tap:\n    """Drips."""\n    @property\n'
        '    def size(self) -> int:\n        """How large."""\n',
        "foo/_own/c.py": 'def drip():\n    """Leaks."""\n',
    }
    docs = docs_of("foo", write_files(tmp_path / "site", files), tmp_path)
    start, run = docs.named("start", "runs"), docs.named("run", "turns")
    assert start is not None
    assert run is not None
    assert docs.block(start, "").text == 'def start(x="a( b"):\n    """Runs."""\n'
    assert docs.block(run, "").text == 'def run():\n    """Turns."""\n'
    assert docs.for_wish("large size", 1)[0].text == (
        'class Tap:\n    @property\n    def size(self) -> int:\n        """How large."""\n'
    )
    assert docs.found("leaks") == []


def test_a_method_is_found_with_its_class(docs: LibraryDocs) -> None:
    [block] = docs.for_wish("end the pipe, give back all", 1)
    assert block.text == (
        "class Demultiplexer:\n"
        "    def close(self) -> None:\n"
        '        """Ends the pipe and gives back what it holds."""\n'
    )


def test_what_fits_nothing_finds_nothing(docs: LibraryDocs) -> None:
    assert docs.for_wish("of quite another thing", 5) == []


def test_of_several_libraries_those_with_more_of_the_wish_come_first() -> None:
    blocks = [
        CodeBlock("a.py", 1, "def post(letter): ..."),
        CodeBlock("b.py", 1, "def post(): ..."),
    ]
    assert fitting_first(reversed(blocks), "post the letter") == blocks
    assert fitting_first(reversed(blocks), "post") == blocks[::-1]


# Packages


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import numpy as np, os\nfrom plumbing.pipes import a\n", ["numpy", "plumbing"]),
        ("    import a.b as d, c # e\nfrom . import d\nfrom .e import f\n", ["a", "c"]),
        ("x = 'import y'\n# from z import w\n", []),
    ],
)
def test_the_packages_that_a_text_imports(text: str, names: list[str]) -> None:
    assert packages_of(text) == names


def test_packages_are_found_where_they_are_installed(tmp_path: Path) -> None:
    here = {"plumbing/__init__.py": "", "taps.py": "", "taps/data.txt": ""}
    first = write_files(tmp_path / "first" / "site-packages", here)
    there = {"plumbing/__init__.py": "", "drains/a.py": "", "real/__init__.py": ""}
    second = write_files(tmp_path / "second" / "dist-packages", there)
    worked_on = write_files(tmp_path / "work", {"roof/__init__.py": ""})
    (second / "linked").symlink_to(second / "real")
    folders = (str(worked_on), str(first), str(second))
    assert find_package("plumbing", folders) == Package("plumbing", first, first / "plumbing")
    assert find_package("taps", folders) == Package("taps", first, first / "taps.py")
    assert find_package("drains", folders) == Package("drains", second, second / "drains")
    for name in ("roof", "linked", "a" * 5_000):
        assert find_package(name, folders) is None
    modules = {"drains.a": 1, "taps": 2, "os.path": 9, "drains.b": 3, "roof": 7}
    found = imported_packages(modules, folders, 5)
    assert [package.name for package in found] == ["drains", "taps"]
    assert [package.name for package in imported_packages(modules, folders, 1)] == ["drains"]


def test_of_a_package_only_its_public_api_is_kept(tmp_path: Path) -> None:
    others = {
        "other/__init__.py": "def tap(): ...\n",
        "plumbing/secrets.py": "def key(): ...\n",
        "plumbing/static/app.js": "export function tap() {}\n",
    }
    site = write_files(tmp_path / "site", FILES | others)
    with closing(open_database(tmp_path / "index.sqlite")) as database:
        package = package_in(site, "plumbing")
        assert package is not None
        update_package(database, package, silent)
        names = {place.declaration.qualified for place in database.places(range(100))}
        assert names == {
            "DemultiplexerPipe",
            "DemultiplexerPipe.__init__",
            "DemultiplexerPipe.close",
            "split_by_hand",
            "Base",
            "Base.flush",
        }
        assert LibraryDocs(site, database).found("empties")[0].declaration.name == "flush"
        (site / "plumbing" / "pipes.py").unlink()
        update_package(database, package, silent)
        assert "plumbing/pipes.py" not in database.files()


def test_a_private_class_is_known_by_the_name_that_it_is_exported_by(tmp_path: Path) -> None:
    hidden = 'class {}:\n    def drip(self):\n        """Lets water {}."""\n'
    files = {
        "taps/__init__.py": "from taps._impl import _Tap as Tap\n",
        "taps/_impl.py": hidden.format("_Tap", "out") + hidden.format("_Other", "away"),
    }
    docs = docs_of("taps", write_files(tmp_path / "site", files), tmp_path)
    assert [api.declaration.qualified for api in docs.found("let water out")] == ["Tap.drip"]
    assert docs.for_wish("let water out", 1)[0].text.startswith("class Tap:\n")
    named = docs.named("Tap", "")
    assert named is not None
    assert named.declaration.qualified == "Tap"


def test_stubs_that_others_wrote_are_of_the_package(tmp_path: Path) -> None:
    join = 'def join(*pipes: Pipe) -> Pipe:\n    """Solders."""\n'
    stubs = {"plumbing-stubs/pipes.pyi": join, "drains-stubs/__init__.pyi": join}
    docs = docs_of("plumbing", write_files(tmp_path / "site", FILES | stubs), tmp_path)
    [block] = docs.for_wish("solder them", 1)
    assert (block.path, block.text) == ("plumbing-stubs/pipes.pyi", join)
    (tmp_path / "alone").mkdir()
    alone = docs_of("drains", tmp_path / "site", tmp_path / "alone")
    assert alone.for_wish("solder them", 1)[0].text == join


def test_a_package_is_read_again_once_something_is_installed(tmp_path: Path) -> None:
    site = write_files(tmp_path / "site", {"plumbing/a/b.py": "def tap(): ...\n"})
    package = package_in(site, "plumbing")
    assert package is not None
    with closing(open_database(tmp_path / "index.sqlite")) as database:

        def known() -> set[str]:
            update_package(database, package, silent)
            return set(database.files())

        assert known() == {"plumbing/a/b.py"}
        write_files(site, {"plumbing/a/c.py": ""})
        assert known() == {"plumbing/a/b.py"}
        write_files(site, {"plumbing-2.0.dist-info/METADATA": ""})
        assert known() == {"plumbing/a/b.py", "plumbing/a/c.py"}


def test_a_package_of_one_file_is_that_file(tmp_path: Path) -> None:
    site = write_files(tmp_path / "site", {"taps.py": "def turn(): ...\n", "taps2.py": ""})
    with closing(open_database(tmp_path / "index.sqlite")) as database:
        update_package(database, Package("taps", site, site / "taps.py"), silent)
        assert set(database.files()) == {"taps.py"}
