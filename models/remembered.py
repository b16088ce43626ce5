"""What a key-value cache held and holds no more, by the text that each token was read under.

An edit that is undone brings back a text that was read before. Tokens that it took out, and those
that were read again under the edited text, are kept for that: what was last taken away stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

MOST_REMEMBERED = 256  # tokens


@dataclass(frozen=True, slots=True)
class Recalled:
    """What was remembered of the tokens at `positions`, and whether each was exact.

    `rows` are copies, of each store: [layers, kv_heads, positions, head_dim].
    """

    positions: list[int]
    exactly: list[bool]
    rows: list[Tensor]


class Remembered:
    """Of stores of shape [layers, kv_heads, capacity, head_dim] each, so many tokens' worth."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._kept: tuple[Tensor, ...] = ()  # nothing is taken before there is anything to keep
        self._texts: list[int | None] = [None] * most  # what was read under which lies in each slot
        self._exactly = [False] * most
        self._slots: dict[int, int] = {}
        self._next = 0

    def __contains__(self, text: int) -> bool:
        return text in self._slots

    def keep(
        self,
        stores: Sequence[Tensor],
        positions: Sequence[int],
        texts: Sequence[int],
        exactly: Sequence[bool],
    ) -> None:
        """Keep the last ones of the tokens at `positions`, read under `texts`."""
        most = len(self._texts)
        last = slice(max(0, len(positions) - most), None)
        if not positions[last]:
            return
        if not self._kept:
            self._kept = tuple(room_for(store, most) for store in stores)
        slots: list[int] = []
        for text, exact in zip(texts[last], exactly[last], strict=True):
            slot, self._next = self._next, (self._next + 1) % most
            if (gone := self._texts[slot]) is not None and self._slots[gone] == slot:
                del self._slots[gone]
            self._texts[slot], self._exactly[slot], self._slots[text] = text, exact, slot
            slots.append(slot)
        for store, kept in zip(stores, self._kept, strict=True):
            kept[:, :, torch.tensor(slots)] = store[:, :, torch.tensor(positions[last])]

    def recall(self, texts: Mapping[int, int]) -> Recalled:
        """What was read under the `texts` of some positions, as far as it is still there."""
        found = {at: self._slots[text] for at, text in texts.items() if text in self._slots}
        slots = list(found.values())
        return Recalled(
            positions=list(found),
            exactly=[self._exactly[slot] for slot in slots],
            rows=[kept[:, :, torch.tensor(slots)] for kept in self._kept] if slots else [],
        )


def room_for(store: Tensor, tokens: int) -> Tensor:
    """An empty store like another one, of so many tokens."""
    layers, heads, _, dimension = store.shape
    return store.new_zeros((layers, heads, tokens, dimension))
