"""Which name of a text is found wrong; `▮` is the cursor, and what follows it was written."""

from pathlib import Path

import pytest
from tree_sitter import Parser

from completion.covers import open_end, text_known
from completion.monitors.bindings import EVERYWHERE, names_in, names_in_scope
from completion.monitors.monitors import Monitors
from completion.values import CompletionRequest
from models.language_model import LanguageModel
from retrieval.grammars import PYTHON
from tests.unit.analysts import ScriptedAnalyst
from tests.unit.completion_helpers import at, load_tiny_model, write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


def wrong_name(
    model: LanguageModel, text: str, analyst: ScriptedAnalyst, after: str = "", *, ended: bool
) -> tuple[str, set[str]] | None:
    """The name, and those that exist."""
    before, written = text.split("▮")
    request: CompletionRequest = at(f"{before}▮{after}")
    end = open_end(model.tokenizer, before)
    watch = Monitors(model.tokenizer, analyst, seconds=5).watch(
        request, request, text_known(model.tokenizer, before, end)
    )
    rewritten = model.tokenizer.spelled(end.rewritten).decode()
    found = watch.find_wrong(watch.line + (rewritten + written).encode(), ended=ended)
    if found is None:
        return None
    assert found.before.decode().endswith(tuple("(, .=[\t\n"))
    return found.name.decode(), {name.decode() for name in found.existing}


@pytest.mark.parametrize(
    ("text", "ended", "wrong"),
    [
        ("return self.▮total", True, "total"),
        ("return self.▮total", False, None),  # who knows what follows
        ("return self.▮total + 1", False, "total"),
        ("return self.▮x + self.total ", False, "total"),
        ("return self.to▮tal ", False, None),  # nothing that exists begins so
        ("return self.x▮y ", False, "xy"),
        ("return self.total▮ + 1", False, None),  # typed by hand
        ("self.▮total", True, None),  # may be made
        ("self.▮total = 1", True, None),
        ("self.▮total(1)", False, "total"),
        ("x, self.▮total = 1, 2", True, None),
        ("x = self.▮total = 1", True, None),
        ("for self.▮total in []:", True, None),
        ("with x as self.▮total:", True, None),
        ("def f(self):\n    ▮self.total, y = 1, 2\n    x = self.total + 1", True, None),
        ("x = 1#self.▮total + 1", True, None),
        ("x = self.▮__dict__ ", True, None),
        ("import ▮json", True, "json"),
        ("import ▮os\nimport json\n", False, "json"),
    ],
)
def test_attributes_and_imports(
    model: LanguageModel, text: str, ended: bool, wrong: str | None
) -> None:
    analyst = ScriptedAnalyst({"self.": "x first", "import ": "os sys"})
    found = wrong_name(model, text, analyst, ended=ended)
    assert (found and found[0]) == wrong


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("    ▮return totl", "totl"),
        ("    ▮return total", None),
        ("    total = ▮first + secnd", "secnd"),
        ("    ▮for item in total:\n        print(item)\n", None),
        ("    ▮print([item for item in total])", None),
        ("    ▮print(lambda item: item)", None),
        ("    ▮with open(total) as item:\n        item.read()", None),
        ("    ▮total(item=1)", None),
        ("    ▮first.secnd.thrd", None),
        ("    tot▮l", None),  # a whole statement that reads nothing
        ("    ▮return totl(", None),  # cut off
        ("    print(nothing)▮; print(total)", None),  # typed by hand
        ("    print(nothing, ▮nobody)", "nobody"),
        ("print(\n    ▮item", None),  # `for item in total` may follow
        ("x = 1 + \\\n    2 + ▮item", None),
        ('"""\n▮return item', None),
        ("▮\n    return total", None),
        ("▮# more\n    return total", None),
        ("    ▮from math import *\n    return item", None),
        ("    ▮globals()['item'] = 1\n    return item", None),
        ("    ▮return größer", None),
        ("    ▮return _('item')", None),
    ],
)
def test_statements_read_what_is_in_scope(
    model: LanguageModel, text: str, wrong: str | None
) -> None:
    text = "first = 1\ndef f(total):\n" + text
    found = wrong_name(model, text, ScriptedAnalyst({}), "\n    last = 1\n", ended=True)
    assert (found and found[0]) == wrong
    if found is not None:
        assert {"total", "first", "last", "f", "print"} <= found[1]


def test_a_statement_is_judged_when_its_line_is_over(model: LanguageModel) -> None:
    analyst = ScriptedAnalyst({})
    for text, wrong in (("    ▮return item", None), ("    ▮return item\n", "item")):
        found = wrong_name(model, text, analyst, ended=False)
        assert (found and found[0]) == wrong
    assert wrong_name(model, "print(▮item", analyst, ")\n", ended=True) is not None


