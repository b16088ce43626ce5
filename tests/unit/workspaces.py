"""Little workspaces for tests, and what their own files say of a place in one of them."""

from collections.abc import Mapping
from pathlib import Path

from retrieval.analyst.questions import Answer, Question, Wanted
from retrieval.symbols.answers import DeclaredNames


def write_files(root: Path, files: Mapping[str, str]) -> Path:
    """Texts by their paths below `root`, which is returned."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def write_packages(environment: Path, files: Mapping[str, str]) -> Path:
    """Texts by their paths where an environment has its packages; the folder of these."""
    return write_files(environment / "lib" / "python3.11" / "site-packages", files)


def declared_at(workspace: Path, file: str, text: str) -> set[str] | None:
    """The names that may stand at `▮` in a file, if all are known."""
    answer = answer_at(workspace, file, text)
    return None if answer is None else set(answer.names)


def answer_at(workspace: Path, file: str, text: str) -> Answer | None:
    before, after = text.split("▮")
    question = Question(str(workspace / file), str(workspace), before, after, Wanted.NAMES)
    answer = DeclaredNames().answer(question)
    assert answer is None or answer.complete
    return answer
