"""The peer of benchmarks: llama.cpp's own server on the same GGUF, with cache reuse on.

The server comes in the package `xllamacpp` and runs in a process of its own: in one process OpenMP
has more threads than there are processors, and lets those of both sides sleep at once. It is given
the token ids of Pirouette's prompts, one after the other, as an editor would send them to it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from evaluation import llama_cpp_process
from models.errors import InputError
from models.processor import HOW_THREADS_SHARE, all_processors, processor_count

PATIENCE = 20.0  # seconds for the server to end
REUSE_TOKENS = 256  # the shortest moved chunk that the server may reuse, as its users set it


@dataclass(frozen=True, slots=True)
class Served:
    """What was written, the prompt tokens read for it, milliseconds until its first token.

    It is of `written` tokens, and `writing_ms` passed from the first to the last of them.
    """

    text: str
    encoded: int
    ms: float
    written: int
    writing_ms: float


class LlamaCppPeer:
    """One slot of a llama.cpp server for prompts of up to `capacity` tokens, answers included.

    To be closed. Raises `InputError` where the package is not installed.
    """

    def __init__(self, gguf: Path, capacity: int) -> None:
        require_xllamacpp()
        command = [sys.executable, "-P", "-m", llama_cpp_process.__name__]
        settings = [gguf, capacity, processor_count(), REUSE_TOKENS]
        ours = HOW_THREADS_SHARE.items()
        own = {name: value for name, value in os.environ.items() if (name, value) not in ours}
        with all_processors():  # it runs where the thread that starts it may
            self._process = subprocess.Popen(
                [*command, *map(str, settings)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=own,
                text=True,
            )

    def close(self) -> None:
        """End the server."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # it has ended, and what it was to read is lost
            self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def complete(self, prompt: Sequence[int], tokens: int) -> Served:
        """Read a prompt, reusing what the server can of the last one, and write one line."""
        return self._ask(prompt, tokens, {"cache_prompt": True, "stop": ["\n"]})

    def compute(self, prompt: Sequence[int], tokens: int) -> Served:
        """Read all of a prompt, and write exactly so many tokens, whatever they say."""
        return self._ask(prompt, tokens, {"cache_prompt": False, "ignore_eos": True})

    def _ask(self, prompt: Sequence[int], tokens: int, how: Mapping[str, Any]) -> Served:
        wish = {"prompt": list(prompt), "n_predict": tokens, "temperature": 0, **how}
        said = self._said(json.dumps(wish))
        answer = json.loads(said) if said else {}
        if "choices" not in answer:
            raise InputError(f"llama.cpp did not answer ({said or 'it ended'}); leave out --peer")
        timings = answer["timings"]
        return Served(
            text=answer["choices"][0]["text"],
            encoded=int(timings["prompt_n"]),
            ms=float(timings["prompt_ms"]),
            written=int(timings["predicted_n"]),
            writing_ms=float(timings["predicted_ms"]),
        )

    def _said(self, wish: str) -> str:
        """The line that comes back; empty where the server has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{wish}\n")
            self._process.stdin.flush()
        return self._process.stdout.readline().strip()


def require_xllamacpp() -> None:
    """Raise `InputError` where `xllamacpp`, which only this arm needs, is not installed."""
    if find_spec("xllamacpp") is None:
        raise InputError(
            "the llama.cpp arm needs the package xllamacpp; "
            "run: pip install 'pirouette-lsp[evaluation]'"
        )
