"""CodeBERTScore: whether each token of a program means what some token of the other one means.

Source: Zhou et al., "CodeBERTScore: Evaluating Code Generation with Pretrained Models of Code"
(2023), after Zhang et al., "BERTScore" (2020). Which model encodes is for the caller to say.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

import torch
from torch import Tensor

from evaluation.metrics.token_encoder import Code, EncodedCode, TokenEncoder
from models.progress import Progress, ProgressCallback, ignore_progress

AT_ONCE = 256  # pairs whose vectors are held together


@dataclass(frozen=True, slots=True)
class CodePair:
    """What was written, what is known to be right, and the text that both go on from."""

    candidate: str
    reference: str
    context: str = ""

    @property
    def sides(self) -> tuple[Code, Code]:
        return Code(self.candidate, self.context), Code(self.reference, self.context)


@dataclass(frozen=True, slots=True)
class CodeBertScore:
    """Cosines, at most 1. `f3` weighs recall as METEOR does: 10 P R / (9 P + R)."""

    precision: float
    recall: float
    f1: float
    f3: float


NOTHING_IN_COMMON = CodeBertScore(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class InverseDocumentFrequency:
    """log((N + 1) / (df + 1)) of a token that is in `df` of `N` texts."""

    texts: int
    frequency: Counter[int]

    def weight(self, token: int) -> float:
        return log((self.texts + 1) / (self.frequency[token] + 1))


class CodeBertScorer:
    """Scores pairs by one encoder; tokens count alike, or by `idf`, those that the encoder puts
    around a text not at all."""

    def __init__(self, encoder: TokenEncoder, idf: InverseDocumentFrequency | None = None) -> None:
        self.encoder = encoder
        self._idf = idf

    def score(
        self, pairs: Sequence[CodePair], progress: ProgressCallback = ignore_progress
    ) -> list[CodeBertScore]:
        """By the encoder's first layer, in order; progress counts pairs.

        A side without anything to compare, such as punctuation alone, makes all of it 0.
        """
        return [layers[0] for layers in self.score_layers(pairs, progress)]

    def score_layers(
        self, pairs: Sequence[CodePair], progress: ProgressCallback = ignore_progress
    ) -> list[list[CodeBertScore]]:
        """Each pair by each of the encoder's layers."""
        found: list[list[CodeBertScore]] = []
        for start in range(0, len(pairs), AT_ONCE):
            progress(Progress("codebertscore", start, len(pairs)))
            some = pairs[start : start + AT_ONCE]
            codes = list(dict.fromkeys(code for pair in some for code in pair.sides))
            encoded = dict(zip(codes, self.encoder.encode(codes), strict=True))
            for pair in some:
                candidate, reference = (encoded[code] for code in pair.sides)
                found.append(self._match(candidate, reference))
        progress(Progress("codebertscore", len(pairs), len(pairs)))
        return found

    def _match(self, candidate: EncodedCode, reference: EncodedCode) -> list[CodeBertScore]:
        weights = [self._weights(side) for side in (candidate, reference)]
        if any(not weight.any() for weight in weights):
            return [NOTHING_IN_COMMON] * len(self.encoder.layers)
        cosines = candidate.vectors @ reference.vectors.transpose(1, 2)  # [layers, tokens, tokens]
        precision = cosines.amax(dim=2) @ weights[0] / weights[0].sum()
        recall = cosines.amax(dim=1) @ weights[1] / weights[1].sum()
        return [
            CodeBertScore(p, r, f_measure(p, r, 1), f_measure(p, r, 3))
            for p, r in zip(precision.tolist(), recall.tolist(), strict=True)
        ]

    def _weights(self, code: EncodedCode) -> Tensor:
        """[tokens]"""
        if self._idf is None:
            weights = torch.ones(len(code.tokens))
        else:
            weights = torch.tensor([self._idf.weight(token) for token in code.tokens])
        return weights.masked_fill(code.special, 0.0)


def f_measure(precision: float, recall: float, beta: int) -> float:
    """The weighted harmonic mean in which recall counts `beta` squared times."""
    weighed = beta**2 * precision + recall
    return (1 + beta**2) * precision * recall / weighed if weighed > 0 else 0.0


def document_frequency(encoder: TokenEncoder, texts: Iterable[str]) -> InverseDocumentFrequency:
    """How common each token is among `texts`, one document each."""
    frequency: Counter[int] = Counter()
    count = 0
    for count, text in enumerate(texts, 1):  # noqa: B007 - told below
        frequency.update(set(encoder.tokens(Code(text)).ids))
    return InverseDocumentFrequency(count, frequency)
