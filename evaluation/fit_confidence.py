"""Fits the rule of confidence and judges it on repositories that it has not seen.

python -m evaluation.fit_confidence --collect N --samples PATH [--seed S] [--model NAME]
python -m evaluation.fit_confidence --samples PATH --plot PICTURE.svg
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lsp_server.arguments import OneLineParser, positive
from lsp_server.console import ProgressBar
from models.catalogue import DEFAULT_MODEL
from models.errors import InputError, PirouetteError
from models.processor import share_the_processor
from models.store import ModelStore, default_home


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m evaluation.fit_confidence")
    parser.add_argument("--collect", type=positive, metavar="N", help="so many points in all")
    parser.add_argument("--samples", type=Path, required=True, metavar="PATH")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the points")
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="NAME", help="who is asked")
    parser.add_argument("--plot", type=Path, metavar="PICTURE", help="where to draw it")
    return parser


def collect_samples(name: str, count: int, path: Path, seed: int) -> None:
    from completion.pipeline import Completer
    from evaluation.confidence_samples import collect, draw_points
    from evaluation.provenance import own_commit
    from evaluation.repositories import UNSEEN, fetch_repositories
    from models.language_model import load_language_model

    store = ModelStore(default_home())
    with ProgressBar() as progress:
        repositories = fetch_repositories(UNSEEN, store.home / "repositories", progress)
        points = draw_points(repositories, count, seed)
        folder = store.pull(name, progress)
        completer = Completer(load_language_model(name, folder, progress))
        run = f"{name}, seed {seed}, commit {own_commit()}"
        samples = collect(completer, points, path, run, progress)
    right = sum(sample.right for sample in samples)
    print(f"{len(samples)} points, {right} of their first lines right")


def fit_and_draw(path: Path, picture: Path) -> None:
    """Prints the rule and what it is worth, and draws it."""
    from completion.confidence import geometric_mean
    from evaluation.confidence_curves import Judged, fit_rule, judge_held_out, with_text
    from evaluation.confidence_plot import draw, source_of, summary_of, table_of
    from evaluation.confidence_samples import read_samples
    from evaluation.pictures import save
    from evaluation.results import require_writable

    require_writable(picture)
    by_repository = with_text(read_samples(path))
    judged = judge_held_out(by_repository)
    plain = [
        Judged(name, geometric_mean(features), right)
        for name, ones in by_repository.items()
        for features, right in ones
    ]
    right = sum(one.right for one in judged)
    print(source_of(fit_rule([one for ones in by_repository.values() for one in ones])))
    print(
        f"\n{len(judged)} suggestions of {len(by_repository)} repositories, {right} of them right"
    )
    print(f"{table_of(judged, plain)}\n\n{summary_of(judged, plain)}")
    save(draw(judged, plain), picture)


def main(argv: Sequence[str] | None = None) -> int:
    share_the_processor()
    try:
        arguments = build_parser().parse_args(argv)
        if arguments.collect is not None:
            collect_samples(arguments.model, arguments.collect, arguments.samples, arguments.seed)
        if arguments.plot is not None:
            fit_and_draw(arguments.samples, arguments.plot)
        if arguments.collect is None and arguments.plot is None:
            raise InputError("say what to do: --collect N or --plot PICTURE")
    except PirouetteError as error:
        print(f"fit_confidence: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
