"""The local model as a judge's chat model: one cache, greedy answers, odds from all its logits.

Text never becomes a control token: code that spells out a marker of the chat is read as the plain
characters it is.
"""

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

from completion.decoding import decode_greedily
from completion.drafting.drafter import TreeDrafter
from completion.values import never_cancelled
from evaluation.judges.ratings import RATINGS, rating_alone
from evaluation.judges.values import Answer, Message, NoAnswer, RatingToken
from evaluation.provenance import DISTRIBUTION
from models.errors import InputError
from models.kv_cache import KeyValueCache, Segment
from models.language_model import LanguageModel
from models.prefill import encode_in_chunks
from models.tokenizer import CodeTokenizer

TURN_BEGINS, TURN_ENDS = "<|im_start|>", "<|im_end|>"
# What Qwen2.5's own chat template puts first where a conversation has no system message.
SYSTEM = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."
ROOM = 1_024  # tokens by which the cache grows
LONGEST = 16_384  # tokens of a conversation and its answer; about 600 MB of the default model


class LocalChat:
    """Answers conversations in ChatML, the chat format of Qwen2.5.

    What a conversation shares with the one before it, from its beginning on, is not read again.
    Raises `InputError` where the model does not have the markers of ChatML.
    """

    at_once = 1

    def __init__(self, model: LanguageModel) -> None:
        if not {TURN_BEGINS, TURN_ENDS} <= model.tokenizer.control.keys():
            raise InputError(
                f"'{model.name}' has no {TURN_BEGINS} and {TURN_ENDS} and cannot be the judge; "
                "name a chat model of the Qwen2.5 family"
            )
        self._model = model
        self._longest = min(LONGEST, model.decoder.config.context_length)
        self._end_tokens = model.end_tokens | {model.tokenizer.control[TURN_ENDS]}
        self._rating_of = rating_tokens(model.tokenizer)
        self._drafter = TreeDrafter()
        self._cache = model.decoder.new_cache(ROOM)
        self.name = model.name
        numbers = "8 bits" if model.decoder.quantised else "exact"
        self.identity = f"local, {numbers}, {version(DISTRIBUTION)}, {weights_hash(model.folder)}"

    def ask(self, conversation: tuple[Message, ...], limit: int) -> Answer:
        """The greedy answer. Raises `NoAnswer` where there is no room for it."""
        prompt = chat_tokens(self._model.tokenizer, conversation)
        if len(prompt) + limit > self._longest:
            raise NoAnswer(f"{len(prompt)} tokens are too long for '{self.name}'")
        decoder, cache = self._model.decoder, self._laid_out(prompt, limit)
        positions = sorted({*cache.unread(), len(prompt) - 1})  # the last one for its logits
        hidden = encode_in_chunks(decoder, cache, positions, never_cancelled)[0]
        odds: dict[int, tuple[float, ...]] = {}

        def note_odds(before: Sequence[int], logits: Tensor) -> Tensor:
            if int(logits.argmax()) in self._rating_of:
                odds[len(before)] = self._odds(logits)
            return logits

        decoded = decode_greedily(
            self._model,
            cache,
            decoder.logits(hidden),
            end_tokens=self._end_tokens,
            max_tokens=limit,
            find_stop=never_stopped,
            cancelled=never_cancelled,
            drafter=self._drafter,
            weigh=note_odds,
        )
        ratings = (
            RatingToken(self._rating_of[token], odds[place])
            for place, token in enumerate(decoded.tokens)
            if token in self._rating_of
        )
        return Answer(decoded.text, tuple(ratings), len(prompt), len(decoded.tokens))

    def _laid_out(self, prompt: Sequence[int], limit: int) -> KeyValueCache:
        """The cache with `prompt` laid out, of which it knows what it has read, and room after."""
        needed = len(prompt) + limit
        if needed > self._cache.capacity:
            self._cache = self._model.decoder.new_cache(-(-needed // ROOM) * ROOM)
        same = common_length(self._cache.tokens, prompt)
        self._cache.lay_out(prompt, [Segment(0, 0, same)] if same else [])
        return self._cache

    def _odds(self, logits: Tensor) -> tuple[float, ...]:
        """How probable each rating is, over the whole vocabulary."""
        shares = torch.softmax(logits, -1)
        odds = [0.0] * len(RATINGS)
        for token, rating in self._rating_of.items():
            odds[rating] += float(shares[token])
        return tuple(odds)


def never_stopped(_: str) -> None:
    """The model alone ends its answer."""


def chat_tokens(tokenizer: CodeTokenizer, conversation: Sequence[Message]) -> list[int]:
    """A conversation in ChatML, up to where the assistant's next turn begins."""
    begins, ends = tokenizer.control[TURN_BEGINS], tokenizer.control[TURN_ENDS]
    tokens: list[int] = list(tokenizer.start_tokens)
    for turn in (Message("system", SYSTEM), *conversation):
        tokens += [begins, *tokenizer.encode(f"{turn.role}\n{turn.content}"), ends]
        tokens += tokenizer.encode("\n")
    return [*tokens, begins, *tokenizer.encode("assistant\n")]


def rating_tokens(tokenizer: CodeTokenizer) -> dict[int, int]:
    """The tokens that write a rating alone, each with its rating."""
    ratings = ((token, rating_alone(tokenizer.decode([token]))) for token in range(tokenizer.size))
    return {token: rating for token, rating in ratings if rating is not None}


def weights_hash(folder: Path) -> str:
    """Another one where a file of the model is another, by name, size and time of change."""
    stats = ((path.name, path.stat()) for path in sorted(folder.iterdir()))
    known = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    return hashlib.sha256(repr(known).encode()).hexdigest()


def common_length(first: Sequence[int], second: Sequence[int]) -> int:
    """How many tokens both begin with."""
    pairs = zip(first, second, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))
