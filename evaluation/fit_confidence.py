"""Fits the rule of confidence and judges it on repositories that it has not seen.

python -m evaluation.fit_confidence --collect N --samples PATH [--seed S]
python -m evaluation.fit_confidence --samples PATH --plot PICTURE.svg
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lsp_server.console import ProgressBar
from models.catalogue import DEFAULT_MODEL
from models.errors import InputError, PirouetteError
from models.processor import share_the_processor
from models.store import ModelStore, default_home


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evaluation.fit_confidence")
    parser.add_argument("--collect", type=int, metavar="N", help="so many points, then end")
    parser.add_argument("--samples", type=Path, required=True, metavar="PATH")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the points")
    parser.add_argument("--plot", type=Path, metavar="PICTURE", help="where to draw it")
    return parser


def collect_samples(count: int, path: Path, seed: int) -> None:
    from completion.pipeline import Completer
    from evaluation.confidence_samples import collect, draw_points
    from evaluation.provenance import own_commit
    from evaluation.repositories import UNSEEN, fetch_repositories
    from models.language_model import load_language_model

    store = ModelStore(default_home())
    with ProgressBar() as progress:
        repositories = fetch_repositories(UNSEEN, store.home / "repositories", progress)
        points = draw_points(repositories, count, seed)
        folder = store.pull(DEFAULT_MODEL, progress)
        completer = Completer(load_language_model(DEFAULT_MODEL, folder, progress))
        run = f"{DEFAULT_MODEL}, seed {seed}, commit {own_commit()}"
        samples = collect(completer, points, path, run, progress)
    right = sum(sample.right for sample in samples)
    print(f"{len(samples)} points, {right} of their first lines right")


def main(argv: Sequence[str] | None = None) -> int:
    share_the_processor()
    arguments = build_parser().parse_args(argv)
    try:
        if arguments.collect is not None:
            collect_samples(arguments.collect, arguments.samples, arguments.seed)
        elif arguments.plot is None:
            raise InputError("say what to do: --collect N or --plot PICTURE")
    except PirouetteError as error:
        print(f"fit_confidence: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
