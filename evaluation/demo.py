"""`make demo`: a real file, a real server, a real model, and what they suggest.

Starts the server as an editor would, opens one of this project's own files, deletes a line's end
at several places, types it again in pieces, and prints each suggestion beside its place.
"""

import asyncio
import sys
from pathlib import Path

from lsprotocol import types
from rich.console import Console
from rich.text import Text

from evaluation.editor_client import Answer, editor, server_command
from models.errors import PirouetteError

SOURCE = Path(__file__).parents[1] / "models" / "kv_cache.py"
SHARES = (0.0, 0.3, 0.7)  # how much of a line is typed before each request
PLACES = 4


def typed_lines(text: str) -> list[int]:
    """Lines worth typing: statements spread evenly over the file."""
    lines = text.split("\n")
    statements = [
        number
        for number, line in enumerate(lines)
        if (line.startswith("    ") and line.strip().startswith(("return ", "if ", "for ")))
        or " = " in line
    ]
    step = max(1, len(statements) // PLACES)
    return statements[::step][:PLACES]


def cut_between_words(line: str, share: float) -> int:
    """An index about `share` into the line's code, moved on to the end of a word."""
    indent = len(line) - len(line.lstrip())
    index = indent + round(share * (len(line) - indent))
    while index < len(line) and index > indent and line[index - 1 : index + 1].isidentifier():
        index += 1
    return index


async def run_demo(console: Console) -> int:
    """The number of suggestions that were shown."""
    text = SOURCE.read_text(encoding="utf-8")
    lines = text.split("\n")
    uri, shown = SOURCE.absolute().as_uri(), 0
    # A slow machine shows the same as a fast one, only later.
    async with editor(SOURCE.parent, server_command(), {"timeBudgetMs": 0}) as client:
        with console.status("starting") as status:
            await client.wait_until_ready(lambda stage: status.update(f"model: {stage}"))
        console.print(f"Typing into {SOURCE.name} over the protocol:", highlight=False)
        for number in typed_lines(text):
            line = lines[number]
            client.open(uri, "\n".join([*lines[:number], "", *lines[number + 1 :]]))
            typed = ""
            for share in SHARES:
                upto = line[: cut_between_words(line, share)]
                client.insert(uri, types.Position(number, len(typed)), upto[len(typed) :])
                typed = upto
                answer = await client.suggest(uri, types.Position(number, len(typed)))
                show(console, f"{number + 1}:{len(typed) + 1}", typed, answer)
                shown += bool(answer.text)
            client.close(uri)
    console.print(f"\n{shown} suggestions shown", highlight=False)
    return shown


def show(console: Console, place: str, typed: str, answer: Answer) -> None:
    """One place: what was typed, the suggestion after it, and what it cost."""
    tokens, ms = answer.completed["tokens"], answer.completed["ms"]
    first, *rest = (answer.text or "(nothing worth showing)").split("\n")
    console.print()
    console.print(Text.assemble((f"{place:>8}  ", "bold"), typed, (first, "cyan")))
    for line in rest:
        console.print(Text(f"{'':10}{line}", style="cyan"))
    console.print(
        f"{'':10}{answer.milliseconds:.0f} ms (first token {ms['first_token']:.0f} ms), "
        f"prompt {tokens['prompt']} tokens: {tokens['reused']} reused, "
        f"{tokens['moved']} moved, {tokens['encoded']} read; "
        f"{tokens['generated']} written",
        style="dim",
        highlight=False,
    )


def main() -> int:
    """Exit status 0 once every suggestion was asked for; 2 where the server could not start."""
    try:
        return 0 if asyncio.run(run_demo(Console())) else 1
    except PirouetteError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
