"""Covers: the ways in which tokens can write the text up to the cursor and go on after it.

A cursor seldom stands where a token ends in the text that is to come. Every text has one encoding
only, that of its tokenizer. So all texts that begin as the one up to the cursor are told apart by
their first token that writes more than it, and by the tokens before that one. Together they are a
cover; those before are a stem, the encoding of the text up to some place. There are no more stems
than places in the text's last piece.

Rule: the cover with the highest joint probability is written. Covers exclude each other and each
writes at least a byte beyond the cursor, or ends the text; so a short token that much may follow
has no advantage over a long one.

Source: Phan et al. 2024, "Exact Byte-Level Probabilities from Tokenized Language Models for
FIM-Tasks and Model Ensembles"; derived in `docs/mid-token.md`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from math import inf

from torch import Tensor

from completion.token_difference import common_prefix
from models.tokenizer import CodeTokenizer

MOST_STEMS = 12  # that are read, those with the likeliest first tokens
TRIED = 16  # likeliest tokens after a stem, of which the first canonical one counts


@dataclass(frozen=True, slots=True)
class Stem:
    """Tokens after the prompt, and what the token after them begins with and is longer than."""

    tokens: tuple[int, ...]
    pending: bytes


@dataclass(frozen=True, slots=True)
class Cover:
    """A stem and the token that writes on, and the logarithm of their joint probability.

    Where they are not `canonical`, they are not the encoding of their text, and the model has
    hardly seen it so.
    """

    stem: Stem
    token: int
    log_probability: float
    canonical: bool


@dataclass(frozen=True, slots=True)
class OpenEnd:
    """The end of a text whose encoding depends on what follows.

    `piece` is the text from a place on that no token crosses. Its `settled` tokens are those that
    all `stems` begin with; the prompt ends with them. The last stem writes the whole piece.
    """

    piece: bytes = b""
    settled: tuple[int, ...] = ()
    stems: tuple[Stem, ...] = (Stem((), b""),)

    @property
    def rewritten(self) -> tuple[int, ...]:
        """The tokens after the settled ones as they would be if nothing followed."""
        return self.stems[-1].tokens

    @property
    def expected(self) -> Stem:
        """The stem that is mostly gone on from: all of a word, all but the last blank of an indent.

        That blank is mostly part of the token that the next word begins with.
        """
        indent = self.piece[-1:].isspace() and len(self.stems) > 1
        return self.stems[-2 if indent else -1]

    def covers(
        self,
        tokenizer: CodeTokenizer,
        stem: Stem,
        log_probability: float,
        following: Tensor,
        most: int = 1,
    ) -> list[Cover]:
        """The likeliest canonical covers with this stem, or one that is not if none is found.

        `log_probability` is the stem's, `following` [vocabulary] those of the tokens after it.
        """
        tokens = tokenizer.longer_than(stem.pending).to(following.device)
        likely = following[tokens].topk(min(TRIED, len(tokens)))
        found = zip(tokens[likely.indices].tolist(), likely.values.tolist(), strict=True)
        covers = (
            Cover(stem, token, log_probability + more, self.canonical(tokenizer, stem, token))
            for token, more in found
        )
        first = next(covers)
        canonical = (cover for cover in chain([first], covers) if cover.canonical)
        return list(islice(canonical, most)) or [first]

    def promising(self, first: Tensor, covers: Mapping[Stem, Sequence[Cover]]) -> list[Stem]:
        """Stems that may lead to a better cover than all `covers` of others, the likeliest first.

        A cover is no likelier than the first token of its stem, of which `first` [vocabulary] has
        the logarithms. Of many stems only some are tried.
        """
        known = chain.from_iterable(covers.values())
        canonical = (cover.log_probability for cover in known if cover.canonical)
        enough = max(canonical, default=-inf)
        bounds = {stem: float(first[stem.tokens[0]]) for stem in self.stems if stem not in covers}
        above = [stem for stem, bound in bounds.items() if bound > enough]
        return sorted(above, key=bounds.__getitem__, reverse=True)[:MOST_STEMS]

    def canonical(self, tokenizer: CodeTokenizer, stem: Stem, token: int) -> bool:
        """Whether they are the encoding of their text; a token that cuts a character is trusted."""
        more = tokenizer.token_bytes(token)
        try:
            text = (self.piece.removesuffix(stem.pending) + more).decode()
        except UnicodeDecodeError:
            return True
        return not more or tokenizer.encode(text) == [*self.settled, *stem.tokens, token]


def best(covers: Iterable[Cover]) -> Cover:
    """The likeliest canonical one, if there is any."""
    return max(covers, key=lambda cover: (cover.canonical, cover.log_probability))


NOTHING_OPEN = OpenEnd()


def open_end(tokenizer: CodeTokenizer, text: str) -> OpenEnd:
    """What is open at the end of a text that ends at the cursor.

    A stem ends with a whole character, and where a token of the vocabulary can go on from it.
    """
    piece = tokenizer.last_piece(text)
    pending = [piece[place:].encode() for place in range(len(piece) + 1)]
    places = [p for p, left in enumerate(pending) if len(tokenizer.longer_than(left))]
    encodings = [tuple(tokenizer.encode(piece[:place])) for place in places]
    settled = common_prefix(min(encodings), max(encodings))
    stems = (
        Stem(encoding[settled:], pending[place])
        for encoding, place in zip(encodings, places, strict=True)
    )
    return OpenEnd(piece.encode(), encodings[-1][:settled], tuple(stems))


def text_known(tokenizer: CodeTokenizer, before: str, end: OpenEnd) -> str:
    """How far the model has read a text that ends so: what is written again it has not."""
    return before.removesuffix(tokenizer.spelled(end.rewritten).decode(errors="ignore"))
