---Suggestions at the cursor, where Neovim does not show them itself: when they are asked for, which
---of the answers is still true, and what is done with it. It knows one cursor, the user's.
---
---An answer is kept together with the place that it was for. As long as the text between that place
---and the cursor is how it begins, the rest of it is shown: so typing through a suggestion, and
---deleting back into it, ask for nothing.
local ghost_text = require("pirouette.ghost_text")
local text = require("pirouette.text")

local M = {}

local METHOD = "textDocument/inlineCompletion"
local AUTOMATIC = { triggerKind = 2 }
local BY_HAND = { triggerKind = 1 }
local MOST_KEPT = 8

---The cursor, in one state of a buffer.
---@class pirouette.Place
---@field buffer integer
---@field tick integer
---@field row integer From 0 on.
---@field column integer In bytes, from 0 on.
---@field line string

---@class pirouette.Kept
---@field buffer integer
---@field row integer Where the texts begin.
---@field column integer
---@field after string What stood behind that, on its line.
---@field texts string[]
---@field index integer Which of them is shown.
---@field by_hand boolean Whether these are all there are.

---@class pirouette.Shown
---@field kept pirouette.Kept
---@field rest string

---@class pirouette.Asked
---@field client vim.lsp.Client
---@field id? integer

local attached = {} ---@type table<integer, boolean>
local kept = {} ---@type pirouette.Kept[] The latest first.
local shown = nil ---@type pirouette.Shown?
local asked = nil ---@type pirouette.Asked?
local seen = nil ---@type pirouette.Place? For which nothing is left to do.
local erased = false -- by the latest change

---Whether a menu is open and the text at the cursor is not what is chosen in it.
---@param before string
---@return boolean
local function menu_in_the_way(before)
  if vim.fn.pumvisible() == 0 then
    return false
  end
  local info = vim.fn.complete_info({ "selected", "items" })
  local chosen = info.items[info.selected + 1]
  return not (chosen and vim.endswith(before, chosen.word))
end

---Where a suggestion may be shown; nil where none may.
---@return pirouette.Place?
local function place_now()
  local buffer = vim.api.nvim_get_current_buf()
  if not attached[buffer] or vim.fn.mode():sub(1, 1) ~= "i" then
    return nil
  end
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local line = vim.api.nvim_get_current_line()
  if menu_in_the_way(line:sub(1, column)) then
    return nil
  end
  local tick = vim.api.nvim_buf_get_changedtick(buffer)
  return { buffer = buffer, tick = tick, row = row - 1, column = column, line = line }
end

---@param one pirouette.Place?
---@param other pirouette.Place?
---@return boolean
local function same(one, other)
  return vim.deep_equal(one, other)
end

---What was typed since an answer, as far as its place is still there.
---@param answer pirouette.Kept
---@param place pirouette.Place
---@return string?
local function typed_since(answer, place)
  local behind = place.row > answer.row or (place.row == answer.row and place.column >= answer.column)
  if answer.buffer ~= place.buffer or not behind or place.line:sub(place.column + 1) ~= answer.after then
    return nil
  end
  local lines = vim.api.nvim_buf_get_text(place.buffer, answer.row, answer.column, place.row, place.column, {})
  return table.concat(lines, "\n")
end

---The latest answer that is still true at a place.
---@param place pirouette.Place
---@return pirouette.Shown?
local function find(place)
  for _, answer in ipairs(kept) do
    local typed = typed_since(answer, place)
    local rest = typed and text.rest(answer.texts[answer.index], typed)
    if rest then
      return { kept = answer, rest = rest }
    end
  end
end

---@param place pirouette.Place
---@param found pirouette.Shown?
local function show(place, found)
  shown = found
  if found then
    ghost_text.show(place.buffer, place.row, place.column, found.rest)
  else
    ghost_text.clear(place.buffer)
  end
end

local function hide()
  if asked and asked.id then
    asked.client:cancel_request(asked.id)
  end
  asked, seen, shown = nil, nil, nil
  for buffer in pairs(attached) do
    ghost_text.clear(buffer)
  end
end

---Keep the texts of an answer; returns them, or nil where there are none.
---@param place pirouette.Place
---@param items lsp.InlineCompletionItem[]
---@param by_hand boolean
---@return pirouette.Kept?
local function keep(place, items, by_hand)
  local texts = vim.tbl_map(function(item)
    return text.with_plain_line_ends(item.insertText)
  end, items)
  if #texts == 0 then
    return nil
  end
  local answer = {
    buffer = place.buffer,
    row = place.row,
    column = place.column,
    after = place.line:sub(place.column + 1),
    texts = texts,
    index = 1,
    by_hand = by_hand,
  }
  table.insert(kept, 1, answer)
  kept[MOST_KEPT + 1] = nil
  return answer
end

