"""The key-value cache: what the model remembers of a list of tokens, kept true when it is edited.

Keys are kept twice: as they left the projection (masters) and turned to the position at which
their token stands now. When tokens move, masters and values are carried along and the masters
turned afresh, so that a thousand edits add no rounding (PIE: He et al., "Let the Code LLM Edit
Itself When You Edit the Code", section 3). The cache does not encode: whoever lays out a new list
of tokens has the unread ones encoded by the decoder.

Each token carries a record of the text it was read under. It is stale when that is not the text
before it now. It is exact, its keys and values those of a fresh prefill, when it is not stale and
was read beside exact ones only; else it is corrected.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from models.config import DecoderConfig
from models.kernels import Floats
from models.remembered import MOST_REMEMBERED, Recalled, Remembered
from models.rotary import depends_on_length, rotate, rotation

T = TypeVar("T")

UNREAD = None  # no keys and values yet
NO_TEXT = 0  # read under no text that could come back


@dataclass(frozen=True, slots=True)
class Segment:
    """`length` tokens that stood from `old` on and stand from `new` on."""

    old: int
    new: int
    length: int

    @property
    def shift(self) -> int:
        return self.new - self.old

    @property
    def ends(self) -> tuple[int, int]:
        """Where it ended and ends, in the old list and in the new one."""
        return self.old + self.length, self.new + self.length


class KeyValueCache:
    """Keys and values of every layer, each of shape [layers, kv_heads, capacity, head_dim]."""

    def __init__(
        self, config: DecoderConfig, capacity: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        shape = (config.layers, config.kv_heads, capacity, config.head_dim)
        self._config = config
        self._masters = torch.zeros(shape, device=device, dtype=dtype)
        self._keys = torch.zeros_like(self._masters)
        self._values = torch.zeros_like(self._masters)
        self._tokens: list[int] = []
        self._texts: list[int] = []  # for each token, a hash of all tokens up to and with it
        self._records: list[int | None] = []  # the same as it was when the token was read
        self._exactly: list[bool] = []  # whether all before it were exact then
        self._remembered = Remembered()

    @property
    def capacity(self) -> int:
        return self._keys.shape[2]

    @property
    def length(self) -> int:
        return len(self._tokens)

    @property
    def tokens(self) -> tuple[int, ...]:
        """The token ids that are laid out, unread ones included."""
        return tuple(self._tokens)

    @property
    def read_tokens(self) -> list[int | None]:
        """The token ids that have keys and values; `None` in place of an unread one."""
        pairs = zip(self._tokens, self._records, strict=True)
        return [None if record is UNREAD else token for token, record in pairs]

    def unread(self) -> list[int]:
        """Positions whose tokens have no keys and values yet."""
        return [i for i, record in enumerate(self._records) if record is UNREAD]

    def inexact(self) -> list[int]:
        """Positions that are not as a fresh prefill would leave them, unread ones included."""
        known = zip(self._records, self._texts, self._exactly, strict=True)
        return [
            i for i, (record, text, exactly) in enumerate(known) if not exactly or record != text
        ]

    def stale(self) -> list[int]:
        """Positions that were read under another text."""
        pairs = zip(self._records, self._texts, strict=True)
        return [i for i, (record, text) in enumerate(pairs) if record not in (UNREAD, text)]

    def lay_out(self, tokens: Sequence[int], kept: Sequence[Segment]) -> bool:
        """Make the cache hold `tokens`: kept segments bring their memory, the rest is unread.

        Segments are in order and do not overlap, in the old list as in the new one, and hold the
        same tokens in both. Tokens that were read under the same text before are brought back as
        they were then, as far as they are remembered. Where the rotary frequencies depend on the
        length nothing is kept. Returns whether this has made any of the kept ones stale, and the
        text was not read before.
        """
        assert len(tokens) <= self.capacity
        moves = not depends_on_length(self._config.rope, max(self.length, len(tokens)))
        if not moves:
            kept = ()
            self.forget()
        assert all(
            self._tokens[part.old : part.ends[0]] == list(tokens[part.new : part.ends[1]])
            for part in kept
        )
        pairs = zip(self._records, self._texts, strict=True)
        fresh = carried([record == text for record, text in pairs], kept, len(tokens), False)
        records = carried(self._records, kept, len(tokens), UNREAD)
        same = kept[0].length if kept and kept[0].old == kept[0].new == 0 else 0
        texts = self._texts[:same]
        texts += text_hashes(texts[-1] if same else 0, tokens[same:])
        missing = [at for at, text in enumerate(texts) if records[at] != text]
        recalled = self._remembered.recall({at: texts[at] for at in missing})
        was_read = texts[-1:] and texts[-1] in self._remembered
        if moves:
            staying = (range(part.old, part.ends[0]) for part in kept)
            self._remember(sorted(set(range(self.length)).difference(*staying)))
        self._tokens[same:] = tokens[same:]
        self._exactly = carried(self._exactly, kept, len(tokens), False)
        self._texts, self._records = texts, records
        moved = [part for part in kept if part.shift]
        # Those that move left from the left on, those that move right from the right on: none is
        # written over before it has moved.
        for part in [p for p in moved if p.shift < 0] + [p for p in moved[::-1] if p.shift > 0]:
            self._move(part)
        self._bring_back(recalled)
        return not was_read and any(fresh[position] for position in self.stale())

    def forget(self) -> None:
        """Remember nothing of what is not laid out."""
        self._remembered = Remembered()

    @property
    def _stores(self) -> tuple[Tensor, Tensor]:
        """What a token keeps wherever it stands."""
        return self._masters, self._values

    def _remember(self, positions: Sequence[int]) -> None:
        """Keep what is about to be lost at `positions`, by the texts it was read under."""
        read = [at for at in positions if self._records[at] not in (UNREAD, NO_TEXT)]
        texts = [record for at in read if (record := self._records[at]) is not None]
        self._remembered.keep(self._stores, read, texts, [self._exactly[at] for at in read])

    def _bring_back(self, recalled: Recalled) -> None:
        """Have again, at the positions where they stand now, tokens that were remembered."""
        positions = recalled.positions
        if not positions:
            return
        self._remember(positions)
        for at, exactly in zip(positions, recalled.exactly, strict=True):
            self._records[at], self._exactly[at] = self._texts[at], exactly
        where = torch.tensor(positions, device=self._keys.device)
        for store, rows in zip(self._stores, recalled.rows, strict=True):
            store[:, :, where] = rows
        turn = self.turn(positions)
        for layer in range(self._config.layers):
            self._keys[layer, :, where] = rotate(self._masters[layer, :, where], *turn)

    def append(self, tokens: Sequence[int]) -> list[int]:
        """Lay out `tokens` after the others; their positions."""
        start = self.length
        assert start + len(tokens) <= self.capacity
        self._texts += text_hashes(self._texts[-1] if start else 0, tokens)
        self._tokens += tokens
        self._records += [UNREAD] * len(tokens)
        self._exactly += [False] * len(tokens)
        return list(range(start, self.length))

    def take(self, tokens: Sequence[int], nodes: Sequence[int]) -> None:
        """Append `tokens`, which stand at the `nodes` (ascending) of a tree that was just read."""
        start = self.length
        for position, node in enumerate(nodes, start):
            if position != start + node:  # a node is never before its place: none is written over
                for kept in (self._masters, self._keys, self._values):
                    kept[:, :, position] = kept[:, :, start + node]
        self.commit(self.append(tokens))

    def truncate(self, length: int) -> None:
        """Forget every token from `length` on."""
        assert 0 <= length <= self.length
        for kept in (self._tokens, self._texts, self._records, self._exactly):
            del kept[length:]

    def _move(self, part: Segment) -> None:
        source = slice(part.old, part.old + part.length)
        target = slice(part.new, part.new + part.length)
        turn = self.turn(range(target.start, target.stop))
        for layer in range(self._config.layers):
            masters = self._masters[layer, :, source].clone()
            self._masters[layer, :, target] = masters
            self._keys[layer, :, target] = rotate(masters, *turn)
            self._values[layer, :, target] = self._values[layer, :, source].clone()

    def turn(self, positions: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Cosine and sine for keys and queries at `positions`, each of shape [n, head_dim]."""
        where = torch.tensor(positions, device=self._keys.device)
        cosine, sine = rotation(self._config.rope, self._config.head_dim, where, self.length)
        return cosine.to(self._keys.dtype), sine.to(self._keys.dtype)

    # What a forward pass does

    def begin(self, positions: Sequence[int]) -> list[int]:
        """The tokens at `positions`, about to be encoded; those that were read are stale until
        `commit`."""
        self._remember([at for at in positions if self._records[at] != self._texts[at]])
        for position in positions:
            if self._records[position] is not UNREAD:
                self._records[position] = NO_TEXT
        return [self._tokens[position] for position in positions]

    def write(
        self, layer: int, where: slice | Tensor, keys: Tensor, values: Tensor, turned: Tensor
    ) -> None:
        """Store one layer's keys, values and turned keys, each [kv_heads, n, head_dim]."""
        self._masters[layer, :, where] = keys
        self._values[layer, :, where] = values
        self._keys[layer, :, where] = turned

    def view(self, layer: int, end: int) -> tuple[Tensor, Tensor]:
        """Turned keys and values of one layer before position `end`."""
        return self._keys[layer, :, :end], self._values[layer, :, :end]

    def arrays(self) -> tuple[Floats, Floats, Floats]:
        """Its own memory, each [layers, kv_heads, capacity, head_dim]: masters, keys, values."""
        return self._masters.numpy(), self._keys.numpy(), self._values.numpy()

    def commit(self, positions: Sequence[int]) -> None:
        """Record `positions` (ascending) as read, once every layer has been written.

        A token is exact when all before it are, those read in the same pass included.
        """
        exact, checked = True, 0
        for position in positions:
            between = slice(checked, position)
            exact = exact and self._records[between] == self._texts[between]
            exact = exact and all(self._exactly[between])
            self._records[position], self._exactly[position] = self._texts[position], exact
            checked = position + 1


def carried(values: Sequence[T], kept: Iterable[Segment], length: int, new: T) -> list[T]:
    """What each of `length` tokens had where it stood before, `new` for one that is."""
    brought = [new] * length
    for part in kept:
        brought[part.new : part.ends[1]] = values[part.old : part.ends[0]]
    return brought


def cache_bytes(config: DecoderConfig, capacity: int, dtype: torch.dtype) -> int:
    """Memory of a cache, filled or not: masters, turned keys, values, and what is remembered."""
    numbers = config.layers * config.kv_heads * config.head_dim
    return (3 * capacity + 2 * MOST_REMEMBERED) * numbers * dtype.itemsize


def text_hashes(before: int, tokens: Iterable[int]) -> list[int]:
    """For each token, a hash of it and all before it; never one of the marks above."""
    hashes: list[int] = []
    for token in tokens:
        before = hash((before, token)) or 1
        hashes.append(before)
    return hashes
