"""Suggestions in VS Code: shown as ghost text, taken whole or in parts, counted, switched off."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.editors.code_server import VsCode, scripted_vscode

SCRIPT = {
    "return ": ["first + second", "second + first", "None"],
    "for ": ["one in many:\n        print(one)\n        done()"],
}
AREAS = """def area(width: float, height: float) -> float:
    return width * height


def volume(width: float, height: float, depth: float) -> float:
    return area(width, height) * depth
"""
FUNCTION = "def add(first, second):\n    "


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VsCode]:
    with scripted_vscode(tmp_path_factory.mktemp("vscode"), SCRIPT) as started:
        yield started


def test_what_is_typed_is_followed_by_ghost_text_that_tab_inserts(editor: VsCode) -> None:
    editor.open("whole.py", FUNCTION)
    editor.type("return ")
    editor.shows("first + second")
    editor.press("Tab")
    editor.shows("")
    assert editor.text == FUNCTION + "return first + second"


def test_further_lines_stand_below(editor: VsCode) -> None:
    editor.open("lines.py", FUNCTION)
    editor.type("for ")
    editor.shows("one in many:\n        print(one)\n        done()")
    editor.press("Tab")
    assert editor.text == FUNCTION + "for one in many:\n        print(one)\n        done()"


def test_a_word_or_a_line_of_it_is_inserted(editor: VsCode) -> None:
    editor.open("parts.py", FUNCTION)
    editor.type("for ")
    editor.shows("one in many:\n        print(one)\n        done()")
    editor.press("Control+ArrowRight")
    editor.shows(" in many:\n        print(one)\n        done()")
    editor.press("Control+Alt+ArrowRight")
    editor.shows("        print(one)\n        done()")
    assert editor.text.rstrip() == FUNCTION + "for one in many:"


def test_others_are_shown_when_asked_for(editor: VsCode) -> None:
    editor.open("others.py", FUNCTION)
    editor.type("return ")
    editor.shows("first + second")
    editor.press("Alt+BracketRight")
    editor.shows("second + first")
    editor.press("Alt+BracketRight")
    editor.shows("None")
    editor.press("Alt+BracketLeft")
    editor.shows("second + first")
    editor.press("Tab")
    assert editor.text == FUNCTION + "return second + first"


def test_typing_through_it_and_back_keeps_it(editor: VsCode) -> None:
    editor.open("through.py", FUNCTION)
    editor.type("return ")
    editor.shows("first + second")
    editor.type("first")
    editor.shows(" + second")
    editor.press("Backspace", "Backspace")
    editor.shows("st + second")


def test_escape_takes_it_away(editor: VsCode) -> None:
    editor.open("away.py", FUNCTION)
    editor.type("return ")
    editor.shows("first + second")
    editor.press("Escape")
    editor.shows("")
    editor.press("Tab")
    assert editor.text.rstrip() == FUNCTION + "return"


def test_after_an_edit_above_it_is_asked_for_anew(editor: VsCode) -> None:
    editor.open("above.py", FUNCTION + "return ")
    editor.press("Control+Home")
    editor.type("import os\n\n\n")
    editor.press("Control+End", "Backspace")
    editor.type(" ")
    editor.shows("first + second")
    editor.press("Tab")
    assert editor.text == "import os\n\n\n" + FUNCTION + "return first + second"


def test_cells_of_a_notebook_are_completed(editor: VsCode) -> None:
    editor.show("cells.ipynb", notebook("import os", FUNCTION))
    editor.page.locator(".notebookOverlay .monaco-editor .view-lines").last.click()
    editor.press("Control+End")
    editor.type("return ")
    editor.shows("first + second")
    editor.press("Tab")
    editor.shows("")
    [_, cell] = json.loads(editor.text)["cells"]
    assert "".join(cell["source"]) == FUNCTION + "return first + second"
    editor.close()


def notebook(*cells: str) -> str:
    written: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
    }
    listed = [{**written, "source": cell} for cell in cells]
    python = {"language_info": {"name": "python"}}
    return json.dumps({"cells": listed, "metadata": python, "nbformat": 4, "nbformat_minor": 2})


def test_none_are_made_in_a_language_that_is_switched_off(editor: VsCode) -> None:
    editor.open("notes.md", "")
    editor.type("return ")
    editor.press("Alt+Backslash")
    expect(editor.status.locator(".codicon-circle-slash")).to_be_visible()
    editor.shows("")
    editor.command("Pirouette: Enable or Disable Suggestions in This Language")
    expect(editor.message("makes suggestions in markdown")).to_be_visible()
    editor.type(" return ")
    editor.shows("first + second")
    assert editor.setting("pirouette.languages")["markdown"] is True


def test_all_are_switched_off_and_on(editor: VsCode) -> None:
    editor.open("off.py", FUNCTION)
    editor.command("Pirouette: Enable or Disable Suggestions")
    expect(editor.status.locator(".codicon-circle-slash")).to_be_visible()
    editor.type("return ")
    editor.press("Alt+Backslash")
    editor.shows("")
    editor.command("Pirouette: Enable or Disable Suggestions")
    editor.is_ready()
    editor.type(" return ")
    editor.shows("first + second")


def test_the_status_tells_what_a_suggestion_cost(editor: VsCode) -> None:
    editor.open("status.py", FUNCTION)
    editor.type("return ")
    editor.shows("first + second")
    told = editor.told_by_status()
    expect(told).to_contain_text("Model: qwen2.5-coder-0.5b-infilling")
    expect(told).to_contain_text("Latest suggestion: 30 ms")
    expect(told).to_contain_text("Tokens saved by the cache:")
    editor.save_picture("vscode-status")


def test_what_is_accepted_is_counted_here_and_can_be_cleared(editor: VsCode) -> None:
    editor.command("Pirouette: Show What Was Accepted")
    editor.answer("Clear")
    editor.open("counted.py", FUNCTION)
    editor.type("return ")
    editor.shows("first + second")
    editor.press("Tab", "Enter")
    editor.type("return ")
    editor.shows("first + second")
    editor.type("third")
    editor.shows("")
    editor.command("Pirouette: Show What Was Accepted")
    expect(editor.dialog).to_contain_text("python: 1 of 2 accepted (50 %)")
    editor.answer("Clear")
    editor.command("Pirouette: Show What Was Accepted")
    expect(editor.dialog).to_contain_text("Nothing was suggested yet.")
    editor.press("Escape")


def test_all_that_can_be_done_is_behind_the_status(editor: VsCode) -> None:
    editor.status.click()
    rows = editor.page.locator(".quick-input-list .monaco-list-row")
    expect(rows.filter(has_text="Evaluate This Repository")).to_be_visible()
    editor.save_picture("vscode-menu")
    editor.press("Escape")


def test_the_model_is_chosen_from_a_list(editor: VsCode) -> None:
    editor.command("Pirouette: Choose the Model")
    expect(editor.page.locator(".quick-input-list")).to_contain_text("in use")
    editor.save_picture("vscode-models")
    editor.choose("smollm2-135m-instruct")
    editor.open("model.py", FUNCTION)
    editor.uses("smollm2-135m-instruct", "first + second")


@pytest.mark.model
def test_the_repository_is_evaluated_and_the_report_is_shown(editor: VsCode) -> None:
    editor.open("areas.py", AREAS)
    assert editor.text == AREAS
    editor.command("Pirouette: Evaluate This Repository")
    editor.choose("20 places")
    expect(editor.message("Pirouette evaluates")).to_be_visible()
    expect(editor.page.locator(".tab.active")).to_contain_text("Report: workspace")
    report = editor.page.frame_locator("iframe.webview").frame_locator("iframe#active-frame")
    expect(report.locator("h1")).to_have_text("Completion in workspace")
    expect(report.get_by_text("Exact match by place")).to_be_visible()
    editor.save_picture("vscode-report")
    editor.close()


def test_an_api_is_found_for_a_wish(editor: VsCode) -> None:
    editor.open("letters.py", 'def post(letter):\n    """Send a letter to whom it is for."""\n')
    assert editor.text
    editor.command("Pirouette: Ask for an API")
    editor.page.locator(".quick-input-widget input").fill("send a letter")
    editor.press("Enter")
    found = editor.page.locator(".quick-input-list")
    expect(found).to_contain_text("def post(letter)")
    expect(found).to_contain_text("letters.py:1")
    editor.save_picture("vscode-search")
    editor.press("Escape")
