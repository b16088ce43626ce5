"""What type of token comes next, by the type model."""

from collections.abc import Sequence

import torch
from torch import Tensor

from completion.token_difference import common_prefix
from completion.token_types.numbers import Numbers
from models.type_model import TypeModel

WINDOW = 256  # tokens that are read before the cursor, at least, where there are so many


class TypeReader:
    """Reads with one type model, and goes on from what it has read last."""

    def __init__(self, model: TypeModel) -> None:
        self._model = model
        self._read: list[Numbers] = []
        self._states: list[Tensor] = []  # [state] after each token that was read

    def after(self, numbers: Sequence[Numbers]) -> Tensor:
        """The log-probability of each type [types] after some tokens, of which there is one."""
        known = min(common_prefix(numbers, self._read), len(numbers) - 1)
        types, words = torch.tensor(numbers[known:]).T[:, None]
        with torch.inference_mode():
            states = self._model.read(types, words, self._states[known - 1] if known else None)
            found: Tensor = self._model.next(states[0, -1]).log_softmax(-1)
        self._read[known:], self._states[known:] = numbers[known:], states[0]
        return found
