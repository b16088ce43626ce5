"""The packages that code uses are those of the environment that the user has chosen.

Microsoft's extension for Python is asked for that. It is only to be had from a marketplace: another
one of its name, with the same interface, stands in for it here.
"""

import json
import zipfile
from pathlib import Path

from tests.editors.code_server import VsCode, scripted_vscode
from tests.editors.scripted_server import ENVIRONMENT

MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="python" Version="1.0.0" Publisher="ms-python"/>
    <DisplayName>Python</DisplayName>
  </Metadata>
  <Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json"/>
  </Assets>
</PackageManifest>
"""
CHOOSE = "Choose the Other Environment"
DESCRIPTION = {
    "name": "python",
    "publisher": "ms-python",
    "version": "1.0.0",
    "engines": {"vscode": "^1.90.0"},
    "main": "./main.js",
    "activationEvents": ["onStartupFinished"],
    "contributes": {"commands": [{"command": "standIn.choose", "title": CHOOSE}]},
}
SOURCE = """
const { commands, EventEmitter, Uri } = require("vscode");
const chosen = new EventEmitter();
let path = %s;
exports.activate = ({ subscriptions }) => {
  subscriptions.push(commands.registerCommand("standIn.choose", () => chosen.fire((path = %s))));
  return {
    environments: {
      getActiveEnvironmentPath: () => ({ path }),
      onDidChangeActiveEnvironmentPath: chosen.event,
      resolveEnvironment: async ({ path }) => ({ environment: { folderUri: Uri.file(path) } }),
    },
  };
};
"""


def stand_in(folder: Path, first: Path, other: Path) -> Path:
    """A package of it, whose user has chosen one environment and may choose the other one."""
    package = folder / "python.vsix"
    source = SOURCE % (json.dumps(str(first)), json.dumps(str(other)))
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("extension.vsixmanifest", MANIFEST)
        archive.writestr("extension/package.json", json.dumps(DESCRIPTION))
        archive.writestr("extension/main.js", source)
    return package


def shows_environment(editor: VsCode, name: str, environment: Path) -> None:
    editor.open(name, "")
    editor.type("environment = ")
    editor.shows(str(environment))


def test_another_choice_is_followed(tmp_path: Path) -> None:
    first, other = tmp_path / "first", tmp_path / "other"
    for folder in (first, other):
        folder.mkdir()
    package = stand_in(tmp_path, first, other)
    with scripted_vscode(tmp_path, {"environment = ": [ENVIRONMENT]}, others=[package]) as editor:
        shows_environment(editor, "first.py", first)
        editor.command(CHOOSE)
        editor.is_ready()
        shows_environment(editor, "other.py", other)
