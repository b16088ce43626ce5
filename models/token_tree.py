"""Continuations that share their beginnings, read by the model in one pass."""

from collections.abc import Iterable, Sequence
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

    @property
    def rows(self) -> list[list[int]]:
        """For each node, the tokens up to it."""
        return [[self.tokens[i] for i in self.way(node)] for node in range(len(self.tokens))]

    def way(self, node: int) -> list[int]:
        """The nodes that lead to `node`, and itself."""
        way = [node]
        while (parent := self.parents[way[-1]]) >= 0:
            way.append(parent)
        return way[::-1]

    def child(self, parent: int, token: int) -> int | None:
        """The node that says `token` after `parent`, if there is one."""
        for node, (known, before) in enumerate(zip(self.tokens, self.parents, strict=True)):
            if known == token and before == parent:
                return node
        return None


def chain(tokens: Sequence[int]) -> TokenTree:
    """One continuation."""
    return TokenTree(tokens, range(-1, len(tokens) - 1))


def merged(rows: Iterable[Sequence[int]], most: int) -> tuple[TokenTree, list[int]]:
    """A tree of continuations of no more than `most` tokens, and the node at which each ends.

    The first that has no room and those after it are left out.
    """
    nodes: dict[tuple[int, ...], int] = {}
    tokens: list[int] = []
    parents: list[int] = []
    ends: list[int] = []
    for row in rows:
        begun = [tuple(row[:end]) for end in range(1, len(row) + 1)]
        new = [beginning for beginning in begun if beginning not in nodes]
        if len(tokens) + len(new) > most:
            break
        for beginning in new:
            nodes[beginning] = len(tokens)
            parents.append(nodes.get(beginning[:-1], -1))
            tokens.append(beginning[-1])
        ends.append(nodes[tuple(row)])
    return TokenTree(tokens, parents), ends
