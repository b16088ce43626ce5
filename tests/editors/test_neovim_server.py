"""The server's life in Neovim: started, lost, started again; and what the user is told of it."""

import os
import signal
import sysconfig
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from models.catalogue import DEFAULT_MODEL
from tests.editors.neovim import Neovim, neovim, set_up_call
from tests.editors.scripted_server import QUICK, scripted_command

SCRIPT = {"return ": ["first + second"]}
FUNCTION = "def add(first, second):\n    "


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def editor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neovim]:
    """Set up as any server is: without the plugin's `setup`, so without keys."""
    home = tmp_path_factory.mktemp("neovim")
    words = ", ".join(f'"{word}"' for word in scripted_command(home, SCRIPT))
    configuration = f"""
    vim.lsp.config("pirouette", {{ program = {{ {words} }}, init_options = {QUICK} }})
    vim.lsp.enable("pirouette")
    """
    async with neovim(home, configuration) as started:
        await started.edit("start.py", "")
        await started.ready()
        yield started


async def server_process(editor: Neovim) -> int:
    await editor.until_lua("#vim.api.nvim_get_proc_children(vim.fn.getpid()) == 1")
    return int(await editor.lua("return vim.api.nvim_get_proc_children(vim.fn.getpid())[1]"))


async def suggests(editor: Neovim, name: str) -> None:
    await editor.edit(name, FUNCTION)
    await editor.type("return ")
    await editor.shows("first + second")


async def test_enabling_it_is_enough_and_maps_no_keys(editor: Neovim) -> None:
    await suggests(editor, "enabled.py")
    ours = "vim.tbl_filter(function(map) return (map.desc or ''):match('Pirouette') end, %s)"
    assert await editor.lua("return #" + ours % "vim.api.nvim_get_keymap('i')") == 0
    assert await editor.lua("return #" + ours % "vim.api.nvim_buf_get_keymap(0, 'i')") == 0


async def test_the_status_tells_what_a_suggestion_cost(editor: Neovim) -> None:
    await suggests(editor, "status.py")
    await editor.until_lua("require('pirouette').status().latency_ms == 30")
    before = await editor.lua("return require('pirouette').status()")
    assert before["state"] == "ready"
    assert before["model"] == DEFAULT_MODEL
    assert before["confidence"] == 0.5
    await suggests(editor, "status-again.py")
    saved = f"require('pirouette').status().tokens_saved - {before['tokens_saved']}"
    await editor.until_lua(f"{saved} > 0 and ({saved}) % 95 == 0")
    await editor.lua(
        "vim.o.laststatus, vim.o.statusline = 2, [[%{v:lua.require'pirouette'.status_line()}]]"
    )
    await editor.until(lambda screen: "pirouette: 30 ms, " in screen.text())
    await editor.lua("vim.o.statusline = ''")


async def test_a_server_that_is_lost_comes_back(editor: Neovim) -> None:
    await suggests(editor, "lost.py")
    lost = await server_process(editor)
    os.kill(lost, signal.SIGKILL)
    await editor.told("the server ended (code 0, signal 9)")
    await editor.ready()
    assert await server_process(editor) != lost
    await suggests(editor, "found.py")


async def test_one_that_keeps_ending_waits_for_the_user(editor: Neovim) -> None:
    await editor.lua("for _ = 1, 4 do require('pirouette.server').on_exit(1, 0) end")
    await editor.until_lua("require('pirouette').status().state == 'stopped'")
    await editor.told("the server keeps ending")
    await editor.call("nvim_command", "Pirouette restart")
    await editor.ready()
    await suggests(editor, "restarted.py")


async def test_the_command_ends_and_starts_it(editor: Neovim) -> None:
    await suggests(editor, "command.py")
    before = await server_process(editor)
    await editor.call("nvim_command", "Pirouette disable")
    await editor.shows("")
    await editor.until_lua("#vim.lsp.get_clients() == 0")
    assert await editor.state() == "off"
    await editor.call("nvim_command", "Pirouette enable")
    await editor.ready()
    assert await server_process(editor) != before
    await suggests(editor, "enabled-again.py")


