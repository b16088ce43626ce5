"""What jedi's answers say about a place, and when they count as complete.

`▮` marks the place in each example. A name that exists must never be missing from a complete list.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import jedi
import parso.cache
import pytest

from retrieval.analyst import jedi_answers
from retrieval.analyst.questions import STAND_IN, Answer, Question, Wanted
from retrieval.analyst.search_path import environment_folders, standard_library
from retrieval.index.declarations import Kind

SEARCH_PATH = (*standard_library(), *environment_folders(None))


@dataclass
class Workspace:
    """A folder of modules, and questions about one more file in it."""

    root: Path

    def write(self, **modules: str) -> None:
        for name, text in modules.items():
            path = self.root.joinpath(*name.split("__")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))

    def ask(self, text: str, wanted: Wanted = Wanted.NAMES) -> Answer | None:
        before, after = dedent(text).split("▮")
        path = str(self.root / "asked.py")
        asked = Question(path, str(self.root), before, after, wanted)
        found: Answer | None = jedi_answers.answer(asked, SEARCH_PATH)
        return found

    def names(self, text: str) -> frozenset[str]:
        answer = self.ask(text)
        assert answer is not None
        return answer.names

    def kinds(self, text: str) -> Mapping[str, Kind]:
        answer = self.ask(text)
        assert answer is not None
        return answer.kinds

    def is_complete(self, text: str) -> bool:
        answer = self.ask(text)
        assert answer is not None
        return answer.complete


@pytest.fixture(scope="module", autouse=True)
def _as_in_the_worker() -> Iterator[None]:
    kept = {name: getattr(jedi.settings, name) for name in jedi_answers.SETTINGS}
    jedi_answers.isolate()
    yield
    for name, value in kept.items():
        setattr(jedi.settings, name, value)
    parso.cache.parser_cache.clear()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


POINT = """
    class Point:
        limit = 3
        def __init__(self, x: int) -> None:
            self.x = x
        def move(self) -> None:
            self.moved = True
        @property
        def size(self) -> int:
            return 1
    """


def test_attributes_of_an_instance_wherever_they_are_assigned(workspace: Workspace) -> None:
    answer = workspace.ask(dedent(POINT) + "p = Point(1)\nprint(p.▮)\n")
    assert answer is not None
    assert {"limit", "x", "move", "moved", "size", "__class__"} <= answer.names
    assert answer.complete


def test_what_attributes_are(workspace: Workspace) -> None:
    kinds = workspace.kinds(dedent(POINT) + "p = Point(1)\nprint(p.▮)\n")
    known = {"limit": Kind.PROPERTY, "x": Kind.PROPERTY, "move": Kind.METHOD}
    assert known | {"size": Kind.PROPERTY} == {name: kinds[name] for name in (*known, "size")}


def test_what_a_class_says_goes_for_those_that_inherit_from_it(workspace: Workspace) -> None:
    text = """
        class Base:
            size = 1
            def grow(self): ...
            class Part: ...
        class Box(Base):
            @property
            def grow(self): ...
            def size(self): ...
        Box().▮
        """
    kinds = workspace.kinds(text)
    assert (kinds["size"], kinds["grow"]) == (Kind.METHOD, Kind.PROPERTY)
    assert kinds["Part"] is Kind.CLASS


def test_what_a_module_has_is_known_but_for_what_it_takes_from_others(workspace: Workspace) -> None:
    module = "import os\nfrom json import dumps\nlimit = 1\nclass Box: ...\ndef pack(): ...\n"
    workspace.write(shop__boxes=module, shop____init__="")
    known = {"Box": Kind.CLASS, "pack": Kind.FUNCTION, "limit": Kind.VARIABLE, "os": Kind.MODULE}
    for text in ("import shop.boxes\nshop.boxes.▮", "from shop.boxes import ▮"):
        answer = workspace.ask(text)
        assert answer is not None
        assert "dumps" in answer.names
        assert known.items() <= answer.kinds.items()
        assert "dumps" not in answer.kinds
    assert workspace.kinds("from shop import ▮")["boxes"] is Kind.MODULE


def test_what_values_of_libraries_have(workspace: Workspace) -> None:
    kinds = workspace.kinds("import pathlib\npathlib.Path().▮")
    assert (kinds["open"], kinds["name"]) == (Kind.METHOD, Kind.PROPERTY)
    kinds = workspace.kinds("import os\nos.▮")  # whose stub has what its source takes from others
    assert (kinds["getpid"], kinds["sys"]) == (Kind.FUNCTION, Kind.MODULE)
    assert workspace.kinds("import enum\nclass E(enum.Enum):\n    A = 1\nE.▮")["A"] is Kind.PROPERTY


def test_attributes_assigned_below_the_cursor(workspace: Workspace) -> None:
    text = """
        class Point:
            def size(self) -> int:
                return self.▮
            def grow(self) -> None:
                self.grown = 1
        """
    assert "grown" in workspace.names(text)
    assert workspace.is_complete(text)


def test_private_names_inside_and_outside_of_their_class(workspace: Workspace) -> None:
    inside = "class A:\n    def __init__(self):\n        self.__x = self._y = 1\n    def f(self):\n"
    assert {"__x", "_y"} <= workspace.names(inside + "        return self.▮\n")
    assert "_y" in workspace.names(inside + "        pass\nprint(A().▮)\n")


@pytest.mark.parametrize(
    "text",
    [
        "from nowhere import Base\nclass A(Base):\n    pass\nprint(A().▮)",
        "import nowhere\nclass A(nowhere.Base):\n    def f(self):\n        return self.▮",
        "class A:\n    def __getattr__(self, name):\n        return 1\nprint(A().▮)",
        "class A:\n    def __getattribute__(self, name):\n        return 1\nprint(A().▮)",
        "class M(type):\n    def __getattr__(cls, n): ...\nclass A(metaclass=M): ...\nprint(A.▮)",
        "from nowhere import M\nclass A(metaclass=M): ...\nprint(A.▮)",
        "class A:\n    def __init__(self, **k):\n        self.__dict__.update(k)\nprint(A().▮)",
        "class A:\n    def f(self, n):\n        setattr(self, n, 1)\nprint(A().▮)",
        "class A: ...\nfor n in 'ab':\n    setattr(A, n, 1)\nprint(A().▮)",
        "from nowhere import change\n@change\nclass A: ...\nprint(A().▮)",
        "bases = (int,)\nclass A(*bases): ...\nprint(A().▮)",
        "import types\nprint(types.SimpleNamespace(a=1).▮)",
        "import argparse\nprint(argparse.ArgumentParser().parse_args().▮)",
        "import unittest.mock\nprint(unittest.mock.MagicMock().▮)",
        "def f(): ...\nf.calls = 0\nprint(f.▮)",
        "def f(x: object):\n    return x.▮",
    ],
)
def test_classes_with_names_that_no_listing_shows(workspace: Workspace, text: str) -> None:
    assert not workspace.is_complete(text)


@pytest.mark.parametrize(
    "text",
    [
        "print(unknown.▮)",
        "def f(x):\n    return x.▮",
        "def f(x=None):\n    return x.▮",
        "def f(x: 'Unknown | None'):\n    return x.▮",
        "from nowhere import T\ndef f(x: T | str):\n    return x.▮",
        "from typing import Any, Optional\ndef f(x: Optional[Any]):\n    return x.▮",
        "from nowhere import g\nx = g() or ''\nprint(x.▮)",
        "from nowhere import g\nx = '' if 1 else g()\nprint(x.▮)",
        "from nowhere import g\ndef f():\n    if 1:\n        return ''\n    return g()\nf().▮",
        "from nowhere import g\nx = None\nfor _ in '':\n    x = g()\nprint(x.▮)",
        "from nowhere import deco\n@deco\ndef f() -> str: ...\nprint(f().▮)",
        "from nowhere import g\nclass A:\n    def __enter__(self):\n        return '' or g()\n"
        "    def __exit__(self, *_): ...\nwith A() as a:\n    a.▮",
        "from nowhere import E\ntry:\n    pass\nexcept (OSError, E) as error:\n    error.▮",
        "import ast\ndef f(x: ast.AST):\n    if isinstance(x, ast.Name):\n        return x.▮",
        "class A:\n    def __init__(self):\n        self.x = None\n    def f(self):\n"
        "        return self.x.▮\n    def g(self, x):\n        self.x = x",
    ],
)
def test_values_that_jedi_knows_only_in_part(workspace: Workspace, text: str) -> None:
    assert not workspace.is_complete(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("def f(x: str | None = None):\n    return x.▮", "upper"),
        ("from typing import Optional\ndef f(x: Optional[str]):\n    return x.▮", "upper"),
        ("def f(x: int | str):\n    return x.▮", "bit_length"),
        ("def f(x: 'A'):\n    return x.▮\nclass A:\n    later = 1", "later"),
        ("''.▮", "join"),
        ("x = [1]\nx.▮", "append"),
        ("import os\nos.path.▮", "join"),
        ("import os\nos.environ.▮", "get"),
        ("try:\n    pass\nexcept OSError as error:\n    error.▮", "errno"),
        (
            "class A:\n    def __enter__(self):\n        return self\n"
            "    def __exit__(self, *_): ...\n"
            "with A() as a:\n    a.▮",
            "__exit__",
        ),
        ("x = 1\r\ntext = ''\rtext.▮", "join"),
        ("def f() -> str: ...\nf().▮", "upper"),
        ("def f():\n    return ''\nf().▮", "upper"),
        ("def f(*names):\n    return names.▮", "count"),
        ("from enum import Enum\nclass E(Enum):\n    RED = 1\nE.▮", "RED"),
        ("from enum import Enum\nclass E(Enum):\n    RED = 1\nE.RED.▮", "value"),
        (
            "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass A:\n"
            "    near: int\nA(1).▮",
            "near",
        ),
        ("from typing import NamedTuple\nclass A(NamedTuple):\n    near: int\nA(1).▮", "near"),
        ("from typing import NamedTuple\nclass A(NamedTuple):\n    near: int\nA(1).▮", "count"),
        ("import abc\nclass A(abc.ABC):\n    near = 1\nA().▮", "near"),
        ("class A:\n    @classmethod\n    def make(cls):\n        return cls.▮\n    b = 1", "b"),
        ("import numpy as np\nnp.▮", "zeros"),
    ],
)
def test_complete_answers_hold_the_name(workspace: Workspace, text: str, name: str) -> None:
    answer = workspace.ask(text)
    assert answer is not None
    assert name in answer.names
    assert answer.complete


RECORDS = """
    from typing import TYPE_CHECKING, Any, Callable, TypeVar, dataclass_transform

    T = TypeVar("T")

    @dataclass_transform()
    class Meta(type):
        if not TYPE_CHECKING:
            def __getattr__(self, name): ...

    class Record(metaclass=Meta):
        def __init__(self, **values):
            self.__dict__.update(values)
        if TYPE_CHECKING:
            kind: str
        else:
            def __getattr__(self, name): ...

    class Kept:
        near = 1
        def __getstate__(self):
            return self.__dict__.copy()
        def __setstate__(self, state):
            for name, value in state.items():
                setattr(self, name, value)

    def as_it_is(cls: T) -> T: ...
    def class_as_it_is(cls: type[T]) -> type[T]: ...
    def labelled(label: str) -> Callable[[T], T]: ...
    def replaced(cls: T) -> Any: ...
    def number(cls: int) -> int: ...
    """


@pytest.mark.parametrize(
    "text",
    [
        "class A(Record):\n    near: int\nA(near=1).▮",
        "class A(Record):\n    near: int\nA.▮",
        "Kept().▮",
        "@as_it_is\nclass A:\n    near = 1\nA().▮",
        "@class_as_it_is\nclass A:\n    near = 1\nA().▮",
        "@labelled('a')\nclass A:\n    near = 1\nA().▮",
    ],
)
def test_attributes_that_a_library_declares(workspace: Workspace, text: str) -> None:
    """What it hides from type checkers is nothing to rely on."""
    workspace.write(records=RECORDS)
    answer = workspace.ask(f"from records import *\n{text}")
    assert answer is not None
    assert "near" in answer.names
    assert answer.complete


@pytest.mark.parametrize(
    "text",
    [
        "class A(Record):\n    def f(self, name):\n        setattr(self, name, 1)\nA().▮",
        "class A(Record):\n    def __getattr__(self, name): ...\nA().▮",
        "class A(Kept):\n    def f(self, all):\n        self.__dict__ = all\nA().▮",
        "@replaced\nclass A: ...\nA().▮",
        "@number\nclass A: ...\nA().▮",
        "@as_it_is('a')\nclass A: ...\nA().▮",
        "def add(cls: T) -> T:\n    cls.extra = 1\n    return cls\n@add\nclass A: ...\nA.▮",
        "class A(Record):\n    def __init_subclass__(cls):\n        setattr(cls, n, 1)\n"
        "class B(A): ...\nB.▮",
    ],
)
def test_attributes_that_nobody_declares(workspace: Workspace, text: str) -> None:
    workspace.write(records=RECORDS)
    assert not workspace.is_complete(f"from records import *\n{text}")


def test_a_name_that_the_file_itself_uses_speaks_against_a_list(workspace: Workspace) -> None:
    mixin = """
        class Mixin:
            def first(self) -> int:
                return self.▮
            def second(self) -> int:
                return self.comes_from_elsewhere
        """
    assert not workspace.is_complete(mixin)


def test_a_statement_that_begins_with_self_is_answered_for_reading(workspace: Workspace) -> None:
    text = "class A:\n    def f(self) -> None:\n        self.▮\n    def g(self): ...\n"
    assert "g" in workspace.names(text)
    assert workspace.is_complete(text)


@pytest.mark.parametrize("text", ["p.parent.▮", "p.with_suffix('').▮", "(p / 'a').▮"])
def test_what_gives_its_own_kind_may_give_a_narrower_one(workspace: Workspace, text: str) -> None:
    """It is written for the class that all paths inherit from, which lacks `mkdir`."""
    start = "from pathlib import Path\n\n\ndef f(p: Path) -> None:\n    "
    assert not workspace.is_complete(start + text)


def test_operators_of_what_the_language_has_itself(workspace: Workspace) -> None:
    assert workspace.is_complete("('a' + 'b').▮")
    assert workspace.is_complete("x = 1\ny = x * 2\ny.▮")


def test_modules_of_the_workspace(workspace: Workspace) -> None:
    workspace.write(
        plain="first = 1\n_second = 2\ndef third(): ...\nif first:\n    fourth = 4\n",
        dynamic="def __getattr__(name):\n    return 1\n",
        written="for n in 'ab':\n    globals()[n] = 1\n",
        star="from plain import *\n",
        lost="from nowhere import *\n",
    )
    assert {"first", "_second", "third", "fourth"} <= workspace.names("import plain\nplain.▮")
    assert workspace.is_complete("import plain\nplain.▮")
    assert "third" in workspace.names("import star\nstar.▮")
    assert workspace.is_complete("import star\nstar.▮")
    for module in ("dynamic", "written", "lost"):
        assert not workspace.is_complete(f"import {module}\n{module}.▮")
        assert not workspace.is_complete(f"from {module} import ▮")


def test_a_text_that_was_asked_about_is_not_taken_for_the_file(workspace: Workspace) -> None:
    workspace.write(plain="first = 1\n\ndef second(): ...\n")
    plain = str(workspace.root / "plain.py")
    asked = Question(plain, str(workspace.root), "first = 1\nfirst.", "", Wanted.NAMES)
    assert jedi_answers.answer(asked, SEARCH_PATH) is not None
    names = workspace.names("import plain\nplain.▮")
    assert {"first", "second"} <= names
    assert STAND_IN not in names


def test_packages_and_namespace_packages(workspace: Workspace) -> None:
    workspace.write(pack____init__="here = 1\n", pack__part="inside = 1\n", space__part="x = 1\n")
    (workspace.root / "pack").mkdir(exist_ok=True)
    (workspace.root / "pack/__init__.py").write_text("here = 1\n")
    assert {"here", "part"} <= workspace.names("from pack import ▮")
    assert workspace.names("from pack import here, ▮") >= {"part"}
    assert "inside" in workspace.names("from pack.part import (\n    ▮")
    assert "part" in workspace.names("import pack.▮")
    assert "part" in workspace.names("from space import ▮")
    assert not workspace.is_complete("from space import ▮")


def test_top_level_modules_are_never_all(workspace: Workspace) -> None:
    workspace.write(own="")
    for text in ("import ▮", "from ▮", "import os, ▮"):
        assert {"own", "json"} <= workspace.names(text)
        assert not workspace.is_complete(text)


@pytest.mark.parametrize("text", ["x = 'a.▮'", "# os.▮", "'''\nos.▮\n'''", "x = ▮"])
def test_nothing_is_said_where_no_attribute_or_import_is_named(
    workspace: Workspace, text: str
) -> None:
    assert workspace.ask(text) is None


@pytest.mark.parametrize(
    ("text", "keywords", "positional", "any_keyword", "any_positional"),
    [
        ("def f(a, b=1, *, c=2): ...\nf(▮)", {"a", "b", "c"}, 2, False, False),
        ("def f(a, /, *rest, **more): ...\nf(1, ▮", set(), 1, True, True),
        ("class A:\n    def __init__(self, a): ...\nA(▮)", {"a"}, 1, False, False),
        ("class A:\n    def f(self, a): ...\nA().f(▮)", {"a"}, 1, False, False),
        (
            "from dataclasses import dataclass\n@dataclass\nclass A:\n    a: int\n    b: int\nA(▮",
            {"a", "b"},
            2,
            False,
            False,
        ),
    ],
)
def test_what_a_call_takes(
    workspace: Workspace,
    text: str,
    keywords: set[str],
    positional: int,
    any_keyword: bool,
    any_positional: bool,
) -> None:
    answer = workspace.ask(text, Wanted.CALL)
    assert answer is not None
    assert answer.call is not None
    assert answer.call.keywords == keywords
    assert answer.call.positional == positional
    assert answer.call.any_keyword is any_keyword
    assert answer.call.any_positional is any_positional
    assert answer.complete


@pytest.mark.parametrize(
    "text",
    [
        "from nowhere import deco\n@deco\ndef f(a): ...\nf(▮)",
        "from nowhere import Base\nclass A(Base):\n    ...\nA(▮)",
        "class M(type):\n    def __call__(cls, z): ...\nclass A(metaclass=M):\n    ...\nA(▮)",
        "def d(a): ...\ndef f(cb=d):\n    return cb(▮)",
        "def d(a): ...\ncb = load()\nif not cb:\n    cb = d\ncb(▮)",
        "try:\n    from fast import f\nexcept ImportError:\n    def f(a): ...\nf(▮)",
        "def f(a): ...\ndef g(x):\n    global f\n    f = x\nf(▮)",
        "def f(a): ...\nD = {'f': f}\nD[k](▮)",
        "if x:\n    def f(a, b): ...\nelse:\n    def f(a): ...\nf(▮)",
        "import attr\n@attr.define\nclass A:\n    _x: int\nA(▮)",
        "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\n"
        "    def __init__(self, q): ...\nA(▮)",
        "class A:\n    def __init__(self, a): ...\nclass B(A):\n    def __new__(cls, q): ...\nB(▮)",
        "from functools import partial\ndef f(a, b): ...\np = partial(f, a=1)\np(▮)",
    ],
)
def test_calls_that_may_take_more(workspace: Workspace, text: str) -> None:
    answer = workspace.ask(text, Wanted.CALL)
    assert answer is None or not answer.complete


def test_keywords_that_are_passed_on_may_be_used_before(workspace: Workspace) -> None:
    text = "def g(a): ...\ndef f(x, **more):\n    more.pop('b')\n    return g(x, **more)\nf(▮)"
    answer = workspace.ask(text, Wanted.CALL)
    assert answer is not None
    assert answer.call is not None
    assert answer.call.any_keyword


def test_a_class_has_what_its_metaclass_has(workspace: Workspace) -> None:
    text = "class M(type):\n    def made(cls): ...\nclass A(metaclass=M): ...\nA.▮"
    assert "made" in workspace.names(text)


def test_slots_are_attributes(workspace: Workspace) -> None:
    text = "class A:\n    __slots__ = ('x', 'far')\n    def f(self):\n        return self.▮\n"
    assert {"x", "far"} <= workspace.names(text)


def test_a_class_whose_bases_break_off_is_open(workspace: Workspace) -> None:
    answer = workspace.ask("import socket\ns = socket.socket()\ns.▮")
    assert answer is not None
    assert "connect" in answer.names or not answer.complete


def test_no_call_is_open(workspace: Workspace) -> None:
    assert workspace.ask("x = ▮", Wanted.CALL) is None


def test_half_a_line_in_the_middle_of_a_broken_file(workspace: Workspace) -> None:
    text = """
        def f(text: str):
            if text.startswith(text.▮
            for x in
        def g( :
            return 1
        """
    assert "upper" in workspace.names(text)
