-- What is there before anybody asks for it: the highlight group, the command, and suggestions
-- wherever the server is attached. Modules are loaded when they are first used.

if vim.g.loaded_pirouette or vim.fn.has("nvim-0.11") == 0 then
  return
end
vim.g.loaded_pirouette = true

local function set_highlight()
  vim.api.nvim_set_hl(0, "PirouetteSuggestion", { link = "Comment", default = true })
end

set_highlight()
vim.api.nvim_create_autocmd("ColorScheme", {
  group = vim.api.nvim_create_augroup("pirouette.highlight", {}),
  callback = set_highlight, -- new colours clear all groups
})

vim.api.nvim_create_user_command("Pirouette", function(call)
  require("pirouette.command").run(call.args)
end, {
  nargs = 1,
  complete = function(begun)
    return require("pirouette.command").complete(begun)
  end,
  desc = "Pirouette: enable, disable, restart, status, log",
})

require("pirouette.server").watch()
