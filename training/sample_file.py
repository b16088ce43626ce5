"""Samples on disk: tokens and types of all, one after the other, in one safetensors file."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from completion.token_types.types import TokenType
from models.errors import InputError
from training.infilling_samples import Sample
from training.type_labels import NO_TYPE

KINDS = ("line", "part", "block", "span", "plain")


def write_samples(samples: Sequence[Sample], file: Path) -> None:
    tensors = {
        "tokens": torch.tensor([t for one in samples for t in one.tokens], dtype=torch.int32),
        "lengths": torch.tensor([len(one.tokens) for one in samples], dtype=torch.int32),
        "counted_from": torch.tensor([one.counted_from for one in samples], dtype=torch.int32),
        "types": torch.tensor([t for one in samples for t in one.types], dtype=torch.int8),
        "typed": torch.tensor([len(one.types) for one in samples], dtype=torch.int32),
        "kinds": torch.tensor([KINDS.index(one.kind) for one in samples], dtype=torch.uint8),
    }
    save_file(tensors, file)


def read_samples(file: Path) -> list[Sample]:
    """Raises `InputError` where the file is none of samples, or holds none."""
    try:
        samples = list(iterate(file))
        if not all(map(is_sound, samples)):
            raise ValueError("they do not fit together")
    except (OSError, SafetensorError, KeyError, ValueError, IndexError, TypeError) as error:
        raise InputError(f"{file} holds no samples ({error}); prepare them") from None
    if not samples:
        raise InputError(f"{file} holds no samples; prepare more")
    return samples


def iterate(file: Path) -> Iterator[Sample]:
    tensors = load_file(file)
    start = first = 0
    columns = (tensors[name].tolist() for name in ("lengths", "counted_from", "typed", "kinds"))
    for length, counted_from, typed, kind in zip(*columns, strict=True):
        tokens = tensors["tokens"][start : start + length].tolist()
        types = tensors["types"][first : first + typed].tolist()
        yield Sample(KINDS[kind], tokens, counted_from, types)
        start, first = start + length, first + typed
    if start != len(tensors["tokens"]) or first != len(tensors["types"]):
        raise ValueError("tokens are left over or missing")


def is_sound(sample: Sample) -> bool:
    known = all(0 <= kind < len(TokenType) or kind == NO_TYPE for kind in sample.types)
    counted = len(sample.tokens) - sample.counted_from
    return sample.counted_from >= 0 and len(sample.types) <= counted and known
