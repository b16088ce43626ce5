---Suggestions where Neovim shows them itself, from 0.12 on: this only asks it to.
local M = {}

---@param client vim.lsp.Client
function M.attach(client)
  vim.lsp.inline_completion.enable(true, { client_id = client.id })
end

function M.detach() end

function M.refresh() end

---@param part fun(rest: string): string
---@return boolean
function M.accept(part)
  return vim.lsp.inline_completion.get({
    on_accept = function(item)
      -- Inserted here, since what a handler's answer means differs between versions of Neovim.
      local window = vim.api.nvim_get_current_win()
      local row, column = unpack(vim.api.nvim_win_get_cursor(window))
      local typed = item.range and vim.api.nvim_get_current_line():sub(item.range.start.col + 1, column) or ""
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
  return true
end

---@return boolean
function M.dismiss()
  vim.lsp.inline_completion.enable(false, { bufnr = 0 })
  vim.lsp.inline_completion.enable(true, { bufnr = 0 })
  return true
end

return M
