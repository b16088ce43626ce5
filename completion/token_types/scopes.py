"""Which names are declared at a place, in which scope, and what they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from completion.token_types.roles import Part, Where
from completion.token_types.types import TokenType

BLANK = frozenset({TokenType.NL, TokenType.COMMENT})


@dataclass(slots=True)
class Scope:
    """A module, class or function: what it is, how deep its lines are indented, its names with
    their roles, and the attributes that occur in it."""

    kind: TokenType
    level: int
    names: dict[str, TokenType] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)

    def copy(self) -> "Scope":
        return Scope(self.kind, self.level, dict(self.names), set(self.attributes))


@dataclass(frozen=True, slots=True)
class Declared:
    """Names with their roles, and attributes, by how near they are: those of the innermost
    function, of the innermost class, and of all of the file."""

    names: Mapping[TokenType, Mapping[str, TokenType]]
    attributes: Mapping[TokenType, frozenset[str]]


class Scopes:
    """The scopes around a place, which moves on with the parts that it is told of."""

    def __init__(self) -> None:
        self._level = 0
        self._around = [Scope(TokenType.MODULE, 0)]
        self._opening: Scope | None = None  # by a header that has not ended
        self._is_new = False  # whether a statement begins

    def copy(self) -> "Scopes":
        other = Scopes()
        other._level = self._level
        other._around = [scope.copy() for scope in self._around]
        other._opening = None if self._opening is None else self._opening.copy()
        other._is_new = self._is_new
        return other

    def read(self, parts: Iterable[Part]) -> list[TokenType]:
        """The types of some parts, and go on behind them."""
        return [self._read(part) for part in parts]

    def role_of(self, name: str) -> TokenType:
        """What a name means that is read here."""
        innermost = self._around[-1]
        for scope in reversed(self._around):
            if scope.kind == TokenType.CLASS and scope is not innermost:
                continue  # whose names its functions do not see
            if (role := scope.names.get(name)) is not None:
                return role
        return TokenType.NAME

    def roles(self) -> dict[str, TokenType]:
        """What each name means that can be read here."""
        seen = [one for one in self._around[:-1] if one.kind != TokenType.CLASS]
        found: dict[str, TokenType] = {}
        for scope in (*seen, self._around[-1]):
            found |= scope.names
        return found

    def declared(self) -> Declared:
        """All that is declared so far, by scope."""
        names: dict[TokenType, dict[str, TokenType]] = {}
        attributes: dict[TokenType, set[str]] = {}
        for scope in self._around:
            names[scope.kind] = scope.names
            attributes[scope.kind] = scope.attributes
        methods = names.get(TokenType.CLASS, {})
        if methods:
            attributes[TokenType.CLASS] = attributes[TokenType.CLASS] | methods.keys()
        return Declared(
            {kind: dict(found) for kind, found in names.items()},
            {kind: frozenset(found) for kind, found in attributes.items()},
        )

    def _read(self, part: Part) -> TokenType:
        kind = part.token.type
        if kind == TokenType.INDENT:
            self._level += 1
        elif kind == TokenType.DEDENT:
            self._level -= 1
        elif kind == TokenType.NEWLINE:
            self._is_new, self._opening = True, None
        elif self._is_new and kind not in BLANK:
            self._is_new = False
            while self._around[-1].level > self._level:
                self._leave()
        role = self.role_of(part.text) if part.role is None else part.role
        if role == TokenType.ATTRIBUTE:
            self._around[-1].attributes.add(part.text)
        if part.opens is not None:
            self._around[-1].names[part.text] = part.opens
            self._opening = Scope(part.opens, self._level + 1)
            return role
        for binding in part.binds:
            inside = binding.where is Where.INSIDE and self._opening is not None
            scope = self._opening if inside else self._around[-1]
            assert scope is not None
            scope.names[binding.name] = binding.role
        if part.enters and self._opening is not None:
            self._around.append(self._opening)
            self._opening = None
        return role

    def _leave(self) -> None:
        """Leave the innermost scope, whose attributes those around it have as well."""
        left = self._around.pop()
        self._around[-1].attributes |= left.attributes
