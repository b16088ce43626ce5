"""The weight of token types in decoding: fitted on the development repositories.

python -m evaluation.fit_fusion --samples PATH [--limit N] [--seed S]

PATH keeps what the models say at each place, and a collection that was cut off goes on from it.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import mean

from evaluation.benchmarks.types import draw_lines, rank, reach, restored
from evaluation.kept_results import KeptResults
from evaluation.next_tokens import LineReader, NextTokens
from evaluation.provenance import run_name
from evaluation.repositories import DEVELOPMENT, fetch_repositories
from lsp_server.arguments import OneLineParser, positive
from lsp_server.console import ProgressBar
from models.catalogue import DEFAULT_MODEL
from models.errors import PirouetteError
from models.processor import share_the_processor
from models.progress import Progress, ProgressCallback
from models.store import ModelStore, default_home

WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1.0)


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m evaluation.fit_fusion")
    parser.add_argument("--samples", type=Path, required=True, metavar="PATH")
    parser.add_argument("--limit", type=positive, default=150, metavar="N", help="lines")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    return parser


def collect(arguments: argparse.Namespace, progress: ProgressCallback) -> list[NextTokens]:
    """The places of lines of the development repositories."""
    from completion.pipeline import Completer
    from completion.token_types.fusion import load_type_fusion
    from models.language_model import load_language_model

    store = ModelStore(default_home())
    repositories = fetch_repositories(DEVELOPMENT, store.home / "repositories", progress)
    folder = store.pull(DEFAULT_MODEL, progress)
    model = load_language_model(DEFAULT_MODEL, folder, progress)
    kept = KeptResults(arguments.samples, run_name("fit_fusion", model, ()), restored)
    types, completer = load_type_fusion(model.tokenizer), Completer(model)
    reader = LineReader(completer, types.reader)
    places: list[NextTokens] = []
    lines = draw_lines(repositories, arguments.limit, arguments.seed)
    for done, (number, one) in enumerate(lines.items()):
        progress(Progress("reading lines", done, len(lines)))
        key = f"{arguments.seed}/{number}/{one.request.document}"
        for reached in kept.get(key, partial(reach, reader, completer, types, one)):
            places += reached.places
    return places


def table(places: Sequence[NextTokens]) -> list[str]:
    """A line for each weight: how often the true token is first, and its mean reciprocal rank."""
    lines = [f"{len(places)} places"]
    for weight in WEIGHTS:
        ranks = [rank(place, weight, 0) for place in places]
        first = mean(one == 1 for one in ranks)
        reciprocal = mean(1 / one if one else 0.0 for one in ranks)
        lines.append(f"weight {weight:.2f}: accuracy {first:.4f}, mrr {reciprocal:.4f}")
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    share_the_processor()
    try:
        arguments = build_parser().parse_args(argv)
        with ProgressBar() as progress:
            places = collect(arguments, progress)
    except PirouetteError as error:
        print(f"fit_fusion: {error}", file=sys.stderr)
        return 2
    print("\n".join(table(places)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
