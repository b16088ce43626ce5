"""Drafts: what the sources say, how their guesses are weighed, and the trees that come of them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from completion.drafting.drafter import TreeDrafter, best_size, grow
from completion.drafting.drafts import Draft, ExpectedText, Verified
from completion.drafting.guesses import Guess, HitRates
from completion.drafting.look_up import FOLLOWERS, PIECE, LookUp
from completion.drafting.pass_cost import LARGEST, PassCost
from completion.drafting.recycling import Recycling
from models.errors import Cancelled
from models.token_tree import TokenTree


def looked_up(*texts: list[int]) -> LookUp:
    source = LookUp()
    for text in texts:
        source.add(text, range(len(text)))
    return source


def tokens_of(guesses: list[Guess]) -> list[int]:
    return [guess.token for guess in guesses]


# Looking up


def test_the_longest_run_decides() -> None:
    source = looked_up([8, 1, 2, 3, 4], [9, 2, 3, 5], [3, 6])
    assert tokens_of(source.guesses([7, 8, 1, 2, 3])) == [4]
    assert tokens_of(source.guesses([7, 2, 3])) == [5, 4]
    assert tokens_of(source.guesses([7, 3])) == [6, 5, 4]
    assert source.guesses([7]) == source.guesses([]) == []


def test_a_longer_run_is_trusted_more() -> None:
    source = looked_up([1, 2, 3, 4])
    [short], [long] = source.guesses([3]), source.guesses([1, 2, 3])
    assert short.prior < long.prior


def test_what_was_seen_last_comes_first() -> None:
    source = looked_up([1, 2], [1, 3], [1, 2])
    assert tokens_of(source.guesses([1])) == [2, 3]


def test_only_the_last_followers_are_kept() -> None:
    source = looked_up(*([1, token] for token in range(10, 20)))
    assert tokens_of(source.guesses([1])) == [19, 18, 17][:FOLLOWERS]


def test_what_stands_far_comes_last() -> None:
    source = looked_up([1, 2])
    source.add([1, 3], range(2), far=True)
    source.add([1, 2], range(2), far=True)
    assert tokens_of(source.guesses([1])) == [2, 3]


def test_learning_a_file_is_called_off() -> None:
    source, asked = LookUp(), iter([False, True])
    with pytest.raises(Cancelled):
        source.add_file(list(range(2 * PIECE)), lambda: next(asked))
    assert tokens_of(source.guesses([PIECE - 2])) == [PIECE - 1]
    assert source.guesses([PIECE]) == []


def test_only_named_places_are_learnt() -> None:
    source = LookUp()
    source.add([1, 2, 3, 4], range(2, 3))
    assert tokens_of(source.guesses([1, 2])) == [3]
    assert source.guesses([3]) == source.guesses([1]) == []


# Recycling


def scores(**probabilities: float) -> torch.Tensor:
    """Logits of a vocabulary of ten; `t3=0.5` gives token 3 that probability."""
    rest = (1 - sum(probabilities.values())) / 10
    shares = torch.full((10,), rest)
    for name, probability in probabilities.items():
        shares[int(name[1:])] += probability
    return shares.log()


def test_runners_up_come_back_after_the_same_tokens() -> None:
    source = Recycling()
    source.observe([1, 2], scores(t3=0.6, t4=0.3))
    assert tokens_of(source.guesses([1, 2]))[:2] == [3, 4]
    assert tokens_of(source.guesses([9, 2]))[:2] == [3, 4]
    assert source.guesses([2, 1]) == []


def test_two_tokens_tell_more_than_one() -> None:
    source = Recycling()
    source.observe([1, 2], scores(t3=0.9))
    source.observe([5, 2], scores(t4=0.9))
    assert tokens_of(source.guesses([1, 2]))[0] == 3
    assert tokens_of(source.guesses([9, 2]))[0] == 4


# Weighing


def test_rates_move_from_what_is_expected_to_what_is_observed() -> None:
    rates, guess = HitRates(), Guess(1, "seen 2, 0", prior=0.5)
    assert rates.probability(guess) == pytest.approx(0.5)
    for _ in range(100):
        rates.observe(guess, right=True)
    assert rates.probability(guess) > 0.9
    assert rates.probability(Guess(1, "seen 1, 0", prior=0.5)) == pytest.approx(0.5)


def test_a_pass_costs_what_was_measured() -> None:
    cost = PassCost()
    for _ in range(200):
        cost.observe(1, 0.050)
        cost.observe(16, 0.100)
    assert cost.of(1) == 1
    assert cost.of(16) == pytest.approx(2, rel=0.05)
    assert cost.of(8) < cost.of(12) < cost.of(16)


def test_sizes_that_were_never_tried_cost_as_the_others_do() -> None:
    cost = PassCost()
    for _ in range(200):
        cost.observe(1, 0.050)
        cost.observe(8, 0.200)
    assert cost.of(8) == pytest.approx(4, rel=0.05)
    assert cost.of(15) == pytest.approx(7, rel=0.05)
    assert cost.of(2) < 1.5


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 10)), max_size=30))
def test_a_cost_is_always_known(observed: list[tuple[int, float]]) -> None:
    cost = PassCost()
    for tokens, seconds in observed:
        cost.observe(tokens, seconds)
    assert all(cost.of(tokens) > 0 for tokens in range(1, LARGEST + 1))


def test_a_clock_that_stands_still_tells_nothing() -> None:
    cost = PassCost()
    cost.observe(1, 0.0)
    cost.observe(16, 0.0)
    assert [cost.of(tokens) for tokens in (1, 16)] == [PassCost().of(tokens) for tokens in (1, 16)]


class Linear(PassCost):
    """Each further token costs this share of the first one."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self._share = share

    def of(self, tokens: int) -> float:
        return 1 + self._share * (tokens - 1)