---Ask for suggestions at a place; only the answer to the latest question counts, and only while
---the text and the cursor are those that it was for.
---@param place pirouette.Place
---@param context { triggerKind: integer }
---@param answered? fun(answer: pirouette.Kept)
local function ask(place, context, answered)
  local client = vim.lsp.get_clients({ bufnr = place.buffer, name = "pirouette" })[1]
  if not client then
    return
  end
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = context
  local this = { client = client } ---@type pirouette.Asked
  asked = this
  local _, id = client:request(METHOD, params, function(_, result)
    if asked ~= this then
      return
    end
    asked = nil
    if not result or not same(place, place_now()) then
      return
    end
    local answer = keep(place, result.items or result, context == BY_HAND)
    if answer and answered then
      answered(answer)
    end
    show(place, find(place))
  end, place.buffer)
  this.id = id
end

---Have on the screen what is true now, and ask for it where it is not known.
local function update()
  local place = place_now()
  if not place then
    return hide()
  end
  if same(place, seen) then
    return
  end
  local edited = not (seen and seen.buffer == place.buffer and seen.tick == place.tick)
  seen = place
  local found = find(place)
  show(place, found)
  if found or (edited and erased) then
    asked = nil -- the server has given up what a change made untrue
    return
  end
  ask(place, AUTOMATIC)
end

---Look at a place that has been looked at before, as something else has changed.
function M.refresh()
  seen, erased = nil, false
  update()
end

---Drop the answers that a change makes untrue: those whose place it moves, and all of them where
---it is not the user's own typing before the cursor.
---@param buffer integer
---@param row integer Where the change begins.
---@param column integer
---@param grown integer By how many bytes.
local function note_change(buffer, row, column, grown)
  local typing = buffer == vim.api.nvim_get_current_buf()
    and vim.fn.mode():sub(1, 1) == "i"
    and row < vim.api.nvim_win_get_cursor(0)[1]
  erased = grown < 0
  kept = vim.tbl_filter(function(answer)
    local behind = row > answer.row or (row == answer.row and column >= answer.column)
    return answer.buffer ~= buffer or (typing and behind)
  end, kept)
end

---@param _ vim.lsp.Client
---@param buffer integer
function M.attach(_, buffer)
  if attached[buffer] then
    return
  end
  attached[buffer] = true
  vim.api.nvim_buf_attach(buffer, false, {
    on_bytes = function(_, _, _, row, column, _, _, _, old_length, _, _, new_length)
      if not attached[buffer] then
        return true
      end
      note_change(buffer, row, column, new_length - old_length)
    end,
    on_reload = function()
      kept = {}
    end,
    on_detach = function()
      attached[buffer] = nil
    end,
  })
  local group = vim.api.nvim_create_augroup("pirouette.inline." .. buffer, {})

  ---@param events string|string[]
  ---@param run fun()
  local function on(events, run)
    vim.api.nvim_create_autocmd(events, { group = group, buffer = buffer, callback = run })
  end

  on({ "CursorMovedI", "TextChangedI", "TextChangedP" }, update)
  on({ "InsertEnter", "CompleteDone" }, function()
    vim.schedule(M.refresh) -- when the mode has changed, and the menu has closed
  end)
  on({ "CompleteChanged", "InsertLeave", "BufLeave" }, hide)
  M.refresh()
end

---@param buffer integer
function M.detach(buffer)
  if #vim.lsp.get_clients({ bufnr = buffer, name = "pirouette" }) > 1 then
    return
  end
  hide()
  attached[buffer] = nil
  pcall(vim.api.nvim_del_augroup_by_name, "pirouette.inline." .. buffer)
end

---@param part fun(rest: string): string
---@return boolean
function M.accept(part)
  -- Keys that are typed fast come before the events of those before them: look again.
  local place = place_now()
  local found = shown and place and find(place)
  if not (place and found) then
    return false
  end
  require("pirouette.insertion").insert(place.buffer, place.row, place.column, part(found.rest))
  update()
  return true
end

---Choose another of an answer's texts, among those that begin as what was typed since.
---@param answer pirouette.Kept
---@param place pirouette.Place
---@param step integer
local function turn(answer, place, step)
  local typed = typed_since(answer, place)
  repeat
    answer.index = (answer.index - 1 + step) % #answer.texts + 1
  until not typed or text.rest(answer.texts[answer.index], typed)
end

---@param step integer
---@return boolean
function M.cycle(step)
  local place = place_now()
  if not place then
    return false
  end
  local before = find(place)
  if shown and before and before.kept.by_hand then
    turn(before.kept, place, step)
    show(place, find(place))
  else
    ask(place, BY_HAND, function(answer)
      for index, one in ipairs(answer.texts) do
        if before and one == before.rest then
          answer.index = index
          turn(answer, place, step)
          break
        end
      end
    end)
  end
  return true
end

---@return boolean
function M.dismiss()
  local place = place_now()
  if not (shown and place) then
    return false
  end
  kept = {}
  hide()
  seen = place
  return true
end

return M
