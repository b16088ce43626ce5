"""One run that makes an adapter: it may be cut off at any time, and goes on where it was.

The folder gets the adapter, `record.json`, which says how it was made, and the state to go on from;
all anew at each judgement.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from completion.token_types.types import TokenType
from models.config import write_json
from models.device import preferred_device
from models.errors import InputError
from models.progress import Progress, ProgressCallback, ignore_progress
from training.batches import batches_of, updates_of
from training.infilling_samples import Sample
from training.learner import STATE, Learner, Progressed, seconds_per_update
from training.lora import LoraOptions, adapted, judge, save
from training.prepare import RECORD


@dataclass(frozen=True, slots=True)
class AdapterRun:
    """What is changed, how, and for how long.

    A model's folder in Hugging Face layout, and the adapter's; updates at most, or as many as fit
    into some minutes, or one pass; tokens of a batch that is read at once, and of an update; after
    how many updates the adapter is judged, on how many samples at most; the share of the loss that
    the types of tokens have.
    """

    model: Path
    adapter: Path
    updates: int | None = None
    minutes: float | None = None
    rank: int = 16
    learning_rate: float = 3e-4
    batch_tokens: int = 16_384
    update_tokens: int = 32_768
    judge_every: int = 100
    judged: int | None = None
    type_weight: float = 0.0
    seed: int = 0


def require_own_folder(folder: Path) -> None:
    """Make the folder of a run. Raises `InputError` where it cannot be, or is another's."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_own = (folder / STATE).exists() or not any(folder.iterdir())
        (folder / f"{STATE}.partial").write_bytes(b"")
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror}); name another") from None
    (folder / f"{STATE}.partial").unlink()
    if not is_own:
        raise InputError(f"{folder} is there already and holds no run; name a new folder")


def hash_of(samples: Iterable[Sample]) -> str:
    """Of all that is learned from samples."""
    found = hashlib.sha256()
    for sample in samples:
        found.update(repr((sample.tokens, sample.counted_from, sample.types)).encode())
    return found.hexdigest()


def learn_adapter(
    run: AdapterRun,
    samples: Sequence[Sample],
    kept_aside: Sequence[Sample],
    prepared: Mapping[str, Any],
    note: Callable[[Mapping[str, Any]], None] = lambda _: None,
    progress: ProgressCallback = ignore_progress,
) -> None:
    """Learn from samples and judge on others; `note` is given each point of the curve.

    How the samples were `prepared` is recorded. Raises `InputError`.
    """
    require_own_folder(run.adapter)
    torch.manual_seed(run.seed)
    options = LoraOptions(run.rank, 2 * run.rank, run.learning_rate)
    learner = Learner(
        adapted(run.model, options, preferred_device()), options, run.type_weight, len(TokenType)
    )
    updates = updates_of(samples, run.batch_tokens, run.update_tokens, run.seed)[: run.updates]
    settings = {name: str(value) for name, value in asdict(run).items()}
    learned = {"learned": hash_of(samples), "judged": hash_of(kept_aside)}
    said = {"settings": settings, "prepared": dict(prepared), **learned}
    taken_up = learner.go_on(run.adapter, said)
    total, curve = (None, []) if taken_up is None else (taken_up.updates, taken_up.curve)
    if total is None and run.minutes is not None:
        total = max(1, int(60 * run.minutes / seconds_per_update(learner.model, updates)))
    updates = updates[:total]
    judged_on = list(batches_of(kept_aside[: run.judged], run.batch_tokens))
    losses: list[float] = []
    started = time.monotonic() - (curve[-1]["seconds"] if curve else 0.0)

    def look() -> None:
        found = judge(learner.model, judged_on)
        curve.append(
            {
                "update": learner.done,
                "seconds": round(time.monotonic() - started, 1),
                "loss_learned": sum(losses) / len(losses) if losses else None,
                "loss": found.loss,
                "accuracy": found.accuracy,
                "whole": found.whole,
            }
        )
        losses.clear()
        learner.save(run.adapter, said, Progressed(len(updates), curve))
        show()
        note(curve[-1])

    def show() -> None:
        save(learner.model, options, run.adapter, run.model.name)
        write_json(run.adapter / RECORD, said | {"updates": len(updates), "curve": curve})

    if curve:
        show()
    else:
        look()
    while learner.done < len(updates):
        losses.append(learner.update(updates[learner.done], len(updates)))
        progress(Progress("learning", learner.done, len(updates)))
        if learner.done % run.judge_every == 0 or learner.done == len(updates):
            look()
