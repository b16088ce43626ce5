"""Results kept in a file as they are made, so that a long run that is cut off can go on."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Generic, TypeVar

from evaluation.results import require_writable
from models.errors import InputError

Result = TypeVar("Result")
BEGINNING = b'{"run": "'  # of every record


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

    def get(self, case: str, make: Callable[[], Iterable[Result]]) -> list[Result]:
        """Those of a case, which are made and kept where they are not known."""
        known = self.find(case)
        if known is None:
            known = list(make())
            self.add(case, known)
        return known

    def find(self, case: str) -> list[Result] | None:
        return self._known.get(case)

    def add(self, case: str, results: Sequence[Any]) -> None:
        if self._path is None:
            return
        record = {"run": self._run, "case": case, "reached": [asdict(one) for one in results]}
        line = json.dumps(record, ensure_ascii=False) + "\n"
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            raise InputError(
                f"{self._path} cannot be written ({error.strerror}); name another file"
            ) from None

    def _read(self, path: Path, restore: Callable[..., Result]) -> None:
        def take(record: Mapping[str, Any]) -> None:
            found = [restore(**one) for one in record["reached"]]
            run, case = record["run"], record["case"]
            if run != self._run:
                raise InputError(
                    f"{path} holds results of another run ({run}; this one is {self._run}); "
                    "name another file"
                )
            self._known[case] = found

        if os.path.exists(path):  # noqa: PTH110 - pathlib's may raise
            read_records(path, "this benchmark", take)


def read_records(path: Path, of: str, take: Callable[[dict[str, Any]], None]) -> None:
    """Give each line of a file that grows to `take`; a last one that was cut off is then dropped.

    Raises `InputError`, and leaves the file as it is, where it is not one `of` these: where `take`
    finds no record of its own, or the end is not the beginning of one.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); name another file") from None
    whole = data[: data.rfind(b"\n") + 1]
    cut_off = data[len(whole) :]
    try:
        for line in whole.splitlines():
            take(json.loads(line))
        if cut_off[: len(BEGINNING)] != BEGINNING[: len(cut_off)]:
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InputError(f"{path} is not a file of {of}; name another file") from None
    if cut_off:
        path.write_bytes(whole)
