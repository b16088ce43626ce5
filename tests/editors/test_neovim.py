"""Suggestions in a real Neovim, from a real server whose model says what it is told to."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.editors.neovim import SUGGESTION, Neovim, neovim, set_up_call
from tests.editors.scripted_server import QUICK, scripted_command

SCRIPT = {
    "return ": ["first + second", "first - second", "second"],
    "total = ": ["sum(\n    values,\n)"],
    "first": [" * 2"],
    "\tif ": ["a\tb:\n\t\treturn"],
    "windows = ": ["one\ntwo"],
}
FUNCTION = "def add(first, second):\n    "


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def editor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neovim]:
    """One editor for tests that leave it as it was; each opens a file of its own."""
    home = tmp_path_factory.mktemp("neovim")
    options = f"keymaps = true, settings = {QUICK}"
    async with neovim(home, set_up_call(scripted_command(home, SCRIPT), options)) as started:
        await started.edit("start.py", "")
        await started.ready()
        yield started


async def test_ghost_text_stands_at_the_cursor_and_in_the_way_of_nothing(editor: Neovim) -> None:
    await editor.edit("inline.py", FUNCTION + "  # the sum\n\nadd(1, 2)")
    await editor.lua("vim.api.nvim_win_set_cursor(0, { 2, 4 })")
    await editor.type("return ")
    await editor.shows("first + second")
    assert "    return first + second  # the sum\n\nadd(1, 2)" in editor.screen.text()
    assert editor.screen.cursor == (1, len("    return "))
    assert (await editor.lines())[1] == "    return   # the sum"


async def test_further_lines_stand_below_and_above_what_follows(editor: Neovim) -> None:
    await editor.edit("lines.py", "\nprint(total)")
    await editor.lua("vim.api.nvim_win_set_cursor(0, { 1, 0 })")
    await editor.type("total = ")
    await editor.shows("sum(\n    values,\n)")
    assert "total = sum(\n    values,\n)\nprint(total)" in editor.screen.text()


async def test_tab_inserts_all_of_it_and_one_undo_takes_it_back(editor: Neovim) -> None:
    await editor.edit("accept.py", "")
    await editor.type("total = ")
    await editor.shows("sum(\n    values,\n)")
    await editor.press("<Tab>")
    assert await editor.lines() == ["total = sum(", "    values,", ")"]
    await editor.shows("")
    await editor.type(" + 1")
    assert (await editor.lines())[-1] == ") + 1"
    await editor.press("<Esc>u")
    await editor.press("u")
    assert await editor.lines() == ["total = "]


async def test_keys_typed_fast_are_taken_in_their_order(editor: Neovim) -> None:
    await editor.edit("fast.py", FUNCTION)
    await editor.type("return ")
    await editor.shows("first + second")
    await editor.press("fir<Tab>!")
    await editor.until_lua("vim.endswith(vim.api.nvim_get_current_line(), '!')")
    assert (await editor.lines())[1] == "    return first + second!"


async def test_tab_is_a_tab_where_nothing_is_shown(editor: Neovim) -> None:
    await editor.edit("tab.py", "")
    await editor.lua("vim.bo.expandtab = false")
    await editor.press("<Tab>")
    assert await editor.lines() == ["\t"]


async def test_a_key_that_had_a_meaning_keeps_it_where_nothing_is_shown(editor: Neovim) -> None:
    await editor.edit("meaning.py", FUNCTION)
    others = ", ".join(
        f"{name} = false" for name in ("accept_line", "accept_word", "next", "previous", "dismiss")
    )
    for before in (
        'vim.keymap.set("i", "<F2>", function() return "one" end, { expr = true })',
        'vim.keymap.set("i", "<F2>", function() vim.api.nvim_put({ "one" }, "c", true, true) end)',
        'vim.cmd("inoremap <F2> one")',
        "vim.cmd([[inoremap <expr> <F2> 'one']])",
    ):
        await editor.lua(
            f'{before} require("pirouette.keymaps").set({{ accept = "<F2>", {others} }})'
        )
        await editor.call("nvim_buf_set_lines", 0, 0, -1, True, [""])
        await editor.press("<F2>")
        await editor.until_lua("vim.api.nvim_get_current_line() == 'one'")
        await editor.press("<C-u>return ")
        await editor.shows("first + second")
        await editor.press("<F2>")
        assert await editor.lines() == ["return first + second"]
        await editor.lua('vim.keymap.del("i", "<F2>")')


async def test_typing_through_it_keeps_it_there_without_a_flicker(editor: Neovim) -> None:
    await editor.edit("through.py", FUNCTION)
    await editor.type("return ")
    await editor.shows("first + second")
    asked = await editor.answered()
    frames = len(editor.screen.frames)
    await editor.type("first + ")
    await editor.shows("second")
    shown = editor.screen.frames[frames:]
    assert len(shown) >= len("first + ")
    assert all("    return first + second\n" in frame for frame in shown)
    assert await editor.answered() == asked


async def test_it_is_there_again_after_deleting_back_and_nothing_was_asked(editor: Neovim) -> None:
    await editor.edit("back.py", FUNCTION)
    await editor.type("return ")
    await editor.shows("first + second")
    await editor.type("fix")
    await editor.shows("")
    asked = await editor.answered()
    await editor.press("<BS>")
    await editor.shows("rst + second")
    await editor.press("<BS>")
    await editor.press("<BS>")
    await editor.shows("first + second")
    await editor.press("<BS>")
    await editor.shows("")
    await editor.press("<BS>")
    await editor.press("<C-w>")
    assert await editor.answered() == asked


async def test_words_and_lines_of_it(editor: Neovim) -> None:
    await editor.edit("parts.py", "")
    await editor.type("total = ")
    await editor.shows("sum(\n    values,\n)")
    asked = await editor.answered()
    await editor.press("<M-w>")
    await editor.shows("(\n    values,\n)")
    await editor.press("<M-l>")
    await editor.shows("    values,\n)")
    assert await editor.lines() == ["total = sum("]
    await editor.press("<M-w>")
    await editor.shows(",\n)")
    assert await editor.lines() == ["total = sum(", "    values"]
    assert await editor.answered() == asked
    await editor.press("<M-l>")
    await editor.press("<M-l>")
    assert await editor.lines() == ["total = sum(", "    values,", ")"]


async def test_the_others_come_when_asked_for(editor: Neovim) -> None:
    await editor.edit("others.py", FUNCTION)
    await editor.type("return ")
    await editor.shows("first + second")
    for key, expected in (
        ("<M-]>", "first - second"),
        ("<M-]>", "second"),
        ("<M-]>", "first + second"),
        ("<M-[>", "second"),
        ("<M-[>", "first - second"),
    ):
        await editor.call("nvim_input", key)
        await editor.shows(expected)
    await editor.type("first ")
    await editor.shows("- second")
    await editor.call("nvim_input", "<M-]>")
    await editor.shows("+ second")
    await editor.press("<Tab>")
    assert (await editor.lines())[1] == "    return first + second"


async def test_dismissed_it_is_gone_until_the_text_changes(editor: Neovim) -> None:
    await editor.edit("dismiss.py", FUNCTION)
    await editor.type("return")
    await editor.press(" ")
    await editor.shows("first + second")
    asked = await editor.answered()
    await editor.call("nvim_input", "<C-]>")
    await editor.shows("")
    assert await editor.answered() == asked
    await editor.press("<CR>")
    await editor.press("return ")
    await editor.shows("first + second")


async def test_leaving_insert_mode_takes_it_away_and_coming_back_shows_it(editor: Neovim) -> None:
    await editor.edit("modes.py", FUNCTION)
    await editor.type("return ")
    await editor.shows("first + second")
    await editor.call("nvim_input", "<Esc>")
    await editor.shows("")
    await editor.call("nvim_input", "a")
    await editor.shows("first + second")


async def test_a_menu_has_precedence_until_something_is_chosen_in_it(editor: Neovim) -> None:
    await editor.lua('vim.o.completeopt = "menuone,noselect"')
    await editor.edit("menu.py", "first = 1\nfinal = 2\n\n")
    await editor.type("fi")
    await editor.call("nvim_input", "<C-x><C-p>")
    await editor.until_lua("vim.fn.pumvisible() == 1")
    await editor.until(lambda screen: "final" in screen.text().splitlines()[4])
    assert editor.screen.of_group(SUGGESTION) == ""
    await editor.press("<C-p>")  # final
    assert editor.screen.of_group(SUGGESTION) == ""
    await editor.press("<C-p>")  # first
    await editor.shows(" * 2")
    await editor.press("<Tab>")
    assert (await editor.lines())[2] == "first * 2"


async def test_an_edit_above_moves_it_with_the_cursor(editor: Neovim) -> None:
    await editor.edit("above.py", FUNCTION)
    await editor.type("return ")
    await editor.shows("first + second")
    await editor.call("nvim_buf_set_lines", 0, 0, 0, True, ["import os", "", ""])
    await editor.until(lambda screen: screen.text().startswith("import os"))
    await editor.shows("first + second")
    assert (
        "import os\n\n\ndef add(first, second):\n    return first + second\n"
        in editor.screen.text()
    )
    await editor.press("<Tab>")
    assert (await editor.lines())[3:] == ["def add(first, second):", "    return first + second"]


async def test_tabs_are_as_wide_as_they_will_be(editor: Neovim) -> None:
    await editor.edit("wide.go", "")
    await editor.lua("vim.bo.tabstop, vim.bo.expandtab, vim.bo.indentexpr = 4, false, ''")
    await editor.press("<C-v><Tab>if ")
    await editor.until(lambda screen: "    if a    b:\n        return\n" in screen.text())
    await editor.press("<Tab>")
    assert await editor.lines() == ["\tif a\tb:", "\t\treturn"]


async def test_windows_line_ends_are_none_of_the_buffers(editor: Neovim) -> None:
    await editor.edit("windows.py", "# a file\r\n\r\n")
    assert await editor.lua("return vim.bo.fileformat") == "dos"
    await editor.type("windows = ")
    await editor.shows("one\ntwo")
    await editor.press("<Tab>")
    assert (await editor.lines())[-2:] == ["windows = one", "two"]


async def test_an_answer_for_an_older_text_or_place_is_never_shown(editor: Neovim) -> None:
    """Here the server is a function inside the editor, which answers when it is told to."""
    await editor.edit("stale.py", "")
    await editor.lua(
        """
        vim.lsp.buf_detach_client(0, vim.lsp.get_clients({ bufnr = 0 })[1].id)
        Answers = {}
        local function answer(method, _, callback)
          if method == "initialize" then
            callback(nil, { capabilities = { inlineCompletionProvider = true } })
          else
            table.insert(Answers, function(text)
              callback(nil, { items = { { insertText = text } } })
            end)
          end
          return true, #Answers
        end
        vim.lsp.start({ name = "pirouette", root_dir = "/", cmd = function()
          return { request = answer, notify = function() return true end,
            is_closing = function() return false end, terminate = function() end }
        end })
        """
    )
    await editor.until_lua("#Answers == 1")
    await editor.type("ab")
    await editor.until_lua("#Answers == 3")
    await editor.call("nvim_input", "<Left>")
    await editor.until_lua("#Answers == 4")
    for number, text in ((1, "for nothing"), (2, "for a"), (3, "for ab"), (4, "for the place")):
        await editor.lua(f"Answers[{number}]('{text}')")
    await editor.shows("for the place")
    assert not any(
        f"for {other}" in frame
        for other in ("nothing", "a", "ab")
        for frame in editor.screen.frames
    )
    await editor.lua("vim.lsp.buf_detach_client(0, vim.lsp.get_clients({ bufnr = 0 })[1].id)")
    await editor.shows("")
