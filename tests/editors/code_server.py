"""A real VS Code for tests: code-server, seen through a headless browser.

It has the packaged extension, and a home of its own. Tests type keys and look.
"""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sysconfig
import textwrap
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.error import URLError

import platformdirs
import pytest
from PIL import Image
from playwright.sync_api import FloatRect, Locator, Page, expect

from models.store import default_home
from tests.browser import browser
from tests.editors.scripted_server import scripted_command

PROJECT = Path(__file__).parents[2]
PACKAGE = PROJECT / "build" / "pirouette.vsix"
ARTEFACTS = PROJECT / "build" / "editors"
INSTALLED = Path(platformdirs.user_cache_dir("pirouette")) / "code-server"
PATIENCE = 300.0  # seconds; a machine may be busy with other things
WIDTH, HEIGHT = 1180, 720
EDITOR: FloatRect = {"x": 343, "y": 35, "width": 740, "height": 420}  # where code stands
# On its own, and as what goes on from the item that is chosen in the menu.
GHOST_CLASSES = (
    "ghost-text",
    "ghost-text-decoration",
    "ghost-text-decoration-preview",
)
GHOST_TEXT = ", ".join(f".{name}" for name in GHOST_CLASSES)
NOWHERE = 400, 400
ROW = ".quick-input-list .monaco-list-row"

# Of a server that has nothing to wait for.
QUICK = {"pirouette.debounceMs": 0, "pirouette.relatedTokens": 0, "pirouette.menu": "off"}
# What would stand in the way of a test, or ask for a network.
SETTINGS: Mapping[str, Any] = {
    "extensions.autoCheckUpdates": False,
    "extensions.ignoreRecommendations": True,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "workbench.colorTheme": "Default Dark Modern",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "chat.commandCenter.enabled": False,
    "editor.minimap.enabled": False,
    "editor.fontSize": 15,
    "security.workspace.trust.startupPrompt": "never",
    "window.menuBarVisibility": "hidden",
    "window.restoreWindows": "none",
    "files.hotExit": "off",
    "files.autoSave": "off",
    "editor.wordBasedSuggestions": "off",
    "git.openRepositoryInParentFolders": "never",
}


def code_server_program() -> Path:
    """The program that `make code-server` installs; tests are skipped where it is not there."""
    program = INSTALLED / "node_modules" / ".bin" / "code-server"
    if not program.exists():
        pytest.skip("there is no code-server on this machine; run 'make code-server'")
    return program


def packaged_extension() -> Path:
    if not PACKAGE.exists():
        pytest.skip("the extension has not been packaged; run 'make vsix'")
    return PACKAGE


