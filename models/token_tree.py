"""Continuations that share their beginnings, read by the model in one pass."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


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
    def continuations(self) -> list[list[int]]:
        """For each node, the tokens up to it and with it."""
        return [[self.tokens[i] for i in self.way(node)] for node in range(len(self.tokens))]

    def way(self, node: int) -> list[int]:
        """The nodes that lead to `node`, and itself."""
        way = [node]
        while (parent := self.parents[way[-1]]) >= 0:
            way.append(parent)
        return way[::-1]

    def way_of(self, tokens: Sequence[int]) -> list[int] | None:
        """The nodes that say `tokens` from the root on, if there are such."""
        way: list[int] = []
        for token in tokens:
            node = self.child(way[-1] if way else -1, token)
            if node is None:
                return None
            way.append(node)
        return way

    def child(self, parent: int, token: int) -> int | None:
        """The node that says `token` after `parent`, -1 for the root, if there is one."""
        for node, (known, before) in enumerate(zip(self.tokens, self.parents, strict=True)):
            if known == token and before == parent:
                return node
        return None


NO_TREE = TokenTree((), ())


@dataclass(frozen=True, slots=True)
class ReadTree:
    """A tree that the model has read, and its logits [nodes, vocabulary] after each node."""

    tree: TokenTree
    logits: Tensor


NOTHING_READ = ReadTree(NO_TREE, torch.empty(0, 0))


def chain(tokens: Sequence[int]) -> TokenTree:
    """One continuation."""
    return TokenTree(tokens, range(-1, len(tokens) - 1))


def merged(continuations: Iterable[Sequence[int]], most: int) -> tuple[TokenTree, list[int]]:
    """The tree of `continuations`, of no more than `most` tokens, and the node where each ends.

    The first one for which there is no room is left out, and all after it.
    """
    nodes: dict[tuple[int, ...], int] = {}
    parents: list[int] = []
    ends: list[int] = []
    for tokens in continuations:
        begun = [tuple(tokens[:end]) for end in range(1, len(tokens) + 1)]
        new = [beginning for beginning in begun if beginning not in nodes]
        if len(nodes) + len(new) > most:
            break
        for beginning in new:
            parents.append(nodes.get(beginning[:-1], -1))
            nodes[beginning] = len(nodes)
        ends.append(nodes[begun[-1]])
    return TokenTree([beginning[-1] for beginning in nodes], parents), ends
