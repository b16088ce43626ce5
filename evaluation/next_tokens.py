"""What the code model, and the types of tokens, say of each next token of a line of Python.

The line's truth is read token by token. Wherever one of the model's tokens begins one of Python's,
its likeliest tokens are written on until they are whole tokens of Python, names by the likeliest
way on; the candidates are compared by their joint probability, and that they end there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, log

from torch import Tensor

from completion.covers import text_known
from completion.monitors.names import ends_of_names
from completion.pipeline import Completer
from completion.token_types.begun import Begun, begun
from completion.token_types.fusion import NO_TYPE
from completion.token_types.reader import WINDOW, TypeReader
from completion.token_types.typed_text import TypedEnd, TypedPrefix, TypedText, TypedToken
from completion.token_types.types import NAMES, OPERATORS, TokenType
from completion.token_types.weighing import boost, log_sum
from completion.values import CompletionRequest
from models.kv_cache import KeyValueCache
from models.token_tree import merged

FIRST = 16  # of the likeliest tokens, that are looked at
OPEN = 8  # of them, names that are written on
LONGEST = 5  # tokens of a name, and of a line
LINE = 48
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
    """A place in a line, of which so much is written."""

    prefix: TypedPrefix
    written: str
    end: TypedEnd

    def begun_by(self, spelled: bytes) -> Begun | None:
        """What a piece begins here that is no part of a string or a comment."""
        if self.end.in_text:
            return None
        return begun(self.prefix, self.written, self.end, spelled.decode(errors="ignore"))


class LineReader:
    """Reads true lines with one code model and one type model."""

    def __init__(self, completer: Completer, reader: TypeReader) -> None:
        self._completer = completer
        self._model = completer.model
        self._reader = reader
        self._name_ends = ends_of_names(self._model.tokenizer)

    def places(self, request: CompletionRequest, line: str) -> Iterator[NextTokens]:
        """Those of a line that goes on from the request's cursor."""
        model, tokenizer = self._model, self._model.tokenizer
        prompt, cache, logits = self._completer.read(request)
        known = text_known(tokenizer, request.before, prompt.end)
        piece, settled = prompt.end.piece.decode(), len(prompt.end.settled)
        whole = tokenizer.encode(f"{piece}{line}\n")
        tokens = whole[settled : settled + LINE]
        text = TypedText().follow(known)
        for place, token in enumerate(tokens):
            written = tokenizer.spelled(tokens[:place]).decode(errors="ignore")
            point = Point(text, written, text.with_text(written))
            if point.begun_by(tokenizer.token_bytes(token)) is not None:
                truth = point.begun_by(tokenizer.spelled(tokens[place:]))
                if truth is not None and (one := self._place(point, cache, logits, truth.token)):
                    yield one
            logits = model.decoder.logits(model.decoder.forward([token], cache)[-1])

    def _place(
        self, point: Point, cache: KeyValueCache, logits: Tensor, truth: TypedToken
    ) -> NextTokens | None:
        before = [*point.prefix.recent(WINDOW), *point.end.tokens]
        if not before:
            return None
        log_types = self._reader.after(before).tolist()
        declared = point.end.scopes.declared()
        found: dict[tuple[str, TokenType], list[float]] = {}
        for token, log_probability in self._whole(point, cache, logits):
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
        self, point: Point, cache: KeyValueCache, logits: Tensor
    ) -> Iterator[tuple[TypedToken, float]]:
        """Whole tokens of Python and their log-probabilities, some of them more than once."""
        likely = logits.log_softmax(-1).topk(FIRST)
        ways: list[Way] = []
        for token, known in zip(likely.indices.tolist(), likely.values.tolist(), strict=True):
            one = point.begun_by(self._model.tokenizer.spelled([token]))
            if one is None:
                continue
            if one.is_open and one.token.type in NAMES | {TokenType.KEYWORD}:
                ways.append(Way((token,), known))
            else:
                yield one.token, known
        for _ in range(LONGEST):
            ways = ways[:OPEN]
            if not ways:
                return
            tree, _ = merged([way.tokens for way in ways], ROOM)
            after = self._model.decoder.logits(self._model.decoder.branch(cache, tree))
            after = after.log_softmax(-1)[:, : len(self._name_ends)]
            nodes = {tuple(way): node for node, way in enumerate(tree.continuations)}
            longer: list[Way] = []
            for way in ways:
                one = point.begun_by(self._model.tokenizer.spelled(way.tokens))
                if one is None or way.tokens not in nodes:
                    continue
                follows = after[nodes[way.tokens]]
                yield one.token, way.log_probability + float(follows[self._name_ends].logsumexp(-1))
                more, token = follows.masked_fill(self._name_ends, -inf).max(-1)
                if float(more) > log(LIKELY):
                    longer.append(Way((*way.tokens, int(token)), way.log_probability + float(more)))
            ways = longer


def shown(token: TypedToken) -> str:
    """What two tokens have to share to be the same; strings and comments their type alone."""
    return "" if token.type in (TokenType.STRING, TokenType.COMMENT) else token.text
