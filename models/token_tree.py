"""Continuations that share their beginnings, read by the model in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenTree:
    """`tokens[i]` follows `tokens[parents[i]]`, or what stands before the tree where that is -1.

    Parents come before their children.
    """

    tokens: Sequence[int]
    parents: Sequence[int]

    @property
    def depths(self) -> list[int]:
        """How many tokens of the tree stand before each."""
        depths: list[int] = []
        for parent in self.parents:
            depths.append(0 if parent < 0 else depths[parent] + 1)
        return depths

    @property
    def ways(self) -> list[list[bool]]:
        """Row i: which nodes lead to node i, itself included."""
        ways: list[list[bool]] = []
        for node, parent in enumerate(self.parents):
            way = [False] * len(self.tokens) if parent < 0 else ways[parent].copy()
            way[node] = True
            ways.append(way)
        return ways

    def child(self, parent: int, token: int) -> int | None:
        """The node that says `token` after `parent`, if there is one."""
        for node, (known, before) in enumerate(zip(self.tokens, self.parents, strict=True)):
            if known == token and before == parent:
                return node
        return None


def chain(tokens: Sequence[int]) -> TokenTree:
    """One continuation."""
    return TokenTree(tokens, range(-1, len(tokens) - 1))
