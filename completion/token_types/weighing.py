"""How the types of candidates, and where their names are declared, change the order of them."""

from collections.abc import Iterable, Sequence
from math import exp, inf, log
from types import MappingProxyType

from completion.token_types.scopes import Declared
from completion.token_types.types import TokenType

FUNCTION, CLASS, FILE = TokenType.FUNCTION, TokenType.CLASS, TokenType.MODULE

# By how much a name gains that is declared in the innermost function, in the class around it, or
# elsewhere in the file: Izadi et al. 2022, "CodeFill", table 2.
BOOSTS = MappingProxyType(
    {
        TokenType.ATTRIBUTE: MappingProxyType({FUNCTION: 1.625, CLASS: 1.25, FILE: 1.125}),
        TokenType.VARIABLE: MappingProxyType({FUNCTION: 1.625, CLASS: 1.125, FILE: 1.5}),
        TokenType.FUNCTION: MappingProxyType({FUNCTION: 1.125, CLASS: 1.625, FILE: 1.5}),
    }
)


def weighed(
    log_probabilities: Sequence[float], log_types: Sequence[float | None], weight: float
) -> list[float]:
    """Log-probabilities of candidates, joined log-linearly with those of their types.

    Candidates without a type keep theirs, and so do those with one in sum.
    """
    pairs = list(zip(log_probabilities, log_types, strict=True))
    before = log_sum(known for known, kind in pairs if kind is not None)
    after = log_sum(known + weight * kind for known, kind in pairs if kind is not None)
    if before == -inf:
        return list(log_probabilities)
    return [
        known if kind is None else known + weight * kind + before - after for known, kind in pairs
    ]


def log_sum(values: Iterable[float]) -> float:
    known = [value for value in values if value > -inf]
    if not known:
        return -inf
    largest = max(known)
    return largest + log(sum(exp(value - largest) for value in known))


def boost(name: str, kind: TokenType, declared: Declared) -> float:
    """What a name's log-probability gains by where it is declared; `kind` is what it is."""
    kind = TokenType.VARIABLE if kind == TokenType.PARAMETER else kind
    row = BOOSTS.get(kind)
    if row is None:
        return 0.0
    known = declared.attributes if kind == TokenType.ATTRIBUTE else declared.names
    nearest = next((scope for scope in row if name in known.get(scope, ())), None)
    return 0.0 if nearest is None else log(row[nearest])
