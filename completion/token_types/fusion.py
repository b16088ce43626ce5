"""The say that types of tokens have in what is written, where the model is unsure.

Of its likeliest tokens, those that begin a token of Python are weighed by the probability of that
token's type, log-linearly (Klakow 1998, "Log-linear interpolation of language models"). What comes
of it is a function of the text and of the model's logits alone, so that it holds for drafts and
branches as it does for plain decoding.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from math import log

import torch
from torch import Tensor

from completion.decoding import Weigh, as_they_are
from completion.token_types.begun import types_begun
from completion.token_types.numbers import Numbers, numbers_of
from completion.token_types.reader import WINDOW, TypeReader
from completion.token_types.typed_text import TypedPrefix, TypedText
from completion.token_types.weighing import weighed
from completion.values import PYTHON, CompletionRequest
from models.tokenizer import CodeTokenizer
from models.type_model import SHIPPED, load_type_model

DOCUMENTS = 4  # whose types are kept
LARGEST_TEXT, LONGEST_LINE = 500_000, 1_000  # characters, of which a longer one has no types
CONSIDERED = 8  # of the likeliest tokens
SURE = 0.9  # from which probability on the model's first choice stands
WEIGHT = 0.1  # fitted by `evaluation.fit_fusion`
NO_TYPE = 1e-9  # the probability of a type that the type model rules out


class TypeFusion:
    """Knows the types of documents in Python, and what follows them."""

    def __init__(self, reader: TypeReader, spell: Callable[[int], bytes]) -> None:
        self.reader = reader
        self._spell = spell
        self._texts: OrderedDict[str, TypedText] = OrderedDict()

    def weigh(self, request: CompletionRequest, known: str) -> Weigh:
        """The rule of one request, of whose text so much is `known` to the model."""
        line = len(known) - known.rfind("\n")
        if request.language != PYTHON or len(known) > LARGEST_TEXT or line > LONGEST_LINE:
            return as_they_are
        follow = partial(self._follow, request.document, known)
        return RequestFusion(follow, self.reader, self._spell)

    def forget(self, document: str) -> None:
        self._texts.pop(document, None)

    def _follow(self, document: str, before: str) -> TypedPrefix:
        text = self._texts.setdefault(document, TypedText())
        self._texts.move_to_end(document)
        while len(self._texts) > DOCUMENTS:
            self._texts.popitem(last=False)
        return text.follow(before)


def load_type_fusion(tokenizer: CodeTokenizer) -> TypeFusion:
    """With the type model that comes with Pirouette. Raises `InputError` where it is damaged."""
    return TypeFusion(TypeReader(load_type_model(SHIPPED)), tokenizer.token_bytes)


class RequestFusion:
    """The rule of one request. Its text is looked at once the model is unsure."""

    def __init__(
        self, follow: Callable[[], TypedPrefix], reader: TypeReader, spell: Callable[[int], bytes]
    ) -> None:
        self._follow = follow
        self._reader = reader
        self._spell = spell

    @cached_property
    def _prefix(self) -> TypedPrefix:
        return self._follow()

    @cached_property
    def _recent(self) -> list[Numbers]:
        return numbers_of(self._prefix.recent(WINDOW))

    def __call__(self, written: Sequence[int], logits: Tensor) -> Tensor:
        """`logits` [vocabulary] of what follows the tokens `written`, the types weighed in."""
        total = logits.logsumexp(-1)
        if float(logits.max() - total) >= log(SURE):
            return logits
        likely = logits.topk(min(CONSIDERED, len(logits)))
        known = (likely.values - total).tolist()
        types = self._log_types(written, likely.indices.tolist())
        if sum(kind is not None for kind in types) < 2:
            return logits
        joined = torch.tensor(weighed(known, types, WEIGHT)) - torch.tensor(known)
        return logits.index_add(0, likely.indices, joined.nan_to_num().to(logits))

    def _log_types(self, written: Sequence[int], tokens: Sequence[int]) -> list[float | None]:
        """The log-probability of the type that each token begins; none where it begins none."""
        try:
            text = b"".join(map(self._spell, written)).decode()
        except UnicodeDecodeError:  # within a character
            return [None] * len(tokens)
        prefix = self._prefix
        end = prefix.with_text(text)
        if end.in_text:
            return [None] * len(tokens)
        pieces = (self._spell(token).decode(errors="ignore") for token in tokens)
        begun = [types_begun(prefix, text, end, piece) for piece in pieces]
        before = [*self._recent, *numbers_of(end.tokens)]
        if not before or not any(begun):
            return [None] * len(tokens)
        probabilities = self._reader.after(before).exp()
        return [
            log(max(NO_TYPE, float(probabilities[[int(kind) for kind in types]].sum())))
            if types
            else None
            for types in begun
        ]
