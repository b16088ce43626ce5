---Suggestions where Neovim shows them itself, from 0.12 on: this only asks it to.
local M = {}

---@param client vim.lsp.Client
function M.attach(client)
  vim.lsp.inline_completion.enable(true, { client_id = client.id })
end

function M.detach() end

function M.refresh() end

---Where an item begins on its line, in bytes; versions of Neovim 0.12 differ in how ranges are written.
---@param range? table
---@return integer?
local function start_column(range)
  return range and (range.start_col or range.start.col)
end

---@return boolean
local function is_shown()
  local namespace = vim.api.nvim_get_namespaces()["nvim.lsp.inline_completion"]
  return namespace ~= nil and #vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { limit = 1 }) > 0
end

---@param part fun(rest: string): string
---@return boolean
function M.accept(part)
  return vim.lsp.inline_completion.get({
    on_accept = function(item)
      -- Inserted here, since what a handler's answer means differs between versions of Neovim.
      local window = vim.api.nvim_get_current_win()
      local row, column = unpack(vim.api.nvim_win_get_cursor(window))
      local start = start_column(item.range) or column
      local typed = vim.api.nvim_get_current_line():sub(start + 1, column)
      local plain = require("pirouette.text").with_plain_line_ends(item.insert_text)
      local rest = require("pirouette.text").rest(plain, typed)
      if rest then
        require("pirouette.insertion").insert(0, row - 1, column, part(rest))
      end
    end,
  })
end

---@param step integer
---@return boolean
function M.cycle(step)
  vim.lsp.inline_completion.select({ count = step })
  return is_shown()
end

---@return boolean
function M.dismiss()
  if not is_shown() then
    return false
  end
  vim.lsp.inline_completion.enable(false, { bufnr = 0 })
  vim.lsp.inline_completion.enable(true, { bufnr = 0 })
  return true
end

return M
