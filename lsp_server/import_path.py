"""Where modules are imported from: never from the folder that the program happens to be started in.

An editor starts it in a workspace, which may have modules of the same names as ours or as those of
libraries. `python -P` and console scripts leave that folder out; an entry of PYTHONPATH that is
empty or relative brings it back, and a trailing colon is enough for an empty one.
"""

import os
from collections.abc import MutableMapping
from pathlib import Path


def forget_relative_entries(environment: MutableMapping[str, str], path: list[str]) -> None:
    """Take such entries out of PYTHONPATH, which other processes inherit, and out of `sys.path`."""
    if not (named := environment.get("PYTHONPATH")):
        return
    entries = named.split(os.pathsep)
    kept = [entry for entry in entries if Path(entry).is_absolute()]
    environment["PYTHONPATH"] = os.pathsep.join(kept)
    # Python has made them absolute meanwhile.
    left_out = {Path(entry).absolute() for entry in entries} - set(map(Path, kept))
    path[:] = [entry for entry in path if Path(entry).absolute() not in left_out]
