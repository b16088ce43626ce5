"""What token of Python a piece of text begins, where it is written after others."""

from dataclasses import dataclass

from completion.token_types.typed_text import TypedEnd, TypedPrefix, TypedToken
from completion.token_types.types import KEYWORDS, NAMES, TokenType

NO_TYPES: frozenset[TokenType] = frozenset()
INDENTATION = frozenset({TokenType.INDENT, TokenType.DEDENT})


@dataclass(frozen=True, slots=True)
class Begun:
    """The token, as far as it is written; `is_open` where more of it may follow."""

    token: TypedToken
    is_open: bool


def begun(prefix: TypedPrefix, written: str, end: TypedEnd, piece: str) -> Begun | None:
    """The first token that `piece` begins after `written`, which ends so.

    None where it begins none, since it only goes on with the last one or is blank.
    """
    after = prefix.with_text(written + piece)
    known = len(end.tokens)
    if ends_of(after.tokens[:known]) != ends_of(end.tokens):
        return None
    new = [one for one in after.tokens[known:] if one.type not in INDENTATION]
    if not new:
        string = TypedToken(TokenType.STRING, "", after.column, after.column)
        return Begun(string, is_open=True) if after.in_string else None
    return Begun(new[0], is_open=len(new) == 1 and after.last_goes_on)


def ends_of(tokens: tuple[TypedToken, ...]) -> list[tuple[int, int]]:
    return [(one.start, one.end) for one in tokens]


def types_begun(
    prefix: TypedPrefix, written: str, end: TypedEnd, piece: str
) -> frozenset[TokenType]:
    """The types that the token may have which a piece begins; none where it begins none."""
    found = begun(prefix, written, end, piece)
    if found is None:
        return NO_TYPES
    kind, text = found.token.type, found.token.text
    if not found.is_open or kind not in NAMES | {TokenType.KEYWORD}:
        return frozenset({kind})
    roles = end.scopes.roles()
    if kind not in (TokenType.NAME, TokenType.KEYWORD, roles.get(text)):
        return frozenset({kind})  # where it stands tells what it is
    possible = {role for name, role in roles.items() if name.startswith(text)}
    if any(word.startswith(text) for word in KEYWORDS):
        possible.add(TokenType.KEYWORD)
    return frozenset(possible | {TokenType.NAME})