async def test_the_command_tells_and_completes(editor: Neovim) -> None:
    await editor.call("nvim_command", "Pirouette status")
    await editor.told("pirouette: 30 ms")
    names = ["disable", "enable", "log", "restart", "status"]
    assert (
        await editor.call("nvim_call_function", "getcompletion", ["Pirouette ", "cmdline"]) == names
    )
    await editor.call("nvim_command", "Pirouette dance")
    await editor.told("there is no 'dance'")
    await editor.call("nvim_command", "stopinsert | Pirouette log")
    assert str(await editor.lua("return vim.fn.expand('%:t')")).endswith(".log")
    await editor.call("nvim_command", "tabclose")


async def test_the_help_is_found(editor: Neovim) -> None:
    await editor.call("nvim_command", "stopinsert | helptags ALL | help pirouette-setup")
    assert await editor.lua("return vim.fn.expand('%:t')") == "pirouette.txt"
    for name in ("pirouette", "pirouette-keys", ":Pirouette", "pirouette.status()"):
        assert await editor.call("nvim_call_function", "getcompletion", [name, "help"])
    await editor.call("nvim_command", "helpclose")


async def test_health_tells_what_is_there(tmp_path: Path) -> None:
    program = str(Path(sysconfig.get_path("scripts")) / "pirouette")
    async with neovim(tmp_path, set_up_call([program, "serve"], "")) as editor:
        await editor.call("nvim_command", "checkhealth pirouette")
        report = "\n".join(await editor.lines())
        assert "shows suggestions" in report or "shows inline completions" in report
        assert f"{program}, version " in report
        assert "the model qwen2.5-coder" in report or "has not been fetched" in report
        assert "the server is not running" in report
        assert "ERROR" not in report


async def test_a_program_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    async with neovim(tmp_path, set_up_call(["no-such-program"], "")) as editor:
        await editor.until(lambda screen: "there is no program 'no-such-program'" in screen.text())
        assert await editor.state() == "missing"
        await editor.call("nvim_command", "checkhealth pirouette")
        report = "\n".join(await editor.lines())
        assert "ERROR there is no program 'no-such-program'" in report
        assert "pipx install" in report


async def test_comments_are_what_suggestions_look_like_under_any_colours(tmp_path: Path) -> None:
    async with neovim(tmp_path, set_up_call(["no-such-program"], "")) as editor:
        await editor.call("nvim_command", "colorscheme habamax")
        look = await editor.call("nvim_get_hl", 0, {"name": "PirouetteSuggestion"})
        assert look["link"] == "Comment"


async def test_options_that_are_not_there_are_told(tmp_path: Path) -> None:
    command = scripted_command(tmp_path, SCRIPT)
    async with neovim(tmp_path, set_up_call(command, "keymap = true")) as editor:
        await editor.until(lambda screen: "there is no option 'keymap'" in screen.text())


async def test_from_0_12_on_the_editor_itself_shows_suggestions(tmp_path: Path) -> None:
    command = scripted_command(tmp_path, SCRIPT)
    options = f"keymaps = true, settings = {QUICK}"
    async with neovim(tmp_path, set_up_call(command, options)) as editor:
        if not await editor.lua("return vim.lsp.inline_completion ~= nil"):
            pytest.skip("this Neovim is older than 0.12; name a later one in NVIM")
        await editor.edit("native.py", FUNCTION)
        await editor.ready()
        await editor.type("return ")
        await editor.until(lambda screen: "    return first + second" in screen.text())
        await editor.press("<M-w>")
        assert (await editor.lines())[1] == "    return first"
        await editor.until(lambda screen: "    return first" in screen.text())
        await editor.press("<C-w>")
        await editor.until(lambda screen: "    return first + second" in screen.text())
        await editor.press("<Tab>")
        assert (await editor.lines())[1] == "    return first + second"
