---What the server has said of itself: how far it is, and what its latest suggestion cost.
local M = {}

---@alias pirouette.State "off"|"missing"|"starting"|"loading"|"ready"|"failed"|"stopped"

---@class pirouette.Status
---@field state pirouette.State "stopped": it ended too often and is not started again by itself.
---@field stage string What it is loading.
---@field percentage? integer How far that is.
---@field model string Of the latest suggestion.
---@field latency_ms? number Of the latest suggestion, as the server measured it.
---@field confidence? number Of the latest suggestion, 0 to 1.
---@field tokens_saved integer Tokens that the cache spared the model, since the start.
---@field tokens_read integer Tokens that it had to read.

---@type pirouette.Status
M.now = { state = "off", stage = "", model = "", tokens_saved = 0, tokens_read = 0 }

local INDEXING = "Pirouette: reading the workspace" -- the other long work, during which it answers
local titles = {} ---@type table<string|integer, string>

---@param state pirouette.State
function M.set(state)
  M.now.state, M.now.stage, M.now.percentage = state, "", nil
  vim.cmd.redrawstatus()
end

---Take note of `$/progress`.
---@param token string|integer
---@param value lsp.WorkDoneProgressBegin|lsp.WorkDoneProgressReport|lsp.WorkDoneProgressEnd
function M.note_progress(token, value)
  titles[token] = value.title or titles[token]
  if titles[token] == INDEXING then
    return
  end
  if value.kind == "end" then
    titles[token] = nil
    M.set(value.message == "ready" and "ready" or "failed")
  else
    M.set("loading")
    M.now.stage, M.now.percentage = value.message or "", value.percentage
  end
end

---Take note of `$/pirouette/completed`.
---@param completed { cancelled: boolean, model: string, confidence: number, tokens: table<string, integer>, ms: table<string, number> }
function M.note_completed(completed)
  local now, tokens = M.now, completed.tokens
  now.tokens_read = now.tokens_read + tokens.encoded
  if not completed.cancelled then
    now.model, now.confidence = completed.model, completed.confidence
    now.latency_ms = completed.ms.total
    now.tokens_saved = now.tokens_saved + tokens.reused + tokens.moved
  end
  vim.cmd.redrawstatus()
end

---@return string
function M.line()
  local now = M.now
  if now.state == "loading" then
    return ("pirouette: %s %d %%"):format(now.stage ~= "" and now.stage or "loading", now.percentage or 0)
  elseif now.state ~= "ready" or not now.latency_ms then
    return "pirouette: " .. now.state
  end
  return ("pirouette: %.0f ms, %d tokens saved"):format(now.latency_ms, now.tokens_saved)
end

return M
