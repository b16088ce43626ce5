"""Learning an adapter update by update, with a second task where it is wanted.

The second task is to tell the type of each token that counts, by a linear head on the model's last
layer that is thrown away afterwards (Takerngsaksiri et al. 2022, "Syntax-Aware On-the-Fly Code
Completion", section 3.2, hard parameter sharing). It knows batches of numbers alone.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.errors import InputError
from training.batches import Batch
from training.lora import LoraOptions, rate_at, read_counted
from training.type_labels import NO_TYPE

STATE = "learning.safetensors"
LARGEST_GRADIENT = 1.0
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what AdamW keeps of each weight


@dataclass(frozen=True, slots=True)
class Progressed:
    """How many updates a run is to have, and what it was judged at so far."""

    updates: int
    curve: list[Mapping[str, Any]]


class Learner:
    """Changes an adapted model. Of the loss, `type_weight` is that of the types, of which there
    are so many."""

    def __init__(
        self, model: Any, options: LoraOptions, type_weight: float = 0.0, types: int = 0
    ) -> None:
        self.model = model
        self.done = 0  # updates
        self._options = options
        self._type_weight = type_weight
        head = model.get_base_model().lm_head.weight
        self._head = nn.Linear(head.shape[1], types).to(head.device) if type_weight else None
        self._weights = [weight for weight in model.parameters() if weight.requires_grad]
        if self._head is not None:
            self._weights += list(self._head.parameters())
        self._optimizer = torch.optim.AdamW(
            self._weights, lr=options.learning_rate, weight_decay=0.0
        )
        model.train()

    def update(self, batches: Sequence[Batch], updates: int) -> float:
        """One step of AdamW, the next of so many `updates`; its loss per token that counts."""
        for group in self._optimizer.param_groups:
            group["lr"] = self._options.learning_rate * rate_at(self.done, updates)
        total = max(1, sum(int(batch.counted.sum()) for batch in batches))
        loss = 0.0
        for batch in batches:
            share = self._loss(batch) / total
            share.backward()  # type: ignore[no-untyped-call]
            loss += float(share.detach())
        torch.nn.utils.clip_grad_norm_(self._weights, LARGEST_GRADIENT)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self.done += 1
        return loss

    def _loss(self, batch: Batch) -> Tensor:
        found = read_counted(self.model, batch)
        code = F.cross_entropy(found.logits.float(), found.truth, reduction="sum")
        if self._head is None:
            return code
        told = self._head(found.states.float())
        types = F.cross_entropy(told, found.types, reduction="sum", ignore_index=NO_TYPE)
        return (1 - self._type_weight) * code + self._type_weight * types

    def save(self, folder: Path, run: Mapping[str, Any], progressed: Progressed) -> None:
        """All that it takes to go on with a run from here; written aside and renamed."""
        tensors = {f"weight.{n}": weight.detach() for n, weight in enumerate(self._weights)}
        for number, moments in self._optimizer.state_dict()["state"].items():
            tensors |= {f"{name}.{number}": value for name, value in moments.items()}
        aside = folder / f"{STATE}.partial"
        counts = {"done": self.done, "updates": progressed.updates, "curve": progressed.curve}
        said = {name: json.dumps(value) for name, value in (*counts.items(), ("run", run))}
        try:
            save_file({name: one.cpu().contiguous() for name, one in tensors.items()}, aside, said)
        except SafetensorError as error:
            raise InputError(f"{aside} cannot be written ({error}); free some space") from None
        aside.replace(folder / STATE)

    def go_on(self, folder: Path, run: Mapping[str, Any]) -> Progressed | None:
        """Go on from what a run has saved, and how far it was; None where there is nothing saved.
        Raises `InputError` for what another run has saved."""
        file = folder / STATE
        if not file.exists():
            return None
        try:
            with safe_open(file, framework="pt") as opened:
                said = opened.metadata()
            if json.loads(said["run"]) != json.loads(json.dumps(run)):
                raise InputError(
                    f"{folder} holds another run, with other settings or other code; name another"
                )
            tensors, done = load_file(file), int(json.loads(said["done"]))
            progressed = Progressed(int(json.loads(said["updates"])), json.loads(said["curve"]))
            with torch.no_grad():
                for number, weight in enumerate(self._weights):
                    weight.copy_(tensors[f"weight.{number}"])
            moments = {
                number: {name: tensors[f"{name}.{number}"] for name in MOMENTS}
                for number in range(len(self._weights))
            }
        except (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise InputError(f"{file} is damaged ({error}); remove it to begin anew") from None
        self._optimizer.load_state_dict({**self._optimizer.state_dict(), "state": moments})
        self.done = done
        return progressed


def seconds_per_update(model: Any, updates: Sequence[Sequence[Batch]], measured: int = 4) -> float:
    """What an update takes, from the first ones; nothing is learned from them yet."""
    started = 0.0
    for number, batches in enumerate(updates[: measured + 1]):
        if number == 1:
            started = time.monotonic()  # the first one also sets everything up
        for batch in batches:
            found = read_counted(model, batch)
            loss = F.cross_entropy(found.logits.float(), found.truth)
            loss.backward()  # type: ignore[no-untyped-call]
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    model.zero_grad(set_to_none=True)
    return (time.monotonic() - started) / max(1, min(measured, len(updates) - 1))
