"""Attention over cached keys and values: who looks at whom, and what each gets to see.

Query heads that share a key head are kept together, so that keys and values are never copied out
for them (grouped-query attention, Ainslie et al. 2023).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.token_tree import TokenTree

BLOCK = 4  # tokens whose queries are multiplied together
FEWEST_ROWS = 4  # products of fewer add in another order than all larger ones


def attend(query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
    """What queries [heads, n, head_dim] see of keys and values [kv_heads, length, head_dim].

    `mask` [group * n, length] is added to their scores, once for each query head of a key head.
    Returns [n, heads * head_dim].
    """
    heads, count, head_dim = query.shape
    rows = query.reshape(len(keys), -1, head_dim)  # a key head's queries are one block of rows
    mixed = F.scaled_dot_product_attention(rows[None], keys[None], values[None], mask)[0]
    return mixed.reshape(heads, count, head_dim).transpose(0, 1).reshape(count, -1)


@dataclass(frozen=True, slots=True)
class BranchMasks:
    """What is added to scores, before a place and from there on; None where all is seen.

    `settled` is that of `mask_in_blocks`, `recent` in float64 [group * n, length - place].
    """

    settled: Tensor | None
    recent: Tensor


def attend_in_branches(
    query: Tensor, keys: Tensor, values: Tensor, settled: int, masks: BranchMasks
) -> Tensor:
    """The same for branches of a tree, bit for bit alike however many are read at once.

    The first `settled` positions are summed in one order, block by block of queries. The others
    stand at different places from one pass to the next, and are summed in float64, whose rounding
    leaves no trace in float32. The two are joined by their normalisers, as flash attention joins
    blocks (Dao et al. 2022, section 3.1).
    """
    (_, count, head_dim), kv_heads = query.shape, len(keys)
    old, old_norm = attend_in_blocks(query, keys[:, :settled], values[:, :settled], masks.settled)
    new, new_norm = flash_attention(
        query.reshape(1, kv_heads, -1, head_dim).double(),
        keys[None, :, settled:].double(),
        values[None, :, settled:].double(),
        masks.recent,
    )
    new, new_norm = new.view(old.shape), new_norm.view(old_norm.shape)
    share = (new_norm - old_norm).sigmoid()[..., None]
    mixed = torch.lerp(old.double(), new, share).to(query.dtype)
    return mixed.flatten(0, 1).transpose(0, 1).reshape(count, -1)


def attend_in_blocks(
    query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Attention [kv_heads, group, n, head_dim] and its normalisers [kv_heads, group, n].

    Each block multiplies the query rows of a few tokens, so that a token's sums never depend on
    how many others there are. `mask` is that of `mask_in_blocks`.
    """
    (heads, count, head_dim), kv_heads = query.shape, len(keys)
    group = heads // kv_heads
    size = tokens_in_block(count, group)
    filled = F.pad(query, (0, 0, 0, -count % size))
    # [heads, tokens, head_dim] -> [blocks, kv_heads, group * size, head_dim]
    blocks = filled.view(kv_heads, group, -1, size, head_dim).permute(2, 0, 1, 3, 4).flatten(2, 3)
    number = len(blocks)
    mixed, norm = flash_attention(
        blocks,
        keys.expand(number, -1, -1, -1),
        values.expand(number, -1, -1, -1),
        None if mask is None else mask.expand(-1, kv_heads, -1, -1),
    )
    if mask is not None:  # nothing is seen of what lies beyond a window
        mixed, norm = mixed.nan_to_num(), norm.nan_to_num(nan=-math.inf)
    # [blocks, kv_heads, group * size, ...] -> [kv_heads, group, tokens, ...]
    mixed = mixed.view(number, kv_heads, group, size, head_dim).permute(1, 2, 0, 3, 4)
    norm = norm.reshape(number, kv_heads, group, size).permute(1, 2, 0, 3)
    return mixed.flatten(2, 3)[:, :, :count], norm.flatten(2, 3)[:, :, :count]


def mask_in_blocks(mask: Tensor, group: int) -> Tensor:
    """What is added to scores, [n, length], for all layers: [blocks, 1, group * size, length]."""
    size = tokens_in_block(len(mask), group)
    filled = F.pad(mask, (0, 0, 0, -len(mask) % size))
    rows = filled.view(-1, 1, 1, size, mask.shape[1])
    return rows.expand(-1, -1, group, -1, -1).flatten(2, 3)


def tokens_in_block(count: int, group: int) -> int:
    """A block's tokens, of `count` in all; a single one stays alone where its rows are enough."""
    return 1 if count == 1 and group >= FEWEST_ROWS else BLOCK


def flash_attention(
    query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Attention on the CPU, [..., n, d], and the logarithm of what it was divided by, [..., n]."""
    mixed, norm = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        query, keys, values, attn_mask=mask
    )
    return mixed, norm


def attention_of_last(query: Tensor, keys: Tensor, mask: Tensor | None) -> Tensor:
    """How much the last query attends to each key, summed over the heads: [length]."""
    last = query[:, -1].reshape(len(keys), -1, query.shape[-1])
    scores = last @ keys.transpose(1, 2) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores + mask[-1]
    return scores.softmax(-1).sum((0, 1))


def added(seen: Tensor, dtype: torch.dtype, device: torch.device) -> Tensor:
    """What is added to scores so that only what is `seen` counts."""
    return torch.zeros_like(seen, dtype=dtype).masked_fill_(~seen, -math.inf).to(device)


def seen_positions(positions: Sequence[int], window: int | None) -> Tensor | None:
    """Who looks at whom: bool [len(positions), last position + 1], or None where all look at all.

    Row i stands at `positions[i]` and sees itself and what is before it, no further back than
    `window` tokens in all.
    """
    end = positions[-1] + 1
    if len(positions) == 1 and (window is None or end <= window):
        return None
    rows = torch.tensor(positions)[:, None]
    columns = torch.arange(end)[None, :]
    seen = columns <= rows
    return seen if window is None else seen & (columns > rows - window)


def seen_branches(tree: TokenTree, start: int, window: int | None) -> Tensor:
    """The same for a tree that follows `start` tokens: bool [nodes, start + nodes]."""
    nodes, depths = len(tree.tokens), torch.tensor(tree.depths)
    seen = torch.cat((torch.ones(nodes, start, dtype=torch.bool), torch.tensor(tree.ways)), dim=1)
    if window is None:
        return seen
    columns = torch.cat((torch.arange(start), start + depths))[None, :]
    return seen & (columns > (start + depths)[:, None] - window)
