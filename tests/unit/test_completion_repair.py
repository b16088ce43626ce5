"""What is encoded again after an edit, and how much of it a time budget allows."""

import pytest
import torch

from completion.repair import EncodeRate, after_edits, most_attended


@pytest.mark.parametrize(
    ("stale", "edits", "count", "chosen"),
    [
        (range(10, 20), {10}, 3, [10, 11, 12]),
        (range(10, 20), {10, 15}, 4, [10, 15, 11, 16]),
        ([5, 6, 7, 20, 21, 22], set(), 4, [5, 20, 6, 21]),
        ([5, 6], {5}, 9, [5, 6]),
        (range(10, 20), {10}, 0, []),
        ([], {10}, 3, []),
    ],
)
def test_the_soonest_after_each_edit_come_first(
    stale: list[int], edits: set[int], count: int, chosen: list[int]
) -> None:
    assert after_edits(stale, edits, count) == chosen


@pytest.mark.parametrize(
    ("stale", "count", "chosen"),
    [
        ([1, 2, 4, 5], 2, [2, 5]),
        ([1, 2, 4, 5], 3, [2, 4, 5]),
        ([1, 4], 9, [1, 4]),
        ([1, 4], 0, []),
    ],
)
def test_those_most_attended_to_are_read_again(
    stale: list[int], count: int, chosen: list[int]
) -> None:
    attention = torch.tensor([9.0, 0.0, 3.0, 8.0, 1.0, 2.0])
    assert most_attended(stale, attention, count) == chosen


def test_the_rate_is_learned_from_passes_that_tell() -> None:
    rate = EncodeRate(100.0)
    assert rate.tokens_in(250) == 25
    rate.observe(1, 1.0)
    rate.observe(100, 0.0)
    assert rate.tokens_in(250) == 25
    for _ in range(50):
        rate.observe(200, 1.0)
    assert rate.tokens_in(250) == 49
