"""Prompts: the format of each model family, and no text that becomes a marker."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from completion.context_budget import middle_start
from completion.prompt import PromptBuilder
from completion.prompt_formats import LEFT_CONTEXT, PROMPT_FORMATS, PromptFormat, choose_format
from models.language_model import LanguageModel
from tests.unit.completion_helpers import MARKERS, at, load_tiny_model, write_model

MARKERS_OF = {
    "qwen": "<|fim_prefix|> {before} <|fim_suffix|> {after} <|fim_middle|> {middle}",
    "starcoder": "<fim_prefix> {before} <fim_suffix> {after} <fim_middle> {middle}",
    "deepseek": "<{bar}fim▁begin{bar}> {before} <{bar}fim▁hole{bar}> {after} "
    "<{bar}fim▁end{bar}> {middle}",
    "codellama": "▁<PRE> {before} ▁<SUF> {after} ▁<MID> {middle}",
    "codestral": "[SUFFIX] {after} [PREFIX] {before} {middle}",
}
BEFORE = "".join(f"x{n}\n" for n in range(20)) + "x="


def tiny(folder: Path, control: tuple[str, ...]) -> LanguageModel:
    write_model(folder, control)
    return load_tiny_model(folder)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    return tiny(tmp_path_factory.mktemp("model"), MARKERS)


def spell(model: LanguageModel, tokens: list[int]) -> str:
    """The prompt as text, markers spelled out."""
    names = {token: name for name, token in model.tokenizer.control.items()}
    return "".join(names.get(token) or model.tokenizer.decode([token]) for token in tokens)


def test_every_format_is_known() -> None:
    assert [known.name for known in PROMPT_FORMATS] == list(MARKERS_OF)


@pytest.mark.parametrize("known", PROMPT_FORMATS, ids=lambda known: known.name)
def test_format_is_chosen_by_its_markers(known: PromptFormat) -> None:
    control = dict.fromkeys(known.markers, 0)
    assert choose_format(control) == replace(known, files=None)
    assert known.uses_suffix

    if known.files is not None:
        of_files = dict.fromkeys((known.files.repository, known.files.file), 0)
        assert choose_format(control | of_files) is known

    control.pop(known.markers[-1])
    assert choose_format(control) is LEFT_CONTEXT


@pytest.mark.parametrize("known", PROMPT_FORMATS, ids=lambda known: known.name)
def test_parts_stand_in_the_order_of_the_format(known: PromptFormat, tmp_path: Path) -> None:
    model = tiny(tmp_path, known.markers)
    prompt = PromptBuilder.for_model(model, 200).build(at(BEFORE + "▮\ny"))

    split = middle_start(BEFORE, 100)
    assert 0 < split < len(BEFORE)
    parts = {"before": BEFORE[:split], "middle": BEFORE[split:], "after": "\ny"}
    markers = MARKERS_OF[known.name].replace(" ", "")
    expected = markers.format(**parts, bar="\N{FULLWIDTH VERTICAL LINE}")
    assert spell(model, prompt.whole) == expected


def test_anchors_are_the_markers_and_the_text_next_to_the_cursor(model: LanguageModel) -> None:
    after = "".join(map(str, range(50, 90)))
    prompt = PromptBuilder.for_model(model, 1000).build(at(BEFORE + "\n▮" + after))

    before = BEFORE + "\n"
    prefix = before[: middle_start(before, 1000)]
    middle = before.removeprefix(prefix)
    assert len(middle) < 16
    anchored = [prompt.tokens[position] for position in sorted(prompt.anchors)]
    assert spell(model, anchored) == (
        f"<|fim_prefix|>{before[:4]}{prefix[len(middle) - 16 :]}"
        f"<|fim_suffix|>{after[:4]}<|fim_middle|>{middle}"
    )


def test_anchors_before_the_cursor_go_on_into_the_prefix(model: LanguageModel) -> None:
    """Where the middle is the cursor's own short line, the lines above it are anchored as well."""
    before = "".join(f"x{n}" for n in range(90)) + "\nab"
    builder = PromptBuilder.for_model(model, 400)
    prompt = builder.build(at(before + "▮\ny"))

    start = prompt.tokens.index(model.tokenizer.control[MARKERS[1]])
    assert len(prompt.tokens) - 1 - prompt.tokens.index(model.tokenizer.control[MARKERS[2]]) < 3
    assert prompt.anchors >= set(range(start - 14, start))


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("x = 1\n", ""),
        ("x = 1\n    ", "\n    "),
        ("x = 1\nreturn fir", " fir"),
        ("x = 1\ny", ""),
        ("", ""),
    ],
    ids=["line end", "indentation", "word", "no token goes on", "empty"],
)
def test_text_that_a_token_may_go_on_from_is_written_again(
    model: LanguageModel, text: str, rewritten: str
) -> None:
    prompt = PromptBuilder.for_model(model, 1000).build(at(text + "▮"))
    assert model.tokenizer.decode(list(prompt.end.rewritten)) == rewritten
    assert spell(model, prompt.tokens).endswith(text.removesuffix(rewritten))
    assert spell(model, prompt.whole).endswith(text)


