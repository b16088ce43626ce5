"""The peer of benchmarks: llama.cpp's own server on the same GGUF, with cache reuse on.

The server comes in the package `xllamacpp` and runs inside this process. It is given the token ids
of Pirouette's prompts, one after the other, as an editor would send them to it.
"""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import InputError
from models.processor import all_processors, processor_count

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

    Raises `InputError` where the package is not installed.
    """

    def __init__(self, gguf: Path, capacity: int) -> None:
        package = import_xllamacpp()
        parameters = package.CommonParams()
        parameters.model.path = str(gguf)
        parameters.n_ctx = capacity
        parameters.n_parallel = 1
        parameters.verbosity = 1  # errors only
        parameters.n_cache_reuse = REUSE_TOKENS
        parameters.cpuparams.n_threads = processor_count()
        with all_processors():  # its threads run where the one that starts it may
            self._server: Any = package.Server(parameters)

    def complete(self, prompt: Sequence[int], tokens: int) -> Served:
        """Read a prompt, reusing what the server can of the last one, and write one line."""
        return self._ask(prompt, tokens, {"cache_prompt": True, "stop": ["\n"]})

    def compute(self, prompt: Sequence[int], tokens: int) -> Served:
        """Read all of a prompt, and write exactly so many tokens, whatever they say."""
        return self._ask(prompt, tokens, {"cache_prompt": False, "ignore_eos": True})

    def _ask(self, prompt: Sequence[int], tokens: int, how: Mapping[str, Any]) -> Served:
        answer = self._server.handle_completions(
            {"prompt": list(prompt), "n_predict": tokens, "temperature": 0, **how}
        )
        if "choices" not in answer:
            raise InputError(f"llama.cpp did not answer ({answer}); leave out --peer")
        timings = answer["timings"]
        return Served(
            text=answer["choices"][0]["text"],
            encoded=int(timings["prompt_n"]),
            ms=float(timings["prompt_ms"]),
            written=int(timings["predicted_n"]),
            writing_ms=float(timings["predicted_ms"]),
        )


def import_xllamacpp() -> Any:
    """`xllamacpp`, which only this arm needs."""
    try:
        return importlib.import_module("xllamacpp")
    except ImportError:
        raise InputError(
            "the llama.cpp arm needs the package xllamacpp; "
            "run: pip install 'pirouette-lsp[evaluation]'"
        ) from None
