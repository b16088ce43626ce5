"""A server of `tests.protocol.servers` whose process notes each address that it turns to.

python -P tests/protocol/watched_server.py NOTES KIND    a line of NOTES is one attempt
"""

import runpy
import sys
from pathlib import Path
from typing import Any

# https://docs.python.org/3/library/audit_events.html
OUTWARD = frozenset(
    {
        "socket.connect",
        "socket.sendto",
        "socket.sendmsg",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "urllib.Request",
    }
)


def note_into(notes: Path) -> None:
    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event in OUTWARD:
            with notes.open("a", encoding="utf-8") as file:
                file.write(f"{event} {arguments[1:]}\n")

    sys.addaudithook(note)


if __name__ == "__main__":
    note_into(Path(sys.argv.pop(1)))
    runpy.run_path(str(Path(__file__).with_name("servers.py")), run_name="__main__")
