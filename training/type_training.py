"""Learns the type model from sequences, and judges it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from models.type_model import TypeModel
from training.learner import LARGEST_GRADIENT
from training.lora import rate_at
from training.type_sequences import TypeSequences

WINDOW = 256  # tokens that are read in a row
BATCH = 64  # windows


@dataclass(frozen=True, slots=True)
class Recipe:
    """How many updates, the highest learning rate, and what words come and go at random."""

    updates: int
    learning_rate: float = 3e-3
    unknown: float = 0.1  # the share of words that are taken to be unknown
    seed: int = 0


def learn_types(
    model: TypeModel,
    sequences: TypeSequences,
    recipe: Recipe,
    after: Callable[[int, float], None],
) -> None:
    """AdamW over windows from anywhere; `after` gets each update's number, from 1, and loss."""
    torch.manual_seed(recipe.seed)
    optimizer = torch.optim.AdamW(model.parameters(), recipe.learning_rate, weight_decay=0.01)
    rng = np.random.default_rng(recipe.seed)
    model.train()
    for number in range(recipe.updates):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * rate_at(number, recipe.updates)
        starts = rng.integers(0, len(sequences.types) - WINDOW - 1, BATCH)
        types, words = windows(sequences, starts, WINDOW + 1)
        words = words.masked_fill(torch.rand(words.shape) < recipe.unknown, 0)
        logits = model(types[:, :-1], words[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), types[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        after(number + 1, float(loss.detach()))
    model.eval()


def windows(
    sequences: TypeSequences, starts: NDArray[np.int64], length: int
) -> tuple[Tensor, Tensor]:
    """Types and words [starts, length]."""
    places = starts[:, None] + np.arange(length)
    types = torch.from_numpy(sequences.types[places].astype(np.int64))
    return types, torch.from_numpy(sequences.words[places].astype(np.int64))


@torch.inference_mode()
def likeliest_types(model: TypeModel, sequences: TypeSequences) -> NDArray[np.int64]:
    """The likeliest type after each token but the last, as one reads who comes in `WINDOW` tokens
    above: with that many before it to twice as many."""
    found = np.zeros(len(sequences.types) - 1, np.int64)
    for start, length in stretches(len(found)):
        types, words = windows(sequences, np.array([start]), length)
        logits = model(types, words)
        skipped = WINDOW if start else 0
        found[start + skipped : start + length] = logits[0, skipped:].argmax(-1).numpy()
    return found


def stretches(length: int) -> Iterator[tuple[int, int]]:
    """Starts and lengths of stretches, half of each of which the one before it has read too."""
    for start in range(0, max(1, length - WINDOW), WINDOW):
        yield start, min(2 * WINDOW, length - start)
