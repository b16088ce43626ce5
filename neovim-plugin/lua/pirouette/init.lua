---What users call. It knows which part does what, and nothing of how.
local M = {}

---@class pirouette.Options
---@field cmd? string[] How the server is started; default: `{ "pirouette", "serve" }`.
---@field settings? table<string, any> The server's settings, as in `docs/settings.md`.
---@field keymaps? boolean|table<string, string> `true` for the usual keys; or an action's own key.

local KNOWN = { cmd = "table", settings = "table", keymaps = { "boolean", "table" } }

---Start the server for all files from now on; nothing else needs to be called.
---@param options? pirouette.Options
function M.setup(options)
  options = options or {}
  for name, value in pairs(options) do
    if not KNOWN[name] then
      vim.notify(("Pirouette: there is no option '%s'; see :help pirouette-setup"):format(name), vim.log.levels.WARN)
    else
      vim.validate(name, value, KNOWN[name])
    end
  end
  vim.lsp.config("pirouette", { program = options.cmd, init_options = options.settings })
  if options.keymaps then
    require("pirouette.keymaps").set(options.keymaps == true and {} or options.keymaps --[[@as table]])
  end
  require("pirouette.server").enable()
end

---Who shows suggestions: the editor itself where it can (Neovim 0.12), else this plugin.
---@return pirouette.Presenter
local function presenter()
  return require("pirouette.server").presenter()
end

---Insert what is shown. All of these say whether there was something to act on, so that a mapping
---can fall back to what its key means otherwise.
---@return boolean
function M.accept()
  return presenter().accept(function(rest)
    return rest
  end)
end

---Insert the next line of what is shown.
---@return boolean
function M.accept_line()
  return presenter().accept(require("pirouette.text").first_line)
end

---Insert the next word of what is shown.
---@return boolean
function M.accept_word()
  return presenter().accept(require("pirouette.text").first_word)
end

---Show another suggestion; asks for several where that has not been done yet.
---@return boolean
function M.next()
  return presenter().cycle(1)
end

---@return boolean
function M.previous()
  return presenter().cycle(-1)
end

---Take away what is shown until the text changes.
---@return boolean
function M.dismiss()
  return presenter().dismiss()
end

---What the server is doing and what the latest suggestion cost.
---@return pirouette.Status
function M.status()
  return vim.deepcopy(require("pirouette.status").now)
end

---The same in a few words, for a status line.
---@return string
function M.status_line()
  return require("pirouette.status").line()
end

return M