def test_without_markers_only_the_text_before_the_cursor_is_read(tmp_path: Path) -> None:
    model = tiny(tmp_path, ("<|endoftext|>",))
    builder = PromptBuilder.for_model(model, 100)

    assert builder.format is LEFT_CONTEXT
    prompt = builder.build(at("x =▮\ny"))
    assert spell(model, prompt.whole) == "x ="
    assert len(builder.build(at("▮y")).tokens) == 1


@given(st.lists(st.sampled_from([*MARKERS, "x", "\n", "<|", "|>"]), max_size=9).map("".join))
def test_text_that_spells_markers_is_read_as_text(model: LanguageModel, text: str) -> None:
    builder = PromptBuilder.for_model(model, 1000)
    prompt = builder.build(at(text + "▮" + text))
    control = set(model.tokenizer.control.values())

    assert [token for token in prompt.tokens if token in control] == [
        model.tokenizer.control[name] for name in MARKERS[:3]
    ]
    before = text[: middle_start(text, 1000)]
    middle = text.removeprefix(before)
    assert spell(model, prompt.whole) == (
        f"{MARKERS[0]}{before}{MARKERS[1]}{text}{MARKERS[2]}{middle}"
    )


@pytest.mark.parametrize("budget", [-1, 0, 1, 4, 5, 50, 10_000])
def test_prompt_keeps_to_its_budget(model: LanguageModel, budget: int) -> None:
    """Within half of what the model can read, and never without its markers."""
    builder = PromptBuilder.for_model(model, budget)
    prompt = builder.build(at("value = 1\n" * 500 + "▮" + "\nvalue = 2" * 500)).tokens

    half = model.decoder.config.context_length // 2
    assert len(prompt) <= builder.budget <= max(4, min(budget, half))
    assert prompt[0] == model.tokenizer.control[MARKERS[0]]


@pytest.mark.parametrize("word", ["a" * 3000, "first" * 3000, " " * 3000, "é" * 3000])
def test_a_word_longer_than_any_is_read_to_its_end(model: LanguageModel, word: str) -> None:
    prompt = PromptBuilder.for_model(model, 1000).build(at("x = 1\n" + word + "▮"))
    assert word.endswith(model.tokenizer.decode(prompt.whole)[-300:])


def test_every_control_token_ends_a_completion(model: LanguageModel) -> None:
    builder = PromptBuilder.for_model(model, 100)
    assert builder.end_tokens >= model.end_tokens
    assert builder.end_tokens >= set(model.tokenizer.control.values())
    assert builder.end_tokens.isdisjoint(model.tokenizer.encode("x = 1\n"))


def test_a_lone_surrogate_before_the_cursor_is_read_as_a_replacement(model: LanguageModel) -> None:
    prompt = PromptBuilder.for_model(model, 200).build(at("x = a\ud800▮"))
    assert prompt.end.piece.decode().endswith("\ufffd")
