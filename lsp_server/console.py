"""What commands show in a terminal: one progress bar on stderr, and JSON on stdout."""

import json
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from models.progress import Progress


class ProgressBar:
    """A progress callback that draws a bar, one for each stage; nothing where stderr is no
    terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, object] = {}

    def __enter__(self) -> "ProgressBar":
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        if progress.stage not in self._tasks:
            self._tasks[progress.stage] = self._bar.add_task(progress.stage)
        task = self._tasks[progress.stage]
        self._bar.update(task, completed=progress.done, total=max(progress.total, 1))  # type: ignore[arg-type]


def print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False))
