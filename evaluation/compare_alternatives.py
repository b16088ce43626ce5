"""Compares ways to make several suggestions, at points in the six unseen repositories.

python -m evaluation.compare_alternatives [--limit N] [--seed S] [--most K]
"""

import argparse
import sys
from collections.abc import Sequence

from lsp_server.arguments import OneLineParser, positive
from lsp_server.console import ProgressBar
from models.catalogue import DEFAULT_MODEL
from models.errors import PirouetteError
from models.processor import share_the_processor
from models.store import ModelStore, default_home

NGRAM_TOKENS = 300_000  # of each repository, without the files of the points


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m evaluation.compare_alternatives")
    parser.add_argument("--limit", type=positive, default=120, metavar="N", help="so many points")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the points")
    parser.add_argument("--most", type=positive, default=3, metavar="K", help="lines at a point")
    return parser


def compare(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from completion.prompt import PromptBuilder
    from evaluation.alternatives_race import AlternativesRace, alternatives_rows
    from evaluation.confidence_samples import draw_points
    from evaluation.provenance import made_here
    from evaluation.repositories import UNSEEN, fetch_repositories
    from evaluation.results import render_table
    from evaluation.superposed import NGrams
    from lsp_server.settings import Settings
    from models.language_model import load_language_model

    store = ModelStore(default_home())
    with ProgressBar() as progress:
        repositories = fetch_repositories(UNSEEN, store.home / "repositories", progress)
        points = draw_points(repositories, arguments.limit, arguments.seed)
        folder = store.pull(DEFAULT_MODEL, progress)
        model = load_language_model(DEFAULT_MODEL, folder, progress)
        asked = {point.request.document for point in points.values()}
        seen: dict[str, NGrams] = {}
        for repository in repositories:
            seen[repository.name], left = NGrams(), NGRAM_TOKENS
            for path, text in repository.files.items():
                if f"{repository.name}/{path}" not in asked and left > 0:
                    tokens = model.tokenizer.encode(text)[:left]
                    seen[repository.name].add(tokens)
                    left -= len(tokens)
        builder = PromptBuilder.for_model(model, Settings().context_tokens)
        race = AlternativesRace(model, builder, arguments.most, seen)
        rows = list(alternatives_rows(race.run(list(points.values()), progress)))
    command = f"python -m evaluation.compare_alternatives --limit {arguments.limit}"
    Console().print(render_table(made_here("alternatives", command, arguments.seed, rows)))


def main(argv: Sequence[str] | None = None) -> int:
    share_the_processor()
    try:
        compare(build_parser().parse_args(argv))
    except PirouetteError as error:
        print(f"compare_alternatives: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
