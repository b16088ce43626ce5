---`:checkhealth pirouette`: what suggestions need, in the order they need it.
local health = vim.health

local M = {}

local PATIENCE_MS = 30000 -- for a program of Python, on a busy machine

---What the program prints for some arguments; nil and a reason where it fails.
---@param program string
---@param arguments string[]
---@return string? output
---@return string? reason
local function run(program, arguments)
  local started, process = pcall(vim.system, vim.list_extend({ program }, arguments), { text = true })
  if not started then
    return nil, tostring(process)
  end
  local done = process:wait(PATIENCE_MS)
  if done.code ~= 0 then
    return nil, vim.trim(done.stderr or "")
  end
  return vim.trim(done.stdout)
end

local function check_editor()
  if vim.fn.has("nvim-0.11") == 0 then
    health.error("Neovim is too old", { "Install Neovim 0.11 or later." })
  elseif vim.lsp.inline_completion then
    health.ok("Neovim shows inline completions itself")
  else
    health.ok("this plugin shows suggestions; Neovim does so itself from 0.12 on")
  end
end

---@param program string
---@return boolean whether it answers
local function check_program(program)
  if vim.fn.executable(program) == 0 then
    health.error(("there is no program '%s'"):format(program), {
      "Install it with `pipx install .` in Pirouette's folder.",
      'Or name it: require("pirouette").setup({ cmd = { "/where/it/is/pirouette", "serve" } })',
    })
    return false
  end
  local version, reason = run(program, { "--version" })
  if not version then
    health.error(("'%s' does not run: %s"):format(program, reason))
    return false
  end
  health.ok(("%s, version %s"):format(vim.fn.exepath(program), version))
  return true
end

---@param settings table<string, any>
---@param program string
local function check_model(program, settings)
  local arguments = { "models", "path", settings.model, "--json" }
  if not settings.model then
    table.remove(arguments, 3)
  end
  local told = run(program, arguments)
  local read, model = pcall(vim.json.decode, told or "")
  if read and type(model.path) == "string" then
    health.ok(("the model %s is in %s"):format(model.name, model.path))
  else
    health.warn(("the model %s has not been fetched"):format(settings.model or "that is used by default"), {
      ("Run `pirouette models pull %s`, or wait: the server fetches it when it starts."):format(settings.model or ""),
    })
  end
end

local function check_server()
  local now = require("pirouette.status").now
  if vim.tbl_contains({ "ready", "loading", "starting" }, now.state) then
    health.ok("the server: " .. require("pirouette.status").line())
  elseif now.state == "off" then
    health.info("the server is not running; it starts with the first file after `:Pirouette enable`")
  else
    health.error("the server: " .. now.state, { "See `:Pirouette log`, then `:Pirouette restart`." })
  end
end

function M.check()
  health.start("pirouette")
  check_editor()
  local config = vim.lsp.config.pirouette
  local program = config.program[1]
  if check_program(program) then
    check_model(program, config.init_options or {})
  end
  check_server()
end

return M
