"""How VS Code starts: without a server, with one that is none, in a workspace without trust."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.sync_api import expect

from models.catalogue import DEFAULT_MODEL
from tests.editors.code_server import scripted_vscode, vscode


def test_a_program_that_is_not_there_is_told_once(tmp_path: Path) -> None:
    with vscode(tmp_path / "editor", {"pirouette.program": "/nowhere/pirouette"}) as editor:
        told = editor.message("there is no program '/nowhere/pirouette'")
        expect(told).to_contain_text("correct the setting 'pirouette.program'")
        expect(editor.status.locator(".codicon-warning")).to_be_visible()
        told.get_by_role("button", name="Open Settings").click()
        search = editor.page.locator(".settings-editor .suggest-input-container")
        expect(search).to_contain_text("pirouette.program")
        editor.save_picture("vscode-settings")


def test_one_that_is_no_server_is_told_with_its_log(tmp_path: Path) -> None:
    with vscode(tmp_path / "editor", {"pirouette.program": "/bin/false"}) as editor:
        expect(editor.message("Pirouette: the server does not start.")).to_be_visible()
        expect(editor.status.locator(".codicon-warning")).to_be_visible()
        expect(editor.page.locator(".notification-list-item")).to_have_count(1)
        editor.save_picture("vscode-no-server")


@pytest.mark.parametrize("trusted", [True, False])
def test_only_a_trusted_workspace_names_the_model(tmp_path: Path, trusted: bool) -> None:
    script = {"return ": ["first + second"]}
    with scripted_vscode(tmp_path, script, trusted=trusted) as editor:
        write_settings(editor.workspace, {"pirouette.model": "one-of-its-own"})
        editor.open("file.py", "def add(first, second):\n    ")
        editor.uses("one-of-its-own" if trusted else DEFAULT_MODEL, "first + second")


def write_settings(workspace: Path, settings: Mapping[str, str]) -> None:
    folder = workspace / ".vscode"
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
