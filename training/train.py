"""Learns an adapter from prepared samples, on a GPU where there is one.

python -m training.train MODEL_FOLDER SAMPLES_FOLDER ADAPTER_FOLDER [--updates N] [--rank R] ...

MODEL_FOLDER is what `pirouette models path NAME` prints, of a model without an adapter.
ADAPTER_FOLDER gets the adapter and `record.json`, which says how it was made. A run that was cut
off goes on where it was judged last, when it is started again.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from lsp_server.arguments import OneLineParser, above_zero, positive, rank, seed, share
from models.config import read_json
from models.errors import InputError, PirouetteError


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m training.train")
    parser.add_argument("model", type=Path, metavar="MODEL_FOLDER", help="in Hugging Face layout")
    parser.add_argument("samples", type=Path, metavar="SAMPLES_FOLDER", help="as prepared")
    parser.add_argument("adapter", type=Path, metavar="ADAPTER_FOLDER", help="where it goes")
    parser.add_argument("--updates", type=positive, metavar="N", help="at most; default: one pass")
    parser.add_argument("--minutes", type=above_zero, metavar="M", help="what fits into so long")
    parser.add_argument("--rank", type=rank, default=16, metavar="R")
    parser.add_argument("--learning-rate", type=above_zero, default=3e-4, metavar="RATE")
    parser.add_argument("--batch-tokens", type=positive, default=16_384, metavar="N")
    parser.add_argument("--update-tokens", type=positive, default=32_768, metavar="N")
    parser.add_argument("--judge-every", type=positive, default=100, metavar="N")
    parser.add_argument("--judged", type=positive, metavar="N", help="samples; default: all")
    parser.add_argument("--type-weight", type=share, default=0.0, metavar="W")
    parser.add_argument("--seed", type=seed, default=0, metavar="S")
    return parser


def train(arguments: argparse.Namespace) -> None:
    from training.adapter_run import AdapterRun, learn_adapter
    from training.prepare import RECORD
    from training.sample_file import read_samples

    fields = vars(arguments).copy()
    folder: Path = fields.pop("samples")
    if not (folder / RECORD).is_file():
        raise InputError(f"{folder} holds no samples; make them with training.prepare")
    learn_adapter(
        AdapterRun(**fields),
        read_samples(folder / "learn.safetensors"),
        read_samples(folder / "judge.safetensors"),
        read_json(folder / RECORD),
        lambda point: print(json.dumps(point), flush=True),
    )


def main(argv: Sequence[str] | None = None) -> int:
    try:
        train(build_parser().parse_args(argv))
    except (PirouetteError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
