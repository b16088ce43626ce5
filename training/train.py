"""Learns an adapter from prepared samples, on a GPU where there is one.

python -m training.train MODEL_FOLDER SAMPLES_FOLDER ADAPTER_FOLDER [--updates N] [--rank R] ...

MODEL_FOLDER is what `pirouette models path NAME` prints, of a model without an adapter.
ADAPTER_FOLDER gets the adapter and `record.json`, which says how it was made; both are written anew
at each judgement, so that a run that was cut off leaves its last one.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lsp_server.arguments import OneLineParser, positive
from models.config import read_json, write_json
from models.errors import InputError, PirouetteError


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m training.train")
    parser.add_argument("model", type=Path, metavar="MODEL_FOLDER", help="in Hugging Face layout")
    parser.add_argument("samples", type=Path, metavar="SAMPLES_FOLDER", help="as prepared")
    parser.add_argument("adapter", type=Path, metavar="ADAPTER_FOLDER", help="where it goes")
    parser.add_argument("--updates", type=positive, metavar="N", help="at most; default: one pass")
    parser.add_argument("--minutes", type=above_zero, metavar="M", help="what fits into so long")
    parser.add_argument("--rank", type=positive, default=16, metavar="R")
    parser.add_argument("--learning-rate", type=above_zero, default=3e-4, metavar="RATE")
    parser.add_argument("--batch-tokens", type=positive, default=16_384, metavar="N")
    parser.add_argument("--update-tokens", type=positive, default=32_768, metavar="N")
    parser.add_argument("--judge-every", type=positive, default=100, metavar="N")
    parser.add_argument("--judged", type=positive, metavar="N", help="samples; default: all")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    return parser


def above_zero(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise ValueError
    return number


def train(arguments: argparse.Namespace) -> None:
    import torch

    from models.device import preferred_device
    from training.batches import batches_of, updates_of
    from training.lora import LoraOptions, adapted, judge, learn, save, seconds_per_update
    from training.prepare import RECORD
    from training.sample_file import read_samples

    if not (arguments.samples / RECORD).is_file():
        raise InputError(f"{arguments.samples} holds no samples; make them with training.prepare")
    prepared = {"prepared": read_json(arguments.samples / RECORD)}
    torch.manual_seed(arguments.seed)
    options = LoraOptions(arguments.rank, 2 * arguments.rank, arguments.learning_rate)
    model = adapted(arguments.model, options, preferred_device())
    samples = read_samples(arguments.samples / "learn.safetensors")
    updates = updates_of(samples, arguments.batch_tokens, arguments.update_tokens, arguments.seed)[
        : arguments.updates
    ]
    if arguments.minutes is not None:
        fitting = int(60 * arguments.minutes / seconds_per_update(model, updates))
        updates = updates[: max(1, fitting)]
    kept_aside = read_samples(arguments.samples / "judge.safetensors")[: arguments.judged]
    judged_on = list(batches_of(kept_aside, arguments.batch_tokens))
    curve: list[dict[str, Any]] = []
    losses: list[float] = []
    started = time.monotonic()

    def note(number: int) -> None:
        found = judge(model, judged_on)
        seconds = round(time.monotonic() - started, 1)
        learned = sum(losses) / len(losses) if losses else None
        losses.clear()
        curve.append(
            {
                "update": number,
                "seconds": seconds,
                "loss_learned": learned,
                "loss": found.loss,
                "accuracy": found.accuracy,
                "whole": found.whole,
            }
        )
        print(json.dumps(curve[-1]), flush=True)
        save(model, options, arguments.adapter, arguments.model.name)
        settings = {name: str(value) for name, value in vars(arguments).items()}
        record = {"settings": settings, "updates": len(updates), "curve": curve, **prepared}
        write_json(arguments.adapter / RECORD, record)

    def after(number: int, loss: float) -> None:
        losses.append(loss)
        if number % arguments.judge_every == 0 or number == len(updates):
            note(number)

    note(0)
    learn(model, updates, options, after)


def main(argv: Sequence[str] | None = None) -> int:
    try:
        train(build_parser().parse_args(argv))
    except (PirouetteError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