@dataclass(frozen=True, slots=True)
class VsCode:
    """One window of a running editor, and the folder that is open in it."""

    page: Page
    workspace: Path
    home: Path

    def open(self, name: str, text: str) -> None:
        """Open a new file with a text, the cursor at its end."""
        self.show(name, text)
        self.page.locator(".editor-instance .view-lines").first.click()
        self.press("Control+End")

    def show(self, name: str, text: str) -> None:
        """Open a new file with a text, in whichever editor is for it."""
        (self.workspace / name).write_text(text, encoding="utf-8")
        self.press("Control+o")
        self.choose_file(self.workspace / name)
        expect(self.page.locator(".tab.active", has_text=name)).to_be_visible()

    def close(self) -> None:
        """Close the active editor. Not by a key: a page that is shown keeps those for itself."""
        tab = self.page.locator(".tab.active")
        name = tab.inner_text().strip()
        tab.locator(".codicon-close").click()
        expect(self.page.locator(".tab", has_text=name)).not_to_be_visible()

    def type(self, text: str) -> None:
        """Type one key after the other, as a person does."""
        self.page.keyboard.type(text, delay=30)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def text(self) -> str:
        """What the active editor holds, once it is saved."""
        tab = self.page.locator(".tab.active")
        self.press("Control+s")
        expect(tab).not_to_have_class(re.compile(r"\bdirty\b"))
        return (self.workspace / tab.inner_text().strip()).read_text("utf-8")

    @property
    def ghost(self) -> str:
        """The ghost text on the screen, line by line."""
        found = self.page.locator(GHOST_TEXT).evaluate_all(
            "all => all.map(one => [one.getBoundingClientRect(), one.textContent])"
            ".map(([box, text]) => [Math.round(box.top), box.left, text])"
        )
        lines = [[text for _, _, text in line] for _, line in groupby(sorted(found), itemgetter(0))]
        return "\n".join(map("".join, lines)).replace("\u00a0", " ")

    def shows(self, ghost: str) -> None:
        """Wait for a ghost text, the empty one included."""
        self.until(lambda: self.ghost == ghost, lambda: f"{self.ghost!r} is not {ghost!r}")

    def until(self, met: Callable[[], bool], why: Callable[[], str]) -> None:
        for _ in range(int(PATIENCE / 0.05)):
            if met():
                return
            self.page.wait_for_timeout(50)
        self.save_picture("vscode-failed")
        raise AssertionError(why())

    def command(self, title: str) -> None:
        """Run a command by its title."""
        self.page.mouse.move(*NOWHERE)  # what it rests on may show something that takes the focus
        self.press("F1")
        self.choose(title, ">")

    def choose(self, label: str, before: str = "") -> None:
        """Take an entry of the list that is open, by its whole label."""
        self.page.locator(".quick-input-widget input").fill(f"{before}{label}")
        # Its description follows after a comma.
        labels = f"[aria-label='{label}'], [aria-label^='{label},']"
        row = self.page.locator(f"{ROW}:is({labels})")
        expect(row).to_be_visible()
        focused = self.page.locator(f"{ROW}.focused:is({labels})")
        for _ in range(self.page.locator(ROW).count()):
            if not focused.is_visible():
                self.press("ArrowDown")
        expect(focused).to_be_visible()
        self.press("Enter")
        expect(row).not_to_be_visible()

    def choose_file(self, path: Path) -> None:
        """Name the file that is asked for."""
        written = self.page.locator(".quick-input-widget input")
        expect(written).to_have_value(re.compile("/$"))  # the folder that it starts from

        def taken() -> bool:  # not while the folder is still being listed
            written.fill(str(path))
            self.press("Enter")
            self.page.wait_for_timeout(300)
            return not written.is_visible()

        self.until(taken, lambda: f"{path} is not taken")

    def answer(self, button: str) -> None:
        """Press a button of the dialog that is open."""
        self.dialog.get_by_role("button", name=button).click()
        expect(self.dialog).not_to_be_visible()

    @property
    def dialog(self) -> Locator:
        return self.page.locator(".monaco-dialog-box")

    @property
    def status(self) -> Locator:
        return self.page.locator("[id='pirouette.pirouette.pirouette']")

    def told_by_status(self) -> Locator:
        """What is shown when the mouse rests on the status."""
        self.page.mouse.move(*NOWHERE)
        self.status.hover()
        told = self.page.locator(".monaco-hover:visible", has_text="Pirouette is")
        expect(told).to_be_visible()
        return told

    def uses(self, model: str, ghost: str) -> None:
        """Wait until what is suggested after a `return` is of that model."""

        def used() -> str:
            self.type(" return ")
            self.shows(ghost)
            return self.told_by_status().inner_text()

        self.until(lambda: f"Model: {model}" in used(), used)

    def message(self, text: str) -> Locator:
        """What a notification says."""
        return self.page.locator(".notification-list-item", has_text=text).first

    def is_ready(self) -> None:
        """Wait until the server can suggest something."""
        expect(self.status.locator(".codicon-sparkle")).to_be_visible()

    def setting(self, name: str) -> Any:
        """What the user's own settings have of a name."""
        settings = self.home / "data" / "User" / "settings.json"
        return json.loads(settings.read_text("utf-8")).get(name)

    def save_picture(self, name: str) -> None:
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png")

    def seen(self) -> Image.Image:
        """What is on the screen now."""
        return Image.open(BytesIO(self.page.screenshot(clip=EDITOR)))


