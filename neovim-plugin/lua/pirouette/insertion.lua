---Puts accepted text into a buffer.
local M = {}

---End the step of undoing that typing is in.
---@param buffer integer
local function end_undo_step(buffer)
  vim.bo[buffer].undolevels = vim.bo[buffer].undolevels
end

---Insert at the cursor of the current window, which then stands behind it; one step to undo.
---@param buffer integer
---@param row integer From 0 on.
---@param column integer In bytes, from 0 on.
---@param accepted string
function M.insert(buffer, row, column, accepted)
  end_undo_step(buffer)
  local lines = vim.split(accepted, "\n", { plain = true })
  vim.api.nvim_buf_set_text(buffer, row, column, row, column, lines)
  end_undo_step(buffer)
  local last = #lines == 1 and column + #lines[1] or #lines[#lines]
  vim.api.nvim_win_set_cursor(0, { row + #lines, last })
end

return M
