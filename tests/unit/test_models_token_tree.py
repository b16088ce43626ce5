"""A tree of continuations, read in one pass, against each of its branches read alone."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import Cancelled
from models.kv_cache import KeyValueCache
from models.language_model import LanguageModel, load_language_model
from models.token_tree import TokenTree, chain, merged
from tests.unit.tiny_models import VOCABULARY, load, random_tokens, save_model

PROMPT = random_tokens(20)
CAPACITY = 60
LONG = 150  # tokens
WINDOWS: dict[str, Any] = {
    "sliding_window": 12,
    "use_sliding_window": True,
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
}


@pytest.fixture(scope="module", params=[{}, WINDOWS], ids=["full attention", "windows"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model("qwen3", tmp_path_factory.mktemp("model"), **request.param)


@pytest.fixture(scope="module")
def model(folder: Path) -> LanguageModel:
    return load(folder)


@pytest.fixture(scope="module")
def quantised(folder: Path) -> LanguageModel:
    return load_language_model("tiny", folder, device=torch.device("cpu"))


@st.composite
def trees(draw: st.DrawFn) -> TokenTree:
    size = draw(st.integers(1, 12))
    tokens = draw(st.lists(st.integers(0, VOCABULARY - 1), min_size=size, max_size=size))
    return TokenTree(tokens, [draw(st.integers(-1, node - 1)) for node in range(size)])


@settings(deadline=None, max_examples=25)
@given(tree=trees())
def test_what_stands_beside_a_token_changes_no_bit(
    quantised: LanguageModel, tree: TokenTree
) -> None:
    """In 8 bits, where a last bit is enough to round another way."""
    cache = after_prompt(quantised)
    together = quantised.decoder.branch(cache, tree)
    for node in range(len(tree.tokens)):
        cache.truncate(len(PROMPT))
        for token in (tree.tokens[n] for n in tree.way(node)):
            alone = quantised.decoder.branch(cache, chain([token]))
            cache.take([token], [0])
        assert torch.equal(together[node], alone[-1])


@settings(deadline=None, max_examples=25)
@given(tree=trees(), places=st.sets(st.integers(0, len(PROMPT) - 1), min_size=1))
def test_what_is_read_ahead_changes_no_bit(
    quantised: LanguageModel, tree: TokenTree, places: set[int]
) -> None:
    """Neither of the tokens before it nor of itself, wherever the tokens before it stand."""
    positions = sorted({*places, len(PROMPT) - 1})
    cache, alone = after_prompt(quantised), after_prompt(quantised)
    together = quantised.decoder.encode(cache, positions, ahead=tree)
    assert torch.equal(together[: len(positions)], quantised.decoder.encode(alone, positions))
    assert torch.equal(together[len(positions) :], quantised.decoder.branch(alone, tree))
    assert cache.tokens == alone.tokens
    assert cache.inexact() == alone.inexact()


@settings(deadline=None, max_examples=10)
@given(tree=trees(), first=st.integers(0, len(PROMPT) - 1))
def test_reading_ahead_is_as_reading_after(
    model: LanguageModel, tree: TokenTree, first: int
) -> None:
    positions = range(first, len(PROMPT))
    cache, alone = after_prompt(model), after_prompt(model)
    together = model.decoder.encode(cache, positions, ahead=tree)
    one, other = model.decoder.encode(alone, positions), model.decoder.branch(alone, tree)
    torch.testing.assert_close(together, torch.cat((one, other)), rtol=1e-4, atol=1e-4)


@settings(deadline=None, max_examples=25)
@given(cuts=st.sets(st.integers(1, LONG - 1)))
def test_in_how_many_pieces_a_text_is_read_changes_no_bit(
    quantised: LanguageModel, cuts: set[int]
) -> None:
    tokens = random_tokens(LONG)
    whole, cut = (quantised.decoder.new_cache(LONG) for _ in range(2))
    together = quantised.decoder.forward(tokens, whole)
    ends = [0, *sorted(cuts), LONG]
    apart = [quantised.decoder.forward(tokens[i:j], cut) for i, j in pairwise(ends)]
    assert torch.equal(together, torch.cat(apart))


def test_a_compiled_pass_is_called_off_between_layers(quantised: LanguageModel) -> None:
    cache = after_prompt(quantised)
    new = cache.append([5, 6])
    with pytest.raises(Cancelled):
        quantised.decoder.encode(cache, new, iter([False, True]).__next__)
    assert cache.unread() == new
    with pytest.raises(Cancelled):
        quantised.decoder.branch(cache, chain([7]), iter([False, True]).__next__)


def after_prompt(model: LanguageModel) -> KeyValueCache:
    cache = model.decoder.new_cache(CAPACITY)
    model.decoder.forward(PROMPT, cache)
    return cache


def test_a_tree_knows_its_shape() -> None:
    """a -> b -> c, a -> d, and e beside a."""
    tree = TokenTree([10, 11, 12, 13, 14], [-1, 0, 1, 0, -1])
    assert tree.depths == [0, 1, 2, 1, 0]
    assert tree.ways[2] == [True, True, True, False, False]
    assert tree.ways[4] == [False, False, False, False, True]
    assert (tree.child(0, 13), tree.child(0, 12), tree.child(-1, 14)) == (3, None, 4)
    assert tree.continuations == [[10], [10, 11], [10, 11, 12], [10, 13], [14]]
    assert tree.way_of([10, 11, 12]) == [0, 1, 2]
    assert (tree.way_of([]), tree.way_of([11])) == ([], None)
    assert chain([7, 8]) == TokenTree([7, 8], range(-1, 1))


@given(
    wanted=st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=4), max_size=8),
    most=st.integers(0, 12),
)
def test_continuations_share_what_they_begin_with(wanted: list[list[int]], most: int) -> None:
    """As many in order as there is room for, no beginning twice."""
    tree, ends = merged(wanted, most)
    assert [tree.continuations[end] for end in ends] == wanted[: len(ends)]
    assert len(set(map(tuple, tree.continuations))) == len(tree.tokens) <= most
    needed = {
        tuple(tokens[:end])
        for tokens in wanted[: len(ends) + 1]
        for end in range(1, len(tokens) + 1)
    }
    assert len(ends) == len(wanted) or len(needed) > most


@settings(deadline=None, max_examples=25)
@given(tree=trees())
def test_every_branch_reads_as_if_alone(model: LanguageModel, tree: TokenTree) -> None:
    cache = after_prompt(model)
    hidden = model.decoder.branch(cache, tree)
    assert cache.tokens == tuple(PROMPT)
    for node in range(len(tree.tokens)):
        alone = after_prompt(model)
        branch = model.decoder.forward([tree.tokens[n] for n in tree.way(node)], alone)
        torch.testing.assert_close(hidden[node], branch[-1], rtol=1e-4, atol=1e-4)


@settings(deadline=None, max_examples=25)
@given(tree=trees(), data=st.data())
def test_a_cache_goes_on_from_the_way_taken(
    model: LanguageModel, tree: TokenTree, data: st.DataObject
) -> None:
    way = tree.way(data.draw(st.integers(0, len(tree.tokens) - 1)))
    tokens = [tree.tokens[node] for node in way]
    cache, alone = after_prompt(model), after_prompt(model)
    model.decoder.branch(cache, tree)
    cache.take(tokens, way)
    model.decoder.forward(tokens, alone)

    assert cache.tokens == alone.tokens
    assert not cache.inexact()
    torch.testing.assert_close(
        model.decoder.forward([5], cache), model.decoder.forward([5], alone), rtol=1e-4, atol=1e-4
    )
