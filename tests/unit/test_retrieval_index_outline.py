"""What a file declares, imports and calls: each language beside what is read of it."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import dedent

import pytest

from retrieval.index.declarations import Declaration, Import, Kind, Outline
from retrieval.index.outline import outline_of

ROOT = Path(__file__).resolve().parents[2]


def outline(path: str, text: str) -> Outline:
    found = outline_of(path, dedent(text).encode())
    assert found is not None
    return found


def declared(path: str, text: str) -> list[str]:
    """Kind, qualified name and signature of each declaration but the module's."""
    return [
        f"{one.kind} {one.qualified}: {one.signature}"
        for one in outline(path, text).declarations[1:]
    ]


def only(path: str, text: str, name: str) -> Declaration:
    [found] = [one for one in outline(path, text).declarations[1:] if one.qualified == name]
    return found


PYTHON = '''
    """Invoices."""
    import decimal as d
    RATE: float = 0.2
    low, high = 1, 2

    @dataclass(frozen=True)
    class Invoice(Base, metaclass=Meta):
        """What is owed."""

        total: int
        LIMIT = 3

        @property
        async def levy(self, rate: float = 2, *rest: str) -> int:
            """The tax
            on it."""
            def inner() -> None: ...

        class Line:
            @staticmethod
            def parse(text): return text

    if True:
        def conditional(): pass
    else:
        class Other: pass
    invoice.total = 3
'''


def test_python() -> None:
    assert declared("shop/invoices.py", PYTHON) == [
        "variable RATE: RATE: float = 0.2",
        "variable low: low, high = 1, 2",
        "variable high: low, high = 1, 2",
        "class Invoice: class Invoice(Base, metaclass=Meta)",
        "variable Invoice.total: total: int",
        "variable Invoice.LIMIT: LIMIT = 3",
        "method Invoice.levy: @property async def levy(self, rate: float = 2, *rest: str) -> int",
        "class Invoice.Line: class Line",
        "method Invoice.Line.parse: @staticmethod def parse(text)",
        "function conditional: def conditional()",
        "class Other: class Other",
    ]


def test_the_module_comes_first() -> None:
    module = outline("shop/invoices.py", PYTHON).declarations[0]
    assert (module.kind, module.name, module.qualified) == ("module", "invoices", "shop.invoices")
    assert (module.doc, module.first_line, module.last_line) == ("Invoices.", 1, 28)
    assert outline("shop/__init__.py", "").declarations[0].qualified == "shop"


def test_docstrings_and_lines() -> None:
    levy = only("a.py", PYTHON, "Invoice.levy")
    assert (levy.doc, levy.first_line, levy.last_line) == ("The tax\non it.", 14, 18)
    assert only("a.py", PYTHON, "Invoice").doc == "What is owed."
    assert only("a.py", "def f():\n    r'''One.'''", "f").doc == "One."
    assert only("a.py", "def f():\n    f'{x}'.g()", "f").doc == ""


def test_the_body_of_a_function_is_all_but_its_docstring() -> None:
    python = 'def f(a):\n    """Doc."""\n    # why\n    return g(a)\n\n\nclass A:\n    x = 1\n'
    assert only("a.py", python, "f").body.split() == ["#", "why", "return", "g(a)"]
    assert only("a.py", python, "A").body == ""
    assert "send(a)" in only("a.ts", "const f = (a) => { send(a) }", "f").body


def test_typescript() -> None:
    text = """
        /** Asks. */
        export default class Client<T> extends Base implements Plain {
            static limit = 3
            private key: string
            constructor(private url: string) { super() }
            get name(): string { return "" }
            send = async (body: T): Promise<void> => { await 1 }
            #hidden() {}
        }
        export interface Plain { f(x: number): string; size?: number }
        export type Pair = { a: number }
        export enum Color { Red, Green = 2 }
        export const make = (a: number): Client<number> => new Client(a)
        const { x, y } = make(1)
        let first = 1, second = function (a) {}
        export function* walk<T>(from: T): Iterable<T> {}
        declare function known(x: number): void
        namespace Inner { export function g() {} }
    """
    assert declared("a.ts", text) == [
        "class Client: export default class Client<T> extends Base implements Plain",
        "variable Client.limit: static limit = 3",
        "variable Client.key: private key: string",
        "method Client.constructor: constructor(private url: string)",
        "method Client.name: get name(): string",
        "method Client.send: send = async (body: T): Promise<void>",
        "class Plain: export interface Plain",
        "method Plain.f: f(x: number): string",
        "variable Plain.size: size?: number",
        "class Pair: export type Pair = { a: number }",
        "class Color: export enum Color",
        "variable Color.Red: Red",
        "variable Color.Green: Green = 2",
        "function make: export const make = (a: number): Client<number>",
        "variable first: let first = 1, second = function (a) {}",
        "function second: let first = 1, second = function (a)",
        "function walk: export function* walk<T>(from: T): Iterable<T>",
        "function known: declare function known(x: number): void",
        "class Inner: namespace Inner",
        "method Inner.g: export function g()",
    ]
    assert only("a.ts", text, "Client").doc == "Asks."


