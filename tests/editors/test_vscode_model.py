"""From an empty VS Code to suggestions of the real default model, as README says, no terminal.

The steps build on one another: the extension is installed, sets up its server, and completes.
"""

import ast
import os
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.editors.code_server import VsCode, packaged_extension, process_with, save_film, vscode
from tests.editors.examples import CODE

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VsCode]:
    """An editor with nothing installed."""
    with vscode(tmp_path_factory.mktemp("vscode") / "editor", {}, installed=False) as started:
        yield started


def suggested(editor: VsCode, name: str) -> str:
    """Type a real line into a new file; returns what is then suggested for its end."""
    editor.open(name, CODE)
    editor.press("Home")
    editor.type("        return ")
    editor.until(lambda: "width" in editor.ghost, lambda: editor.ghost)
    return editor.ghost


def test_it_is_installed_and_sets_itself_up_with_consent(editor: VsCode) -> None:
    editor.command("Extensions: Install from VSIX...")
    editor.choose_file(packaged_extension())
    asked = editor.message("Pirouette completes code with a model on this machine.")
    expect(asked).to_be_visible()
    assert not list(editor.home.rglob("installed-*"))
    editor.save_picture("vscode-asks")
    asked.get_by_role("button", name="Set Up").click()
    expect(editor.status.locator(".codicon-loading")).to_be_visible()
    editor.save_picture("vscode-sets-up")
    editor.is_ready()
    assert list(editor.home.rglob("installed-*"))
    assert not list(editor.workspace.iterdir())


def test_a_line_is_suggested_and_inserted(editor: VsCode) -> None:
    ghost = suggested(editor, "area.py")
    editor.save_picture("vscode")
    editor.press("Tab")
    editor.shows("")
    assert editor.text == CODE + f"        return {ghost}"


def test_methods_are_written_on_film(editor: VsCode) -> None:
    editor.open("rectangle.py", CODE)
    editor.press("Home")
    frames = [(editor.seen(), 900)]

    def suggestion_is_taken() -> None:
        editor.until(lambda: editor.ghost != "", lambda: "no ghost text")
        frames.append((editor.seen(), 1500))
        editor.press("Tab")
        editor.shows("")
        frames.append((editor.seen(), 900))

    def typed(text: str) -> None:
        for key in text:
            editor.type(key)
            frames.append((editor.seen(), 60))

    typed("        return ")
    suggestion_is_taken()
    editor.press("Escape", "Enter", "Enter", "Backspace")
    typed("def circumference(self)")
    editor.press("Escape")
    typed(" -> float:")
    editor.press("Escape", "Enter")
    typed("return ")
    suggestion_is_taken()
    save_film("vscode", frames)
    ast.parse(editor.text)


def test_words_and_lines_of_it_are_inserted(editor: VsCode) -> None:
    ghost = suggested(editor, "parts.py")
    editor.press("Control+ArrowRight")
    editor.until(lambda: editor.ghost != ghost, lambda: editor.ghost)
    rest = editor.ghost
    assert ghost.endswith(rest)
    assert editor.text == CODE + f"        return {ghost.removesuffix(rest)}"


def test_others_are_shown_when_asked_for(editor: VsCode) -> None:
    first = suggested(editor, "others.py")
    editor.press("Alt+BracketRight")
    editor.until(lambda: editor.ghost not in ("", first), lambda: editor.ghost)
    editor.save_picture("vscode-others")
    editor.press("Alt+BracketLeft")
    editor.shows(first)


def test_it_goes_on_from_the_item_that_is_chosen_in_the_menu(editor: VsCode) -> None:
    suggested(editor, "menu.py")
    editor.press("Escape")
    editor.type("self.wi")
    expect(editor.page.locator(".suggest-widget .monaco-list-row.focused")).to_contain_text("width")
    editor.until(lambda: editor.ghost.startswith("dth * self"), lambda: editor.ghost)
    editor.save_picture("vscode-menu-item")
    editor.press("Tab")
    editor.until(lambda: editor.ghost.startswith(" * self"), lambda: editor.ghost)
    assert editor.text == CODE + "        return self.width"


def test_an_edit_above_leaves_it_right(editor: VsCode) -> None:
    suggested(editor, "above.py")
    editor.press("Escape", "Control+Home")
    editor.type("import math\n\n\n")
    editor.press("Control+End")
    editor.type("self.width ")
    editor.until(lambda: "height" in editor.ghost, lambda: editor.ghost)
    editor.press("Tab")
    ast.parse(editor.text)
    assert editor.text.startswith("import math\n\n\nclass Rectangle:")


def test_a_server_that_is_lost_comes_back_and_suggests(editor: VsCode) -> None:
    suggested(editor, "lost.py")
    server = process_with(str(editor.home), "lsp_server.cli", "serve")
    os.kill(server, signal.SIGKILL)
    expect(editor.status.locator(".codicon-loading")).to_be_visible()
    editor.is_ready()
    suggested(editor, "found.py")
