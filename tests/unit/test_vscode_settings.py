"""The extension for VS Code has each of the server's settings, with its default and its bounds."""

import json
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import pytest

from lsp_server.settings import Settings

PACKAGE = json.loads((Path(__file__).parents[2] / "vscode-extension/package.json").read_text())
CONTRIBUTED: dict[str, dict[str, Any]] = PACKAGE["contributes"]["configuration"]["properties"]
OWN = {"program", "python", "languages"}  # which the extension reads itself
# Where another language server for Python has them, they are off.
PARTS = {"menu", "hover", "navigation", "rename", "symbols", "diagnostics", "codeActions"}
TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def wire_name(field: "Field[Any]") -> str:
    first, *others = field.name.split("_")
    return first + "".join(map(str.title, others))


def test_it_has_all_of_them_and_no_others() -> None:
    names = {name.removeprefix("pirouette.") for name in CONTRIBUTED}
    assert names == OWN | {wire_name(field) for field in fields(Settings)}


@pytest.mark.parametrize("field", fields(Settings), ids=wire_name)
def test_defaults_bounds_and_words_are_the_servers(field: "Field[Any]") -> None:
    name = wire_name(field)
    told = CONTRIBUTED[f"pirouette.{name}"]
    assert told["markdownDescription"].startswith(field.metadata["help"])
    if name in PARTS:
        assert (told["enum"], told["default"]) == (["auto", "on", "off"], "auto")
        return
    assert told["type"] == TYPES[type(field.default)]
    assert told["default"] == field.default
    bounds = told.get("minimum"), told.get("maximum")
    assert bounds == (field.metadata["low"], field.metadata["high"])


def test_what_names_programs_and_folders_is_not_taken_from_untrusted_workspaces() -> None:
    restricted = PACKAGE["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    of_machine = {
        name for name, told in CONTRIBUTED.items() if told.get("scope") == "machine-overridable"
    }
    assert set(restricted) == of_machine
    for name in "program", "python":  # never from any workspace
        assert CONTRIBUTED[f"pirouette.{name}"]["scope"] == "machine"


def test_every_command_says_whose_it_is() -> None:
    for command in PACKAGE["contributes"]["commands"]:
        assert command["category"] == "Pirouette"
        assert command["command"].startswith("pirouette.")


def test_it_has_the_version_of_the_server() -> None:
    told = (Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8")
    assert f'version = "{PACKAGE["version"]}"' in told
