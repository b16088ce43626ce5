"""The server's life in VS Code: started, lost, started again; what the user is told of it."""

import os
import re
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.editors.code_server import VsCode, process_with, scripted_vscode

SCRIPT = {"return ": ["first + second"]}
FUNCTION = "def add(first, second):\n    "


def suggests(editor: VsCode, name: str) -> None:
    editor.open(name, FUNCTION)
    editor.type("return ")
    editor.shows("first + second")


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VsCode]:
    with scripted_vscode(tmp_path_factory.mktemp("vscode"), SCRIPT) as started:
        yield started


def server_process(editor: VsCode) -> int:
    return process_with(str(editor.home.parent / "script.json"))


def test_a_server_that_is_lost_comes_back(editor: VsCode) -> None:
    suggests(editor, "lost.py")
    lost = server_process(editor)
    os.kill(lost, signal.SIGKILL)
    expect(editor.status.locator(".codicon-loading")).to_be_visible()
    editor.is_ready()
    assert server_process(editor) != lost
    suggests(editor, "found.py")


def test_one_that_keeps_ending_waits_for_the_user(editor: VsCode) -> None:
    editor.command("Pirouette: Restart the Server")
    expect(editor.status.locator(".codicon-loading")).to_be_visible()
    for _ in range(4):
        editor.is_ready()
        os.kill(server_process(editor), signal.SIGKILL)
        expect(editor.status.locator(".codicon-sparkle")).not_to_be_visible()
    told = editor.message("Pirouette: the server keeps ending.")
    expect(told).to_be_visible()
    expect(editor.status.locator(".codicon-warning")).to_be_visible()
    editor.save_picture("vscode-ends")
    told.get_by_role("button", name="Restart").click()
    editor.is_ready()
    suggests(editor, "restarted.py")


def test_its_log_is_shown_with_the_levels_that_it_gives(editor: VsCode) -> None:
    editor.command("Pirouette: Show the Log")
    ready = re.compile(r"\[info\]\slsp_server.server:\smodel")
    expect(editor.page.locator(".panel .view-line", has_text=ready).first).to_be_visible()
    editor.press("Control+j")
