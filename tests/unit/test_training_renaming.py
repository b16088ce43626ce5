"""Samples whose names can only be had from the code that is shown with them."""

import random

import pytest

from training.definitions import Definitions
from training.documents import Document
from training.holes import Hole
from training.renaming import OtherNames, Task, renamed

POST = Document(
    "post",
    "post/office.py",
    '''from post.parcels import Parcel, weigh_parcel


def charge(parcel):
    """Weighs it: weigh_parcel knows how. To open it is forbidden."""
    price = 2 * weigh_parcel(parcel.open())
    return price
''',
)
PARCELS = Document(
    "post",
    "post/parcels.py",
    '''class Parcel:
    def open(self):
        """Lets you open it."""


def weigh_parcel(parcel):
    """Pounds; weigh_parcel_twice asks again."""
''',
)
OTHERS = [
    Document("zoo", "zoo/cats.py", "def feed_cats():\n    pass\n\n\nclass Tiger:\n    pass\n")
]
START = POST.text.index("2 * weigh")
HOLE = Hole("line", START, POST.text.index("\n", START))


def task(hole: Hole = HOLE) -> Task:
    missing = POST.text[hole.cursor : hole.end]
    found = Definitions([POST, PARCELS]).blocks(POST, missing, random.Random(1))
    return Task(POST, hole, tuple(found))


def missing(one: Task) -> str:
    return one.document.text[one.hole.cursor : one.hole.end]


def test_what_is_called_has_another_name_wherever_it_is_named() -> None:
    made = renamed(task(), OtherNames(OTHERS), random.Random(0))
    assert made is not None
    assert missing(made) == "2 * feed_cats(parcel.open())"
    assert "import Parcel, feed_cats\n" in made.document.text
    assert "feed_cats knows how" in made.document.text
    told = "\n".join(block.text for block in made.blocks)
    assert "def feed_cats(parcel):" in told
    assert "weigh_parcel_twice" in told, "a longer name is another name"
    assert made.document.text.count("weigh_parcel") == 0


def test_names_that_all_of_python_has_are_left_alone() -> None:
    made = renamed(task(), OtherNames(OTHERS), random.Random(0))
    assert made is not None
    assert "To open it is forbidden" in made.document.text
    assert "def open(self)" in "".join(block.text for block in made.blocks)


@pytest.mark.parametrize(
    "marked",
    [
        "price = 2 * weigh_[parcel(weigh_parcel(one))]",
        "[price = weigh_parcel(one) + weigh_]parcel(one)",
        "price = my_[weigh_parcel(weigh_parcel(one))]",
    ],
    ids=["begins within a name", "ends within a name", "begins like a name"],
)
def test_a_name_that_the_hole_may_cut_is_not_changed(marked: str) -> None:
    before, _, rest = marked.partition("[")
    within, _, after = rest.partition("]")
    document = Document("post", "post/a.py", before + within + after)
    hole = Hole("span", len(before), len(before + within))
    made = renamed(Task(document, hole, task().blocks), OtherNames(OTHERS), random.Random(0))
    assert made is None


def test_no_name_is_given_that_the_text_has_already() -> None:
    names = OtherNames([POST, PARCELS])
    assert names.instead("weigh_parcel", POST.text, random.Random(0)) is None
    assert OtherNames(()).instead("weigh_parcel", "", random.Random(0)) is None
    assert OtherNames(OTHERS).instead("Parcel", POST.text, random.Random(0)) == "Tiger"
