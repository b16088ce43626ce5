"""Which of the names that exist to write where the model has written one that does not.

The likeliest first token of all names often leads to a name that was not meant: names are chosen
whole, by their joint probability, to which their likeness to what was written is added.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from rapidfuzz.distance import Indel
from torch import Tensor

from completion.decoded import Branch
from models.decoder import Decoder
from models.kv_cache import KeyValueCache
from models.token_tree import merged
from models.tokenizer import CodeTokenizer

LIKENESS = 2.0  # what a name gains that is all like the one that was meant, as a log-probability
MOST_READ = 32  # tokens of names, in one pass

# The tokens that write a name, by name.
Spellings = Mapping[bytes, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class NamesRead:
    """The log-probabilities of the tokens of each name, and that it ends there."""

    tokens: Mapping[bytes, tuple[float, ...]]
    ends: Mapping[bytes, float]

    def joint(self, name: bytes) -> float:
        return sum(self.tokens[name]) + self.ends[name]


@dataclass(frozen=True, slots=True)
class SpelledPlace:
    """Where a name is written: after the text `before`, whose encoding begins with `settled`.

    So many bytes of the name are `typed`, and part of that text.
    """

    before: bytes
    settled: tuple[int, ...] = ()
    typed: int = 0


def likeness(meant: bytes, name: bytes) -> float:
    """How alike two names are, 0 to 1."""
    return float(Indel.normalized_similarity(meant.lower(), name.lower()))


def worth_writing(names: frozenset[bytes], meant: bytes) -> frozenset[bytes]:
    """Without what everything has, as `__class__`, where something else was meant."""
    plain = frozenset(name for name in names if not name.startswith(b"__"))
    return names if meant.startswith(b"__") or not plain else plain


def choose_name(
    decoder: Decoder,
    cache: KeyValueCache,
    logits: Tensor,
    spellings: Spellings,
    meant: bytes,
    ends: Tensor,
) -> tuple[bytes, Branch] | None:
    """The best of some names after what `cache` holds, which gave `logits` [vocabulary].

    As many are read, in one pass, as there is room for, those first whose first token promises
    most. `ends` [tokens] are those that may follow a name. None where there is no room for any.
    """
    room = min(MOST_READ, cache.capacity - cache.length)
    spellings = {name: tokens for name, tokens in spellings.items() if len(tokens) <= room}
    if not spellings:
        return None
    first = logits.log_softmax(-1)
    gains = {name: LIKENESS * likeness(meant, name) for name in spellings}
    promised = {name: gains[name] + float(first[way[0]]) for name, way in spellings.items()}
    order = sorted(spellings, key=promised.__getitem__, reverse=True)
    read = read_names(decoder, cache, first, {name: spellings[name] for name in order}, ends)
    name = max(read.tokens, key=lambda name: gains[name] + read.joint(name))
    return name, Branch(spellings[name], read.tokens[name])


def read_names(
    decoder: Decoder,
    cache: KeyValueCache,
    first: Tensor,
    spellings: Spellings,
    ends: Tensor,
    most: int = MOST_READ,
) -> NamesRead:
    """The first ones of some names, read in one pass of no more than `most` tokens.

    `first` [vocabulary] are the log-probabilities of what follows the `cache`.
    """
    tree, nodes = merged(spellings.values(), min(most, cache.capacity - cache.length))
    if not nodes:
        return NamesRead({}, {})
    after = decoder.logits(decoder.branch(cache, tree)).log_softmax(-1)
    tokens: dict[bytes, tuple[float, ...]] = {}
    ended: dict[bytes, float] = {}
    for name, node in zip(spellings, nodes, strict=False):
        way = tree.way(node)
        later = (float(after[before, tree.tokens[node]]) for before, node in pairwise(way))
        tokens[name] = (float(first[tree.tokens[way[0]]]), *later)
        ended[name] = float(after[node, : len(ends)][ends].logsumexp(0))
    return NamesRead(tokens, ended)


def spell_names(
    tokenizer: CodeTokenizer, names: Iterable[bytes], place: SpelledPlace
) -> dict[bytes, tuple[int, ...]]:
    """The tokens that write each name at a place, after those that stay."""
    settled = place.settled
    spelled: dict[bytes, tuple[int, ...]] = {}
    for name in sorted(names):
        text = place.before + name[place.typed :]
        tokens = tuple(tokenizer.encode(text.decode(errors="ignore")))
        if tokens[: len(settled)] == settled and len(tokens) > len(settled):
            spelled[name] = tokens[len(settled) :]
    return spelled
