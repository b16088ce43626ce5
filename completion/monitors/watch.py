"""Monitors at work on one request: they know its text, and are asked about every token.

What they say is a function of the text that is written so far, so that drafts, branches and steps
back need no state of their own. Answers that are not there in time are done without.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Protocol

import torch
from torch import Tensor

from completion.monitors.identifier_masks import Mask
from completion.values import WatchCounts

MOST_REJECTED = 32  # tokens at one place; then the likeliest is taken


class Monitor(Protocol):
    """One rule of what may be written. `written` is the text since the end of the prompt."""

    def following(self, written: bytes) -> Mask | None:
        """Which tokens may follow; None for any."""
        ...

    def accepts(self, written: bytes, token: bytes) -> bool:
        """Whether a token that may follow names nothing wrong within itself."""
        ...

    def regretted(self, written: bytes) -> int | None:
        """After how many bytes something was written that turned out wrong; None where nothing did.

        It is not allowed a second time.
        """
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
                logits = logits.masked_fill(~mask.of(logits), -torch.inf)
        return logits

    def accepts(self, written: Sequence[int], token: int) -> bool:
        """Whether `token`, which may follow `written`, names nothing wrong within itself."""
        text, spelled = self._text(written), self._spell(token)
        accepted = all(monitor.accepts(text, spelled) for monitor in self._monitors)
        self.counts.rejected += not accepted
        return accepted

    def regretted(self, written: Sequence[int], bytes_kept: int) -> int | None:
        """How many of all tokens can stay, where a name in so many bytes of them is wrong."""
        text = self._text(written)[:bytes_kept]
        wrong = [found for one in self._monitors if (found := one.regretted(text)) is not None]
        if not wrong:
            return None
        self.counts.regretted += 1
        ends = accumulate(len(self._spell(token)) for token in written)
        return sum(end <= min(wrong) for end in ends)

    def finished(self, text: str) -> str:
        """What is kept of a suggestion's text."""
        kept = self._keep(text)
        self.counts.cut += len(text.splitlines()) - len(kept.splitlines())
        return kept

    def _text(self, written: Sequence[int]) -> bytes:
        return b"".join(map(self._spell, written))


NO_WATCH = Watch((), lambda _: b"")
