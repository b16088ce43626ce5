"""What the code model, and the types of tokens, say of each next token of a line of Python.

The line's truth is typed token by token, and the model asked after each of them as an editor would
ask. Its likeliest tokens are written on until they are whole tokens of Python, names by the
likeliest way on; the candidates are compared by their joint probability, and that they end there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf, log

from torch import Tensor

from completion.covers import MOST_STEMS, OpenEnd, Stem
from completion.monitors.names import ends_of_names
from completion.pipeline import Completer
from completion.token_types.begun import INDENTATION, Begun, begun
from completion.token_types.fusion import NO_TYPE
from completion.token_types.numbers import numbers_of
from completion.token_types.reader import WINDOW, TypeReader
from completion.token_types.typed_text import TypedEnd, TypedPrefix, TypedText, TypedToken
from completion.token_types.types import NAMES, OPERATORS, TokenType
from completion.token_types.weighing import boost, log_sum
from completion.values import CompletionRequest
from models.kv_cache import KeyValueCache
from models.token_tree import TokenTree, merged

FIRST = 8  # of the likeliest tokens, that are looked at
OPEN = 6  # of them, names that are written on
WORTH = 6.0  # how much less likely than the likeliest one may be that is written on (nats)
LONGEST = 4  # tokens of a name
TOKENS = 12  # of Python, of a line
ROOM = 64  # tokens of names at once
LIKELY = 0.05  # the probability from which on a name may go on
# Where completion matters most: Izadi et al. 2022, "CodeFill", section 4.3 (cardinal points).
CARDINAL_WORDS = frozenset(
    {
        *("await", "assert", "raise", "del", "lambda", "yield", "return", "except", "while", "for"),
        *("if", "elif", "else", "global", "in", "and", "not", "or", "is", "with"),
    }
)
CARDINAL_SIGNS = (
    *(".", ";", ",", "[", "(", "{", "~", "+", "-", "*", "/", "%", "**", "//", "<<", ">>", "&"),
    *("|", "^", "<", ">", "<=", ">=", "==", "!="),
)
CARDINAL_TYPES = frozenset(OPERATORS[sign] for sign in CARDINAL_SIGNS)


@dataclass(frozen=True, slots=True)
class NextToken:
    """A candidate: its text, its type's name, and three log-probabilities: by the code model, of
    its type, and what it gains by where it is declared."""

    text: str
    type: str
    log_probability: float
    log_type: float
    boost: float


@dataclass(frozen=True, slots=True)
class NextTokens:
    """A place: the true token's text and type, whether it is a cardinal point, and candidates."""

    truth: str
    type: str
    cardinal: bool
    candidates: tuple[NextToken, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """Tokens that write a name so far."""

    tokens: tuple[int, ...]
    log_probability: float


@dataclass(frozen=True, slots=True)
class Point:
    """A cursor: all before it, and the last line's end."""

    prefix: TypedPrefix
    end: TypedEnd

    def begun_by(self, spelled: bytes) -> Begun | None:
        """What a piece begins here that is no part of a string or a comment."""
        if self.end.in_text:
            return None
        return begun(self.prefix, "", self.end, spelled.decode(errors="ignore"))


class LineReader:
    """Reads true lines with one code model and one type model."""

    def __init__(self, completer: Completer, reader: TypeReader) -> None:
        self._completer = completer
        self._model = completer.model
        self._reader = reader
        self._name_ends = ends_of_names(self._model.tokenizer)

    def places(self, request: CompletionRequest, line: str) -> Iterator[NextTokens]:
        """Those of a line that goes on from the request's cursor, its first `TOKENS` tokens."""
        whole = TypedText().follow(f"{request.before}{line}\n").lines[-1]
        column = len(request.before) - (request.before.rfind("\n") + 1)
        tokens = [one for one in whole.tokens if one.type not in INDENTATION]
        for token in tokens[:TOKENS]:
            if token.start < column:
                return  # the line begins in a string
            typed = whole.text[len(whole.text) - len(line) : column]
            here = replace(request, before=request.before + typed)
            if (place := self._place(here, token)) is not None:
                yield place
            column = token.end

    def _place(self, request: CompletionRequest, truth: TypedToken) -> NextTokens | None:
        prefix = TypedText().follow(request.before)
        point = Point(prefix, prefix.with_text(""))
        before = [*prefix.recent(WINDOW), *point.end.tokens]
        if not before:
            return None
        log_types = self._reader.after(numbers_of(before)).tolist()
        declared = point.end.scopes.declared()
        found: dict[tuple[str, TokenType], list[float]] = {}
        for token, log_probability in self._whole(point, request):
            found.setdefault((shown(token), token.type), []).append(log_probability)
        candidates = (
            NextToken(
                text,
                kind.name,
                round(log_sum(known), 4),
                round(max(log(NO_TYPE), log_types[kind]), 4),
                round(boost(text, kind, declared), 4),
            )
            for (text, kind), known in found.items()
        )
        last = before[-1]
        cardinal = last.text in CARDINAL_WORDS or last.type in CARDINAL_TYPES
        return NextTokens(shown(truth), truth.type.name, cardinal, tuple(candidates))

    def _whole(
        self, point: Point, request: CompletionRequest
    ) -> Iterator[tuple[TypedToken, float]]:
        """Whole tokens of Python and their log-probabilities, some of them more than once."""
        prompt, cache, logits = self._completer.read(request)
        again = len(self._model.tokenizer.spelled(prompt.end.rewritten))
        ways: list[Way] = []
        for way in self._first(prompt.end, cache, logits.log_softmax(-1)):
            one = point.begun_by(self._model.tokenizer.spelled(way.tokens)[again:])
            if one is None:
                continue
            if one.is_open and one.token.type in NAMES | {TokenType.KEYWORD}:
                ways.append(way)
            else:
                yield one.token, way.log_probability
        for _ in range(LONGEST):
            ways = likeliest(ways)
            if not ways:
                return
            tree, _ = merged([way.tokens for way in ways], ROOM)
            after = self._read(cache, tree)[:, : len(self._name_ends)]
            nodes = {tuple(way): node for node, way in enumerate(tree.continuations)}
            longer: list[Way] = []
            for way in ways:
                one = point.begun_by(self._model.tokenizer.spelled(way.tokens)[again:])
                if one is None or way.tokens not in nodes:
                    continue
                follows = after[nodes[way.tokens]]
                yield one.token, way.log_probability + float(follows[self._name_ends].logsumexp(-1))
                more, token = follows.masked_fill(self._name_ends, -inf).max(-1)
                if float(more) > log(LIKELY):
                    longer.append(Way((*way.tokens, int(token)), way.log_probability + float(more)))
            ways = longer

    def _first(self, end: OpenEnd, cache: KeyValueCache, first: Tensor) -> Iterator[Way]:
        """The likeliest ways to write the text that is open at the cursor, and one token on.

        `first` [vocabulary] are the log-probabilities of what follows the prompt.
        """
        stems = sorted(
            (stem for stem in end.stems if stem.tokens),
            key=lambda stem: float(first[stem.tokens[0]]),
            reverse=True,
        )[:MOST_STEMS]
        after = {Stem((), end.stems[0].pending): (0.0, first)} if not end.stems[0].tokens else {}
        if stems:
            tree, _ = merged([stem.tokens for stem in stems], ROOM)
            read = self._read(cache, tree)
            for stem in stems:
                known, follows = 0.0, first
                for node in tree.way_of(stem.tokens) or ():
                    known += float(follows[tree.tokens[node]])
                    follows = read[node]
                after[stem] = known, follows
        for stem, (known, follows) in after.items():
            for cover in end.covers(self._model.tokenizer, stem, known, follows, FIRST):
                yield Way((*stem.tokens, cover.token), cover.log_probability)

    def _read(self, cache: KeyValueCache, tree: TokenTree) -> Tensor:
        """The log-probabilities [nodes, vocabulary] of what follows each node."""
        decoder = self._model.decoder
        return decoder.logits(decoder.branch(cache, tree)).log_softmax(-1)


def likeliest(ways: Sequence[Way]) -> list[Way]:
    """Those that are worth writing on, the likeliest first."""
    ranked = sorted(ways, key=lambda way: way.log_probability, reverse=True)[:OPEN]
    return [way for way in ranked if way.log_probability > ranked[0].log_probability - WORTH]


def shown(token: TypedToken) -> str:
    """What two tokens have to share to be the same; strings and comments their type alone."""
    return "" if token.type in (TokenType.STRING, TokenType.COMMENT) else token.text
