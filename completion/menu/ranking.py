"""Names in the order of their probability at a place.

They are compared by the joint probability of the tokens that write them, and that they end there.
Those that promise most are read, in passes over the tree of their tokens, until the likeliest is
found or there were enough: a name is no likelier than its beginning, of which other names may tell
(best-first search, as in Hart et al. 1968, "A formal basis for the heuristic determination of
minimum cost paths").
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from completion.monitors.names import is_dunder
from completion.name_choice import Spellings
from models.decoder import Decoder
from models.kv_cache import KeyValueCache
from models.token_tree import merged
from retrieval.index.declarations import Kind, Kinds

READ_AT_ONCE = 8  # tokens of names, in one pass
MOST_PASSES = 3
UNREAD = -1.0  # what a name is taken to lose, as a log-probability, by what of it is not read


@dataclass(frozen=True, slots=True)
class RankedName:
    """A name, the logarithm of its probability and what it is, as far as they are known."""

    name: str
    log_probability: float
    kind: Kind | None = None


@dataclass(slots=True)
class Promises:
    """What is known of some names: the joint log-probabilities of their beginnings, by tokens, and
    that those read to their ends end there."""

    spellings: Spellings
    begun: dict[tuple[int, ...], float]
    ended: dict[bytes, float] = field(default_factory=dict)

    def of(self, name: bytes) -> float:
        tokens = self.spellings[name]
        if name in self.ended:
            return self.begun[tokens] + self.ended[name]
        known = max(end for end in range(1, len(tokens) + 1) if tokens[:end] in self.begun)
        return self.begun[tokens[:known]] + UNREAD

    def unread(self) -> list[bytes]:
        """The names that are not read to their ends, those that promise most first."""
        names = [name for name in self.spellings if name not in self.ended]
        return sorted(names, key=self.of, reverse=True)

    @property
    def best(self) -> float:
        """What the likeliest name promises of those that are read."""
        return max(map(self.of, self.ended), default=float("-inf"))


def rank_names(
    decoder: Decoder, cache: KeyValueCache, logits: Tensor, spellings: Spellings, ends: Tensor
) -> list[RankedName]:
    """Names after what `cache` holds, which gave `logits` [vocabulary].

    `ends` [tokens] are those that may follow a name.
    """
    first = logits.log_softmax(-1)
    promises = Promises(spellings, {way[:1]: float(first[way[0]]) for way in spellings.values()})
    room = min(READ_AT_ONCE, cache.capacity - cache.length)
    for _ in range(MOST_PASSES):
        names = promises.unread()
        if not names or promises.of(names[0]) <= promises.best:
            break
        read_more(decoder, cache, promises, names, ends, room)
    ranked = [RankedName(name.decode(), promises.of(name)) for name in spellings]
    return sorted(ranked, key=likeliest_first)


def read_more(
    decoder: Decoder,
    cache: KeyValueCache,
    promises: Promises,
    names: Sequence[bytes],
    ends: Tensor,
    most: int,
) -> None:
    """Learn of some names by one pass over no more than `most` tokens of the first of them.

    What follows a beginning is then known of all names that begin so.
    """
    begun = [promises.spellings[name][:most] for name in names]
    tree, _ = merged(begun, most)
    after = decoder.logits(decoder.branch(cache, tree)).log_softmax(-1)
    read = {tuple(way): node for node, way in enumerate(tree.continuations)}
    for name, tokens in promises.spellings.items():
        for end in range(1, len(tokens)):
            if (node := read.get(tokens[:end])) is not None:
                more = float(after[node, tokens[end]])
                promises.begun[tokens[: end + 1]] = promises.begun[tokens[:end]] + more
        if (node := read.get(tokens)) is not None:
            promises.ended[name] = float(after[node, : len(ends)][ends].logsumexp(0))


def likeliest_first(ranked: RankedName) -> tuple[bool, float, tuple[bool, bool, str]]:
    """What Python gives a meaning comes last: everything has it, and it is seldom meant."""
    return is_dunder(ranked.name.encode()), -ranked.log_probability, by_spelling(ranked.name)


def by_spelling(name: str) -> tuple[bool, bool, str]:
    """Public names first, and those that Python gives a meaning last."""
    return is_dunder(name.encode()), name.startswith("_"), name.lower()


def unranked(names: Collection[str]) -> list[RankedName]:
    """Names of whose probability nothing is known, as they are spelled."""
    return [RankedName(name, float("-inf")) for name in sorted(names, key=by_spelling)]


def with_kinds(ranked: Iterable[RankedName], kinds: Kinds) -> list[RankedName]:
    """The same names in the same order, with what they are."""
    return [replace(one, kind=kinds.get(one.name)) for one in ranked]
