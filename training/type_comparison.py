"""What types as a second task are worth: the same samples, updates and seeds with each weight.

python -m training.type_comparison MODEL_FOLDER SAMPLES_FOLDER FOLDER [--weights W...] [--seeds N]
    [--updates N] [--samples-learned N]

One adapter is learned for each seed and weight (Takerngsaksiri et al. 2022, section 3.2: 0.1), in a
folder of its own below FOLDER, and judged on what was kept aside. Prints the runs as they end, then
each weight's means, and how far they are from those of the first weight, seed by seed. What was cut
off goes on when it is started again.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from lsp_server.arguments import OneLineParser, positive, share
from models.config import read_json
from models.errors import InputError, PirouetteError

JUDGED_BY = ("loss", "accuracy", "whole")


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m training.type_comparison")
    parser.add_argument("model", type=Path, metavar="MODEL_FOLDER", help="in Hugging Face layout")
    parser.add_argument("samples", type=Path, metavar="SAMPLES_FOLDER", help="as prepared")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the adapters go")
    parser.add_argument("--weights", type=share, nargs="+", default=[0.0, 0.1, 0.5], metavar="W")
    parser.add_argument("--seeds", type=positive, default=3, metavar="N", help="0 to N - 1")
    parser.add_argument("--updates", type=positive, default=40, metavar="N")
    parser.add_argument("--samples-learned", type=positive, default=4_000, metavar="N")
    return parser


def compare(arguments: argparse.Namespace) -> dict[str, Any]:
    from training.adapter_run import AdapterRun, learn_adapter
    from training.prepare import RECORD
    from training.sample_file import read_samples

    if len(set(arguments.weights)) < len(arguments.weights):
        raise InputError("a weight is named twice; name each once")
    learned = read_samples(arguments.samples / "learn.safetensors")[: arguments.samples_learned]
    judged = read_samples(arguments.samples / "judge.safetensors")
    prepared = read_json(arguments.samples / RECORD)
    found: dict[float, list[Mapping[str, float]]] = {weight: [] for weight in arguments.weights}
    for seed in range(arguments.seeds):
        for weight in arguments.weights:
            run = AdapterRun(
                model=arguments.model,
                adapter=arguments.folder / f"seed-{seed}-types-{weight}",
                updates=arguments.updates,
                judge_every=arguments.updates,
                type_weight=weight,
                seed=seed,
            )
            learn_adapter(run, learned, judged, prepared)
            point = read_json(run.adapter / RECORD)["curve"][-1]
            found[weight].append(point)
            print(json.dumps({"seed": seed, "type_weight": weight, **point}), flush=True)
    return {str(weight): summed_up(found[weight], found[arguments.weights[0]]) for weight in found}


def summed_up(
    points: Sequence[Mapping[str, float]], control: Sequence[Mapping[str, float]]
) -> dict[str, Any]:
    """Of each measure the mean, and the mean and spread of its differences from the control's."""
    summary: dict[str, Any] = {}
    for measure in JUDGED_BY:
        apart = [one[measure] - other[measure] for one, other in zip(points, control, strict=True)]
        summary[measure] = {
            "mean": mean(one[measure] for one in points),
            "difference": mean(apart),
            "deviation": stdev(apart) if len(apart) > 1 else None,
        }
    return summary


def main(argv: Sequence[str] | None = None) -> int:
    try:
        summary = compare(build_parser().parse_args(argv))
    except (PirouetteError, OSError) as error:
        print(f"type_comparison: {error}", file=sys.stderr)
        return 2
    print(json.dumps(summary))
    return 0


if __name__ == "__main__":
    sys.exit(main())
