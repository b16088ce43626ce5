"""An index that followed its repository holds what a new one holds."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.index.database import IndexDatabase, open_database
from tests.unit.index_helpers import age, indexed, update
from tests.unit.workspaces import write_files

PATHS = st.sampled_from(["a.py", "b.py", "pack/a.py", "pack/c.ts", "d.go", "pack"])
TEXTS = st.sampled_from(
    [
        "",
        "def f(): ...\n",
        "def f(): ...\ndef g(): f()\n",
        "class A:\n    x = f()\n",
        "import a\nfrom b import c\n",
        "export function h() { f() }\n",
        "package d\nfunc F() { G() }\n",
        "def broken(:\n",
    ]
)
CHANGES = st.lists(st.tuples(PATHS, TEXTS | st.none()), max_size=4)


def contents(database: IndexDatabase) -> list[tuple[object, ...]]:
    """All that an index tells, but for ids and times."""
    found: list[tuple[object, ...]] = []
    for path in sorted(database.files()):
        found += [(path, one) for one in database.imports(path)]
    for name in ("f", "g", "h", "F", "G"):
        found += [(name, call) for call in database.calls(name, 99)]
    for word in ("f", "g", "h", "a", "b", "c", "x", "broken", "pack", "def", "function"):
        places = database.places(database.lexical([word], 99))
        found += sorted((word, place.path, str(place.declaration)) for place in places)
    return found


@settings(deadline=None, max_examples=60)
@given(rounds=st.lists(CHANGES, min_size=1, max_size=5), data=st.data())
def test_following_and_rebuilding_agree(
    rounds: list[list[tuple[str, str | None]]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as name:
        place, root = Path(name), Path(name) / "repository"
        root.mkdir()
        followed = open_database(place / "followed.sqlite")
        for changes in rounds:
            for path, text in changes:
                change(root, path, text)
            if data.draw(st.booleans()):
                age(root)  # so that times are trusted
            update(followed, root)
        rebuilt = indexed(root, place / "rebuilt.sqlite")
        assert contents(followed) == contents(rebuilt)
        assert followed.count() == rebuilt.count()


def change(root: Path, path: str, text: str | None) -> None:
    """Write a file, or remove it or the folder; what is a folder is not written."""
    target = root / path
    if text is not None and not target.is_dir() and path != "pack":
        write_files(root, {path: text})
    elif text is None and target.is_dir():
        shutil.rmtree(target)
    elif text is None:
        target.unlink(missing_ok=True)
