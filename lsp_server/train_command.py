"""`pirouette train types`: an adapter learned from a folder of code."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lsp_server.console import ProgressBar, print_json
from models.catalogue import DEFAULT_MODEL
from models.config import read_json
from models.store import ModelStore, default_home

BATCH_TOKENS, UPDATE_TOKENS = 2_048, 4_096
JUDGE_EVERY = 20  # updates; from the last judgement a run that was cut off goes on


def train_types(arguments: argparse.Namespace) -> int:
    """Learn from a folder's code; what is kept aside of it tells what it was good for."""
    from training.adapter_run import AdapterRun, learn_adapter, require_own_folder
    from training.folder import JUDGED, documents_below, draw_samples, sample_maker, split
    from training.prepare import RECORD

    code: Path = arguments.path
    documents = documents_below(code, arguments.seed)
    require_own_folder(arguments.adapter)
    name = arguments.model or DEFAULT_MODEL
    with ProgressBar() as progress:
        run = AdapterRun(
            model=ModelStore(default_home()).pull(name, progress),
            adapter=arguments.adapter,
            updates=arguments.updates,
            minutes=arguments.minutes,
            rank=arguments.rank,
            batch_tokens=BATCH_TOKENS,
            update_tokens=UPDATE_TOKENS,
            judge_every=JUDGE_EVERY,
            type_weight=arguments.type_weight,
            seed=arguments.seed,
        )
        maker = sample_maker(run.model)
        learned, kept_aside = split(documents)
        prepared = {"code": str(code.resolve()), "samples": arguments.samples}
        learn_adapter(
            run,
            draw_samples(maker, learned, arguments.samples, run.seed, progress),
            draw_samples(maker, kept_aside, min(JUDGED, arguments.samples), run.seed, progress),
            prepared,
            progress=progress,
        )
    curve = read_json(run.adapter / RECORD)["curve"]
    if arguments.json:
        print_json({"adapter": str(run.adapter), "curve": curve})
    else:
        print(report(curve, run.adapter))
    return 0


def report(curve: list[Mapping[str, Any]], adapter: Path) -> str:
    first, last = curve[0], curve[-1]
    return (
        f"after {last['update']} updates in {last['seconds']:.0f} s, on files kept aside: "
        f"loss {first['loss']:.3f} -> {last['loss']:.3f}, "
        f"tokens told {first['accuracy']:.1%} -> {last['accuracy']:.1%}\n"
        f"the adapter is in {adapter}; use it with --adapter {adapter}"
    )
