"""What types of tokens have to say in what is written."""

from collections.abc import Sequence
from math import exp, inf, log

import pytest
import torch
from torch import Tensor

from completion.decoded import Decoded
from completion.decoding import as_they_are, decode_greedily
from completion.drafting.drafter import TreeDrafter
from completion.drafting.drafts import Drafter
from completion.token_types.begun import types_begun
from completion.token_types.fusion import TypeFusion, load_type_fusion
from completion.token_types.numbers import WORDS, Numbers, numbers_of
from completion.token_types.reader import TypeReader
from completion.token_types.typed_text import TypedText
from completion.token_types.types import TokenType
from completion.token_types.weighing import boost, weighed
from completion.values import CompletionRequest, never_cancelled
from models.language_model import LanguageModel
from models.prefill import prefill
from models.type_model import SHIPPED, TypeModel, TypeModelShape, load_type_model
from tests.unit.completion_helpers import at


def test_candidates_with_a_type_keep_what_they_have_in_sum() -> None:
    known = [log(0.5), log(0.3), log(0.2)]
    joined = weighed(known, [log(0.1), None, log(0.9)], 1.0)
    assert joined[1] == known[1]
    assert exp(joined[0]) + exp(joined[2]) == pytest.approx(0.7)
    assert exp(joined[2] - joined[0]) == pytest.approx(0.2 * 0.9 / (0.5 * 0.1))


@pytest.mark.parametrize(
    ("known", "types", "weight"),
    [
        ([log(0.5), log(0.5)], [None, None], 1.0),
        ([log(0.5), log(0.5)], [log(0.1), log(0.9)], 0.0),
        ([-inf, log(0.5)], [log(0.1), None], 1.0),
        ([], [], 1.0),
    ],
)
def test_nothing_changes_without_types_or_weight(
    known: list[float], types: list[float | None], weight: float
) -> None:
    assert weighed(known, types, weight) == pytest.approx(known)


def test_names_gain_by_how_near_they_are_declared() -> None:
    text = (
        "def near(a): pass\nclass B:\n    c = 1\n    def d(self, e):\n        self.f = e\n        "
    )
    declared = TypedText().follow(text).with_text("").scopes.declared()
    assert exp(boost("e", TokenType.PARAMETER, declared)) == pytest.approx(1.625)
    assert exp(boost("near", TokenType.FUNCTION, declared)) == pytest.approx(1.5)
    assert exp(boost("f", TokenType.ATTRIBUTE, declared)) == pytest.approx(1.625)
    assert exp(boost("c", TokenType.ATTRIBUTE, declared)) == pytest.approx(1.25)
    assert boost("unheard_of", TokenType.NAME, declared) == 0
    assert boost("B", TokenType.CLASS, declared) == 0


@pytest.mark.parametrize(
    ("text", "piece", "expected"),
    [
        ("import os\nos", ".path", "DOT"),
        ("import os\no", "s", ""),  # goes on with a name
        ("x = ", "os", "NAME"),
        ("import os\nx = ", "o", "KEYWORD MODULE NAME"),  # `or` and `os` begin so
        ("import os\nx = ", "os.", "MODULE"),
        ("def f(self):\n    self.", "x", "ATTRIBUTE"),
        ("def f(", "x", "PARAMETER"),
        ("x =", "=", ""),  # another sign than the one that stood there
        ("x = ", "'a", "STRING"),
        ("x = 1", " # a", "COMMENT"),
        ("x = 1", "\n", "NEWLINE"),
        ("f(1,", "\n", "NL"),
        ("if x:\n", "    ", ""),
        ("if x:\n", "    x", "NAME"),
        ("x = 1", " ", ""),
    ],
)
def test_a_piece_of_text_begins_tokens_of_some_types(text: str, piece: str, expected: str) -> None:
    prefix = TypedText().follow(text)
    found = types_begun(prefix, "", prefix.with_text(""), piece)
    assert " ".join(sorted(kind.name for kind in found)) == expected


class Counting(TypeModel):
    """Counts the tokens that it reads."""

    def __init__(self) -> None:
        super().__init__(TypeModelShape(types=len(TokenType), words=WORDS))
        self.tokens = 0

    def read(self, types: Tensor, words: Tensor, before: Tensor | None = None) -> Tensor:
        self.tokens += types.numel()
        return super().read(types, words, before)


def tokens_of(text: str) -> list[Numbers]:
    prefix = TypedText().follow(text)
    return numbers_of([*prefix.recent(1_000), *prefix.with_text("").tokens])


