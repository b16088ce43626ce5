"""Learns the model of what type of token follows, and judges it beside n-grams.

python -m training.type_model FOLDER [--tokens N] [--updates N] [--seed S] [--packages FILE]
    --apart-from WHEEL...

FOLDER gets the weights and `record.json`, which says how they were made. What the named wheels hold
is not learned: it is what the model is judged on, as it is and with lines that are cut off.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from completion.token_types.numbers import WORDS
from completion.token_types.types import TokenType
from lsp_server.arguments import OneLineParser, positive, seed
from lsp_server.console import ProgressBar
from models.config import write_json
from models.errors import InputError, PirouetteError
from models.progress import Progress, ProgressCallback
from models.store import ModelStore, default_home
from models.type_model import FILE, TypeModel, TypeModelShape, save_type_model
from retrieval.wheel_sources import sources_of
from training.corpus import LIST
from training.prepare import RECORD, fresh_folder, gather
from training.type_ngrams import NGrams
from training.type_sequences import TypeSequences, sequences_of
from training.type_training import Recipe, learn_types, likeliest_types

ORDERS = (3, 5, 7)
JUDGED = 500_000  # tokens
CUT = 1 / 40  # of the lines, where some are cut off
NOTED = 50  # updates from one point of the curve to the next


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m training.type_model")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the model goes")
    parser.add_argument("--tokens", type=positive, default=16_000_000, metavar="N")
    parser.add_argument("--updates", type=positive, default=900, metavar="N")
    parser.add_argument("--seed", type=seed, default=0, metavar="S")
    parser.add_argument(
        "--packages", type=Path, default=LIST, metavar="FILE", help="what to learn from"
    )
    parser.add_argument(
        "--apart-from",
        type=Path,
        nargs="+",
        required=True,
        metavar="WHEEL",
        help="what the model is judged on",
    )
    return parser


def make(arguments: argparse.Namespace, progress: ProgressCallback) -> dict[str, Any]:
    aside = fresh_folder(arguments.folder)
    documents, packages = gather(ModelStore(default_home()), arguments, progress)
    rng = random.Random(arguments.seed)
    rng.shuffle(documents)
    unseen = [text for wheel in arguments.apart_from for text in sources_of(wheel).values()]
    rng.shuffle(unseen)
    if not documents or not unseen:
        raise InputError("there is nothing to learn or to judge; name more packages")
    learned = sequences_of((one.text for one in documents), arguments.tokens)
    torch.manual_seed(arguments.seed)
    model = TypeModel(TypeModelShape(len(TokenType), WORDS))
    recipe = Recipe(arguments.updates, seed=arguments.seed)
    curve: list[float] = []
    losses: list[float] = []

    def after(number: int, loss: float) -> None:
        progress(Progress("learning", number, recipe.updates))
        losses.append(loss)
        if number % NOTED == 0:
            curve.append(round(sum(losses) / len(losses), 4))
            losses.clear()

    learn_types(model, learned, recipe, after)
    judged = {"whole": unseen, "cut": [with_cuts(text, rng) for text in unseen]}
    record = {
        "apart_from": [wheel.name for wheel in arguments.apart_from],
        "recipe": asdict(recipe),
        "tokens": len(learned.types),
        "curve": curve,
        "accuracy": accuracies(model, learned, judged, progress),
        "packages": [asdict(one) for one in packages if one.files],
    }
    save_type_model(model, aside / FILE)
    write_json(aside / RECORD, record)
    aside.replace(arguments.folder)
    return record


def with_cuts(text: str, rng: random.Random) -> str:
    """A text in which some lines end too early, as they do while they are being written."""
    lines = text.split("\n")
    cut = (
        line[: rng.randrange(len(line))] if line and rng.random() < CUT else line for line in lines
    )
    return "\n".join(cut)


def accuracies(
    model: TypeModel,
    learned: TypeSequences,
    texts: Mapping[str, Iterable[str]],
    progress: ProgressCallback,
) -> dict[str, dict[str, float]]:
    """The share of types in each kind of text that are the likeliest, by who says so."""
    judged = {name: sequences_of(some, JUDGED) for name, some in texts.items()}
    found: dict[str, dict[str, float]] = {name: {} for name in judged}
    for done, order in enumerate(ORDERS):
        progress(Progress("counting", done, len(ORDERS)))
        counted = NGrams(learned.types, order)
        for name, one in judged.items():
            right = counted.likeliest(one.types) == one.types[order - 1 :]
            found[name][f"{order}-gram"] = round(float(np.mean(right)), 4)
    for name, one in judged.items():
        found[name]["model"] = round(
            float(np.mean(likeliest_types(model, one) == one.types[1:])), 4
        )
    return found


def main(argv: Sequence[str] | None = None) -> int:
    try:
        arguments = build_parser().parse_args(argv)
        with ProgressBar() as progress:
            record = make(arguments, progress)
    except (PirouetteError, OSError) as error:
        print(f"type_model: {error}", file=sys.stderr)
        return 2
    print(json.dumps(record["accuracy"], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
