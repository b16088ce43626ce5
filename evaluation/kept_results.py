"""Results kept in a file as they are made, so that a long run that is cut off can go on."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Generic, TypeVar

from evaluation.results import require_writable
from models.errors import InputError

Result = TypeVar("Result")


class KeptResults(Generic[Result]):
    """Results by case in a file of JSON lines, to which each case is added when it is done.

    A result is a dataclass that `restore` makes again from its fields. They count only for the run
    that is named by `run`: model, arms and commit, so that figures of two versions are never
    mixed. Without a file nothing is kept.
    """

    def __init__(self, path: Path | None, run: str, restore: Callable[..., Result]) -> None:
        self._path = path
        self._run = run
        self._known: dict[str, list[Result]] = {}
        if path is not None:
            require_writable(path)
            self._read(path, restore)

    def find(self, case: str) -> list[Result] | None:
        return self._known.get(case)

    def add(self, case: str, results: Sequence[Any]) -> None:
        if self._path is None:
            return
        record = {"run": self._run, "case": case, "reached": [asdict(one) for one in results]}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")

    def _read(self, path: Path, restore: Callable[..., Result]) -> None:
        """Take what is there; a last line that was cut off is dropped."""
        if not path.exists():
            return
        whole = path.read_bytes().rpartition(b"\n")[0]
        for line in whole.splitlines():
            try:
                record: Mapping[str, Any] = json.loads(line)
                found = [restore(**one) for one in record["reached"]]
                run, case = record["run"], record["case"]
            except (ValueError, TypeError, KeyError):
                raise InputError(
                    f"{path} is not a file of this benchmark; name another file"
                ) from None
            if run != self._run:
                raise InputError(
                    f"{path} holds results of another run ({run}; this one is {self._run}); "
                    "name another file"
                )
            self._known[case] = found
        path.write_bytes(whole + b"\n" if whole else b"")
