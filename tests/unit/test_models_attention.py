"""Attention in blocks, against each token alone: the same bit for bit, with and without a mask."""

import math

import pytest
import torch

from models.attention import attend_in_blocks, mask_in_blocks

KV_HEADS, HEAD_DIM, TOKENS = 2, 64, 11


@pytest.mark.parametrize("group", [1, 2, 3, 4, 7, 8])
@pytest.mark.parametrize("length", [5, 333, 1000])
@pytest.mark.parametrize("masked", [False, True])
def test_a_token_in_a_block_is_as_it_is_alone(group: int, length: int, masked: bool) -> None:
    random = torch.Generator().manual_seed(0)
    query = torch.randn(KV_HEADS * group, TOKENS, HEAD_DIM, generator=random)
    keys, values = torch.randn(2, KV_HEADS, length, HEAD_DIM, generator=random)
    unseen = torch.rand(TOKENS, length, generator=random) < 0.3
    mask = torch.zeros(TOKENS, length).masked_fill_(unseen, -math.inf)

    def seen_by(tokens: slice) -> tuple[torch.Tensor, torch.Tensor]:
        added = mask_in_blocks(mask[tokens], group) if masked else None
        return attend_in_blocks(query[:, tokens], keys, values, added)

    together, norms = seen_by(slice(TOKENS))
    for token in range(TOKENS):
        alone, norm = seen_by(slice(token, token + 1))
        assert torch.equal(together[:, :, token], alone[:, :, 0])
        assert torch.equal(norms[:, :, token], norm[:, :, 0])
