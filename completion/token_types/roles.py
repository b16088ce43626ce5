"""What roles the names of a line play, as far as the line and its statement tell.

A statement is followed from line to line, so that each line is read by itself. Names of whose role
only the scope tells are left to `completion.token_types.scopes`.
"""

from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache

from completion.token_types.lexer import KEPT, Token
from completion.token_types.types import CLOSERS, LAYOUT, OPENERS, TokenType

HEADS = frozenset(
    {
        *("class", "def", "elif", "else", "except", "finally", "for", "if", "try", "while", "with"),
    }
)
MOST_TARGETS = 32  # of an assignment
BEFORE_PARAMETERS = frozenset({"(", ",", "*", "**"})


class Where(Enum):
    """The scope that a name is bound in: the one around, or the one that its statement opens."""

    HERE = "here"
    INSIDE = "inside"


@dataclass(frozen=True, slots=True)
class Binding:
    name: str
    role: TokenType
    where: Where = Where.HERE


@dataclass(frozen=True, slots=True)
class Statement:
    """How far a statement has come.

    Its first keyword and the last token's text; brackets open in it; the depths at which the
    parameters of a lambda and the targets of a `for` are being listed; names that `=` would bind.
    """

    head: str = ""
    last: str = ""
    depth: int = 0
    parameters_at: int = -1
    targets_at: int = -1
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A token of a line with its text, what it binds, and the kind of scope that it will open.

    `role` is None where the scope must tell it.
    """

    token: Token
    text: str
    role: TokenType | None
    binds: tuple[Binding, ...] = ()
    opens: TokenType | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """A line's tokens, and how far its last statement has come."""

    parts: tuple[Part, ...]
    statement: Statement


NO_STATEMENT = Statement()


@lru_cache(maxsize=KEPT)
def understand(line: str, tokens: tuple[Token, ...], before: Statement) -> Understood:
    """The roles of a line's names, in the light of what comes before."""
    parts: list[Part] = []
    now = before
    for token in tokens:
        part, now = step(token, line[max(token.start, 0) : token.end], now)
        parts.append(part)
    return Understood(tuple(parts), now)


def step(token: Token, text: str, now: Statement) -> tuple[Part, Statement]:
    """One token's part, and the statement after it."""
    match token.type:
        case TokenType.COMMENT | TokenType.NL | TokenType.INDENT | TokenType.DEDENT:
            return Part(token, "", token.type), now
        case TokenType.NEWLINE | TokenType.SEMI:
            return Part(token, text, token.type), NO_STATEMENT
        case TokenType.NAME:
            return name(token, text, now)
        case TokenType.KEYWORD:
            return Part(token, text, token.type), after_keyword(text, now)
        case _:
            return sign(token, text, now)


def name(token: Token, text: str, now: Statement) -> tuple[Part, Statement]:
    after = replace(now, last=text)
    if now.head in ("import", "from"):
        return imported(token, text, now), after
    match now.last:
        case ".":
            return Part(token, text, TokenType.ATTRIBUTE), replace(after, targets=now.targets[:-1])
        case "def" | "class":
            role = TokenType.FUNCTION if now.last == "def" else TokenType.CLASS
            return Part(token, text, role, (Binding(text, role),), role), after
        case "as":
            return Part(token, text, None, (Binding(text, TokenType.VARIABLE),)), after
    is_listed = now.last in BEFORE_PARAMETERS or now.last == "lambda"
    if is_listed and now.head == "def" and now.depth == 1:
        inside = Binding(text, TokenType.PARAMETER, Where.INSIDE)
        return Part(token, text, TokenType.PARAMETER, (inside,)), after
    if is_listed and now.parameters_at == now.depth:
        here = Binding(text, TokenType.PARAMETER)
        return Part(token, text, TokenType.PARAMETER, (here,)), after
    if now.targets_at >= 0:
        return Part(token, text, None, (Binding(text, TokenType.VARIABLE),)), after
    if not now.head and now.depth == 0:
        after = replace(after, targets=(*now.targets[1 - MOST_TARGETS :], text))
    return Part(token, text, None), after


def imported(token: Token, text: str, now: Statement) -> Part:
    """A name of an import: a module's, or of what comes from one.

    `from` becomes `import` where its names begin, and `last` tells the two apart: no import but
    that of a module is dotted.
    """
    if now.head == "from":
        return Part(token, text, TokenType.MODULE)
    if now.last == "as":
        return Part(token, text, TokenType.ALIAS, (Binding(text, TokenType.ALIAS),))
    if now.targets_at >= 0:  # `from ... import`
        role = spelled_role(text)
        return Part(token, text, role, (Binding(text, role),))
    binds = () if now.last == "." else (Binding(text, TokenType.MODULE),)
    return Part(token, text, TokenType.MODULE, binds)


def spelled_role(text: str) -> TokenType:
    """What a name most often is that comes from another module, by PEP 8."""
    bare = text.lstrip("_")
    if bare.isupper() and len(bare) > 1:
        return TokenType.VARIABLE
    return TokenType.CLASS if bare[:1].isupper() else TokenType.FUNCTION


def after_keyword(text: str, now: Statement) -> Statement:
    is_first = not now.last and not now.depth
    match text:
        case "import" if now.head == "from":
            return replace(now, head="import", last=text, targets_at=0)
        case "import" | "from" if is_first:
            return Statement(text, text)
        case "lambda":
            return replace(now, last=text, parameters_at=now.depth, targets=())
        case "for":
            head = "for" if is_first or now.last == "async" else now.head
            return replace(now, head=head, last=text, targets_at=now.depth, targets=())
        case "in":
            return replace(now, last=text, targets_at=-1)
        case "def":  # `async` may come before
            return Statement("def", "def")
        case _ if is_first and text in HEADS:
            return Statement(text, text)
        case _:
            return replace(now, last=text)


def sign(token: Token, text: str, now: Statement) -> tuple[Part, Statement]:
    after = replace(now, last=text or token.type.name)
    part = Part(token, text if token.type not in LAYOUT else "", token.type)
    if token.type in OPENERS:
        return part, replace(after, depth=now.depth + 1)
    if token.type in CLOSERS:
        return part, replace(after, depth=max(0, now.depth - 1))
    if token.type == TokenType.COLON and now.parameters_at == now.depth:
        return part, replace(after, parameters_at=-1)
    if now.depth == 0 and token.type == TokenType.COLON and now.head:
        return part, NO_STATEMENT
    binds = tuple(Binding(one, TokenType.VARIABLE) for one in now.targets)
    if now.depth == 0 and token.type == TokenType.EQUAL:
        return replace(part, binds=binds), replace(after, targets=())
    if now.depth == 0 and token.type == TokenType.COLON:  # an annotation, or the end of a `match`
        binds = binds if now.targets == (now.last,) else ()
        return replace(part, binds=binds), replace(after, head=":", targets=())
    if token.type == TokenType.COLONEQUAL and now.last.isidentifier():
        return replace(part, binds=(Binding(now.last, TokenType.VARIABLE),)), after
    return part, after
