"""What roles the names of a line play, as far as the line and its statement tell.

A statement is followed from line to line, so that each line is read by itself. Names of whose role
only the scope tells are left to `completion.token_types.scopes`.
"""

from dataclasses import dataclass, replace
from enum import Enum

from completion.token_types.lexer import Token
from completion.token_types.types import CLOSERS, KEYWORDS, LAYOUT, OPENERS, TokenType

HEADS = frozenset(
    {
        *("class", "def", "elif", "else", "except", "finally", "for", "if", "try", "while", "with"),
    }
)
MOST_TARGETS = 32  # of an assignment
MOST_OWN = 32  # names that a statement has for itself
SOFT = "soft"
HEADS_OF_SCOPES = frozenset({"class", "def"})


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
class Parameters:
    """A list of parameters that is being written: how many brackets are open around it, whether it
    is a lambda's, and whether a parameter may come next."""

    depth: int
    of_lambda: bool
    expects: bool = True


@dataclass(frozen=True, slots=True)
class Statement:
    """How far a statement has come.

    Its first keyword (or `SOFT` for a word that is one here alone) and the last token's text;
    brackets open in it; lists of parameters, the innermost last; the depth at which the targets of
    a `for` are being listed; names that `=` would bind; names that are bound in it alone.
    """

    head: str = ""
    last: str = ""
    depth: int = 0
    parameters: tuple[Parameters, ...] = ()
    targets_at: int = -1
    targets: tuple[str, ...] = ()
    own: tuple[tuple[str, TokenType], ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A token of a line with its text, what it binds, the kind of scope that its statement will
    open, and whether that begins behind it.

    `role` is None where the scope must tell it.
    """

    token: Token
    text: str
    role: TokenType | None
    binds: tuple[Binding, ...] = ()
    opens: TokenType | None = None
    enters: bool = False


@dataclass(frozen=True, slots=True)
class Understood:
    """A line's tokens, and how far its last statement has come."""

    parts: tuple[Part, ...]
    statement: Statement


NO_STATEMENT = Statement()


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
    after = replace(now, last=text, parameters=after_item(now))
    if now.head in ("import", "from"):
        return imported(token, text, now)
    match now.last:
        case ".":
            return Part(token, text, TokenType.ATTRIBUTE), replace(after, targets=now.targets[:-1])
        case "def" | "class":
            role = TokenType.FUNCTION if now.last == "def" else TokenType.CLASS
            return Part(token, text, role, (Binding(text, role),), role), after
        case "as":
            return Part(token, text, None, (Binding(text, TokenType.VARIABLE),)), after
    listed = now.parameters[-1] if now.parameters else None
    if listed is not None and listed.expects and listed.depth == now.depth:
        if listed.of_lambda:
            own = (*now.own[1 - MOST_OWN :], (text, TokenType.PARAMETER))
            return Part(token, text, TokenType.PARAMETER), replace(after, own=own)
        inside = Binding(text, TokenType.PARAMETER, Where.INSIDE)
        return Part(token, text, TokenType.PARAMETER, (inside,)), after
    known = dict(now.own).get(text) if now.own else None
    if now.targets_at >= 0:
        if now.head == "for" and now.targets_at == 0:
            return Part(token, text, known, (Binding(text, TokenType.VARIABLE),)), after
        own = (*now.own[1 - MOST_OWN :], (text, TokenType.VARIABLE))
        return Part(token, text, known), replace(after, own=own)
    if not now.head and now.depth == 0 and not now.parameters:
        if now.last.isidentifier() and now.last not in KEYWORDS:
            after = replace(after, head=SOFT, targets=(text,))  # `match x`, `type X`
        else:
            after = replace(after, targets=(*now.targets[1 - MOST_TARGETS :], text))
    return Part(token, text, known), after


def after_item(now: Statement) -> tuple[Parameters, ...]:
    """The lists of parameters behind a token of one."""
    if not now.parameters or not now.parameters[-1].expects:
        return now.parameters
    return (*now.parameters[:-1], replace(now.parameters[-1], expects=False))


def imported(token: Token, text: str, now: Statement) -> tuple[Part, Statement]:
    """A name of an import: a module's, or of what comes from one.

    `from` becomes `import` where its names begin, and `targets_at` tells the two apart. What is
    given another name does not go by its own.
    """
    after = replace(now, last=text, targets=(text,))
    if now.head == "from":
        return Part(token, text, TokenType.MODULE), after
    if now.last == "as":
        others = (Binding(one, TokenType.NAME) for one in now.targets)
        return Part(token, text, TokenType.ALIAS, (*others, Binding(text, TokenType.ALIAS))), after
    if now.targets_at >= 0:  # `from ... import`
        role = spelled_role(text)
        return Part(token, text, role, (Binding(text, role),)), after
    if now.last == ".":
        return Part(token, text, TokenType.MODULE), replace(now, last=text)
    return Part(token, text, TokenType.MODULE, (Binding(text, TokenType.MODULE),)), after


def spelled_role(text: str) -> TokenType:
    """What a name most often is that comes from another module, by PEP 8."""
    bare = text.lstrip("_")
    if bare.isupper() and len(bare) > 1:
        return TokenType.VARIABLE
    return TokenType.CLASS if bare[:1].isupper() else TokenType.FUNCTION


def after_keyword(text: str, now: Statement) -> Statement:
    is_first = now.last in ("", "async") and not now.depth
    after = replace(now, last=text, parameters=after_item(now))
    match text:
        case "import" if now.head == "from":
            return replace(now, head="import", last=text, targets=(), targets_at=0)
        case "import" | "from" if is_first:
            return Statement(text, text)
        case "lambda":
            listed = (*after.parameters, Parameters(now.depth, of_lambda=True))
            return replace(after, parameters=listed, targets=())
        case "for":
            head = "for" if is_first else now.head
            return replace(after, head=head, targets_at=now.depth, targets=())
        case "in":
            return replace(after, targets_at=-1)
        case _ if is_first and text in HEADS:
            return Statement(text, text)
        case _:
            return after


def sign(token: Token, text: str, now: Statement) -> tuple[Part, Statement]:
    after = replace(now, last=text or "''", parameters=after_sign(token.type, now))
    part = Part(token, text if token.type not in LAYOUT else "", token.type)
    listed = now.parameters[-1] if now.parameters else None
    if token.type in OPENERS:
        is_named = now.last.isidentifier() or now.last == "]"  # ... and by types before the list
        if now.head == "def" and now.depth == 0 and text == "(" and is_named:
            after = replace(after, parameters=(Parameters(1, of_lambda=False),))
        if now.depth == 0 and now.targets[-1:] == (now.last,):
            after = replace(after, targets=now.targets[:-1])  # of which an item may be bound
        return part, replace(after, depth=now.depth + 1)
    if token.type in CLOSERS:
        depth = max(0, now.depth - 1)
        left = tuple(one for one in after.parameters if one.depth <= depth)
        return part, replace(after, depth=depth, parameters=left)
    ends_list = listed is not None and listed.of_lambda and listed.depth == now.depth
    if token.type == TokenType.COLON and ends_list:
        return part, replace(after, parameters=now.parameters[:-1])
    if now.depth == 0 and token.type == TokenType.COLON and now.head:
        enters = now.head in HEADS_OF_SCOPES
        return replace(part, enters=enters), NO_STATEMENT
    binds = tuple(Binding(one, TokenType.VARIABLE) for one in now.targets)
    if now.depth == 0 and token.type == TokenType.EQUAL and not now.parameters:
        return replace(part, binds=binds), replace(after, targets=())
    if now.depth == 0 and token.type == TokenType.COLON:  # of an annotation
        binds = binds if now.targets == (now.last,) else ()
        return replace(part, binds=binds), replace(after, head=":", targets=())
    if token.type == TokenType.COLONEQUAL and now.last.isidentifier():
        return replace(part, binds=(Binding(now.last, TokenType.VARIABLE),)), after
    return part, after


def after_sign(kind: TokenType, now: Statement) -> tuple[Parameters, ...]:
    """The lists of parameters behind a sign: stars come before one, a comma between two."""
    if not now.parameters or now.parameters[-1].depth != now.depth:
        return now.parameters
    if kind in (TokenType.STAR, TokenType.DOUBLESTAR):
        return now.parameters
    listed = replace(now.parameters[-1], expects=kind == TokenType.COMMA)
    return (*now.parameters[:-1], listed)
