"""A small recurrent model of what type of token follows others.

It knows numbers of types and of words alone; what they stand for is not its business.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.errors import InputError

FILE = "model.safetensors"
SHIPPED = Path(__file__).parent / "types" / FILE


@dataclass(frozen=True, slots=True)
class TypeModelShape:
    """Numbers of types and words, and sizes of their vectors and of the state."""

    types: int
    words: int
    type_size: int = 32
    word_size: int = 96
    state_size: int = 320


class TypeModel(nn.Module):
    """A gated recurrent network (Cho et al. 2014, "Learning phrase representations using RNN
    encoder-decoder") over pairs of a type and a word."""

    def __init__(self, shape: TypeModelShape) -> None:
        super().__init__()
        self.shape = shape
        self.types = nn.Embedding(shape.types, shape.type_size)
        self.words = nn.Embedding(shape.words, shape.word_size)
        size = shape.type_size + shape.word_size
        self.state = nn.GRU(size, shape.state_size, batch_first=True)
        self.next = nn.Linear(shape.state_size, shape.types)

    def read(self, types: Tensor, words: Tensor, before: Tensor | None = None) -> Tensor:
        """The states [batch, length, state] after each token; `types` and `words` are [batch,
        length]. One text may go on from the state [state] `before` it."""
        read = torch.cat([self.types(types), self.words(words)], -1)
        states: Tensor = self.state(read, None if before is None else before[None, None])[0]
        return states

    def forward(self, types: Tensor, words: Tensor) -> Tensor:
        """Logits [batch, length, types] of what follows each token."""
        logits: Tensor = self.next(self.read(types, words))
        return logits


def save_type_model(model: TypeModel, file: Path) -> None:
    """In half precision, with its shape; written aside and renamed."""
    shape = {name: str(value) for name, value in asdict(model.shape).items()}
    aside = file.with_name(f"{file.name}.partial")
    halves = {name: weight.half().contiguous() for name, weight in model.state_dict().items()}
    save_file(halves, aside, shape)
    aside.replace(file)


def load_type_model(file: Path) -> TypeModel:
    """In single precision. Raises `InputError` for what is none."""
    try:
        with safe_open(file, framework="pt") as opened:
            said: dict[str, Any] = opened.metadata() or {}
        model = TypeModel(TypeModelShape(**{name: int(value) for name, value in said.items()}))
        model.load_state_dict({name: one.float() for name, one in load_file(file).items()})
    except (OSError, SafetensorError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{file} is no type model ({error}); install Pirouette again") from None
    return model.eval()
