"""Which tokens may follow a name that is partly written, against the definition."""

from math import inf
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion.monitors.identifier_masks import (
    LIKENESS,
    IdentifierMasks,
    identifier_at,
    likeness,
)
from models.language_model import LanguageModel
from tests.unit.completion_helpers import load_tiny_model, write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("model")
    write_model(folder)
    return load_tiny_model(folder)


@pytest.fixture(scope="module")
def masks(model: LanguageModel) -> IdentifierMasks:
    return IdentifierMasks(model.tokenizer)


NAMES = st.frozensets(
    st.sampled_from(["x", "y", "total", "totals", "first", "second_", "größe", "名", "_f", "a1"]),
    min_size=1,
)


def may_follow(token: bytes, remainder: bytes) -> bool:
    """Writes the beginning of what is left, all of it, or all of it and the end of a name."""
    if remainder.startswith(token):
        return bool(token) or not remainder
    return token.startswith(remainder) and not identifier_at(token[len(remainder) :])


def allowed(
    masks: IdentifierMasks, names: list[bytes], written: bytes, *, blank: bool = False
) -> list[int]:
    mask = masks.following(names, written, b"meant", blank=blank)
    assert mask is not None
    return [token for token, more in enumerate(mask.tolist()) if more > -inf]


@given(names=NAMES, length=st.integers(0, 6))
def test_a_mask_is_what_the_definition_says(
    model: LanguageModel, masks: IdentifierMasks, names: frozenset[str], length: int
) -> None:
    spelled = [name.encode() for name in names]
    written = min(spelled)[:length]
    left = [name[len(written) :] for name in spelled if name.startswith(written)]
    assert allowed(masks, spelled, written) == [
        token
        for token in range(model.tokenizer.size)
        if any(may_follow(model.tokenizer.token_bytes(token), rest) for rest in left)
    ]


@given(names=NAMES)
def test_after_a_blank_only_names_are_masked(
    model: LanguageModel, masks: IdentifierMasks, names: frozenset[str]
) -> None:
    """Anything that is no name may stand there: an opening bracket, a star."""
    spelled = [name.encode() for name in names]
    found = allowed(masks, spelled, b"", blank=True)
    for token in range(model.tokenizer.size):
        written = model.tokenizer.token_bytes(token)
        names_something = identifier_at(written.removeprefix(b" "))
        assert (token in found) == (
            not names_something or any(may_follow(written, b" " + name) for name in spelled)
        )


def test_a_name_that_begins_as_none_of_them_has_no_mask(masks: IdentifierMasks) -> None:
    assert masks.following([b"first", b"second"], b"third", b"third") is None


def test_the_text_may_end_where_a_name_is_whole_only(
    model: LanguageModel, masks: IdentifierMasks
) -> None:
    (end,) = model.end_tokens
    assert end in allowed(masks, [b"x"], b"x")
    assert end not in allowed(masks, [b"x"], b"")


@given(names=NAMES, meant=st.text(alphabet="afstx_1", min_size=1))
def test_what_a_token_gains_is_what_the_likest_name_does_that_it_may_be_of(
    model: LanguageModel, masks: IdentifierMasks, names: frozenset[str], meant: str
) -> None:
    spelled = [name.encode() for name in names]
    mask = masks.following(spelled, b"", meant.encode())
    assert mask is not None
    for token, more in enumerate(mask.tolist()):
        written = model.tokenizer.token_bytes(token)
        gained = [
            LIKENESS * likeness(meant.encode(), name)
            for name in spelled
            if may_follow(written, name)
        ]
        assert more == pytest.approx(max(gained, default=-inf))


def test_likeness_is_of_letters_whatever_their_case() -> None:
    assert likeness(b"serverInfo", b"serverInfo") == likeness(b"serverinfo", b"serverInfo") == 1
    assert likeness(b"infer", b"perform_inference") > likeness(b"infer", b"evaluate")
    assert likeness(b"stateless", b"_stateless") > likeness(b"stateless", b"stateful")


def test_what_everything_has_is_taken_where_it_was_meant_only() -> None:
    assert likeness(b"name", b"__name__") < likeness(b"name", b"zzz")
    assert likeness(b"__name", b"__name__") > likeness(b"__name", b"name")
