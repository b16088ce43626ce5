"""What the index of a repository knows of the names at a place in Java; `▮` is the place."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from retrieval.index.database import IndexDatabase
from retrieval.index.declarations import Kind
from retrieval.related.java_names import EVERY_OBJECT, ListedNames, listed_names, type_before
from retrieval.related.java_text import Receiver, receiver_before
from tests.unit.index_helpers import indexed
from tests.unit.workspaces import write_files

FILES = {
    "shop/Box.java": """\
package shop;
public class Box<T> extends Base implements Closeable {
  private final Lid lid;
  static int count;
  public Box(Lid lid) {}
  public Lid getLid() { return lid; }
  public void seal(int times) { }
  enum Colour { RED; int shade() { return 1; } }
}
class Base { protected List<Lid> lids; void lift() {} }
class Lid {
  void turn() {}
  Box<Lid> box() { return null; }
}
""",
    "tools/box.py": "class Box:\n    def of_python(self): ...\n",
}
HEAD = """\
package shop;
class Shop {
  Box<Lid> box;
  void run(Lid given, List<Box> all) {
    ▮
  }
  void other() {}
}
"""
BOX = {"Colour", "count", "getLid", "lid", "lids", "lift", "seal"}
LID = {"box", "turn"}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IndexDatabase]:
    root = write_files(tmp_path_factory.mktemp("repository"), FILES)
    with closing(indexed(root, root.with_name("index.sqlite"))) as made:
        yield made


def listed(database: IndexDatabase, line: str, text: str = HEAD) -> ListedNames:
    before, after = text.replace("▮", line).split("▮")
    return listed_names(database, before, after, after_dot=before.endswith("."))


@pytest.mark.parametrize(
    ("line", "known"),
    [
        ("box.▮", BOX),
        ("this.box.▮", BOX),
        ("given.▮", LID),
        ("box.getLid().▮", LID),
        ("box.lift().▮", set()),  # which gives nothing
        ("new Box<>(1, f()).▮", BOX),
        ("new shop.Box<Map<A, B>>().▮", BOX),
        ("((Lid) x).▮", LID),
        ("Box<Lid> b = f(); b.▮", BOX),
        ("shop.Box<Lid>[] b = f(); b[i + 1].▮", BOX),
        ("var b = new Box(); b.▮", BOX),
        ("var l = box.getLid(); l.▮", LID),
        ("for (Box one : all) { one.▮ }", BOX),
        ("try (Box r = open()) { r.▮ }", BOX),
        ("if (x instanceof Lid l) { l.▮ }", LID),
        ("try { f(); } catch (Lid e) { e.▮ }", LID),
        ("Lid box = f(); box.▮", LID),  # another one
        ("Lid.▮", LID),
        ("lids.▮", set()),  # of a library
        ('"a".▮', set()),
        ("unknown.▮", BOX | LID | {"Colour"}),  # types that the file names
    ],
)
def test_what_a_receiver_has(database: IndexDatabase, line: str, known: set[str]) -> None:
    assert set(listed(database, line).names) - EVERY_OBJECT.keys() == known


def test_a_list_is_complete_where_no_library_has_a_part_in_it(database: IndexDatabase) -> None:
    assert listed(database, "given.▮").complete
    assert EVERY_OBJECT.items() <= listed(database, "given.▮").names.items()
    assert not listed(database, "box.▮").complete  # Closeable
    assert not listed(database, "Colour c = f(); c.▮").complete  # `values()` is written nowhere


def test_characters_without_bytes_are_read_over(database: IndexDatabase) -> None:
    text = FILES["shop/Box.java"].replace("return lid;", "// \ud800\n ▮")
    assert listed(database, "this.▮", text).names.keys() >= BOX


def test_the_class_around(database: IndexDatabase) -> None:
    text = FILES["shop/Box.java"].replace("return lid;", "▮")
    for line, known in (("this.▮", BOX), ("super.▮", {"lids", "lift"})):
        assert set(listed(database, line, text).names) - EVERY_OBJECT.keys() == known
    names = listed(database, "x = ▮", text).names
    assert (names["seal"], names["Lid"]) == (Kind.METHOD, Kind.CLASS)
    assert listed(database, "x = new ▮", text).names == dict.fromkeys(
        ("Base", "Box", "Colour", "Lid"), Kind.CLASS
    )


@pytest.mark.parametrize(
    ("text", "receiver"),
    [
        ("box.", Receiver("box")),
        ("f(a(b)[0]).\n  ", Receiver("f", is_called=True)),
        ("a.b[c(d)].", Receiver("b")),
        ("(a + b).", Receiver()),
        (")" * 3_000 + ".", Receiver()),
        ("].", Receiver()),
        (".", Receiver()),
    ],
)
def test_what_stands_before_a_dot(text: str, receiver: Receiver) -> None:
    assert receiver_before(text) == receiver


@pytest.mark.parametrize(
    ("name", "signature", "type_"),
    [
        ("sell", "@Override public <R> Map<K, List<R>> sell(int a) throws Gone", "Map"),
        ("box", "private final shop.Box[] box = new Box[2]", "Box"),
        ("seal", "public void seal()", ""),
        ("Shop", "public Shop(int size)", ""),
        ("MIN", "int MAX = 3, MIN = 2", ""),
    ],
)
def test_the_type_of_what_is_declared(name: str, signature: str, type_: str) -> None:
    assert type_before(name, signature) == type_