@pytest.mark.parametrize(("share", "size"), [(0.0, 3), (0.2, 3), (0.35, 2), (0.6, 1), (1.0, 0)])
def test_as_many_guesses_as_are_worth_their_time(share: float, size: int) -> None:
    assert best_size([0.9, 0.6, 0.5], Linear(share)) == size


# Trees


def test_sources_share_the_beginnings_of_their_continuations() -> None:
    nodes = grow([looked_up([1, 2, 3]), looked_up([1, 2, 4])], HitRates(), [1], 10)
    assert [(node.guess.token, node.parent) for node in nodes] == [(2, 0), (3, 1), (4, 1)]
    assert [node.reached for node in nodes] == sorted((n.reached for n in nodes), reverse=True)


def test_a_tree_is_no_larger_than_allowed() -> None:
    nodes = grow([looked_up(list(range(50)))], HitRates(), [1], 4)
    assert [node.guess.token for node in nodes] == [2, 3, 4]


def test_a_drafter_learns_from_what_became_of_its_guesses() -> None:
    drafter = TreeDrafter(Linear(0.0))
    drafter.look_up.add([1, 2, 3, 4], range(4))
    draft = drafter.draft([], 1, 10)
    assert draft.tree == TokenTree([1, 2, 3, 4], [-1, 0, 1, 2])

    sure = [node.reached for node in grow([drafter.look_up], drafter._rates, [1], 10)]
    drafter.learn(
        Verified([], draft, [0], torch.zeros(4, 10), 0.1)
    )  # 2 was wrong, 3 and 4 never reached
    after = [node.reached for node in grow([drafter.look_up], drafter._rates, [1], 10)]
    assert after[0] < sure[0]
    assert after[1] / after[0] == pytest.approx(sure[1] / sure[0])


def test_expected_text_is_drafted_while_it_holds() -> None:
    drafter = ExpectedText(2, [5, 6, 7])
    assert drafter.draft([1, 2], 5, 10) == Draft(TokenTree([5, 6, 7], range(-1, 2)))
    assert drafter.draft([1, 2, 5], 6, 1).tree.tokens == [6]
    assert drafter.draft([1, 2, 5], 9, 10).tree.tokens == [9]
