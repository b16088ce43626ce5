"""A command of Pirouette in a process of its own, beside the server.

It runs at low priority, takes memory only while it lasts, and whatever happens to it does not touch
the server.
"""

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from models.errors import InputError

LOW_PRIORITY = 10


async def run_aside(*arguments: str) -> dict[str, Any]:
    """The one JSON object that `pirouette` prints with these arguments, `--json` among them.

    Whoever stops waiting ends it. Raises `InputError` with what it has to say of its failure.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "lsp_server.cli", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=Path(sys.executable).anchor,
    )
    try:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, LOW_PRIORITY)
        output, told = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    try:
        answer: dict[str, Any] = json.loads(output if process.returncode in (0, 1) else b"")
    except ValueError:  # one that ends early has the status of one that finds nothing
        lines = told.decode(errors="replace").splitlines() or ["it ended early"]
        raise InputError(lines[-1].removeprefix("pirouette: ")) from None
    return answer
