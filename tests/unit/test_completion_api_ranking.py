"""APIs that a search found, in the order that the model gives them."""

import math
from pathlib import Path

import pytest

from completion.api_ranking import MOST, FoundApi, by_likelihood, declaration
from completion.values import never_cancelled
from models.errors import Cancelled
from models.language_model import LanguageModel
from models.progress import Progress
from models.tokenizer import CodeTokenizer
from tests.unit.completion_helpers import CancelAfter, load_tiny_model, write_model

SHOP = (
    FoundApi("shop/cart.py", "Cart.add", "def add(self, item, count=1)"),
    FoundApi("shop/cart.py", "Cart.total", "def total(self)"),
    FoundApi("shop/mail.py", "send_letter", "def send_letter(to, text)"),
    FoundApi("shop/cart.py", "Cart.trim", "def trim(self, most)"),
)


@pytest.fixture(scope="module", params=["float32", "8 bits"])
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("tiny")
    write_model(folder)
    return load_tiny_model(folder, exact=request.param == "float32")


def step_by_step(model: LanguageModel, text: str, wish: str) -> float:
    """The mean log-probability of the tokens of `wish` after `text`, read one by one."""
    cache = model.decoder.new_cache(1024)
    before = [*model.tokenizer.start_tokens, *model.tokenizer.encode(text)]
    logits = model.decoder.logits(model.decoder.forward(before, cache)[-1])
    tokens = model.tokenizer.encode(wish)
    total = 0.0
    for token in tokens:
        total += float(logits.log_softmax(-1)[token])
        logits = model.decoder.logits(model.decoder.forward([token], cache)[-1])
    return total / len(tokens)


@pytest.mark.parametrize(
    ("api", "text"),
    [
        (SHOP[2], '# shop/mail.py\ndef send_letter(to, text):\n    """'),
        (SHOP[1], '# shop/cart.py\nclass Cart:\n    def total(self):\n        """'),
        (
            FoundApi("shop/cart.py", "Cart", "class Cart(Basket)"),
            '# shop/cart.py\nclass Cart(Basket):\n    """',
        ),
        (
            FoundApi("a.py", "C.size", "@cache @property def size(self) -> int"),
            '# a.py\nclass C:\n    @cache\n    @property\n    def size(self) -> int:\n        """',
        ),
        (
            FoundApi("shop/cart.ts", "Cart.total", "total(): number"),
            "// shop/cart.ts, Cart\ntotal(): number  //",
        ),
        (
            FoundApi("cart.go", "Cart", "type Cart struct { n int }"),
            "// cart.go\ntype Cart struct { n int }  //",
        ),
    ],
)
def test_an_api_is_read_as_its_file_declares_it(api: FoundApi, text: str) -> None:
    assert declaration(api) == text


@pytest.mark.parametrize("start", [[], [7, 8]])
def test_likelihood_and_rank_decide_together(
    tiny: LanguageModel, start: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CodeTokenizer, "start_tokens", start)
    found = (*SHOP, FoundApi("cart.ts", "Cart.sum", "sum(): number"))
    scores = [
        step_by_step(tiny, declaration(api), f"{space}name in names") - math.log(10 + rank)
        for rank, (api, space) in enumerate(zip(found, ("", "", "", "", " "), strict=True), 1)
    ]
    best = sorted(range(len(found)), key=scores.__getitem__, reverse=True)
    assert by_likelihood(tiny, " name in names\n", found, never_cancelled) == best


def test_what_was_found_further_behind_stays_there(tiny: LanguageModel) -> None:
    found = [FoundApi(f"{number}.py", "f", f"def f(x{number})") for number in range(MOST + 3)]
    order = by_likelihood(tiny, "first", found, never_cancelled)
    assert sorted(order[:MOST]) == list(range(MOST))
    assert order[MOST:] == [MOST, MOST + 1, MOST + 2]


@pytest.mark.parametrize("wish", ["", "  \n", "x" * 10_000, "\N{GRINNING FACE}\x00<|fim_suffix|>"])
def test_any_wish_has_an_order(tiny: LanguageModel, wish: str) -> None:
    assert sorted(by_likelihood(tiny, wish, SHOP, never_cancelled)) == [0, 1, 2, 3]
    assert by_likelihood(tiny, wish, SHOP[:1], never_cancelled) == [0]
    assert by_likelihood(tiny, wish, (), never_cancelled) == []


def test_a_declaration_of_any_length_is_read(tiny: LanguageModel) -> None:
    long = FoundApi("a.py", "f", f"def f({', '.join(f'x{n}' for n in range(5_000))})")
    assert sorted(by_likelihood(tiny, "first", (long, *SHOP), never_cancelled)) == [0, 1, 2, 3, 4]


def test_reading_is_called_off_between_layers(tiny: LanguageModel) -> None:
    told: list[Progress] = []
    with pytest.raises(Cancelled):
        by_likelihood(tiny, "first", SHOP, CancelAfter(4), told.append)
    assert [(one.done, one.total) for one in told] == [(0, 4), (1, 4)]


@pytest.mark.model
@pytest.mark.parametrize(
    ("wish", "best"),
    [
        ("how do I keep only the newest entries", 3),
        ("what does everything cost together", 1),
        ("tell a customer something by post", 2),
    ],
)
def test_the_model_knows_what_an_api_is_for(
    default_model: LanguageModel, wish: str, best: int
) -> None:
    for turn in range(len(SHOP)):
        found = (*SHOP[turn:], *SHOP[:turn])
        first, *_ = by_likelihood(default_model, wish, found, never_cancelled)
        assert found[first] == SHOP[best]
