"""Which files of a workspace a search for a name reads, and which ones a rename may change."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from retrieval.index.source_files import FileRules, is_entered, read_source, source_files

SUFFIXES = frozenset({".py", ".pyi"})


def files_named(
    root: Path, rules: FileRules, name: str, opened: Mapping[Path, str], most: int
) -> list[Path]:
    """Python files below `root` that have a name as a word, the `opened` ones by their texts; no
    more than `most`."""
    in_bytes = re.compile(rb"(?<![\w\x80-\xff])" + re.escape(name.encode()) + rb"(?![\w\x80-\xff])")
    in_text = re.compile(rf"\b{re.escape(name)}\b")
    found: list[Path] = []
    for file in source_files(root, rules):
        if PurePath(file.path).suffix not in SUFFIXES or len(found) == most:
            continue
        path = root / file.path
        if (text := opened.get(path)) is not None:
            has_it = in_text.search(text) is not None
        else:
            data = read_source(root, file.path)
            has_it = data is not None and in_bytes.search(data) is not None
        if has_it:
            found.append(path)
    return found


def may_be_changed(path: Path, roots: Sequence[Path], rules: FileRules) -> bool:
    """Whether a file is one that a search below a root would come to: no file that git ignores or
    that may hold secrets, no link, none of what others wrote."""
    for root in roots:
        if not path.is_relative_to(root):
            continue
        *folders, _ = path.relative_to(root).parts
        above = [root.joinpath(*folders[:depth]) for depth in range(len(folders))]
        entered = all(
            is_entered(folder, name, rules) for folder, name in zip(above, folders, strict=True)
        )
        if entered and not path.is_symlink() and path.suffix in SUFFIXES and rules.allows(path):
            return True
    return False
