"""Suggestions of the real default model in a real Neovim, set up as the README says."""

import os
import re
import signal
import sysconfig
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.editors.examples import CODE
from tests.editors.neovim import ARTEFACTS, SUGGESTION, Neovim, neovim

README = Path(__file__).parents[2] / "README.md"

pytestmark = pytest.mark.model


def configuration() -> str:
    """What the README has users write."""
    found = re.search(r"### Neovim.*?```lua\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert found
    lines = found[1].splitlines()
    assert len(lines) <= 10
    return found[1]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def editor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neovim]:
    """An editor that finds the `pirouette` of this environment on its path; its model is ready."""
    home = tmp_path_factory.mktemp("neovim")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(
            "PATH", f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
        )
        async with neovim(home, configuration()) as started:
            await started.edit("start.py", "")
            await started.ready()
            yield started


async def suggested(editor: Neovim, name: str) -> str:
    """Type a real line into a new file; returns what is then suggested for its end."""
    await editor.edit(name, CODE + "\n")
    await editor.press("        ret")
    await editor.type("urn ")
    await editor.until(lambda screen: "width" in screen.of_group(SUGGESTION))
    return editor.screen.of_group(SUGGESTION)


async def test_a_line_is_suggested_and_inserted(editor: Neovim) -> None:
    ghost = await suggested(editor, "area.py")
    first = ghost.partition("\n")[0]
    assert f"        return {first}" in editor.screen.text().splitlines()
    editor.screen.save(ARTEFACTS / "neovim")
    await editor.press("<Tab>")
    lines = await editor.lines()
    assert lines[: CODE.count("\n")] == CODE.splitlines()
    assert "\n".join(lines[CODE.count("\n") :]) == f"        return {ghost}"


async def test_words_and_lines_of_it_are_inserted(editor: Neovim) -> None:
    ghost = await suggested(editor, "parts.py")
    await editor.press("<M-w>")
    [typed] = re.findall(r"^        return (.+)$", "\n".join(await editor.lines()), re.MULTILINE)
    assert ghost.startswith(typed)
    await editor.shows(ghost.removeprefix(typed))
    await editor.press("<M-l>")
    assert (await editor.lines())[
        CODE.count("\n")
    ] == f"        return {ghost.partition(chr(10))[0]}"


async def test_others_are_shown_when_asked_for(editor: Neovim) -> None:
    first = await suggested(editor, "others.py")
    await editor.call("nvim_input", "<M-]>")
    await editor.until(lambda screen: screen.of_group(SUGGESTION) not in ("", first))
    other = editor.screen.of_group(SUGGESTION)
    editor.screen.save(ARTEFACTS / "neovim-others")
    await editor.call("nvim_input", "<M-[>")
    await editor.shows(first)
    await editor.call("nvim_input", "<M-]>")
    await editor.shows(other)


async def test_an_edit_above_leaves_it_right(editor: Neovim) -> None:
    await suggested(editor, "above.py")
    above = ["from __future__ import annotations", "", ""]
    await editor.call("nvim_buf_set_lines", 0, 0, 0, True, above)
    await editor.until(lambda screen: screen.text().startswith(above[0]))
    await editor.answered()
    await editor.until(lambda screen: "width" in screen.of_group(SUGGESTION))
    ghost = editor.screen.of_group(SUGGESTION)
    assert f"        return {ghost.partition(chr(10))[0]}" in editor.screen.text().splitlines()
    await editor.press("<Tab>")
    code = "\n".join([*above, CODE]) + f"        return {ghost}"
    assert "\n".join(await editor.lines()) == code
    compile(code, "above.py", "exec")


async def test_a_server_that_is_lost_comes_back_and_suggests(editor: Neovim) -> None:
    await suggested(editor, "lost.py")
    [server] = await editor.lua("return vim.api.nvim_get_proc_children(vim.fn.getpid())")
    os.kill(server, signal.SIGKILL)
    await editor.until_lua("require('pirouette').status().state ~= 'ready'")
    await editor.ready()
    await suggested(editor, "found.py")
    status = await editor.lua("return require('pirouette').status()")
    assert status["tokens_read"] > 0
