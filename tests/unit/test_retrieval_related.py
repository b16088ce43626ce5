"""Code of other files that is like the code at a cursor."""

from pathlib import Path

import pytest

from retrieval.index.database import IndexDatabase, open_existing
from retrieval.related.importable import importable
from retrieval.related.related_code import RepositoryCode
from retrieval.related.similar_code import (
    WINDOW_LINES,
    CodeBlock,
    Likeness,
    most_alike,
    names_around,
    similar_windows,
)
from retrieval.workspace_files import WorkspaceFiles
from tests.unit.index_helpers import indexed, update
from tests.unit.workspaces import write_files

FILES = {
    "shop/letters.py": "def send_letter(mailer, address):\n    mailer.post(address)\n",
    "shop/parcels.py": "def send_parcel(van, address):\n    van.deliver(address)\n",
    "shop/prices.py": "def price(item):\n    return item.cents / 100\n",
    "web/app.ts": "export function deliver(address: string) {}\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_files(tmp_path / "repository", FILES)


@pytest.fixture
def database(root: Path, tmp_path: Path) -> IndexDatabase:
    return indexed(root, tmp_path / "index.sqlite")


def code_of(root: Path, database: IndexDatabase, **opened: str) -> RepositoryCode:
    texts = {f"{name}.py": text for name, text in opened.items()}
    return RepositoryCode(root, database, WorkspaceFiles((root,)), texts)


def paths(code: RepositoryCode, before: str, path: str = "main.py") -> list[str]:
    return [block.path for block in code.related(path, before, "\n").blocks]


# Windows of lines


def test_names_of_the_lines_around_the_own_line_first() -> None:
    before = "too_far\n" + "above = 1\n" * 7 + "Mailer.post(x"
    after = ")  # rest\nbelow\n" + "\n" * 5 + "too_far_below\n"
    assert names_around(before, after) == ["mailer", "post", "above", "below"]


def test_lines_with_rare_names_in_common_are_most_alike() -> None:
    text = "self.mailer.post(letter)\n" + "\n" * 20 + "self.price = 1\n"
    best, *others = most_alike(similar_windows("a.py", text, {"self": 1.0, "post": 3.0}), 5)
    assert best == CodeBlock("a.py", 1, "self.mailer.post(letter)\n")
    assert [block.text.strip() for block in others] == ["self.price = 1"]


def test_a_window_counts_less_for_every_other_name() -> None:
    (short,) = similar_windows("a.py", "post(letter)\n", {"post": 1.0})
    (long,) = similar_windows("a.py", "post(letter, one, other, third)\n", {"post": 1.0})
    assert short.score > long.score


def test_a_file_without_such_names_has_no_window() -> None:
    assert not list(similar_windows("a.py", "price(1)\n\n", {"post": 1.0}))
    assert not list(similar_windows("a.py", "", {"post": 1.0}))
    assert not list(similar_windows("a.py", "self.price(1)\n", {"self": 0.1, "post": 3.0}))


def test_the_best_blocks_have_no_line_in_common() -> None:
    text = "\n".join(f"post_{number}(letter)" for number in range(3 * WINDOW_LINES))
    blocks = most_alike(similar_windows("a.py", text, {"letter": 1.0}), 5)
    lines = [line for block in blocks for line in block.text.splitlines()]
    assert len(lines) == len(set(lines))
    assert len(blocks) >= 2


def test_the_same_text_is_there_once() -> None:
    twins = [Likeness(1.0, CodeBlock(path, 1, "post()\n")) for path in ("b.py", "a.py")]
    assert most_alike(twins, 3) == [CodeBlock("a.py", 1, "post()\n")]


def test_a_line_that_nobody_wrote_is_no_block() -> None:
    assert not list(similar_windows("a.py", "post(letter)" * 1_000 + "\n", {"post": 1.0}))
    assert len(names_around("y" * 10_000 + " own", "\n" + "below " * 10_000)) <= 4


def test_what_ends_no_line_for_an_editor_ends_none_here() -> None:
    (window,) = similar_windows("a.py", "post(1)\x0c\npost(2)\u2028 # on\n", {"post": 1.0})
    assert window.block.text == "post(1)\x0c\npost(2)\u2028 # on\n"


# Of a repository


def test_other_files_with_the_names_at_the_cursor(root: Path, database: IndexDatabase) -> None:
    code = code_of(root, database)
    assert paths(code, "def go(mailer):\n    mailer.post(") == ["shop/letters.py"]
    assert paths(code, "van.deliver(address")[0] == "shop/parcels.py"
    assert paths(code, "nothing_like_it = ") == []
    found = code.related("main.py", "mailer", "")
    assert (found.repository, found.path) == ("repository", "main.py")


def test_the_own_file_is_never_looked_into(root: Path, database: IndexDatabase) -> None:
    code = code_of(root, database)
    assert paths(code, "mailer.post(", "shop/letters.py") == []


def test_lines_are_those_of_the_file_as_it_is_now(root: Path, database: IndexDatabase) -> None:
    write_files(root, {"shop/letters.py": "\n\n\nmailer.post(urgent)\n"})
    (block,) = code_of(root, database).related("main.py", "mailer.post(", "").blocks
    assert (block.first_line, block.text) == (1, "\n\n\nmailer.post(urgent)\n")
    (root / "shop/letters.py").unlink()
    assert paths(code_of(root, database), "mailer.post(") == []


def test_open_texts_count_as_they_are_in_the_editor(root: Path, database: IndexDatabase) -> None:
    unsaved = code_of(root, database, draft="brand_new_name(mailer)\n")
    assert paths(unsaved, "brand_new_name(") == ["draft.py"]
    assert paths(unsaved, "brand_new_name(", "draft.py") == []


def test_very_large_open_texts_are_left_out(root: Path, database: IndexDatabase) -> None:
    large, long = "mailer()\n" * 200_000, "mailer(), " * 1_000
    for text in (large, long):
        code = code_of(root, database, draft=text)
        assert paths(code, "x = mailer(") == ["shop/letters.py"]


def test_a_search_can_be_called_off(root: Path, database: IndexDatabase) -> None:
    code = code_of(root, database)
    assert code.related("main.py", "mailer.post(", "", lambda: True).blocks == ()


def test_what_may_not_be_read_is_not_read(root: Path, database: IndexDatabase) -> None:
    write_files(root, {".gitignore": "letters.py\n"})
    assert paths(code_of(root, database), "mailer.post(") == []
    outside = root.parent / "outside.py"
    outside.write_text("van.deliver(secret)\n")
    (root / "shop/parcels.py").unlink()
    (root / "shop/parcels.py").symlink_to(outside)
    assert paths(code_of(root, database), "van.deliver(") == ["web/app.ts"]


def test_rarity_is_by_files_and_follows_them(root: Path, database: IndexDatabase) -> None:
    rarity = database.names.rarity(["address", "mailer", "nobody"])
    assert rarity["mailer"] > rarity["address"] > 0
    assert "nobody" not in rarity

    (root / "shop/letters.py").unlink()
    update(database, root)
    assert "mailer" not in database.names.rarity(["mailer"])
    assert database.names.files_with(["mailer", "deliver"], 5) == ["shop/parcels.py", "web/app.ts"]
    assert database.names.files_with([], 5) == []


# What can be imported


def modules(tmp_path: Path, *files: str, path: str = "main.py") -> list[tuple[str, str]]:
    """What `path` can import that begins with `Post`, each file having a `Postbox`."""
    text = "class Postbox: ...\ndef Posting(): ...\n_Post = 1\nclass A:\n    Postal = 1\n"
    inits = {name: "" if name.endswith("__init__.py") else text for name in files}
    root = write_files(tmp_path / "other", inits)
    database = indexed(root, tmp_path / "other.sqlite")
    return [(one.name, one.module) for one in importable(database, path, "Post")]


def test_names_of_modules_and_how_to_import_them(tmp_path: Path) -> None:
    assert modules(tmp_path, "shop/__init__.py", "shop/mail.py") == [
        ("Postbox", "shop.mail"),
        ("Posting", "shop.mail"),
    ]


@pytest.mark.parametrize(
    ("files", "module"),
    [
        (["src/shop/__init__.py", "src/shop/mail.py"], "shop.mail"),
        (["src/mail.py"], "mail"),
        (["shop/mail.py"], "shop.mail"),
        (["parts/shop/src/shop/__init__.py", "parts/shop/src/shop/mail.py"], "shop.mail"),
        (["mail.py"], "mail"),
    ],
)
def test_a_module_is_called_as_python_does(files: list[str], module: str, tmp_path: Path) -> None:
    assert modules(tmp_path, *files)[0] == ("Postbox", module)


def test_the_nearest_module_and_never_the_own_one(tmp_path: Path) -> None:
    files = ("a/x.py", "b/c/y.py", "b/z.py")
    assert modules(tmp_path, *files, path="b/main.py")[0] == ("Postbox", "b.z")
    database = indexed(tmp_path / "other", tmp_path / "again.sqlite")
    assert importable(database, "b/z.py", "Postbox")[0].module == "b.c.y"


def test_an_index_that_is_only_read_is_not_made(tmp_path: Path) -> None:
    assert open_existing(tmp_path / "none.sqlite") is None
    assert not (tmp_path / "none.sqlite").exists()
