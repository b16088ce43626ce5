"""llama.cpp's server as a process: a wish is a line of its input, an answer one of its output.

Its arguments are a GGUF file, the tokens of its one slot, its threads, and the shortest moved chunk
of a prompt that it may reuse. It ends with its input, and must not know who asks. Nothing of
Pirouette runs here, so that its threads are as they are in any program.
"""

import importlib
import json
import os
import sys
from typing import Any


def main() -> None:
    file, capacity, threads, reuse = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the library prints is no answer
    package: Any = importlib.import_module("xllamacpp")
    parameters = package.CommonParams()
    parameters.model.path = file
    parameters.n_ctx = int(capacity)
    parameters.n_parallel = 1
    parameters.verbosity = 1  # errors only
    parameters.n_cache_reuse = int(reuse)
    parameters.cpuparams.n_threads = int(threads)
    server = package.Server(parameters)
    for line in sys.stdin:
        print(json.dumps(server.handle_completions(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
