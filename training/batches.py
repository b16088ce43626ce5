"""Samples into batches of like length, padded on the right, where causal attention sees no pad."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.infilling_samples import Sample
from training.type_labels import NO_TYPE

NEAR = 64  # tokens; lengths no further apart stay mixed, as those cut to one length are of a kind
SHUFFLED = 64  # batches whose samples are sorted by length together


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids [samples, length], which of them count, and their types, of the same shape."""

    tokens: Tensor
    counted: Tensor
    types: Tensor


def batches_of(samples: Sequence[Sample], most_tokens: int) -> Iterator[Batch]:
    """In order of length, each of `most_tokens` at most with its padding, or one sample."""
    held: list[Sample] = []
    longest = 0
    for sample in sorted(samples, key=lambda one: len(one.tokens) // NEAR):
        longest = max(longest, len(sample.tokens))
        if held and longest * (len(held) + 1) > most_tokens:
            yield padded(held)
            held, longest = [], len(sample.tokens)
        held.append(sample)
    if held:
        yield padded(held)


def padded(samples: Sequence[Sample]) -> Batch:
    longest = max(len(one.tokens) for one in samples)
    tokens = torch.zeros(len(samples), longest, dtype=torch.long)
    counted = torch.zeros(len(samples), longest, dtype=torch.bool)
    types = torch.full_like(tokens, NO_TYPE)
    for row, sample in enumerate(samples):
        tokens[row, : len(sample.tokens)] = torch.tensor(sample.tokens)
        counted[row, max(1, sample.counted_from) : len(sample.tokens)] = True
        types[row, sample.counted_from :][: len(sample.types)] = torch.tensor(sample.types)
    return Batch(tokens, counted, types)


def updates_of(
    samples: Sequence[Sample], batch_tokens: int, update_tokens: int, seed: int
) -> list[list[Batch]]:
    """The batches of one pass over all samples, several to an update, in random order."""
    rng = random.Random(seed)
    order = list(samples)
    rng.shuffle(order)
    mean = sum(len(one.tokens) for one in order) / len(order)
    span = max(1, int(SHUFFLED * batch_tokens / mean))
    batches: list[Batch] = []
    for start in range(0, len(order), span):
        batches += batches_of(order[start : start + span], batch_tokens)
    rng.shuffle(batches)
    together = max(1, update_tokens // batch_tokens)
    return [batches[at : at + together] for at in range(0, len(batches), together)]
