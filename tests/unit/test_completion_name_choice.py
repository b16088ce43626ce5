"""Names that exist, chosen whole: by how likely all of each is, and how like what was written."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from completion.monitors.names import ends_of_names, identifier_at
from completion.name_choice import (
    LIKENESS,
    SpelledPlace,
    choose_name,
    likeness,
    read_names,
    spell_names,
    worth_writing,
)
from models.language_model import LanguageModel
from tests.unit.completion_helpers import load_tiny_model, write_model

NAMES = [b"x", b"total", b"totals", b"first", b"second_", "größe".encode(), b"_f", b"a1"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


def joint_by_hand(model: LanguageModel, prompt: list[int], name: tuple[int, ...]) -> float:
    """One token after the other, and one that ends the name."""
    cache = model.decoder.new_cache(50)
    logits = model.decoder.logits(model.decoder.forward(prompt, cache)[-1])
    total = 0.0
    for token in name:
        total += float(logits.log_softmax(-1)[token])
        logits = model.decoder.logits(model.decoder.forward([token], cache)[-1])
    likely = logits.softmax(-1)
    spellings = [model.tokenizer.token_bytes(token) for token in range(model.tokenizer.size)]
    ends = sum(float(likely[token]) for token, s in enumerate(spellings) if not identifier_at(s))
    return total + float(torch.tensor(ends).log())


@given(names=st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
def test_names_are_read_in_one_pass_as_if_each_were_written(
    model: LanguageModel, names: list[bytes]
) -> None:
    prompt = model.tokenizer.encode("return self.")
    spellings = spell_names(model.tokenizer, names, SpelledPlace(b""))
    cache = model.decoder.new_cache(100)
    logits = model.decoder.logits(model.decoder.forward(prompt, cache)[-1])
    ends = ends_of_names(model.tokenizer)
    read = read_names(model.decoder, cache, logits.log_softmax(-1), spellings, ends, most=80)
    known = {name: joint_by_hand(model, prompt, spellings[name]) for name in names}
    assert {name: read.joint(name) for name in names} == pytest.approx(known, abs=1e-3)

    meant = names[0] + b"s"
    best = max(names, key=lambda name: known[name] + LIKENESS * likeness(meant, name))
    chosen = choose_name(model.decoder, cache, logits, spellings, meant, ends)
    assert chosen is not None
    name, branch = chosen
    if len(spellings) == len(read_names(model.decoder, cache, logits, spellings, ends).tokens):
        assert name == best
    assert branch.tokens == spellings[name]
    assert cache.length == len(prompt)


def test_a_name_is_spelled_as_it_would_be_in_its_text(model: LanguageModel) -> None:
    """After tokens that stay, and with what was typed of it."""
    encode = model.tokenizer.encode
    place = SpelledPlace(b"return self.to", tuple(encode("return")), typed=2)
    spelled = spell_names(model.tokenizer, [b"total", b"tops"], place)
    for name, tokens in spelled.items():
        assert [*encode("return"), *tokens] == encode("return self." + name.decode())


def test_names_for_which_there_is_no_room_are_left_out(model: LanguageModel) -> None:
    prompt = model.tokenizer.encode("self.")
    cache = model.decoder.new_cache(len(prompt) + 2)
    logits = model.decoder.logits(model.decoder.forward(prompt, cache)[-1])
    ends = ends_of_names(model.tokenizer)

    def chosen(*names: bytes) -> bytes | None:
        spellings = spell_names(model.tokenizer, names, SpelledPlace(b""))
        best = choose_name(model.decoder, cache, logits, spellings, b"zz", ends)
        return None if best is None else best[0]

    assert chosen(b"zq" * 20) is None
    assert chosen(b"zq" * 20, b"x") == b"x"


def test_likeness_is_of_letters_whatever_their_case() -> None:
    assert likeness(b"serverInfo", b"serverInfo") == likeness(b"serverinfo", b"serverInfo") == 1
    assert likeness(b"infer", b"perform_inference") > likeness(b"infer", b"evaluate")
    assert likeness(b"stateless", b"_stateless") > likeness(b"stateless", b"stateful")


def test_what_everything_has_is_no_makeshift() -> None:
    names = frozenset([b"__name__", b"__class__", b"zzz"])
    assert worth_writing(names, b"name") == {b"zzz"}
    assert worth_writing(names, b"__name") == names
    assert worth_writing(names - {b"zzz"}, b"name") == names - {b"zzz"}
