"""Which tokens may follow a name that is partly written, against the definition."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from completion.monitors.identifier_masks import IdentifierMasks, identifier_at
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


@given(names=NAMES, length=st.integers(0, 6))
def test_a_mask_is_what_the_definition_says(
    model: LanguageModel, masks: IdentifierMasks, names: frozenset[str], length: int
) -> None:
    spelled = [name.encode() for name in names]
    written = min(spelled)[:length]
    left = [name[len(written) :] for name in spelled if name.startswith(written)]
    mask = masks.following(spelled, written)
    assert mask is not None
    assert [token for token, allowed in enumerate(mask.allowed) if allowed] == [
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
    mask = masks.following(spelled, b"", blank=True)
    assert mask is not None
    for token, allowed in enumerate(mask.allowed.tolist()):
        written = model.tokenizer.token_bytes(token)
        names_something = identifier_at(written.removeprefix(b" "))
        assert allowed == (
            not names_something or any(may_follow(written, b" " + name) for name in spelled)
        )


def test_a_name_that_begins_as_none_of_them_has_no_mask(masks: IdentifierMasks) -> None:
    assert masks.following([b"first", b"second"], b"third") is None


def test_the_text_may_end_where_a_name_is_whole_only(
    model: LanguageModel, masks: IdentifierMasks
) -> None:
    (end,) = model.end_tokens
    whole, begun = masks.following([b"x"], b"x"), masks.following([b"x"], b"")
    assert whole is not None
    assert whole.allowed[end]
    assert begun is not None
    assert not begun.allowed[end]


def test_what_everything_has_is_taken_where_it_was_meant_only(
    model: LanguageModel, masks: IdentifierMasks
) -> None:
    mask = masks.following([b"x", b"__class__"], b"")
    assert mask is not None
    x, underscore, y = (model.tokenizer.encode(text)[0] for text in ("x", "_", "y"))
    logits = torch.zeros(model.decoder.config.vocabulary)
    logits[underscore] = 1.0
    assert mask.of(logits)[underscore]
    logits[y] = 2.0  # nothing has it
    assert not mask.of(logits)[underscore]
    assert mask.of(logits)[x]
