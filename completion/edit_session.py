"""The cache that follows a text from one request to the next.

Whatever was edited, the cache is brought to the new prompt by moving what was kept and encoding
what is new. Kept tokens that come after an edit still remember the old text; the most telling of
them are encoded again within a budget, all of them if the budget suffices, and the rest when
nobody waits.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from completion.context_budget import NO_EDGES, Edges
from completion.prompt import Prompt
from completion.repair import EXACT, NONE, Reading, Repair, most_attended, plan_reading
from completion.token_difference import kept_segments
from completion.values import CancelCheck
from models.decoder import Decoder
from models.errors import Cancelled
from models.kv_cache import KeyValueCache, Segment
from models.prefill import encode_in_chunks
from models.token_tree import NO_TREE, ReadTree, TokenTree
from retrieval.related.related_code import NOTHING_RELATED, RelatedCode

IDLE_TOKENS = 32  # a pass while the editor is idle
Learn = Callable[[Sequence[int], range], None]  # tokens, and which of them are new


@dataclass(frozen=True, slots=True)
class Prefilled:
    """Logits [vocabulary] after the prompt, and how many prompt tokens came from where.

    What was read `ahead` came after it in the same pass. `reused` tokens stand where they stood,
    `moved` ones were turned to a new position, `encoded` ones were read, the last one twice where
    others were repaired. `corrected` ones remember another text still.
    """

    logits: Tensor
    ahead: ReadTree
    reused: int
    moved: int
    encoded: int
    corrected: int


class EditSession:
    """One cache for the prompts of one document, of up to `capacity` tokens with generated ones."""

    def __init__(self, decoder: Decoder, capacity: int) -> None:
        self._decoder = decoder
        self._capacity = capacity
        self._cache: KeyValueCache | None = None
        self._prompt_length = 0
        self._edges = NO_EDGES
        self._related = NOTHING_RELATED
        self._repairs = False  # whether an edit has made tokens stale and none was repaired yet

    @property
    def cache(self) -> KeyValueCache:
        if self._cache is None:
            self._cache = self._decoder.new_cache(self._capacity)
        return self._cache

    @property
    def edges(self) -> Edges:
        """Those of the prompt that was read last."""
        return self._edges

    @property
    def related(self) -> RelatedCode:
        """The code of other files in the prompt that was read last, to its end."""
        return self._related

    def copy(self) -> "EditSession":
        """Another session whose cache holds the same."""
        copied = copy.copy(self)
        copied.use(copy.deepcopy(self.cache))
        return copied

    def use(self, cache: KeyValueCache) -> None:
        """Go on with another cache, which may hold anything."""
        self._cache = cache

    def read(
        self,
        prompt: Prompt,
        repair: Repair,
        cancelled: CancelCheck,
        learn: Learn | None = None,
        ahead: TokenTree = NO_TREE,
    ) -> Prefilled:
        """Make the cache hold exactly `prompt`, encoding what it does not know and what it must.

        The last token is always encoded, for its logits. What an edit has made stale is repaired
        once; the rest is for idle time. What may follow the prompt is read `ahead`, in the pass
        that reads its last token. `learn` is as for `lay_out`.
        """
        cache, kept = self.cache, self.lay_out(prompt, learn)
        repair = repair if self._repairs or repair == EXACT else NONE
        reading = plan_reading(cache, prompt, kept, repair)
        hidden, encoded = self._encode(reading, ahead, cancelled)
        self._repairs = False
        self._related = prompt.related
        read = set(encoded)
        moved = sum(
            position not in read
            for segment in kept
            if segment.shift
            for position in range(segment.new, segment.new + segment.length)
        )
        logits = self._decoder.logits(hidden)
        return Prefilled(
            logits=logits[0],
            ahead=ReadTree(ahead, logits[1:]),
            reused=len(prompt.tokens) - len(read) - moved,
            moved=moved,
            encoded=len(encoded),
            corrected=len(cache.inexact()),
        )

    def lay_out(self, prompt: Prompt, learn: Learn | None = None) -> list[Segment]:
        """Make the cache hold `prompt`, as far as it is known, and read nothing; what was kept.

        Each stretch of the prompt that is new is given to `learn`: once it is read, were it only in
        part before `Cancelled` is raised, it is new no more.
        """
        kept = kept_segments(self.cache.read_tokens, prompt.tokens, prompt.markers)
        self._repairs = self.cache.lay_out(prompt.tokens, kept) or self._repairs
        self._prompt_length, self._edges = len(prompt.tokens), prompt.edges
        if learn is not None:
            for gap in gaps_between(kept, len(prompt.tokens)):
                learn(prompt.tokens, gap)
        return kept

    def _encode(
        self, reading: Reading, ahead: TokenTree, cancelled: CancelCheck
    ) -> tuple[Tensor, list[int]]:
        """Hidden states [1 + nodes, hidden] of the last token and of what was read ahead, and the
        positions in the order they were encoded in."""
        cache, first = self.cache, reading.first
        if not reading.more:
            return encode_in_chunks(self._decoder, cache, first, cancelled, ahead=ahead), first
        attention = torch.zeros(cache.length, device=self._decoder.device)
        encode_in_chunks(self._decoder, cache, first, cancelled, attention)
        again = [*most_attended(reading.stale, attention, reading.more), first[-1]]
        try:
            hidden = encode_in_chunks(self._decoder, cache, again, cancelled, ahead=ahead)
        except Cancelled as called_off:
            raise Cancelled(encoded=len(first) + called_off.encoded) from None
        return hidden, first + again

    def read_idly(self, prompt: Prompt, cancelled: CancelCheck, learn: Learn | None = None) -> None:
        """Make the cache hold `prompt`, of which what is new and the anchors are read, while nobody
        waits: what that makes stale is left to `heal`, and nobody who asks next has to repair it.

        Raises `Cancelled`, between two layers at the latest. `learn` is as for `lay_out`.
        """
        owed = self._repairs
        kept = self.lay_out(prompt, learn)
        self._repairs = owed
        positions = plan_reading(self.cache, prompt, kept, NONE).first
        for start in range(0, len(positions), IDLE_TOKENS):
            self._decoder.encode(self.cache, positions[start : start + IDLE_TOKENS], cancelled)
        self._related = prompt.related

    def heal(self, cancelled: Callable[[], bool]) -> int:
        """Encode the prompt's corrected tokens again, the first ones first, until all are exact.

        Returns how many were encoded; raises `Cancelled`, between two layers at the latest.
        """
        self.cache.truncate(min(self._prompt_length, self.cache.length))
        healed = 0
        while positions := self.cache.inexact()[:IDLE_TOKENS]:
            self._decoder.encode(self.cache, positions, cancelled)
            healed += len(positions)
        return healed


def gaps_between(kept: Sequence[Segment], length: int) -> list[range]:
    """The stretches of a new text of `length` tokens that no kept segment covers."""
    ends = [0, *(segment.new + segment.length for segment in kept)]
    starts = [*(segment.new for segment in kept), length]
    return [range(end, start) for end, start in zip(ends, starts, strict=True) if end < start]