def test_only_what_is_new_is_read() -> None:
    model = Counting().eval()
    reader = TypeReader(model)
    first, longer, other = map(tokens_of, ("a = b(c", "a = b(c) + d", "a = b[c"))
    for tokens, read in ((first, 5), (longer, 3), (longer, 1), (other, 2), (first, 2)):
        model.tokens = 0
        assert torch.allclose(reader.after(tokens), TypeReader(model).after(tokens), atol=1e-5)
        assert model.tokens - len(tokens) == read


PIECES = ("", "(", " +", ".", "\n", "x", "'", "é")


def spell(token: int) -> bytes:
    return PIECES[token].encode() if token else b"\xc3"


def logits_of(**likely: float) -> Tensor:
    logits = torch.full((len(PIECES),), -20.0)
    for name, probability in likely.items():
        piece = {"call": "(", "plus": " +", "name": "x", "nothing": ""}[name]
        logits[PIECES.index(piece)] = log(probability)
    return logits


def chosen(text: str, logits: Tensor, written: Sequence[int] = ()) -> str:
    fusion = TypeFusion(TypeReader(load_type_model(SHIPPED)), spell)
    request = at(f"{text}▮")
    return PIECES[int(fusion.weigh(request, request.before)(written, logits).argmax())]


def test_where_the_model_is_unsure_the_types_decide() -> None:
    unsure = logits_of(call=0.45, plus=0.55)
    assert chosen("def send", unsure) == "("
    assert chosen("total = total", unsure) == " +"
    assert chosen("def sen", unsure, [PIECES.index("x")]) == "("


def test_what_the_model_is_sure_of_stands() -> None:
    assert chosen("def send", logits_of(call=0.05, plus=0.95)) == " +"


@pytest.mark.parametrize("text", ["x = 'def send", "# def send", '"""\ndef send'])
def test_types_have_no_say_in_text(text: str) -> None:
    assert chosen(text, logits_of(call=0.45, plus=0.55)) == " +"


def test_types_have_no_say_within_a_character() -> None:
    unsure = logits_of(call=0.45, plus=0.55)
    fusion = TypeFusion(TypeReader(load_type_model(SHIPPED)), spell)
    assert torch.equal(fusion.weigh(at("def send▮"), "def send")([0], unsure), unsure)


def test_types_have_no_say_in_other_languages() -> None:
    fusion = TypeFusion(TypeReader(load_type_model(SHIPPED)), spell)
    request = CompletionRequest("file.go", "func send", "", language="go")
    assert fusion.weigh(request, request.before) is as_they_are


@pytest.mark.parametrize("text", ["x = [" + "1, " * 400 + "f", "x = 1\n" * 100_000 + "def send"])
def test_types_have_no_say_where_reading_them_takes_long(text: str) -> None:
    fusion = TypeFusion(TypeReader(load_type_model(SHIPPED)), spell)
    assert fusion.weigh(at(f"{text}▮"), text) is as_they_are


def test_nothing_else_is_made_likelier() -> None:
    fusion = TypeFusion(TypeReader(load_type_model(SHIPPED)), spell)
    logits = logits_of(call=0.3, plus=0.3, name=0.4)
    fused = fusion.weigh(at("def send▮"), "def send")((), logits)
    assert fused[PIECES.index("x")] == logits[PIECES.index("x")]
    assert float(fused.logsumexp(-1)) == pytest.approx(float(logits.logsumexp(-1)), abs=1e-4)


SIZES = """import os


def sizes(folder):
    for name in os.listdir(folder):
        """


def write(model: LanguageModel, drafter: Drafter) -> Decoded:
    """What a model writes on with types."""
    tokens = model.tokenizer.encode(SIZES.rstrip(" "))
    cache = model.decoder.new_cache(len(tokens) + 128)
    logits = prefill(model.decoder, cache, tokens, never_cancelled)
    return decode_greedily(
        model,
        cache,
        logits,
        end_tokens=model.end_tokens,
        max_tokens=32,
        find_stop=lambda _: None,
        cancelled=never_cancelled,
        drafter=drafter,
        weigh=load_type_fusion(model.tokenizer).weigh(at(f"{SIZES}▮"), SIZES.rstrip(" ")),
    )


@pytest.mark.model
def test_drafts_write_the_same_with_types(default_model: LanguageModel) -> None:
    alone = write(default_model, Drafter())
    drafter = TreeDrafter()
    whole = [*default_model.tokenizer.encode(SIZES.rstrip(" ")), *alone.tokens]
    drafter.look_up.add(whole, range(len(whole)))
    drafted = write(default_model, drafter)
    assert drafted.accepted > 0
    assert drafted.tokens == alone.tokens
    assert "name" in drafted.text
