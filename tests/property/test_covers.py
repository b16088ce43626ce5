"""Covers against a count of every text there is, in a world of few tokens.

The model is any at all over the encodings that the tokenizer writes. All its texts are few
enough to be listed with their probabilities.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from completion.covers import open_end
from models.tokenizer import CodeTokenizer

ALPHABET = "ab "
SPACE = "\N{LATIN CAPITAL LETTER G WITH DOT ABOVE}"  # how byte-level BPE writes it
END = "<|endoftext|>"
LONGEST = 4  # tokens of a text
TYPED = 3  # characters before the cursor

Merges = tuple[tuple[str, str], ...]


@st.composite
def some_merges(draw: st.DrawFn) -> Merges:
    """Up to four merges of letters and what earlier merges made."""
    pieces, merges = ["a", "b", SPACE], list[tuple[str, str]]()
    for _ in range(draw(st.integers(0, 4))):
        pair = draw(st.sampled_from(pieces)), draw(st.sampled_from(pieces))
        if "".join(pair) not in pieces:
            merges.append(pair)
            pieces.append("".join(pair))
    return tuple(merges)


def tokenizer_of(merges: Merges) -> CodeTokenizer:
    """Byte-level BPE that keeps words apart."""
    pieces = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *("".join(pair) for pair in merges)]
    tokenizer = Tokenizer(models.BPE({piece: i for i, piece in enumerate(pieces)}, list(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([END])
    with TemporaryDirectory() as folder:
        tokenizer.save(str(Path(folder) / "tokenizer.json"))
        return CodeTokenizer(Path(folder))


class ToyModel:
    """A random model over the encodings that a tokenizer writes."""

    def __init__(self, tokenizer: CodeTokenizer, seed: int) -> None:
        self.tokenizer = tokenizer
        self.end = tokenizer.control[END]
        self._seed = seed
        self._vocabulary = [
            token
            for token in range(tokenizer.size)
            if (spelled := tokenizer.token_bytes(token)) and set(spelled) <= set(ALPHABET.encode())
        ]
        self.following = cache(self._following)

    def _following(self, tokens: tuple[int, ...]) -> Mapping[int, float]:
        """How probable each token is after `tokens`."""
        choose = random.Random(f"{self._seed}/{tokens}")
        allowed = [
            t for t in self._vocabulary if len(tokens) < LONGEST and self._written((*tokens, t))
        ]
        weights = {token: choose.random() for token in [*allowed, self.end]}
        return {token: weight / sum(weights.values()) for token, weight in weights.items()}

    def _written(self, tokens: tuple[int, ...]) -> bool:
        return tuple(self.tokenizer.encode(self.tokenizer.decode(list(tokens)))) == tokens

    def probability(self, tokens: tuple[int, ...]) -> float:
        """Of a text whose tokens begin so; the end may be the last of them."""
        known = 1.0
        for place, token in enumerate(tokens):
            known *= self.following(tokens[:place]).get(token, 0.0)
        return known

    def texts(
        self, tokens: tuple[int, ...] = (), known: float = 1.0
    ) -> Iterator[tuple[bytes, float]]:
        """Every text and its probability."""
        for token, probability in self.following(tokens).items():
            if token == self.end:
                spelled = map(self.tokenizer.token_bytes, tokens)
                yield b"".join(spelled), known * probability
            else:
                yield from self.texts((*tokens, token), known * probability)


def counted(texts: Mapping[bytes, float], typed: bytes) -> dict[bytes, float]:
    """The probability of all texts that go on after `typed` with each byte, or with none."""
    found: dict[bytes, float] = defaultdict(float)
    for text, probability in texts.items():
        if text.startswith(typed):
            found[text[len(typed) :][:1]] += probability
    return found


def covered(model: ToyModel, typed: str) -> dict[bytes, float]:
    """The same from the covers of `typed` alone."""
    tokenizer = model.tokenizer
    whole, end = tokenizer.encode(typed), open_end(tokenizer, typed)
    prompt = whole[: len(whole) - len(end.rewritten)]
    found: dict[bytes, float] = defaultdict(float)
    for stem in end.stems:
        for token in tokenizer.longer_than(stem.pending).tolist():
            if end.canonical(tokenizer, stem, token):
                next_byte = tokenizer.token_bytes(token)[len(stem.pending) :][:1]
                found[next_byte] += model.probability((*prompt, *stem.tokens, token))
    return found


@settings(deadline=None, max_examples=20)
@given(merges=some_merges(), seed=st.integers(0, 2**32))
def test_covers_have_the_probability_of_all_texts_that_begin_so(merges: Merges, seed: int) -> None:
    model = ToyModel(tokenizer_of(merges), seed)
    texts: dict[bytes, float] = defaultdict(float)
    for text, probability in model.texts():
        texts[text] += probability
    assert sum(texts.values()) == pytest.approx(1)

    for length in range(1, TYPED + 1):
        for typed in map("".join, product(ALPHABET, repeat=length)):
            expected, found = counted(texts, typed.encode()), covered(model, typed)
            assert sum(found.values()) == pytest.approx(sum(expected.values()))
            for next_byte in {*expected, *found}:
                assert found[next_byte] == pytest.approx(expected[next_byte])
