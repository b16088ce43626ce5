"""Monitors at work on one request: they know its text, and are asked about every token.

What they say is a function of the text that is written so far, so that drafts, branches and steps
back need no state of their own. Answers that are not there in time are done without.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import pad

from completion.monitors.existing_names import WrongName
from completion.values import WatchCounts

MOST_REJECTED = 32  # tokens at one place; then the likeliest is taken


class Monitor(Protocol):
    """One rule of what may be written. `written` is the text since the end of the prompt."""

    def following(self, written: bytes) -> Tensor | None:
        """What is added to the logit of each token that may follow; None where any may."""
        ...

    def accepts(self, written: bytes, token: bytes) -> bool:
        """Whether a token that may follow names nothing wrong within itself."""
        ...

    def find_wrong(self, written: bytes, *, ended: bool) -> WrongName | None:
        """The first name that turned out wrong; the text may have `ended` with it."""
        ...

    def take_back(self, wrong: WrongName) -> None:
        """Have it written otherwise from now on."""
        ...


class Watch:
    """All monitors of one request together.

    `spell` says what bytes a token writes, `keep` how much of a whole suggestion breaks nothing.
    """

    def __init__(
        self,
        monitors: Sequence[Monitor],
        spell: Callable[[int], bytes],
        counts: WatchCounts | None = None,
        keep: Callable[[str], str] = str,
    ) -> None:
        self.counts = counts or WatchCounts()
        self._keep = keep
        self._monitors = monitors
        self._spell = spell

    def allowed(self, written: Sequence[int], logits: Tensor) -> Tensor:
        """`logits` [vocabulary] of what follows the tokens `written`, those that may not at -inf.

        The likeliest that is left names nothing wrong within itself. Where nothing is left, there
        was nothing that the monitors know better.
        """
        if not self._monitors:
            return logits
        allowed = self.masked(written, logits)
        for _ in range(MOST_REJECTED):
            token = int(allowed.argmax())
            if allowed[token] == -torch.inf:
                break
            if self.accepts(written, token):
                return allowed
            allowed = allowed.index_fill(0, torch.tensor([token]), -torch.inf)
        return logits

    def masked(self, written: Sequence[int], logits: Tensor) -> Tensor:
        """The same for what each token begins with; not for what it names within itself."""
        for monitor in self._monitors:
            if (mask := monitor.following(self._text(written))) is not None:
                self.counts.masked += 1
                more = len(logits) - len(mask)  # ids beyond the tokenizer's stand for nothing
                logits = logits + pad(mask, (0, more), value=-torch.inf)
        return logits

    def accepts(self, written: Sequence[int], token: int) -> bool:
        """Whether `token`, which may follow `written`, names nothing wrong within itself."""
        text, spelled = self._text(written), self._spell(token)
        accepted = all(monitor.accepts(text, spelled) for monitor in self._monitors)
        self.counts.rejected += not accepted
        return accepted

    def is_wrong(self, written: Sequence[int]) -> bool:
        """Whether a name in what was written, the end of which is seen, does not exist."""
        text = self._text(written)
        return any(one.find_wrong(text, ended=False) is not None for one in self._monitors)

    def take_back(self, written: Sequence[int], shown: int, *, ended: bool) -> int | None:
        """How many of all tokens stay, where a name in `shown` bytes of them is wrong.

        It is not written a second time. None where nothing is wrong.
        """
        text = self._text(written)[:shown]
        found = [(one, one.find_wrong(text, ended=ended)) for one in self._monitors]
        wrong = [(name.kept, one, name) for one, name in found if name is not None]
        if not wrong:
            return None
        kept, monitor, name = min(wrong, key=lambda each: each[0])
        monitor.take_back(name)
        self.counts.taken_back += 1
        ends = accumulate(len(self._spell(token)) for token in written)
        return sum(end <= kept for end in ends)

    def finished(self, text: str) -> str:
        """What is kept of a suggestion's text."""
        kept = self._keep(text)
        self.counts.cut += len(text.splitlines()) - len(kept.splitlines())
        return kept

    def _text(self, written: Sequence[int]) -> bytes:
        return b"".join(map(self._spell, written))


NO_WATCH = Watch((), lambda _: b"")
