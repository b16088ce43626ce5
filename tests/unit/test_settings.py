"""Settings: read tolerantly, told precisely, documented each."""

import json
from dataclasses import fields
from pathlib import Path

import pytest

from lsp_server.settings import Settings, camel_case, read_settings

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "settings.md"


def test_every_setting_is_documented_with_its_default_and_meaning() -> None:
    rows = [
        f"| `{camel_case(f.name)}` | `{json.dumps(f.default)}` | {f.metadata['help']}"
        + (f" ({f.metadata['low']} to {f.metadata['high']})" if f.metadata["high"] else "")
        + " |"
        for f in fields(Settings)
    ]
    table = [
        line for line in DOCUMENTATION.read_text("utf-8").split("\n") if line.startswith("| `")
    ]
    assert table == rows


def test_another_model_or_tool_is_another_completer() -> None:
    plain = Settings().of_completer()
    assert Settings(enabled=False).of_completer() == plain
    for changed in (Settings(model="other"), Settings(api_calls=True), Settings(monitors=False)):
        assert changed.of_completer() != plain


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (None, Settings()),
        ({}, Settings()),
        ({"maxTokens": 10}, Settings(max_tokens=10)),
        ({"pirouette": {"maxTokens": 10}}, Settings(max_tokens=10)),
        ({"minimumConfidence": 1}, Settings(minimum_confidence=1.0)),
        ({"minimumConfidence": 0.25}, Settings(minimum_confidence=0.25)),
        ({"enabled": False, "indentation": "2"}, Settings(enabled=False, indentation="2")),
    ],
)
def test_good_settings_are_taken(raw: object, expected: Settings) -> None:
    read = read_settings(raw)
    assert read.settings == expected
    assert read.complaints == ()


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        ([], "settings must be an object; the defaults are used"),
        ({"maxTokens": "64"}, "setting 'maxTokens': expected a whole number; 64 is used"),
        ({"maxTokens": True}, "setting 'maxTokens': expected a whole number; 64 is used"),
        ({"maxTokens": 0}, "setting 'maxTokens': expected 1 to 1024; 64 is used"),
        (
            {"minimumConfidence": "0.5"},
            "setting 'minimumConfidence': expected a number; 0.0 is used",
        ),
        ({"minimumConfidence": 1.5}, "setting 'minimumConfidence': expected 0 to 1; 0.0 is used"),
        (
            {"minimumConfidence": float("nan")},
            "setting 'minimumConfidence': expected 0 to 1; 0.0 is used",
        ),
        ({"enabled": 1}, "setting 'enabled': expected true or false; True is used"),
        (
            {"model": " "},
            "setting 'model': expected a name; 'qwen2.5-coder-0.5b-infilling' is used",
        ),
        (
            {"indentation": "wide"},
            "setting 'indentation': expected 'auto', 'tab' or a number from 1 to 16; "
            "'auto' is used",
        ),
        ({"colour": 1}, "unknown setting 'colour'; it is ignored"),
    ],
)
def test_bad_settings_are_told_and_their_defaults_used(raw: object, complaint: str) -> None:
    read = read_settings(raw)
    assert read.settings == Settings()
    assert read.complaints == (complaint,)


def test_one_bad_value_does_not_spoil_the_others() -> None:
    read = read_settings({"maxTokens": None, "debounceMs": 0})
    assert read.settings == Settings(debounce_ms=0)
    assert len(read.complaints) == 1


@pytest.mark.parametrize(
    ("indentation", "text", "expected"),
    [("tab", "", "\t"), ("3", "", "   "), ("auto", "if x:\n  y\n", "  ")],
)
def test_indentation_is_set_or_found_in_the_file(
    indentation: str, text: str, expected: str
) -> None:
    assert Settings(indentation=indentation).indentation_for(text) == expected