def test_go() -> None:
    text = """
        // Copyright.

        // Package shop sells.
        package shop

        // MaxSize is a limit.
        const MaxSize = 3
        const (
            // A is first.
            A = iota
            B
        )
        var V, W int = 1, 2
        type Item struct { Name string; A, B int }
        type (
            Seller interface { Sell(a int) error }
            Alias = Item
        )
        // Do does.
        func (i *Item) Do(a int, b ...string) (int, error) { return 0, nil }
        func (s Set[K]) Add(k K) {}
        func Map[K any](k K) K { return k }
    """
    assert declared("a.go", text) == [
        "variable MaxSize: const MaxSize = 3",
        "variable A: const A = iota",
        "variable B: const B",
        "variable V: var V, W int = 1, 2",
        "variable W: var V, W int = 1, 2",
        "class Item: type Item struct { Name string; A, B int }",
        "variable Item.Name: Name string",
        "variable Item.A: A, B int",
        "variable Item.B: A, B int",
        "class Seller: type Seller interface { Sell(a int) error }",
        "method Seller.Sell: Sell(a int) error",
        "class Alias: type Alias = Item",
        "method Item.Do: func (i *Item) Do(a int, b ...string) (int, error)",
        "method Set.Add: func (s Set[K]) Add(k K)",
        "function Map: func Map[K any](k K) K",
    ]
    module, size, first, *_ = outline("a.go", text).declarations
    assert (module.doc, size.doc, first.doc) == (
        "Package shop sells.",
        "MaxSize is a limit.",
        "A is first.",
    )


def test_java() -> None:
    text = """
        package shop;

        /**
         * Sells things.
         *
         * @since 2
         */
        public class Shop<T> extends Base implements Seller {
            public static final int MAX = 3, MIN = 2;
            public Shop(int size) { this.size = size; }
            @Override
            public <R> List<R> sell(int a, String... b) throws Gone { return null; }
            enum Color { RED, GREEN; int shade() { return 1; } }
            record Pair(int a) { int sum() { return a; } }
            interface Seller { void sell(); int K = 1; }
        }
    """
    assert declared("Shop.java", text) == [
        "class Shop: public class Shop<T> extends Base implements Seller",
        "variable Shop.MAX: public static final int MAX = 3, MIN = 2",
        "variable Shop.MIN: public static final int MAX = 3, MIN = 2",
        "method Shop.Shop: public Shop(int size)",
        "method Shop.sell: @Override public <R> List<R> sell(int a, String... b) throws Gone",
        "class Shop.Color: enum Color",
        "variable Shop.Color.RED: RED",
        "variable Shop.Color.GREEN: GREEN",
        "method Shop.Color.shade: int shade()",
        "class Shop.Pair: record Pair(int a)",
        "method Shop.Pair.sum: int sum()",
        "class Shop.Seller: interface Seller",
        "method Shop.Seller.sell: void sell()",
        "variable Shop.Seller.K: int K = 1",
    ]
    assert only("Shop.java", text, "Shop").doc == "Sells things.\n\n@since 2"


@pytest.mark.parametrize(
    ("path", "text", "doc"),
    [
        ("a.js", "// One.\n// Two.\nfunction f() {}", "One.\nTwo."),
        ("a.js", "// Of the file.\n\nfunction f() {}", ""),
        ("a.js", "let x = 1 // of x\nfunction f() {}", ""),
        ("a.js", "let x = 1; // of x\nfunction f() {}", ""),
        ("a.js", "let x = 1; // of x\n// Of f.\nfunction f() {}", "Of f."),
        ("a.js", "let x = 1; /* Of f. */ function f() {}", "Of f."),
        ("a.py", "# Says.\n# More.\ndef f(): ...", "Says.\nMore."),
        ("a.py", "x = 1  # of x\ndef f(): ...", ""),
        ("a.js", "/* One. */ function f() {}", "One."),
        ("a.js", "/** * pointed\n  * list */\nexport const f = () => 1", "* pointed\nlist"),
    ],
)
def test_comments_right_above_are_the_doc(path: str, text: str, doc: str) -> None:
    assert only(path, text, "f").doc == doc