def save_film(name: str, frames: Sequence[tuple[Image.Image, int]]) -> None:
    """An animated picture; each frame with the milliseconds for which it stands."""
    first, *others = [frame.quantize(64) for frame, _ in frames]
    times = [time for _, time in frames]
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    first.save(
        ARTEFACTS / f"{name}.gif", append_images=others, save_all=True, duration=times, loop=0
    )


@contextmanager
def vscode(
    home: Path,
    settings: Mapping[str, Any],
    *,
    installed: bool = True,
    trusted: bool = True,
    others: Sequence[Path] = (),
) -> Iterator[VsCode]:
    """An editor with these settings beside those that keep it quiet, in a new and empty folder.

    `others` are the packages of further extensions that it has.
    """
    program, package = code_server_program(), packaged_extension()
    workspace = home / "workspace"
    workspace.mkdir(parents=True)
    # Those of the user, and those of the machine that the window works on.
    own = {**SETTINGS, "security.workspace.trust.enabled": not trusted}
    for name, told in ("User", own), ("Machine", settings):
        folder = home / "data" / name
        folder.mkdir(parents=True)
        (folder / "settings.json").write_text(json.dumps(told), encoding="utf-8")
    folders = [f"--user-data-dir={home / 'data'}", f"--extensions-dir={home / 'extensions'}"]
    surroundings = {
        **os.environ,
        "HOME": str(home),
        "PIROUETTE_HOME": str(default_home()),
    }
    for one in (package, *others) if installed else others:
        subprocess.run(
            [program, *folders, "--install-extension", one],
            env=surroundings,
            check=True,
            capture_output=True,
        )
    address = f"127.0.0.1:{free_port()}"
    options = [
        "--auth=none",
        f"--bind-addr={address}",
        "--disable-telemetry",
        "--disable-update-check",
    ]
    with (
        (home / "code-server.log").open("wb") as log,
        subprocess.Popen(
            [program, *folders, *options, workspace],
            env=surroundings,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            wait_for(f"http://{address}/healthz")
            with browser() as started:
                page = started.new_page(viewport={"width": WIDTH, "height": HEIGHT})
                page.set_default_timeout(1e3 * PATIENCE)
                expect.set_options(timeout=1e3 * PATIENCE)
                page.goto(f"http://{address}/?folder={workspace}")
                page.locator(".monaco-workbench .statusbar").wait_for()
                yield VsCode(page, workspace, home)
        finally:
            os.killpg(process.pid, signal.SIGTERM)


@contextmanager
def scripted_vscode(
    home: Path,
    script: Mapping[str, Sequence[str]],
    *,
    trusted: bool = True,
    others: Sequence[Path] = (),
) -> Iterator[VsCode]:
    """An editor that is ready, whose server suggests at once what a script tells it to."""
    program = program_of(scripted_command(home, script), home)
    settings = {"pirouette.program": str(program), **QUICK}
    with vscode(home / "editor", settings, trusted=trusted, others=others) as started:
        started.is_ready()
        yield started


def wait_for(address: str) -> None:
    """Until something answers there."""
    for _ in range(int(PATIENCE / 0.1)):
        try:
            with urllib.request.urlopen(address):
                return
        except (URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(f"nothing answers at {address}")


def process_with(*words: str) -> int:
    """The one that has all of the words in its command line. What it starts has them too for a
    moment, before it runs something else: the first one is meant."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            line = (folder / "cmdline").read_bytes().decode(errors="replace")
            if all(word in line for word in words):
                found.append(int(folder.name))
    return min(found)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def program_of(command: Sequence[str], folder: Path) -> Path:
    """The project's own program, but that another command is what it serves with."""
    own = Path(sysconfig.get_path("scripts")) / "pirouette"
    file = folder / "pirouette"
    script = f"""#!/bin/sh
    if [ "$1" = serve ]; then exec {shlex.join(command)}; fi
    exec {shlex.quote(str(own))} "$@"
    """
    file.write_text(textwrap.dedent(script), encoding="utf-8")
    file.chmod(0o755)
    return file
