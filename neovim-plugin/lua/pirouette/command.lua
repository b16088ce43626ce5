---`:Pirouette ACTION`.
local M = {}

---@type table<string, fun()>
local actions = {
  enable = function()
    require("pirouette.server").enable()
  end,
  disable = function()
    require("pirouette.server").disable()
  end,
  restart = function()
    require("pirouette.server").restart()
  end,
  status = function()
    vim.notify(require("pirouette.status").line())
  end,
  log = function()
    vim.cmd.tabedit(vim.fn.fnameescape(vim.lsp.log.get_filename()))
    vim.cmd("setlocal readonly nomodifiable autoread | normal! G")
  end,
}

---@param name string
function M.run(name)
  local action = actions[name]
  if action then
    return action()
  end
  vim.notify(
    ("Pirouette: there is no '%s'; use one of %s"):format(name, table.concat(M.complete(""), ", ")),
    vim.log.levels.WARN
  )
end

---@param begun string
---@return string[]
function M.complete(begun)
  local names = vim.tbl_filter(function(name)
    return vim.startswith(name, begun)
  end, vim.tbl_keys(actions))
  table.sort(names)
  return names
end

return M
