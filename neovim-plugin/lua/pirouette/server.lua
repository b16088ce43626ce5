---The server's life as the editor sees it: started, attached, ended, started again.
local status = require("pirouette.status")

local M = {}

---@class pirouette.Presenter
---@field attach fun(client: vim.lsp.Client, buffer: integer)
---@field detach fun(buffer: integer)
---@field refresh fun() Ask again, as the server can now answer.
---@field accept fun(part: fun(rest: string): string): boolean
---@field cycle fun(step: integer): boolean
---@field dismiss fun(): boolean

local NAME = "pirouette"
local MOST_DEATHS = 3 -- within these seconds; from then on it takes a person to start it again
local REMEMBERED_S = 180
local PAUSE_MS = 500 -- before it is started again, doubled each time

local deaths = {} ---@type integer[]
local restarting = false
local ended = nil ---@type { code: integer, signal: integer }?

---@return pirouette.Presenter
function M.presenter()
  local native = vim.lsp.inline_completion ~= nil
  return require(native and "pirouette.native" or "pirouette.inline")
end

---Start the server's process. How it ends is told by this plugin, in one line: the editor's own message
---is longer than many screens are wide, and would then wait for a key while somebody types.
---@param dispatchers vim.lsp.rpc.Dispatchers
---@return vim.lsp.rpc.PublicClient
function M.start(dispatchers)
  local config = vim.lsp.config[NAME] --[[@as pirouette.Config]]
  local tell_editor = dispatchers.on_exit
  dispatchers.on_exit = function(code, signal)
    ended = { code = code, signal = signal }
    tell_editor(0, 0)
  end
  local surroundings = { cwd = config.cmd_cwd, env = config.cmd_env, detached = config.detached }
  return vim.lsp.rpc.start(config.program, dispatchers, surroundings)
end

---Start the server for all files, those that are open and those to come.
function M.enable()
  local program = vim.lsp.config[NAME].program[1]
  if vim.fn.executable(program) == 0 then
    status.set("missing")
    -- Short enough for one line of a screen: a longer message waits for a key.
    local told = "Pirouette: there is no program '%s'; see :checkhealth pirouette"
    return vim.notify(told:format(program), vim.log.levels.WARN)
  end
  deaths = {}
  vim.lsp.enable(NAME)
end

function M.disable()
  vim.lsp.enable(NAME, false)
  status.set("off")
end

---End the server at once, whatever it is doing, and start another.
function M.restart()
  local clients = vim.lsp.get_clients({ name = NAME })
  restarting = #clients > 0
  for _, client in ipairs(clients) do
    client:stop(true)
  end
  if not restarting then
    M.enable()
  end
end

---Start it again where it ended without being asked to, unless it does so all the time.
---@param code integer
---@param signal integer
function M.on_exit(code, signal)
  local how = ended or { code = code, signal = signal }
  ended = nil
  local asked = restarting or (how.code == 0 and how.signal == 0)
  vim.schedule(function()
    if vim.v.exiting ~= vim.NIL or not vim.lsp.is_enabled(NAME) then
      return
    end
    if asked then
      status.set("off")
      if restarting then
        restarting = false
        M.enable()
      end
      return
    end
    local now = os.time()
    deaths = vim.tbl_filter(function(time)
      return now - time < REMEMBERED_S
    end, deaths)
    table.insert(deaths, now)
    if #deaths > MOST_DEATHS then
      status.set("stopped")
      local told = "Pirouette: the server keeps ending; see :Pirouette log"
      return vim.notify(told, vim.log.levels.ERROR)
    end
    status.set("starting")
    local told = "Pirouette: the server ended (code %d, signal %d) and is started again"
    vim.notify(told:format(how.code, how.signal), vim.log.levels.WARN)
    vim.defer_fn(function()
      if vim.lsp.is_enabled(NAME) then
        vim.lsp.enable(NAME)
      end
    end, PAUSE_MS * 2 ^ (#deaths - 1))
  end)
end

---Follow the server wherever it attaches.
function M.watch()
  local group = vim.api.nvim_create_augroup("pirouette.server", {})

  ---@param event string
  ---@param run fun(client: vim.lsp.Client, call: vim.api.keyset.create_autocmd.callback_args)
  local function on(event, run)
    vim.api.nvim_create_autocmd(event, {
      group = group,
      callback = function(call)
        local client = vim.lsp.get_client_by_id(call.data.client_id)
        if client and client.name == NAME then
          run(client, call)
        end
      end,
    })
  end

  on("LspAttach", function(client, call)
    if status.now.state == "off" then
      status.set("starting")
    end
    M.presenter().attach(client, call.buf)
  end)
  on("LspDetach", function(_, call)
    M.presenter().detach(call.buf)
  end)
  on("LspProgress", function(_, call)
    local before = status.now.state
    status.note_progress(call.data.params.token, call.data.params.value)
    if before ~= "ready" and status.now.state == "ready" then
      M.presenter().refresh()
    end
  end)
end

return M
