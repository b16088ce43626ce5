---The answers that were given, and which of them is still true.
---
---An answer is kept together with the place that it was for. As long as the text between that place
---and the cursor is how it begins, the rest of it is what to show: so typing through a suggestion,
---and deleting back into it, ask for nothing.
local text = require("pirouette.text")

local M = {}

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

local kept = {} ---@type pirouette.Kept[] The latest first.

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
function M.find(place)
  for _, answer in ipairs(kept) do
    local typed = typed_since(answer, place)
    local rest = typed and text.rest(answer.texts[answer.index], typed)
    if rest then
      return { kept = answer, rest = rest }
    end
  end
end

---Keep the texts of an answer; returns them, or nil where there are none.
---@param place pirouette.Place
---@param items lsp.InlineCompletionItem[]
---@param by_hand boolean
---@return pirouette.Kept?
function M.keep(place, items, by_hand)
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

---Drop the answers that a change makes untrue: those whose place it moves, and all of its buffer where
---it is not the user's own typing before the cursor.
---@param buffer integer
---@param row integer Where the change begins.
---@param column integer
---@param typing boolean
function M.drop_untrue(buffer, row, column, typing)
  kept = vim.tbl_filter(function(answer)
    local behind = row > answer.row or (row == answer.row and column >= answer.column)
    return answer.buffer ~= buffer or (typing and behind)
  end, kept)
end

function M.clear()
  kept = {}
end

---Choose another of an answer's texts, among those that begin as what was typed since.
---@param answer pirouette.Kept
---@param place pirouette.Place
---@param step integer
function M.turn(answer, place, step)
  local typed = typed_since(answer, place)
  repeat
    answer.index = (answer.index - 1 + step) % #answer.texts + 1
  until not typed or text.rest(answer.texts[answer.index], typed)
end

return M
