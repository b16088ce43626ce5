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

    `settled` is [n, 1, group, place], `recent` in float64 [group * n, length - place].
    """

    settled: Tensor | None
    recent: Tensor


def attend_in_branches(
    query: Tensor, keys: Tensor, values: Tensor, settled: int, masks: BranchMasks
) -> Tensor:
    """The same for branches of a tree, bit for bit alike however many are read at once.

    Of the first `settled` positions each query makes its own sum, in one order. The others stand
    at different places from one pass to the next, and are summed in float64, whose rounding leaves
    no trace in float32. The two are joined by their normalisers, as flash attention joins blocks
    (Dao et al. 2022, section 3.1).
    """
    (_, count, head_dim), kv_heads = query.shape, len(keys)
    apart = query.transpose(0, 1).reshape(count, kv_heads, -1, head_dim)
    window = masks.settled
    old, old_norm = flash_attention(
        apart,
        keys[:, :settled].expand(count, -1, -1, -1),
        values[:, :settled].expand(count, -1, -1, -1),
        None if window is None else window.expand(-1, kv_heads, -1, -1),
    )
    if window is not None:  # nothing is seen of what lies beyond a window
        old, old_norm = old.nan_to_num(), old_norm.nan_to_num(nan=-math.inf)
    new, new_norm = flash_attention(
        query.reshape(1, kv_heads, -1, head_dim).double(),
        keys[None, :, settled:].double(),
        values[None, :, settled:].double(),
        masks.recent,
    )
    # [1, kv_heads, group * n, ...] -> [n, kv_heads, group, ...]
    new = new.view(kv_heads, -1, count, head_dim).permute(2, 0, 1, 3)
    new_norm = new_norm.view(kv_heads, -1, count).permute(2, 0, 1)
    share = (new_norm - old_norm).sigmoid()[..., None]
    return torch.lerp(old.double(), new, share).to(query.dtype).reshape(count, -1)


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
