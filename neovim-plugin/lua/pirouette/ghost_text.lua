---Draws suggested text at a place in a buffer, beside the text that is there and never over it.
local text = require("pirouette.text")

local M = {}

local GROUP = "PirouetteSuggestion"
local namespace = vim.api.nvim_create_namespace("pirouette")
local MARK = 1 -- one mark a buffer: showing again moves it, without a moment in between

---@param buffer integer
---@param row integer From 0 on.
---@param column integer In bytes, from 0 on.
---@param suggested string The first line goes to the place, further ones below its line.
function M.show(buffer, row, column, suggested)
  local lines = vim.split(suggested, "\n", { plain = true })
  local before = vim.api.nvim_buf_get_text(buffer, row, 0, row, column, {})[1]
  local first = text.with_spaces(table.remove(lines, 1), vim.fn.strdisplaywidth(before))
  vim.api.nvim_buf_set_extmark(buffer, namespace, row, column, {
    id = MARK,
    virt_text = first ~= "" and { { first, GROUP } } or nil,
    virt_text_pos = "inline",
    virt_lines = vim.tbl_map(function(line)
      return { { text.with_spaces(line, 0), GROUP } }
    end, lines),
  })
end

---@param buffer integer
function M.clear(buffer)
  if vim.api.nvim_buf_is_valid(buffer) then
    vim.api.nvim_buf_del_extmark(buffer, namespace, MARK)
  end
end

return M
