"""How well models tell the tokens of files that they have not seen, read from left to right.

python -m evaluation.perplexity NAME [NAME...] [--files N] [--seed S]

Prints each model's perplexity, and its ratio to that of the first; all must have the same tokens.
"""

import argparse
import math
import random
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from evaluation.intervals import bootstrap_mean
from lsp_server.arguments import OneLineParser, positive
from lsp_server.console import ProgressBar
from models.errors import InputError, PirouetteError
from models.processor import share_the_processor
from models.progress import Progress, ProgressCallback
from models.store import ModelStore, default_home

if TYPE_CHECKING:
    from models.language_model import LanguageModel

LENGTH = 1_024  # tokens of a file, from its beginning
AT_ONCE = 128  # tokens


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m evaluation.perplexity")
    parser.add_argument("models", nargs="+", metavar="NAME", help="of the same tokens")
    parser.add_argument("--files", type=positive, default=60, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the files")
    return parser


def draw_texts(count: int, seed: int, progress: ProgressCallback) -> list[str]:
    """Files of the unseen repositories that fill a window."""
    from evaluation.repositories import UNSEEN, fetch_repositories

    fetched = fetch_repositories(UNSEEN, default_home() / "repositories", progress)
    texts = [text for one in fetched for text in one.files.values() if len(text) > 4 * LENGTH]
    return random.Random(seed).sample(texts, min(count, len(texts)))  # noqa: S311


def losses(
    model: "LanguageModel", windows: Sequence[Sequence[int]], progress: ProgressCallback
) -> list[float]:
    """The mean loss of each window's tokens after the first, in nats."""
    import torch
    import torch.nn.functional as F

    found: list[float] = []
    for done, window in enumerate(windows):
        progress(Progress(f"reading with {model.name}", done, len(windows)))
        cache, total = model.decoder.new_cache(len(window)), 0.0
        for start in range(0, len(window) - 1, AT_ONCE):
            read = window[start : min(start + AT_ONCE, len(window) - 1)]
            truth = torch.tensor(window[start + 1 : start + 1 + len(read)])
            logits = model.decoder.logits(model.decoder.forward(read, cache))
            total += float(F.cross_entropy(logits.cpu().float(), truth, reduction="sum"))
        found.append(total / (len(window) - 1))
    return found


def compare(arguments: argparse.Namespace, progress: ProgressCallback) -> list[str]:
    """A line of text for each model."""
    from models.language_model import load_language_model

    store = ModelStore(default_home())
    texts = draw_texts(arguments.files, arguments.seed, progress)
    windows: list[list[int]] = []
    first: list[float] = []
    lines: list[str] = []
    for name in arguments.models:
        model = load_language_model(name, store.pull(name, progress), progress)
        encoded = [model.tokenizer.encode(text)[:LENGTH] for text in texts]
        windows = windows or encoded
        if encoded != windows:
            raise InputError(f"'{name}' has other tokens than the first model; compare apart")
        found = losses(model, windows, progress)
        first = first or found
        line = f"{name}: {math.exp(sum(found) / len(found)):.4f}"
        if found is not first:
            gains = [one - other for one, other in zip(found, first, strict=True)]
            interval = bootstrap_mean(gains, arguments.seed)
            ratio, low, high = map(math.exp, (sum(gains) / len(gains), interval.low, interval.high))
            line += f", {ratio:.4f} [{low:.4f}, {high:.4f}] times the first"
        lines.append(line)
    return [f"{len(windows)} files, {sum(map(len, windows))} tokens", *lines]


def main(argv: Sequence[str] | None = None) -> int:
    share_the_processor()
    try:
        arguments = build_parser().parse_args(argv)
        with ProgressBar() as progress:
            lines = compare(arguments, progress)
    except PirouetteError as error:
        print(f"perplexity: {error}", file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
