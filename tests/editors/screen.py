"""A terminal's screen as Neovim describes it to whoever draws it.

Takes the events of `:help ui-linegrid`, one grid; knows nothing of where they come from.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.style import Style
from rich.text import Text

INK, PAPER = "#d7dae0", "#20232a"
PAGE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {terminal_width} {terminal_height}">
<style>text {{ font: {char_height}px monospace; white-space: pre }} {styles}</style>
<defs>{lines}</defs><rect width="100%" height="100%" fill="{paper}"/>
{backgrounds}<g>{matrix}</g></svg>
"""


@dataclass(frozen=True, slots=True)
class Look:
    """How a cell is drawn, and the highlight groups that say so."""

    ink: str = INK
    paper: str = PAPER
    italic: bool = False
    bold: bool = False
    groups: tuple[str, ...] = ()


@dataclass(slots=True)
class Screen:
    """Cells of text, each with the number of its look; every state that was shown, as text."""

    cells: list[list[tuple[str, int]]] = field(default_factory=list)
    looks: dict[int, Look] = field(default_factory=lambda: {0: Look()})
    cursor: tuple[int, int] = (0, 0)
    frames: list[str] = field(default_factory=list)
    flushed: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, events: Sequence[Sequence[Any]]) -> None:
        """Take a batch: each event's name, and its arguments as often as it happened."""
        for name, *calls in events:
            if (taken := getattr(self, f"_{name}", None)) is not None:
                for arguments in calls:
                    taken(*arguments)

    def text(self) -> str:
        """The lines, without the blanks at their ends."""
        return "\n".join("".join(text for text, _ in row).rstrip() for row in self.cells)

    def of_group(self, group: str) -> str:
        """What is shown in one highlight group; a new line for each one of the screen."""
        lines = [
            "".join(text for text, look in row if group in self.looks[look].groups)
            for row in self.cells
        ]
        return "\n".join(line.rstrip() for line in lines if line)

    def save(self, file: Path) -> None:
        """Keep the screen as text, and beside it as a picture."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.with_suffix(".txt").write_text(self.text() + "\n", encoding="utf-8")
        console = Console(record=True, width=len(self.cells[0]), file=StringIO())
        for row in self.cells:
            line = Text(no_wrap=True, end="")
            for text, number in row:
                look = self.looks[number]
                style = Style(
                    color=look.ink, bgcolor=look.paper, italic=look.italic, bold=look.bold
                )
                line.append(text, style)
            console.print(line)
        page = PAGE.replace("{paper}", PAPER)
        picture = console.export_svg(code_format=page, title="", font_aspect_ratio=0.6)
        file.with_suffix(".svg").write_text(picture, encoding="utf-8")

    def _grid_resize(self, _: int, width: int, height: int) -> None:
        self.cells = [[(" ", 0)] * width for _ in range(height)]

    def _grid_clear(self, _: int) -> None:
        self.cells = [[(" ", 0)] * len(row) for row in self.cells]

    def _grid_cursor_goto(self, _: int, row: int, column: int) -> None:
        self.cursor = row, column

    def _grid_line(
        self, _: int, row: int, column: int, cells: Sequence[Sequence[Any]], *__: Any
    ) -> None:
        look = 0  # a cell that names none has that of the cell before
        for text, *rest in cells:
            look = rest[0] if rest else look
            times = rest[1] if len(rest) > 1 else 1
            self.cells[row][column : column + times] = [(text, look)] * times
            column += times

    def _grid_scroll(
        self, _: int, top: int, bottom: int, left: int, right: int, rows: int, __: int
    ) -> None:
        moved = range(top, bottom - rows) if rows > 0 else range(bottom - 1, top - rows - 1, -1)
        for row in moved:
            self.cells[row][left:right] = self.cells[row + rows][left:right]

    def _hl_attr_define(
        self, number: int, rgb: Mapping[str, Any], _: Any, info: Sequence[Mapping[str, Any]]
    ) -> None:
        ink, paper = (
            f"#{rgb[name]:06x}" if name in rgb else usual
            for name, usual in (("foreground", INK), ("background", PAPER))
        )
        if rgb.get("reverse"):
            ink, paper = paper, ink
        groups = tuple(name for one in info for name in (one.get("hi_name"),) if name)
        self.looks[number] = Look(ink, paper, "italic" in rgb, "bold" in rgb, groups)

    def _flush(self) -> None:
        self.frames.append(self.text())
        self.flushed.set()
