"""Low-rank adapters (Hu et al. 2021, "LoRA", section 4.1) of a causal model, by peft.

It knows batches of token ids; it must not know what text they stand for.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from models.adapter import CONFIG, WEIGHTS
from models.config import write_json
from models.errors import InputError
from models.model_folder import is_whole
from training.batches import Batch

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
WARM_UP = 0.04  # of all updates
LAST_RATE = 0.05  # of the learning rate
LARGEST_GRADIENT = 1.0


@dataclass(frozen=True, slots=True)
class LoraOptions:
    """`rank` of each change, its scale `alpha / rank`, and the highest learning rate."""

    rank: int = 16
    alpha: int = 32
    learning_rate: float = 3e-4


@dataclass(frozen=True, slots=True)
class Judgement:
    """Loss per counted token, the share of them that are the likeliest, and of whole samples.

    A sample whose tokens are all the likeliest is one that greedy decoding would write.
    """

    loss: float
    accuracy: float
    whole: float


def adapted(folder: Path, options: LoraOptions, device: torch.device) -> Any:
    """The model of a Hugging Face folder with an adapter that changes nothing yet.

    Weights are bfloat16 on a GPU and float32 elsewhere; those of the adapter always float32.
    Raises `InputError` for what is no model folder.
    """
    try:
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForCausalLM
    except ImportError:
        raise InputError(
            "training needs the packages peft and transformers; "
            "run: pip install 'pirouette-lsp[training]'"
        ) from None
    if not is_whole(folder):
        raise InputError(f"{folder} is no model folder; name what 'pirouette models path' prints")
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    model: Any = AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, local_files_only=True, use_safetensors=True
    )
    config = LoraConfig(
        r=options.rank, lora_alpha=options.alpha, target_modules=list(PROJECTIONS), lora_dropout=0.0
    )
    return get_peft_model(model.to(device), config)


def save(model: Any, options: LoraOptions, folder: Path, base: str) -> None:
    """The adapter of a model that was made from `base`, in half precision, for peft and for
    `models.adapter`; each file is written aside and renamed."""
    from peft import get_peft_model_state_dict

    weights = get_peft_model_state_dict(model)
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": options.rank,
        "lora_alpha": options.alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": list(PROJECTIONS),
    }
    folder.mkdir(parents=True, exist_ok=True)
    halves = {name: weight.to("cpu", torch.float16) for name, weight in weights.items()}
    save_file(halves, folder / f"{WEIGHTS}.partial")
    write_json(folder / f"{CONFIG}.partial", config)
    for name in (WEIGHTS, CONFIG):
        (folder / f"{name}.partial").replace(folder / name)


def learn(
    model: Any,
    updates: Sequence[Sequence[Batch]],
    options: LoraOptions,
    after: Callable[[int, float], None],
) -> None:
    """One step of AdamW for each of `updates`; `after` gets its number from 1 on, and its loss."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=options.learning_rate, weight_decay=0.0)
    model.train()
    for number, batches in enumerate(updates):
        for group in optimizer.param_groups:
            group["lr"] = options.learning_rate * rate_at(number, len(updates))
        total = sum(int(batch.counted.sum()) for batch in batches)
        loss = 0.0
        for batch in batches:
            logits, truth, _ = counted_logits(model, batch)
            share = F.cross_entropy(logits.float(), truth, reduction="sum") / max(total, 1)
            share.backward()  # type: ignore[no-untyped-call]
            loss += float(share.detach())
        torch.nn.utils.clip_grad_norm_(weights, LARGEST_GRADIENT)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        after(number + 1, loss)


def seconds_per_update(model: Any, updates: Sequence[Sequence[Batch]], measured: int = 4) -> float:
    """What an update takes, from the first ones; nothing is learned from them yet."""
    started = 0.0
    for number, batches in enumerate(updates[: measured + 1]):
        if number == 1:
            started = time.monotonic()  # the first one also sets everything up
        for batch in batches:
            logits, truth, _ = counted_logits(model, batch)
            F.cross_entropy(logits.float(), truth).backward()  # type: ignore[no-untyped-call]
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    model.zero_grad(set_to_none=True)
    return (time.monotonic() - started) / max(1, min(measured, len(updates) - 1))


def rate_at(number: int, updates: int) -> float:
    """The share of the learning rate at an update: a rise, then half a cosine down."""
    rise = max(1, int(WARM_UP * updates))
    if number < rise:
        return (number + 1) / rise
    done = (number - rise) / max(1, updates - rise)
    return LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * done))


def counted_logits(model: Any, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Logits [counted, vocabulary], the tokens that are right [counted], and their samples' rows.

    The head, a quarter of a small model, is multiplied only where a token counts.
    """
    plain = model.get_base_model()
    device = plain.lm_head.weight.device
    tokens = batch.tokens.to(device)
    rows, columns = batch.counted.nonzero(as_tuple=True)
    rows, columns = rows.to(device), columns.to(device)
    with reduced(device):
        hidden = plain.model(input_ids=tokens, use_cache=False).last_hidden_state
        return plain.lm_head(hidden[rows, columns - 1]), tokens[rows, columns], rows


def reduced(device: torch.device) -> AbstractContextManager[Any]:
    """Matrix products in bfloat16 on a GPU; as the weights are elsewhere."""
    if device.type == "cuda":
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()


@torch.no_grad()
def judge(model: Any, batches: Iterable[Batch]) -> Judgement:
    """How well the model tells the tokens that count; at least one must."""
    model.eval()
    losses, rights, wholes, samples = 0.0, 0, 0, 0
    counted = 0
    for loss, right, rows, size in judged(model, batches):
        losses, rights, counted = losses + loss, rights + int(right.sum()), counted + len(right)
        wrong = torch.zeros(size, device=rows.device).index_add_(0, rows, (~right).float())
        wholes, samples = wholes + int((wrong == 0).sum()), samples + size
    model.train()
    return Judgement(losses / counted, rights / counted, wholes / samples)


def judged(model: Any, batches: Iterable[Batch]) -> Iterator[tuple[float, Tensor, Tensor, int]]:
    for batch in batches:
        logits, truth, rows = counted_logits(model, batch)
        loss = float(F.cross_entropy(logits.float(), truth, reduction="sum"))
        yield loss, logits.argmax(-1) == truth, rows, len(batch.tokens)
