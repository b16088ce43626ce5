"""Code as tokens with what each means where it stands: the inner layers of a transformer.

Encoders (BERT and its kin, models of sentence-transformers) and causal code models alike, from a
local folder of safetensors. This module must not know what the vectors are compared for.
"""

import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from logging import ERROR
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.device import preferred_device
from models.errors import InputError

BATCH_TOKENS = 2048  # with padding, in one pass
OPERATORS = frozenset("+-*/&|~")  # signs that say what is computed, as published
PUNCTUATION = frozenset(string.punctuation) - OPERATORS
WHITE_SPACE = "\u0120\u010a\u0109"  # how byte-level tokens write a space, a line end and a tab


@dataclass(frozen=True, slots=True)
class Code:
    """A piece of code, and text that is read before it and not compared."""

    text: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class EncodedCode:
    """The tokens of a piece of code that are neither context nor punctuation alone.

    `vectors` is [layers, tokens, dimensions], each of length one; `special` [tokens] tells those
    that the encoder puts around any text.
    """

    tokens: tuple[int, ...]
    special: Tensor
    vectors: Tensor


@dataclass(frozen=True, slots=True)
class Window:
    """Where a pass over a long text begins and ends, and from where to where its vectors are
    kept; all in tokens of the text."""

    start: int
    end: int
    kept: int
    until: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the tokenizer makes of a piece of code after its context, special tokens included."""

    ids: tuple[int, ...]
    special: tuple[bool, ...]
    compared: tuple[bool, ...]


class TokenEncoder:
    """Reads code with a model, in float32; `layers` says whose outputs are told, 0 that of the
    embedding.

    A causal model whose tokenizer adds nothing gets the token that begins a text before each: the
    first position holds activations of its own kind (Sun et al., "Massive Activations", 2024).
    """

    def __init__(self, folder: Path, layers: Sequence[int]) -> None:
        """Raises `InputError` where transformers cannot run what the folder holds."""
        self.layers = tuple(layers)
        self._device = preferred_device()
        try:
            self._tokenizer, model = load(folder, max(layers))
        except (OSError, ValueError, KeyError) as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f"{folder} holds no model that transformers can read ({reason}); name another"
            ) from None
        self._model = model.to(self._device).eval()
        adds = self._tokenizer.num_special_tokens_to_add()
        self._first = () if adds else (self._tokenizer.bos_token_id,)
        self._longest = min(
            self._tokenizer.model_max_length, self._model.config.max_position_embeddings
        )

    @torch.inference_mode()
    def encode(self, codes: Sequence[Code]) -> list[EncodedCode]:
        """Each piece of code, in order. What is longer than the model can read is read in windows
        that overlap by half, as published."""
        read = [self.tokens(code) for code in codes]
        passes = [
            (index, window)
            for index, tokens in enumerate(read)
            for window in windows(len(tokens.ids), self._longest)
        ]
        kept: dict[tuple[int, Window], Tensor] = {}
        for batch in batches(passes):
            ids = [read[index].ids[window.start : window.end] for index, window in batch]
            for (index, window), vectors in zip(batch, self._vectors(ids), strict=True):
                wanted = slice(window.kept - window.start, window.until - window.start)
                compared = torch.tensor(read[index].compared[window.kept : window.until])
                kept[index, window] = vectors[:, wanted][:, compared]
        whole: list[list[Tensor]] = [[] for _ in codes]
        for index, window in passes:
            whole[index].append(kept[index, window])
        return [encoded(tokens, parts) for tokens, parts in zip(read, whole, strict=True)]

    def tokens(self, code: Code) -> Tokens:
        """The text with its context, as published: the context, a space and a line end, the code.

        A token belongs to the context where it ends within it.
        """
        context = f"{code.context.strip()} \n" if code.context.strip() else ""
        found = self._tokenizer(
            context + code.text.strip(),
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            verbose=False,
        )
        ids = (*self._first, *found["input_ids"])
        special = (*(True for _ in self._first), *map(bool, found["special_tokens_mask"]))
        ends = (*(0 for _ in self._first), *(end for _, end in found["offset_mapping"]))
        pieces = self._tokenizer.convert_ids_to_tokens(list(ids))
        compared = tuple(
            is_special or (end > len(context) and not is_punctuation(piece))
            for is_special, end, piece in zip(special, ends, pieces, strict=True)
        )
        return Tokens(ids, special, compared)

    def _vectors(self, texts: Sequence[Sequence[int]]) -> Iterator[Tensor]:
        """[layers, tokens, dimensions] of each text, after one pass over all of them."""
        longest = max(map(len, texts))
        ids = torch.zeros(len(texts), longest, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, text in enumerate(texts):
            ids[row, : len(text)] = torch.tensor(text)
            mask[row, : len(text)] = 1
        found = self._model(
            input_ids=ids.to(self._device),
            attention_mask=mask.to(self._device),
            output_hidden_states=True,
        )
        wanted = torch.stack([found.hidden_states[layer] for layer in self.layers])
        for row, text in enumerate(texts):
            yield torch.nn.functional.normalize(wanted[:, row, : len(text)].cpu(), dim=-1)


def load(folder: Path, last_layer: int) -> tuple[Any, Any]:
    """The tokenizer and the model up to a layer. Nothing pickled is read, no code of the folder is
    run, and nothing is fetched."""
    from transformers import AutoConfig, AutoModel, AutoTokenizer  # seconds, so only when used
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    safely = {"local_files_only": True, "trust_remote_code": False}
    config = AutoConfig.from_pretrained(folder, **safely)
    if last_layer > config.num_hidden_layers:
        raise ValueError(f"it has {config.num_hidden_layers} layers, not {last_layer}")
    tokenizer = AutoTokenizer.from_pretrained(folder, **safely)
    verbosity = logging.get_verbosity()
    logging.set_verbosity(ERROR)  # that weights above the last layer are left out is meant
    try:
        model = AutoModel.from_pretrained(
            folder,
            num_hidden_layers=max(last_layer, 1),
            use_safetensors=True,
            dtype=torch.float32,
            **safely,
        )
    finally:
        logging.set_verbosity(verbosity)
    if hasattr(model, "norm"):  # which a causal model has after its last layer, not after others
        model.norm = torch.nn.Identity()
    return tokenizer, model


def encoded(tokens: Tokens, parts: Sequence[Tensor]) -> EncodedCode:
    kept = [index for index, compared in enumerate(tokens.compared) if compared]
    return EncodedCode(
        tuple(tokens.ids[index] for index in kept),
        torch.tensor([tokens.special[index] for index in kept]),
        torch.cat(list(parts), dim=1),
    )


def is_punctuation(piece: str) -> bool:
    """Whether a token holds nothing but signs, blanks and line ends."""
    return all(character in PUNCTUATION for character in piece.strip(WHITE_SPACE))


def windows(length: int, size: int) -> Iterator[Window]:
    """Passes of `size` tokens, each half over the one before; vectors are kept where both sides
    of them were read.

    Source: Ivgi et al., "Efficient Long-Text Understanding with Short-Text Models" (2023).
    """
    margin = size // 4
    start = kept = 0
    while True:
        end = min(start + size, length)
        start = max(0, end - size)
        until = length if end == length else end - margin
        yield Window(start, end, kept, until)
        if end == length:
            return
        start, kept = until - margin, until


def batches(passes: Sequence[tuple[int, Window]]) -> Iterator[list[tuple[int, Window]]]:
    """Passes of like length together, so that little of what is run is padding."""
    batch: list[tuple[int, Window]] = []
    for one in sorted(passes, key=lambda one: one[1].end - one[1].start):
        length = one[1].end - one[1].start  # the longest so far
        if batch and (len(batch) + 1) * length > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch
