"""Low-rank adapters (Hu et al. 2021, "LoRA", section 4.1) of a causal model, by peft.

It knows batches of token ids; it must not know what text they stand for.
"""

import math
import warnings
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
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


@dataclass(frozen=True, slots=True)
class Counted:
    """Of the tokens of a batch that count: the last layer's states before them [counted, size],
    logits [counted, vocabulary], the tokens that are right, their types, and their samples' rows
    [counted]."""

    states: Tensor
    logits: Tensor
    truth: Tensor
    types: Tensor
    rows: Tensor


def adapted(folder: Path, options: LoraOptions, device: torch.device) -> Any:
    """The model of a Hugging Face folder with an adapter that changes nothing yet.

    Weights are bfloat16 on a GPU and float32 elsewhere; those of the adapter always float32.
    Raises `InputError` for what is no model folder.
    """
    try:
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForCausalLM
        from transformers.utils import logging
    except ImportError:
        raise InputError(
            "training needs the packages peft and transformers; "
            "run: pip install 'pirouette-lsp[training]'"
        ) from None
    if not is_whole(folder):
        raise InputError(f"{folder} is no model folder; name what 'pirouette models path' prints")
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    model: Any = AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, local_files_only=True, use_safetensors=True
    )
    config = LoraConfig(
        r=options.rank, lora_alpha=options.alpha, target_modules=list(PROJECTIONS), lora_dropout=0.0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of what peft asks transformers
        changed = get_peft_model(model.to(device), config)
    if device.type == "cuda":
        leave_inputs(changed)
    return changed


def leave_inputs(model: Any) -> None:
    """Have no module bring its inputs up to the precision of its weights, as peft does.

    Autocast brings the weights down to the inputs' then, which are many more numbers; what is
    computed is the same.
    """
    from peft.tuners.lora import LoraLayer

    for module in model.modules():
        if isinstance(module, LoraLayer):
            module.cast_input_dtype_enabled = False


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
    try:
        save_file(halves, folder / f"{WEIGHTS}.partial")
    except SafetensorError as error:
        raise InputError(f"{folder} cannot be written ({error}); free some space") from None
    write_json(folder / f"{CONFIG}.partial", config)
    for name in (WEIGHTS, CONFIG):
        (folder / f"{name}.partial").replace(folder / name)


def rate_at(number: int, updates: int) -> float:
    """The share of the learning rate at an update: a rise, then half a cosine down."""
    rise = max(1, int(WARM_UP * updates))
    if number < rise:
        return (number + 1) / rise
    done = (number - rise) / max(1, updates - rise)
    return LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * done))


def read_counted(model: Any, batch: Batch) -> Counted:
    """What the model makes of a batch.

    The head, a quarter of a small model, is multiplied only where a token counts.
    """
    plain = model.get_base_model()
    device = plain.lm_head.weight.device
    tokens = batch.tokens.to(device)
    rows, columns = batch.counted.nonzero(as_tuple=True)
    types = batch.types[rows, columns].to(device)
    rows, columns = rows.to(device), columns.to(device)
    with reduced(device):
        hidden = plain.model(input_ids=tokens, use_cache=False).last_hidden_state
        states = hidden[rows, columns - 1]
        return Counted(states, plain.lm_head(states), tokens[rows, columns], types, rows)


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
        found = read_counted(model, batch)
        loss = float(F.cross_entropy(found.logits.float(), found.truth, reduction="sum"))
        right = found.logits.argmax(-1) == found.truth
        yield loss, right, found.rows, len(batch.tokens)
