"""Texts that stand in for files: what an editor holds and has not saved.

jedi and parso read every file through parso's `FileIO`, what is imported through the one with known
content: these are changed, in the navigation process only.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from parso.file_io import FileIO, KnownContentFileIO

from retrieval.analyst.jedi_answers import date_back

NEWEST = float("inf")  # a time that no tree which parso kept is as new as


class Overlay:
    """The texts of the question in hand."""

    def __init__(self) -> None:
        self._texts: dict[Path, str] = {}

    def install(self) -> None:
        """Have files read through this overlay from now on."""
        files: Any = FileIO
        known: Any = KnownContentFileIO
        modified = files.get_last_modified

        def over(read: Any) -> Any:
            def read_over(file: Any) -> str | bytes:
                text = self._texts.get(file.path)
                return read(file) if text is None else text

            return read_over

        def modified_over(file: Any) -> float | None:
            time: float | None = modified(file)
            return NEWEST if file.path in self._texts else time

        files.read, known.read = over(files.read), over(known.read)
        files.get_last_modified = modified_over

    @contextmanager
    def of(self, texts: Mapping[str, str]) -> Iterator[None]:
        """Put these texts over their files; parso takes its trees of them for outdated after."""
        self._texts = {Path(path): text for path, text in texts.items()}
        try:
            yield
        finally:
            for path in self._texts:
                date_back(path)
            self._texts = {}
