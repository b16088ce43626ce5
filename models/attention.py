"""Attention over cached keys and values: who looks at whom, and what each gets to see.

Query heads that share a key head are kept together, so that keys and values are never copied out
for them (grouped-query attention, Ainslie et al. 2023).
"""

import math
from collections.abc import Sequence

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


def attention_of(query: Tensor, keys: Tensor, mask: Tensor | None = None) -> Tensor:
    """How much the heads of a query [heads, head_dim], over the root of `head_dim`, attend to each
    key [kv_heads, length, head_dim], summed over them: [length]."""
    scores = query.reshape(len(keys), -1, query.shape[-1]) @ keys.transpose(1, 2)
    if mask is not None:
        scores = scores + mask
    return scores.softmax(-1).sum((0, 1))


def added(seen: Tensor, dtype: torch.dtype, device: torch.device) -> Tensor:
    """What is added to scores so that only what is `seen` counts."""
    return torch.zeros_like(seen, dtype=dtype).masked_fill_(~seen, -math.inf).to(device)


def seen(
    positions: Sequence[int], tree: TokenTree, length: int, window: int | None
) -> Tensor | None:
    """Who looks at whom: bool [n + nodes, end], or None where all look at all.

    Row i stands at `positions[i]` and sees itself and what is before it, no further back than
    `window` tokens in all. A node of `tree` follows `length` tokens and sees them and the way that
    leads to it. The end is that of the last position, or where there is a tree behind its nodes.
    """
    end = length + len(tree.tokens) if tree.tokens else positions[-1] + 1
    if len(positions) == 1 and not tree.tokens and (window is None or end <= window):
        return None
    depths = torch.tensor(tree.depths, dtype=torch.long)
    places = torch.cat((torch.arange(end - len(tree.tokens)), length + depths))
    rows = torch.cat((torch.tensor(positions, dtype=torch.long), length + depths))[:, None]
    visible = places <= rows
    if tree.tokens:
        visible[:, length:] = False
        visible[len(positions) :, length:] = torch.tensor(tree.ways)
    return visible if window is None else visible & (places > rows - window)
