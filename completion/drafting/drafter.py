"""The tree of drafts that pays: guesses of all sources, as many as are worth verifying.

Sources say one token at a time, so that their continuations share beginnings by themselves (as
RASD, Quan et al. 2025, fuses retrieved and generated trees by their longest common prefixes). The
tree grows where a token is likeliest to be reached; its size is the one that promises most tokens
for the time that verifying it takes on this machine.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from completion.drafting.drafts import Draft, Drafter, Verified
from completion.drafting.guesses import Guess, HitRates, Source
from completion.drafting.look_up import LookUp
from completion.drafting.pass_cost import LARGEST, PassCost
from completion.drafting.recycling import Recycling
from models.token_tree import TokenTree

CONTEXT = 16  # tokens that a source may look back
LOOK_UP, RECYCLING = "look-up", "recycling"


def any_way(tokens: Sequence[int]) -> bool:
    """Nothing is known of what may come next."""
    del tokens
    return True


class TreeDrafter(Drafter):
    """Guesses for one model, learning from all that is written with it."""

    def __init__(self, cost: PassCost | None = None, sources: Sequence[str] = (LOOK_UP,)) -> None:
        self.look_up = LookUp()
        self._recycling = Recycling() if RECYCLING in sources else None
        self._sources: list[Source] = [self.look_up] if LOOK_UP in sources else []
        if self._recycling is not None:
            self._sources.append(self._recycling)
        self._rates = HitRates()
        self._cost = cost or PassCost()

    def draft(
        self,
        before: Sequence[int],
        token: int,
        most: int,
        more: Sequence[Source] = (),
        possible: Callable[[Sequence[int]], bool] = any_way,
    ) -> Draft:
        """The tree that pays, of `more` sources too, with ways after `token` that are possible."""
        sources, text = [*self._sources, *more], [*before[-CONTEXT:], token]
        nodes = grow(sources, self._rates, text, min(most, LARGEST), possible)
        size = best_size([node.reached for node in nodes], self._cost)
        kept = nodes[:size]
        return Draft(
            TokenTree([token, *(n.guess.token for n in kept)], [-1, *(n.parent for n in kept)]),
            tuple(node.guess for node in kept),
        )

    def learn(self, verified: Verified) -> None:
        """Guesses that nothing led to are neither right nor wrong."""
        tree, nodes = verified.draft.tree, verified.nodes
        self._cost.observe(len(tree.tokens), verified.seconds)
        reached = set(nodes)
        for node, guess in enumerate(verified.draft.guesses, 1):
            if tree.parents[node] in reached:
                self._rates.observe(guess, node in reached)
        if self._recycling is None:
            return
        text = [*verified.before[-CONTEXT:], *(tree.tokens[node] for node in nodes)]
        for place, node in enumerate(nodes):
            end = len(text) - len(nodes) + place + 1
            self._recycling.observe(text[:end], verified.logits[node])


@dataclass(frozen=True, slots=True)
class Node:
    """A guess, the node it follows, and how likely it is to be reached."""

    guess: Guess
    parent: int
    reached: float


def grow(
    sources: Sequence[Source],
    rates: HitRates,
    before: Sequence[int],
    most: int,
    possible: Callable[[Sequence[int]], bool] = any_way,
) -> list[Node]:
    """Up to `most - 1` nodes after the certain one (number 0), the likeliest first."""
    nodes: list[Node] = []
    waiting: list[tuple[float, int, Node, list[int]]] = []
    asked = 0

    def ask(parent: int, reached: float, text: list[int]) -> None:
        nonlocal asked
        best: dict[int, tuple[float, Guess]] = {}
        for source in sources:
            for guess in source.guesses(text):
                if not possible([*text[len(before) :], guess.token]):
                    continue
                probability = rates.probability(guess)
                if guess.token not in best or best[guess.token][0] < probability:
                    best[guess.token] = (probability, guess)
        for probability, guess in best.values():
            asked += 1
            node = Node(guess, parent, reached * probability)
            heapq.heappush(waiting, (-node.reached, asked, node, [*text, guess.token]))

    ask(0, 1.0, list(before))
    while waiting and len(nodes) < most - 1:
        _, _, node, text = heapq.heappop(waiting)
        nodes.append(node)
        ask(len(nodes), node.reached, text)
    return nodes


def best_size(reached: Sequence[float], cost: PassCost) -> int:
    """How many nodes, of these probabilities, give most tokens for their cost."""
    expected = accumulate(reached, initial=1.0)
    rates = [tokens / cost.of(size) for size, tokens in enumerate(expected, 1)]
    return max(range(len(rates)), key=rates.__getitem__)
