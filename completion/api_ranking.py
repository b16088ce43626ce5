"""APIs that a search found for a wish, in the order that a model gives them.

A search compares words and vectors of a wish with those of APIs. The model reads how an API is
declared, and tells how likely it is that whoever documents it writes the wish (query likelihood:
Sachan et al. 2022, "Improving passage retrieval with zero-shot question generation", section 2.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import log

import torch

from completion.values import CancelCheck, never_cancelled
from models.errors import Cancelled
from models.kv_cache import KeyValueCache
from models.language_model import LanguageModel
from models.progress import Progress, ProgressCallback, ignore_progress
from retrieval.grammars import PYTHON, grammar_of
from retrieval.index.database import Place
from retrieval.index.search import RANK_CONSTANT

MOST = 20  # that are read; those that were found further behind stay there
LONGEST_WISH = 64  # tokens
LONGEST_DECLARATION = 256  # tokens, of which the last are read
# What a token's log-probability counts for, beside that of the rank: the search's own order.
WEIGHT = 1.0


@dataclass(frozen=True, slots=True)
class FoundApi:
    """How an API is declared, on one line, and where; `qualified` has the classes around it."""

    path: str
    qualified: str
    signature: str


def by_likelihood(
    model: LanguageModel,
    wish: str,
    found: Sequence[FoundApi],
    cancelled: CancelCheck,
    progress: ProgressCallback = ignore_progress,
) -> list[int]:
    """The places in `found`, the APIs of a search in its order, of those that fit best first.

    Asks `cancelled` before every layer and raises `Cancelled`. Progress counts APIs.
    """
    wish, read = wish.strip(), found[:MOST]
    if not wish or len(read) < 2:
        return list(range(len(found)))
    start = model.tokenizer.start_tokens
    cache = model.decoder.new_cache(len(start) + LONGEST_DECLARATION + LONGEST_WISH)
    scores: list[float] = []
    for rank, api in enumerate(read, 1):
        if cancelled():
            raise Cancelled
        progress(Progress("reading APIs", rank - 1, len(read)))
        before, after = declaration(api), f"{wish_begins(api)}{wish}"
        declared = model.tokenizer.encode(before)[-LONGEST_DECLARATION:]
        tokens = model.tokenizer.encode(after)[:LONGEST_WISH]
        likelihood = log_likelihood(model, cache, [*start, *declared], tokens, cancelled)
        scores.append(WEIGHT * likelihood - log(RANK_CONSTANT + rank))
    progress(Progress("reading APIs", len(read), len(read)))
    best = sorted(range(len(read)), key=scores.__getitem__, reverse=True)
    return [*best, *range(len(read), len(found))]


def best_first(
    model: LanguageModel,
    wish: str,
    places: Sequence[Place],
    progress: ProgressCallback = ignore_progress,
) -> list[Place]:
    """As `by_likelihood`, of declarations of an index, for somebody who waits for all of it."""
    apis = [
        FoundApi(place.path, place.declaration.qualified, place.declaration.signature)
        for place in places
    ]
    order = by_likelihood(model, wish, apis, never_cancelled, progress)
    return [places[place] for place in order]


@torch.inference_mode()
def log_likelihood(
    model: LanguageModel,
    cache: KeyValueCache,
    before: Sequence[int],
    tokens: Sequence[int],
    cancelled: CancelCheck,
) -> float:
    """The mean log-probability of each of `tokens` after those `before`, in nats."""
    cache.truncate(0)
    positions = cache.append([*before, *tokens[:-1]])
    hidden = model.decoder.encode(cache, positions, cancelled)
    after = model.decoder.logits(hidden[len(before) - 1 :]).log_softmax(-1)
    each = after[range(len(tokens)), list(tokens)]
    return float(each.mean())


def declaration(api: FoundApi) -> str:
    """An API as its file has it, up to where its documentation begins: in Python below how it is
    declared; in other languages a comment can stand behind that."""
    *_, around = ["", *api.qualified.split(".")[:-1]]
    if not is_python(api):
        return f"// {', '.join(filter(None, (api.path, around)))}\n{api.signature}  //"
    words = api.signature.split(" ")
    decorators = list(takewhile(lambda word: word.startswith("@"), words))
    declared = [*decorators, f"{' '.join(words[len(decorators) :])}:", '    """']
    lines = [f"class {around}:", *(f"    {line}" for line in declared)] if around else declared
    return "\n".join([f"# {api.path}", *lines])


def wish_begins(api: FoundApi) -> str:
    """What stands between that and the wish: tokenizers have the space before a word in it."""
    return "" if is_python(api) else " "


def is_python(api: FoundApi) -> bool:
    return grammar_of(api.path) is PYTHON