@pytest.mark.parametrize(
    ("path", "text", "signatures"),
    [
        ("a.py", "def f(a):  # noqa\n    return a", ["def f(a)"]),
        ("a.py", "def f(a,  # the first\n      b): ...", ["def f(a, b)"]),
        ("a.py", "@cache\n@limit(3)\ndef f(a): ...", ["@cache def f(a)"]),
        ("a.go", "package p\nfunc F(\n  a int, // 1\n  b int,\n) {}", ["func F( a int, b int, )"]),
        ("a.go", "package p\ntype I interface {\n  // Other.\n  F()\n}",
         ["type I interface { F() }", "F()"]),
        ("A.java", "class A {\n  @Get(path = \"x\")\n  @Override\n  int f() { return 1; }\n}",
         ["class A", "@Override int f()"]),
    ],
)  # fmt: skip
def test_comments_and_annotations_are_no_part_of_a_signature(
    path: str, text: str, signatures: list[str]
) -> None:
    assert [one.signature for one in outline(path, text).declarations[1:]] == signatures


@pytest.mark.parametrize(
    ("path", "text", "doc"),
    [
        ("a.go", "package p\ntype (\n  // group\n  T struct{}\n)", "group"),
        ("a.go", "package p\ntype ( // group\n  T struct{}\n)", ""),
        ("a.go", "package p\ntype S struct {\n  A int // the a\n  T string\n}", ""),
        ("a.ts", "class A {\n  /** On. */\n  @Listen('x')\n  T(e) {}\n}", "On."),
    ],
)
def test_comments_inside_of_groups(path: str, text: str, doc: str) -> None:
    [found] = [one for one in outline(path, text).declarations if one.name == "T"]
    assert found.doc == doc


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.ts", 'declare module "x" { function f(): void }', ["f"]),
        ("a.ts", "declare global { interface Window { y: number } }", ["Window", "Window.y"]),
        ("a.js", "exports.f = function (a) {}\nmodule.exports.g = 1", ["f", "g"]),
        ("a.js", "Shop.prototype.sell = function (a) {}", ["Shop.sell"]),
        ("a.js", "other.f = function () {}", []),
        ("a.py", "a = b = 3\n[c, d] = a.b = 1, 2", ["a", "b", "c", "d"]),
        ("a.py", "type Pair[T] = tuple[T, T]", ["Pair"]),
        ("a.py", "for x in y:\n    def f(): ...", ["f"]),
        ("a.go", "package p\nfunc (s *Set[K],) Add() {}", ["Set.Add"]),
    ],
)
def test_less_common_declarations(path: str, text: str, expected: list[str]) -> None:
    assert [one.qualified for one in outline(path, text).declarations[1:]] == expected


def test_long_signatures_and_docs_are_cut() -> None:
    names = ", ".join(f"name_{number}" for number in range(200))
    found = only("a.py", f'def f({names}):\n    """{"word " * 1000}"""', "f")
    assert len(found.signature) == 300
    assert found.signature.endswith("…")
    assert len(found.doc) <= 2_000


def test_imports() -> None:
    python = """
        import a.b as c, d.e
        from .x import (y as z, w)
        from q import *
    """
    assert outline("a.py", python).imports == (
        Import("c", "a.b"),
        Import("d", "d.e"),
        Import("z", ".x", "y"),
        Import("w", ".x", "w"),
        Import("*", "q", "*"),
    )
    script = """
        import def, { a as b, c } from './x'
        import * as ns from "y"
        import './effect'
        const fs = require('fs'), { join, sep: slash } = require("path")
    """
    assert outline("a.ts", script).imports == (
        Import("def", "./x", "default"),
        Import("b", "./x", "a"),
        Import("c", "./x", "c"),
        Import("ns", "y"),
        Import("fs", "fs"),
        Import("join", "path", "join"),
        Import("slash", "path", "sep"),
    )
    rarer = """
        import old = require("old")
        import { a, // the first
            b } from './x'
        const { node: { engines }, /* all */ ...rest } = require('m'), { k = 1 } = require('n')
    """
    assert outline("a.ts", rarer).imports == (
        Import("old", "old"),
        Import("a", "./x", "a"),
        Import("b", "./x", "b"),
    )
    versioned = 'package p\nimport "gopkg.in/yaml.v3"'
    assert outline("a.go", versioned).imports == (Import("yaml", "gopkg.in/yaml.v3"),)
    go = 'package p\nimport ("fmt"; x "net/http"; _ "embed"; . "m"; "a.com/lib/v2")'
    assert outline("a.go", go).imports == (
        Import("fmt", "fmt"),
        Import("x", "net/http"),
        Import("*", "m", "*"),
        Import("lib", "a.com/lib/v2"),
    )
    java = "import java.util.List;\nimport static java.lang.Math.max;\nimport java.io.*;"
    assert outline("A.java", java).imports == (
        Import("List", "java.util", "List"),
        Import("max", "java.lang.Math", "max"),
        Import("*", "java.io", "*"),
    )