def in_scope(text: str) -> set[str] | None:
    """What the text itself brings to where it is marked."""
    before, after = (part.encode() for part in text.split("▮"))
    whole = before + b"pass" + after
    found = names_in_scope(whole, Parser(PYTHON).parse(whole).root_node, len(before))
    return None if found is None else {name.decode() for name in found - EVERYWHERE}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import a.b, c as d\nfrom e.f import g as h, i\n▮\n", "a b c d g h i"),
        ("a = 1\ndef f(b, *c, d=1, **e):\n    ▮\n    g = 1\n", "a f b c d e g"),
        ("def f(a):\n    def g(b):\n        ▮\n    c = 1\n", "f g a b c"),
        ("class A:\n    b = 1\n    def f(self):\n        ▮\n    c = 1\n", "A f self"),
        ("class A:\n    b = 1\n    ▮\n    def f(self): ...\n", "A b f"),
        ("def f():\n    a = 1\n▮\n", "f"),
        ("if 1:\n    ▮\n    a = 1\nelse:\n    b = 1\n", "a b"),
        ("def f():\n    global a, b\n    a = b = 1\n\n▮\n", "f a b"),
        ("try:\n    ▮\nexcept E as e:\n    pass\nfor i, (j, k) in l: ...\n", "e i j k"),
        ("with a as (b, c):\n    ▮\n[d for d in e]\n", "b c"),
        ("def f(): global a\nif 1: global b, \\\n    c\n▮\n", "a b c"),
        ("class A[T]:\n    def f[U](self):\n        ▮\n", "A T U f self"),
    ],
)
def test_what_is_in_scope(text: str, names: str) -> None:
    found = in_scope(text)
    assert found is not None
    assert found >= set(names.split())
    assert not found & {"nobody", "E", "l", "last", "e2"}


@pytest.mark.parametrize(
    "text",
    [
        "from a import *\n▮\n",
        "exec(a)\n▮\n",
        "def f(:\n    ▮\n",
        "globals()['a'] = 1\n▮\n",
        "from a import \\\n  *\n▮\n",
        "g = globals\n▮\n",
        "setattr(sys.modules[__name__], a, 1)\n▮\n",
    ],
)
def test_texts_that_do_not_show_all_names(text: str) -> None:
    assert in_scope(text) is None


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("open(▮path=1", "path"),
        ("open(▮file=1, mod=2", "mod"),
        ("open(▮file == 1", None),
        ("open(path=▮1", None),  # typed by hand
        ("open(pa▮th=1", None),  # nothing that it takes begins so
        ("def open(▮path=1", None),
        ("open(lambda x, path=▮1: x", None),
        ("(▮path = 1", None),
        ("open([▮path==1, path", None),
        ("print(open(▮path=1", "path"),
        ("other(▮path=1", None),
        ("x = ▮'open(path=1'", None),
        ("case open(▮path=1", None),
        ("case [open(▮path=1", None),
        ("def größe_open(▮path=1", None),
        ("def open[T](▮path=1", None),
    ],
)
def test_keywords_that_a_call_does_not_take(
    model: LanguageModel, text: str, wrong: str | None
) -> None:
    analyst = ScriptedAnalyst({}, {"open(": "file mode", "open(file=1, ": "file mode"})
    found = wrong_name(model, text, analyst, ended=False)
    assert (found and found[0]) == wrong
    if found is not None:
        assert "file" in found[1] or "file=" in text


@pytest.mark.parametrize(
    ("text", "read", "bound"),
    [
        ("x = [i.a for i in items if i.b]", "i items i", "i x"),
        ("return foo(bar, k=baz)", "foo bar baz", ""),
        ("for a, b in z:\n    print(a, c)\n", "z print a c", "a b"),
        ("    with open(p) as (q, r): pass\n", "open p", "q r"),
        ("def f(a=b, *c): return a", "b a", "a c f"),
        ("lambda u, v=w: u + t", "w u t", "u v"),
        ("f'{n!r}'", "n", ""),
        ("x.y, z[i] = w", "x z i w", ""),
        ("from a.b import c as d", "", "c d"),
        ("(n := m)", "m", "n"),
        ("match a:\n    case P(x=y, z=(v, w)): pass", "", "a P x y z v w"),
    ],
)
def test_names_that_are_read_and_names_that_are_bound(text: str, read: str, bound: str) -> None:
    found = names_in(text.encode())
    assert found is not None
    assert [one.name.decode() for one in found.read] == read.split()
    assert {name.decode() for name in found.bound} == set(bound.split())
    for one in found.read:
        assert text.encode()[one.start :].startswith(one.name)


@pytest.mark.parametrize("text", ["x = (a,", "except E:", "return return"])
def test_nothing_is_said_of_what_is_no_statement(text: str) -> None:
    assert names_in(text.encode()) is None
