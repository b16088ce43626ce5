"""What a module's own Go files say may stand at a place; `▮` is the place."""

import os
from pathlib import Path

import pytest

from retrieval.index.declarations import Kind
from tests.unit.workspaces import answer_at, declared_at, write_files

FILES = {
    "go.mod": "module example.com/shop\n\ngo 1.22\n\nreplace example.com/shop/moved => ../x\n",
    "stock/stock.go": """\
package stock

type Item struct {
	Name, Code string
	hidden int
	*Place
}
type Place struct{ Shelf int }
type Named interface { Title() string; other() }
type Count int
type Alias = Item
type Odd struct { other.Thing }
const (
	Full Count = iota
	Empty
)
var Default, spare = Item{}, 2

func (i *Item) Price() int { return 1 }
func (p Place) Where() string { return "" }
func (c Count) Double() Count { return c * 2 }
func New() *Item { return nil }
func helper() {}
""",
    "stock/more.go": "package stock\n\nfunc (i Item) More() {}\n\nfunc Also() {}\n",
    "stock/stock_test.go": "package stock\n\nfunc TestOnly() {}\n",
    "yaml.v3/yaml.go": "package yaml\n\nfunc Read() {}\n",
    "stock/export_test.go": "package stock\n\nfunc (i *Item) Peek() {}\n",
    "many/many.go": "package many\n\nconst Least, Most = 1, 2\n\ntype T struct /* c */ { A int }\n",
    "two/doc.go": "package gen\n\nfunc Gen() {}\n",
    "two/two.go": "package two\n\nfunc New() {}\n",
    "own/go.mod": "module example.com/shop/own\n",
    "own/own.go": "package own\n\nfunc New() {}\n",
    "moved/moved.go": "package moved\n\nfunc New() {}\n",
    "broken/broken.go": "package broken\n\nfunc (\n",
    "cmd/other.go": "package main\n\ntype Local struct{ first, Second int }\n",
}
HEAD = """\
package main

import (
	"fmt"
	"example.com/shop/stock"
	"example.com/shop/yaml.v3"
	"example.com/shop/broken"
	"example.com/shop/many"
	"example.com/shop/two"
	"example.com/shop/own"
	"example.com/shop/moved"
	again "example.com/shop/stock"
	"example.com/elsewhere/far"
)

func run(item *stock.Item, local Local, count stock.Count, all ...stock.Item) {
	▮
}
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("workspace"), FILES)


def names_at(workspace: Path, text: str, file: str = "cmd/main.go") -> set[str] | None:
    return declared_at(workspace, file, text)


PACKAGE = {"Item", "Place", "Named", "Count", "Alias", "Odd", "Full", "Empty", "Default"} | {
    *("New", "Also"),
}
ITEM = {"Name", "Code", "Place", "Shelf", "Where", "Price", "More"}


@pytest.mark.parametrize(
    ("line", "known"),
    [
        ("stock.▮", PACKAGE),
        ("x := stock.▮", PACKAGE),
        ("stock := stock.▮", PACKAGE),  # what it makes is known behind it
        ("var x stock.▮", PACKAGE),
        ("again.▮", PACKAGE),
        ("yaml.▮", {"Read"}),
        ("many.▮", {"Least", "Most", "T"}),
        ("var t many.T; t.▮", {"A"}),
        ("type R interface { Save(stock *stock.Item) error }; stock.▮", PACKAGE),
        ("item.▮", ITEM),
        ("count.▮", {"Double"}),
        ("local.▮", {"first", "Second"}),
        ("x := &stock.Item{}; x.▮", ITEM),
        ("x, y := Local{}, stock.Place{Shelf: 1}; y.▮", {"Shelf", "Where"}),
        ("var x stock.Named; x.▮", {"Title"}),
        ("var x stock.Alias; x.▮", ITEM),
        ("for _, other := range all { item.▮ }", ITEM),
    ],
)
def test_all_that_is_declared(workspace: Path, line: str, known: set[str]) -> None:
    assert names_at(workspace, HEAD.replace("▮", line)) == known


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("stock.▮", {"Item": Kind.CLASS, "Alias": Kind.CLASS, "New": Kind.FUNCTION}),
        ("stock.▮", {"Full": Kind.VARIABLE, "Default": Kind.VARIABLE}),
        ("item.▮", {"Name": Kind.PROPERTY, "Place": Kind.PROPERTY, "Where": Kind.METHOD}),
        ("var x stock.Named; x.▮", {"Title": Kind.METHOD}),
    ],
)
def test_what_is_declared(workspace: Path, line: str, kinds: dict[str, Kind]) -> None:
    answer = answer_at(workspace, "cmd/main.go", HEAD.replace("▮", line))
    assert answer is not None
    assert kinds.items() <= answer.kinds.items()


@pytest.mark.parametrize(
    "line",
    [
        "fmt.▮",  # of another module
        "far.▮",
        "broken.▮",
        "two.▮",  # of two packages
        "own.▮",  # a module of its own
        "moved.▮",  # lies elsewhere
        "type stock struct{}; stock.▮",
        "unknown.▮",
        "all.▮",
        "item.Place.▮",  # after a dot no name is looked at
        '"stock.▮"',
        "// stock.▮",
        "stock := other; stock.▮",
        "for _, stock := range all { stock.▮ }",
        "f := func(item int) { item.▮ }",
        "switch item := any(item).(type) { default: item.▮ }",
        "x := stock.New(); x.▮",
        "var x stock.Odd; x.▮",
        "type Local struct{}; var x Local; x.▮",
    ],
)
def test_what_is_not_known_for_sure(workspace: Path, line: str) -> None:
    assert names_at(workspace, HEAD.replace("▮", line)) is None


def test_a_package_sees_its_own_names_that_others_do_not(workspace: Path) -> None:
    text = FILES["stock/stock.go"] + "\nfunc (i *Item) also() { i.▮ }\n"
    assert names_at(workspace, text, "stock/stock.go") == ITEM | {"hidden", "also"}


def test_a_test_of_another_package_sees_what_tests_declare_beside_it(workspace: Path) -> None:
    head = 'package stock_test\n\nimport "example.com/shop/stock"\n\n'
    text = head + "func f() {\n\tstock.▮\n}\n"
    assert names_at(workspace, text, "stock/outer_test.go") == PACKAGE | {"TestOnly"}
    assert names_at(
        workspace, text.replace("stock.▮", "i := stock.Item{}; i.▮"), "stock/o_test.go"
    ) == (ITEM | {"Peek"})


def test_a_file_that_is_not_saved_yet_is_of_its_package(workspace: Path) -> None:
    text = "package stock\n\nfunc (i *Item) Fresh() { i.▮ }\n"
    assert names_at(workspace, text, "stock/new.go") == ITEM | {"hidden", "Fresh"}


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    write_files(tmp_path, {"stock/stock.go": FILES["stock/stock.go"]})
    os.mkfifo(tmp_path / "go.mod")
    assert names_at(tmp_path, HEAD.replace("▮", "stock.▮")) is None