@pytest.mark.parametrize(
    ("path", "text", "calls"),
    [
        ("a.py", "f(1)\nx.g(f(2))\nx[0].g()\ny.h", {"f": 1, "g": 2}),
        ("a.ts", "f(1)\nnew A(x.g?.(1))\nnew ns.B()", {"f": 1, "A": 2, "B": 3, "g": 2}),
        ("a.go", "package p\nfunc m() { f(1)\n x.G() }", {"f": 2, "G": 3}),
        ("A.java", "class A { int x = f(1);\n B b = new B(c.g(), new C<D>()); }",
         {"f": 1, "B": 2, "g": 2, "C": 2}),
    ],
)  # fmt: skip
def test_calls_and_where_they_come_first(path: str, text: str, calls: dict[str, int]) -> None:
    assert outline(path, text).calls == calls


def test_a_broken_file_is_read_as_far_as_it_goes() -> None:
    assert declared(
        "a.py", "def f(x):\n    return x\n\ndef g(:\n\nclass A:\n    def h(self): pass"
    )[0].startswith("function f")
    assert outline_of("a.py", b"\xff\xfe(\x00" * 50) is not None


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "".join(f"{' ' * n}class A{n}:\n" for n in range(1000))),
        ("a.py", "".join(f"{' ' * n}if x:\n" for n in range(500))),
        ("a.ts", "declare\n" * 5_000 + "const a: number"),
        ("a.py", "a" + ".b()" * 20_000),
        ("a.py", "f(" * 20_000 + ")" * 20_000),
        ("a.ts", "(" * 300_000),
        ("A.java", "{" * 300_000),
        ("a.go", "// line\n" * 30_000 + "package p"),
        ("a.js", "// line\n" * 30_000 + "function f() {}"),
        ("a.js", "/*" + " " * 20_000 + "x */ function f() {}"),
        ("a.go", "package p\nfunc (" + "a" * 20_000 + " [3]int) F() {}"),
        ("a.py", f"class {'A' * 100_000}:\n" + "    def f(self): ...\n" * 500),
        ("a.js", f"/** {'doc ' * 500} */ var {', '.join(['a'] * 20_000)}"),
        ("a.py", "a, " * 60_000 + "= x"),
    ],
    ids=range(14),
)
def test_what_nobody_wrote_is_read_in_bounds(path: str, text: str) -> None:
    """In time that grows with the text, into no more than some times its size; most of these took
    half a minute, gigabytes or all of the stack."""
    found = outline(path, text)
    assert found.declarations[0].kind == "module"
    assert len(found.declarations) <= 4_001
    assert sum(len(one.qualified) + len(one.signature) for one in found.declarations) < 3e6


def test_other_languages_have_none() -> None:
    assert outline_of("a.rs", b"fn main() {}") is None


def defined(body: Sequence[ast.stmt], around: str = "") -> Iterator[tuple[str, int]]:
    """Functions and classes by Python's own parser, each with its line, decorators left out."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield around + node.name, node.lineno
            if isinstance(node, ast.ClassDef):
                yield from defined(node.body, f"{around}{node.name}.")
        else:
            for part in ("body", "orelse", "finalbody"):
                yield from defined(getattr(node, part, []), around)


@pytest.mark.parametrize("package", ["lsp_server", "completion", "models", "retrieval"])
def test_all_that_python_itself_finds_is_found(package: str) -> None:
    for file in (ROOT / package).rglob("*.py"):
        text = file.read_bytes()
        found = {
            one.qualified: one
            for one in outline(file.name, text.decode()).declarations[1:]
            if one.kind is not Kind.VARIABLE
        }
        expected = dict(defined(ast.parse(text).body))
        assert found.keys() == expected.keys()
        assert all(found[name].first_line <= line for name, line in expected.items())
