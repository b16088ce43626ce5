"""A user's own code as samples to learn from, and to judge on."""

import random
import zlib
from collections.abc import Sequence
from pathlib import Path

from completion.prompt_formats import choose_format
from models.errors import InputError
from models.language_model import declared_end_tokens
from models.progress import ProgressCallback
from models.tokenizer import CodeTokenizer
from retrieval.workspace_sources import sources_below
from training.documents import Document, choose, is_new
from training.infilling_samples import Sample, SampleMaker
from training.prepare import END, draw_all

ASIDE = 10  # one file of so many is judged on
JUDGED = 32  # samples of them


def documents_below(folder: Path, seed: int) -> list[Document]:
    """Those that people wrote. Raises `InputError` where there are fewer than two."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; name the root of a repository")
    root = folder.resolve()
    rng = random.Random(f"{seed} {root.name}")
    seen: set[int] = set()
    documents = [
        one for one in choose(root.name, sources_below(root), rng) if is_new(one.text, seen)
    ]
    if len(documents) < 2:
        raise InputError(f"{folder} holds too little Python to learn from; name a larger one")
    return documents


def split(documents: Sequence[Document]) -> tuple[list[Document], list[Document]]:
    """What is learned, and what is kept aside; told from the paths, and never nothing."""
    by_number = sorted(documents, key=lambda one: zlib.crc32(one.path.encode()))
    count = max(1, len(by_number) // ASIDE)
    return by_number[count:], by_number[:count]


def draw_samples(
    maker: SampleMaker,
    documents: Sequence[Document],
    number: int,
    seed: int,
    progress: ProgressCallback,
) -> list[Sample]:
    """Up to so many of them. Raises `InputError` where there are none."""
    samples = draw_all(maker, documents, number, seed, progress)
    if not samples:
        raise InputError("no samples could be made of this code; name a larger folder")
    return samples


def sample_maker(folder: Path) -> SampleMaker:
    """For the model in a folder, in its own prompt format. Raises `PirouetteError`."""
    tokenizer = CodeTokenizer(folder)
    ends = declared_end_tokens(folder)
    if (end := tokenizer.control.get(END, min(ends, default=None))) is None:
        raise InputError(f"the model in {folder} does not say how it ends a text; use another")
    return SampleMaker(tokenizer, choose_format(tokenizer.control), end)
