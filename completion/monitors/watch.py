"""Monitors at work on one request: they see its text grow, and say what is wrong in it.

What they say is a function of the text, so that drafts, branches and steps back need no state of
their own. Answers that are not there in time are done without.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import pad

from completion.monitors.existing_names import Settled, WrongName
from completion.values import WatchCounts


class Monitor(Protocol):
    """One rule of which names may be written."""

    def find_wrong(self, text: bytes, settled: Settled, *, ended: bool) -> WrongName | None:
        """The first name in `text` that turned out wrong; the text may have `ended` with it.

        What is `settled` is right. Names that the text is about to hold may be asked about.
        """
        ...


class Watch:
    """All monitors of one request together.

    Its text begins with `line`, which stands before the prompt's end. `spell` says what bytes a
    token writes, `name_ends` [tokens] which of them end a name, and `keep` how much of a whole
    suggestion breaks nothing.
    """

    def __init__(
        self,
        monitors: Sequence[Monitor],
        line: bytes,
        spell: Callable[[int], bytes],
        name_ends: Tensor,
        counts: WatchCounts | None = None,
        keep: Callable[[str], str] = str,
    ) -> None:
        self.counts = counts or WatchCounts()
        self.line = line
        self.name_ends = name_ends
        self._monitors = monitors
        self._spell = spell
        self._keep = keep
        self._settled: dict[bytes, bytes] = {}  # names, by what stands before them

    def is_wrong(self, written: Sequence[int]) -> bool:
        """Whether a name in what was written, the end of which is seen, does not exist."""
        return self.find_wrong(self._text(written), ended=False) is not None

    def find_wrong(self, text: bytes, *, ended: bool) -> WrongName | None:
        """The first name that does not exist in a text that goes on from `line`."""
        found = (one.find_wrong(text, self._settled, ended=ended) for one in self._monitors)
        wrong = [name for name in found if name is not None]
        return min(wrong, key=lambda name: len(name.before), default=None)

    def settle(self, wrong: WrongName, name: bytes) -> None:
        """Have another name stand there, or the same one where there is no other."""
        self._settled[wrong.before] = name
        self.counts.taken_back += name != wrong.name

    def allowed(self, written: Sequence[int], logits: Tensor) -> Tensor:
        """`logits` [vocabulary] of what follows the tokens `written`, those that may not at -inf.

        To a name that was settled nothing may be added.
        """
        if not self._settled:
            return logits
        text = self._text(written)
        if all(text != before + name for before, name in self._settled.items()):
            return logits
        more = len(logits) - len(self.name_ends)  # ids beyond the tokenizer's stand for nothing
        return logits.masked_fill(~pad(self.name_ends, (0, more)), -torch.inf)

    def finished(self, text: str) -> str:
        """What is kept of a suggestion's text."""
        kept = self._keep(text)
        self.counts.cut += len(text.splitlines()) - len(kept.splitlines())
        return kept

    def _text(self, written: Sequence[int]) -> bytes:
        return self.line + b"".join(map(self._spell, written))


NO_WATCH = Watch((), b"", lambda _: b"", torch.ones(0, dtype=torch.bool))
