"""The index on disk: what is read into it, how little is read again, and what survives."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from retrieval.index.database import IndexDatabase, Place, open_database
from retrieval.index.search import ApiSearch, fused, is_test
from retrieval.index.source_files import read_source, source_files
from retrieval.index.update import Updated, update_files, update_vectors
from retrieval.index.vector_search import VectorSearch
from retrieval.index.words import split_name, words_asked
from retrieval.workspace_files import Stamp, WorkspaceFiles
from tests.unit.index_helpers import BagOfWords, age, indexed, silent, update
from tests.unit.workspaces import write_files

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "shop/invoices.py": '"""Invoices."""\ndef total(lines):\n    """Adds up what is owed."""\n',
    "shop/mail.py": "import smtplib\n\nclass Mailer:\n    def send_letter(self, to): ...\n",
    "web/app.ts": "import { x } from './y'\nexport function render(page: string) {}\n",
    "main.go": "package main\nfunc Start() {}\n",
    "tests/test_mail.py": "def test_send_letter():\n    Mailer().send_letter('me')\n",
    "notes.txt": "def not_code(): ...",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    write_files(folder, FILES)
    return folder


@pytest.fixture
def database(root: Path, tmp_path: Path) -> IndexDatabase:
    return indexed(root, tmp_path / "index.sqlite")


def names(database: IndexDatabase, wish: str) -> list[str]:
    found = database.places(database.lexical(words_asked(wish), 10))
    return [place.declaration.qualified for place in found]


def test_files_of_languages_that_are_read(root: Path) -> None:
    found = [file.path for file in source_files(root, WorkspaceFiles((root,)))]
    assert found == sorted(set(FILES) - {"notes.txt"}, key=lambda path: ("/" in path, path))


def test_of_a_file_that_is_ignored_from_now_on_nothing_is_left(root: Path, tmp_path: Path) -> None:
    others = {f"shop/other_{number}.py": f"def f{number}(): ...\n" for number in range(30)}
    secret = 'def reveal_hush():\n    """Hushwords."""\n    return "ghp_Hush"\n'
    write_files(root, others | {"shop/local.py": secret})
    database = indexed(root, tmp_path / "kept.sqlite")
    (root / ".gitignore").write_text("local.py\n")
    assert update(database, root).removed == 1
    for file in tmp_path.glob("kept.sqlite*"):
        assert b"hush" not in file.read_bytes().lower(), file


@pytest.mark.parametrize(
    "path",
    [
        ".env/settings.py",
        ".aws/keys.py",
        ".hidden/a.py",
        "node_modules/a/index.js",
        "venv/lib/a.py",
        "ignored/a.py",
        "secrets.py",
    ],
)
def test_what_is_never_indexed(root: Path, path: str) -> None:
    write_files(root, {".gitignore": "ignored/\n", "venv/pyvenv.cfg": "", path: "KEY = 1\n"})
    assert path not in [file.path for file in source_files(root, WorkspaceFiles((root,)))]


def test_links_are_not_followed(root: Path, tmp_path: Path) -> None:
    write_files(tmp_path / "elsewhere", {"a.py": "def outside(): ..."})
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "link.py").symlink_to(tmp_path / "elsewhere" / "a.py")
    (root / "round").symlink_to(root)
    assert len(list(source_files(root, WorkspaceFiles((root,))))) == 5


def test_generated_text_declares_nothing(root: Path, database: IndexDatabase) -> None:
    write_files(root, {"bundle.js": "function bundled(){}" * 1000})
    update(database, root)
    assert names(database, "bundled") == []


def test_names_that_are_no_text_are_left_out(root: Path) -> None:
    (Path(os.fsdecode(os.fsencode(root) + b"/b\xff.py"))).write_text("x = 1\n")
    Path(os.fsdecode(os.fsencode(root) + b"/f\xff")).mkdir()
    assert len(list(source_files(root, WorkspaceFiles((root,))))) == 5


def test_a_file_of_another_century_is_indexed(root: Path, database: IndexDatabase) -> None:
    write_files(root, {"old.py": "def ancient(): ...\n"})
    os.utime(root / "old.py", ns=(0, -(10**18)))
    update(database, root)
    assert names(database, "ancient") == ["ancient"]


@pytest.mark.parametrize("becomes", ["link", "folder link", "pipe", "folder", "nothing", "huge"])
def test_what_a_file_has_become_since_it_was_listed(
    root: Path, tmp_path: Path, becomes: str
) -> None:
    write_files(tmp_path / "elsewhere", {"mail.py": "SECRET = 1\n"})
    file = root / "shop" / "mail.py"
    assert read_source(root, "shop/mail.py") == FILES["shop/mail.py"].encode()
    if becomes == "folder link":
        (root / "shop").rename(root / "moved")
        (root / "shop").symlink_to(tmp_path / "elsewhere")
    else:
        file.unlink()
    if becomes == "link":
        file.symlink_to(tmp_path / "elsewhere" / "mail.py")
    elif becomes == "pipe":
        os.mkfifo(file)
    elif becomes == "folder":
        file.mkdir()
    elif becomes == "huge":
        file.write_bytes(b"x = 1\n" * 200_000)
    assert read_source(root, "shop/mail.py") is None


def test_what_a_function_does_is_found_after_what_is_called_so(root: Path, tmp_path: Path) -> None:
    text = "def greet():\n    print(stamp)\n\ndef stamp(): ...\n\ndef other(): ...\n"
    (root / "post.py").write_text(text, encoding="utf-8")
    database = indexed(root, tmp_path / "other.sqlite")
    assert names(database, "stamp") == ["stamp", "greet"]


def test_names_are_found_by_their_words(database: IndexDatabase) -> None:
    for wish in ("send a letter", "send_letter", "sendLetter"):
        assert set(names(database, wish)) == {"Mailer.send_letter", "test_send_letter"}
    assert names(database, "what is owed") == ["total"]
    assert names(database, 'quoted " AND (NOT') == []
    assert names(database, "") == []


def test_imports_and_calls_are_kept(database: IndexDatabase) -> None:
    [imported] = database.imports("shop/mail.py")
    assert (imported.local, imported.module) == ("smtplib", "smtplib")
    assert database.calls("send_letter", 10) == [("tests/test_mail.py", 2)]


def test_only_what_has_changed_is_read(root: Path, database: IndexDatabase) -> None:
    age(root)
    assert update(database, root).parsed == 0  # the same text at another time
    write_files(root, {"shop/mail.py": "class Mailer:\n    def post(self): ...\n"})
    (root / "main.go").unlink()
    updated = update(database, root)
    assert (updated.files, updated.parsed, updated.removed) == (4, 1, 1)
    assert names(database, "send letter") == ["test_send_letter"]
    assert names(database, "post") == ["Mailer.post"]
    assert names(database, "start") == []


def test_a_file_with_its_old_size_and_time_is_not_opened(
    root: Path, database: IndexDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(root, {"bundle.js": "function a(){}" * 1000})
    age(root)
    update(database, root)
    monkeypatch.setattr("retrieval.index.update.read_source", pytest.fail)
    assert update(database, root) == Updated(files=6, parsed=0, removed=0)


def test_a_file_that_was_just_written_is_looked_at_again(
    root: Path, database: IndexDatabase
) -> None:
    """Written twice within what is one moment to the file system, to the same size."""
    stamp = (root / "main.go").stat()
    write_files(root, {"main.go": FILES["main.go"].replace("Start", "Begin")})
    os.utime(root / "main.go", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert update(database, root).parsed == 1


def test_what_is_ignored_later_is_forgotten(root: Path, database: IndexDatabase) -> None:
    write_files(root, {".gitignore": "shop/\n"})
    assert update(database, root).removed == 2
    assert names(database, "send letter") == ["test_send_letter"]


def test_only_texts_that_are_new_are_embedded(root: Path, database: IndexDatabase) -> None:
    embedder = BagOfWords()
    first = update_vectors(database, embedder, silent)
    assert first == len(embedder.embedded) == 6  # functions, methods and classes
    write_files(root, {"shop/mail.py": FILES["shop/mail.py"] + "    def call(self): ...\n"})
    update(database, root)
    assert update_vectors(database, embedder, silent) == 1
    assert "Mailer.call" not in embedder.embedded[-1]  # in words
    assert "mailer call" in embedder.embedded[-1]


def test_vectors_of_another_model_are_made_again(database: IndexDatabase) -> None:
    embedder = BagOfWords()
    count = update_vectors(database, embedder, silent)
    embedder.name = "another"
    assert update_vectors(database, embedder, silent) == count
    assert database.count()["vector"] == count


def test_unused_vectors_are_dropped(root: Path, database: IndexDatabase) -> None:
    update_vectors(database, BagOfWords(), silent)
    (root / "main.go").unlink()
    update(database, root)
    assert database.count()["vector"] == 5


def test_it_goes_on_where_it_was_stopped(root: Path, tmp_path: Path) -> None:
    write_files(root, {f"many/file_{n}.py": f"def f_{n}(): ..." for n in range(100)})
    database = open_database(tmp_path / "index.sqlite")
    asked = iter([False, True])
    rules = WorkspaceFiles((root,))
    first = update_files(database, root, rules, silent, stop=lambda: next(asked))
    second = update(database, root)
    assert (first.parsed, second.parsed) == (64, 105 - 64)


def test_a_kill_at_any_moment_leaves_a_usable_index(root: Path, tmp_path: Path) -> None:
    """Killed once it has committed something; what is there is whole, and is not read again."""
    write_files(root, {f"many/file_{n}.py": f"def f_{n}(): ...\n" * 40 for n in range(600)})
    age(root)
    place = tmp_path / "index.sqlite"
    script = (
        "import sys; from pathlib import Path; from tests.unit.index_helpers import indexed;"
        "indexed(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    child = subprocess.Popen([sys.executable, "-c", script, str(root), str(place)], cwd=ROOT)
    while child.poll() is None and not (place.exists() and committed(place)):
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    database = open_database(place)
    read = len(database.files())
    assert read >= 64
    assert update(database, root).parsed == 605 - read
    assert database.count()["declaration"] == 600 * 41 + 5 + 6  # modules and what is in FILES


def committed(place: Path) -> bool:
    try:
        connection = sqlite3.connect(f"file:{place}?mode=ro", uri=True)
        found = connection.execute("SELECT count(*) FROM file").fetchone()[0]
        connection.close()
    except sqlite3.Error:
        return False
    return bool(found)


@pytest.mark.parametrize("damage", ["not a database", "", "SQLite format 3\0 cut off"])
def test_a_damaged_index_is_made_again(root: Path, tmp_path: Path, damage: str) -> None:
    place = tmp_path / "index.sqlite"
    place.write_text(damage)
    assert names(indexed(root, place), "what is owed") == ["total"]


def test_an_index_of_another_format_is_made_again(
    root: Path, database: IndexDatabase, tmp_path: Path
) -> None:
    database.close()
    connection = sqlite3.connect(tmp_path / "index.sqlite")
    connection.execute("PRAGMA user_version = 77")
    connection.close()
    assert open_database(tmp_path / "index.sqlite").files() == {}


def test_an_index_that_another_program_holds_is_left_alone(
    root: Path, database: IndexDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.index.schema.BUSY_SECONDS", 0.1)
    place = tmp_path / "index.sqlite"
    with database.transaction():
        other = open_database(place)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            update(other, root)
    assert len(open_database(place).files()) == 5


def test_several_may_make_it_at_once(root: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.unit.index_helpers import indexed;"
        "indexed(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    place = tmp_path / "index.sqlite"
    command = [sys.executable, "-c", script, str(root), str(place)]
    children = [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]
    assert [child.wait() for child in children] == [0, 0, 0, 0]
    assert names(open_database(place), "what is owed") == ["total"]


def test_a_text_that_another_has_replaced_keeps_its_own_time(
    root: Path, database: IndexDatabase
) -> None:
    """One process read a file that went back to what it was before the other indexed it."""
    age(root)
    update(database, root)
    known = database.files()["main.go"]
    database.restamp("main.go", b"another text", Stamp(1, 1))
    assert database.files()["main.go"] == known


def test_search_joins_words_and_meaning(root: Path, database: IndexDatabase) -> None:
    embedder = BagOfWords()
    update_vectors(database, embedder, silent)
    hits = ApiSearch(database, root, embedder).search("letter to send", 3)
    assert hits[0].place.declaration.qualified == "Mailer.send_letter"
    assert hits[0].example is not None
    assert (hits[0].example.line, hits[0].example.text) == (2, "Mailer().send_letter('me')")
    assert [is_test(hit.place.path) for hit in hits] == sorted(
        is_test(hit.place.path) for hit in hits
    )


def test_what_is_found_can_be_put_in_another_order(root: Path, database: IndexDatabase) -> None:
    asked: list[tuple[str, list[str]]] = []

    def backwards(wish: str, places: Sequence[Place]) -> Sequence[Place]:
        asked.append((wish, [place.path for place in places]))
        return places[::-1]

    search = ApiSearch(database, root, None)
    found = [hit.place for hit in search.search("send letter", 10)]
    other = [hit.place for hit in search.search("send letter", 10, backwards)]
    code, tests = ([one for one in found if is_test(one.path) == of] for of in (False, True))
    assert asked == [("send letter", [place.path for place in code])]
    assert tests
    assert other == [*code[::-1], *tests]


def test_an_example_that_is_gone_is_not_shown(root: Path, database: IndexDatabase) -> None:
    (root / "tests/test_mail.py").write_text("\n\n\n")
    [first, *_] = ApiSearch(database, root, None).search("send letter", 3)
    assert first.example is None


def test_a_name_that_several_have_is_shown_where_its_own_is_imported(
    root: Path, database: IndexDatabase
) -> None:
    write_files(
        root,
        {
            "a_cart.py": "from shop.sums import total\nprint(total([1]))\n",
            "b_bill.py": "from shop.invoices import total\nprint(total([2]))\n",
            "shop/sums.py": "def total(numbers): ...\n",
        },
    )
    update(database, root)
    hits = ApiSearch(database, root, None).search("total", 2)
    examples = {hit.place.path: hit.example.text for hit in hits if hit.example}
    assert examples == {
        "shop/invoices.py": "print(total([2]))",
        "shop/sums.py": "print(total([1]))",
    }


def test_rankings_are_fused_by_reciprocal_rank() -> None:
    assert fused([[1, 2, 3], [3, 1]]) == [1, 3, 2]
    assert fused([[], [5]]) == [5]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("parseHTTPHeader_2", ["parse", "http", "header", "2"]),
        ("_private", ["private"]),
        ("MAX_SIZE", ["max", "size"]),
        ("größe_neu", ["größe", "neu"]),
        ("x", ["x"]),
    ],
)
def test_words_of_a_name(name: str, words: list[str]) -> None:
    assert split_name(name) == words


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/unit/helpers.py", True),
        ("a/test_b.py", True),
        ("a/b_test.go", True),
        ("a/b.spec.ts", True),
        ("src/test/java/ATest.java", True),
        ("contest/latest.py", False),
        ("testing.py", False),
    ],
)
def test_files_of_tests(path: str, expected: bool) -> None:
    assert is_test(path) == expected


@pytest.mark.parametrize("sizes", [[], [3], [100, 20]])
def test_nearest_vectors(sizes: list[int]) -> None:
    count = sum(sizes)
    vectors = np.random.default_rng(0).normal(size=(count, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = np.arange(count, dtype=np.int64) * 7
    ends = np.cumsum(sizes).tolist()
    pieces = [slice(end - size, end) for size, end in zip(sizes, ends, strict=True)]
    search = VectorSearch((ids[piece], vectors[piece]) for piece in pieces)
    for number in range(count):
        assert search.nearest(vectors[number], 5)[0] == number * 7
    assert len(search.nearest(np.ones(8, dtype=np.float32), 5)) == min(count, 5)
