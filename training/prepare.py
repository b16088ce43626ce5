"""Makes the samples that an adapter learns from, and those it is judged on while it does.

python -m training.prepare FOLDER [--samples N] [--seed S] [--packages FILE]
    [--apart-from PATH...]

Writes `learn.safetensors`, `judge.safetensors` and `record.json` into FOLDER.
"""

import argparse
import json
import random
import shutil
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from lsp_server.arguments import OneLineParser, positive, seed
from lsp_server.console import ProgressBar
from models.catalogue import PUBLISHED_MODEL
from models.config import write_json
from models.errors import InputError, PirouetteError
from models.progress import Progress, ProgressCallback
from models.store import ModelStore, default_home
from training.corpus import LIST, fetch_wheels, listed_packages, texts_apart
from training.documents import Document, Overlap, PackageRecord, documents_of

if TYPE_CHECKING:
    from training.infilling_samples import Sample, SampleMaker

END = "<|endoftext|>"
RECORD = "record.json"
JUDGED = 512  # samples of packages that nothing is learned from


def build_parser() -> argparse.ArgumentParser:
    parser = OneLineParser(prog="python -m training.prepare")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the samples go")
    parser.add_argument("--samples", type=positive, default=20_000, metavar="N")
    parser.add_argument("--seed", type=seed, default=0, metavar="S")
    parser.add_argument("--model", default=PUBLISHED_MODEL, metavar="NAME", help="whose tokens")
    parser.add_argument(
        "--packages", type=Path, default=LIST, metavar="FILE", help="what to learn from"
    )
    parser.add_argument(
        "--apart-from",
        type=Path,
        nargs="*",
        default=[],
        metavar="PATH",
        help="wheels and task files whose code must not be learned",
    )
    return parser


def prepare(arguments: argparse.Namespace, progress: ProgressCallback) -> dict[str, Any]:
    from completion.prompt_formats import choose_format
    from models.tokenizer import CodeTokenizer
    from training.infilling_samples import SampleMaker
    from training.renaming import OtherNames
    from training.sample_file import write_samples

    store = ModelStore(default_home())
    tokenizer = CodeTokenizer(store.pull(arguments.model, progress))
    form = choose_format(tokenizer.control)
    if not form.has_middle or END not in tokenizer.control:
        raise InputError(f"'{arguments.model}' fills in no middle; use a model that does")
    aside = fresh_folder(arguments.folder)
    documents, packages = gather(store, arguments, progress)
    names = OtherNames(one for one in documents if not one.held_out)
    maker = SampleMaker(tokenizer, form, tokenizer.control[END], names)
    counts: dict[str, Mapping[str, int]] = {}
    for name, held_out, number in (("learn", False, arguments.samples), ("judge", True, JUDGED)):
        chosen = [one for one in documents if one.held_out == held_out]
        if not chosen:
            raise InputError(f"no documents to {name} from; list more packages")
        samples = draw_all(maker, chosen, number, arguments.seed, progress)
        write_samples(samples, aside / f"{name}.safetensors")
        counts[name] = count(samples)
    taken = [asdict(one) for one in packages]
    record = {"seed": arguments.seed, "model": arguments.model, "samples": counts}
    write_json(aside / RECORD, record | {"packages": taken})
    aside.replace(arguments.folder)
    return record


def fresh_folder(folder: Path) -> Path:
    """An empty folder beside, which takes the name of `folder` once it is whole."""
    if folder.exists():
        raise InputError(f"{folder} is there already; name a new folder")
    aside = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be made ({error.strerror}); name another") from None
    return aside


def gather(
    store: ModelStore, arguments: argparse.Namespace, progress: ProgressCallback
) -> tuple[list[Document], list[PackageRecord]]:
    overlap = Overlap(texts_apart(arguments.apart_from))
    documents: list[Document] = []
    records: list[PackageRecord] = []
    seen: set[int] = set()
    for wheel in fetch_wheels(
        listed_packages(arguments.packages), store.home / "training", progress
    ):
        try:
            found, record = documents_of(wheel, arguments.seed, seen, overlap)
        except BadZipFile as error:
            wheel.unlink()
            raise InputError(f"{error}: it was removed, so try again") from None
        documents += found
        records.append(record)
    return documents, records


def draw_all(
    maker: "SampleMaker",
    documents: Sequence[Document],
    number: int,
    seed: int,
    progress: ProgressCallback,
) -> "list[Sample]":
    """`number` samples, longer documents giving more of them, in random order."""
    from training.definitions import Definitions

    rng = random.Random(seed)
    weights = [len(one.text) for one in documents]
    drawn = Counter(rng.choices(range(len(documents)), weights, k=number))
    samples: list[Sample] = []
    for _, group in groupby(sorted(drawn), key=lambda index: documents[index].package):
        indexes = list(group)
        package = documents[indexes[0]].package
        definitions = Definitions([one for one in documents if one.package == package])
        for index in indexes:
            made = (maker.draw(documents[index], definitions, rng) for _ in range(drawn[index]))
            samples += [sample for sample in made if sample is not None]
        progress(Progress("making samples", len(samples), number))
    rng.shuffle(samples)
    return samples


def count(samples: "Sequence[Sample]") -> dict[str, int]:
    kinds = Counter(one.kind for one in samples)
    tokens = sum(len(one.tokens) for one in samples)
    counted = sum(len(one.tokens) - one.counted_from for one in samples)
    return {"samples": len(samples), "tokens": tokens, "counted_tokens": counted, **kinds}


def main(argv: Sequence[str] | None = None) -> int:
    try:
        arguments = build_parser().parse_args(argv)
        with ProgressBar() as progress:
            record = prepare(arguments, progress)
    except PirouetteError as error:
        print(f"prepare: {error}", file=sys.stderr)
        return 2
    print(json.dumps(record["samples"], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
