---Suggestions at the cursor, where Neovim does not show them itself: when they are asked for, and
---what is done with those that are still true. It knows one cursor, the user's.
local answers = require("pirouette.answers")
local ghost_text = require("pirouette.ghost_text")

local M = {}

local METHOD = "textDocument/inlineCompletion"
local AUTOMATIC = { triggerKind = 2 }
local BY_HAND = { triggerKind = 1 }

---@class pirouette.Asked
---@field client vim.lsp.Client
---@field id? integer

local attached = {} ---@type table<integer, boolean>
local shown = nil ---@type pirouette.Shown?
local asked = nil ---@type pirouette.Asked?
local seen = nil ---@type pirouette.Place? For which nothing is left to do.
local erased = false -- by the latest change

---Whether a menu is open and the text at the cursor is not what is chosen in it.
---@param before string
---@return boolean
local function menu_in_the_way(before)
  if vim.fn.pumvisible() == 0 then
    return false
  end
  local info = vim.fn.complete_info({ "selected", "items" })
  local chosen = info.items[info.selected + 1]
  return not (chosen and vim.endswith(before, chosen.word))
end

---Where a suggestion may be shown; nil where none may.
---@return pirouette.Place?
local function place_now()
  local buffer = vim.api.nvim_get_current_buf()
  if not attached[buffer] or vim.fn.mode():sub(1, 1) ~= "i" then
    return nil
  end
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local line = vim.api.nvim_get_current_line()
  if menu_in_the_way(line:sub(1, column)) then
    return nil
  end
  local tick = vim.api.nvim_buf_get_changedtick(buffer)
  return { buffer = buffer, tick = tick, row = row - 1, column = column, line = line }
end

---@param one pirouette.Place?
---@param other pirouette.Place?
---@return boolean
local function same(one, other)
  return vim.deep_equal(one, other)
end

---@param place pirouette.Place
---@param found pirouette.Shown?
local function show(place, found)
  shown = found
  if found then
    ghost_text.show(place.buffer, place.row, place.column, found.rest)
  else
    ghost_text.clear(place.buffer)
  end
end

local function hide()
  if asked and asked.id then
    asked.client:cancel_request(asked.id)
  end
  asked, seen, shown = nil, nil, nil
  for buffer in pairs(attached) do
    ghost_text.clear(buffer)
  end
end

---Ask for suggestions at a place; only the answer to the latest question counts, and only while
---the text and the cursor are those that it was for.
---@param place pirouette.Place
---@param context { triggerKind: integer }
---@param answered? fun(answer: pirouette.Kept)
local function ask(place, context, answered)
  local client = vim.lsp.get_clients({ bufnr = place.buffer, name = "pirouette" })[1]
  if not client then
    return
  end
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = context
  local this = { client = client } ---@type pirouette.Asked
  asked = this
  local _, id = client:request(METHOD, params, function(_, result)
    if asked ~= this then
      return
    end
    asked = nil
    if not result or not same(place, place_now()) then
      return
    end
    local answer = answers.keep(place, result.items or result, context == BY_HAND)
    if answer and answered then
      answered(answer)
    end
    show(place, answers.find(place))
  end, place.buffer)
  this.id = id
end

---Have on the screen what is true now, and ask for it where it is not known.
local function update()
  local place = place_now()
  if not place then
    return hide()
  end
  if same(place, seen) then
    return
  end
  local edited = not (seen and seen.buffer == place.buffer and seen.tick == place.tick)
  seen = place
  local found = answers.find(place)
  show(place, found)
  if found or (edited and erased) then
    asked = nil -- the server has given up what a change made untrue
    return
  end
  ask(place, AUTOMATIC)
end

---Look at a place that has been looked at before, as something else has changed.
function M.refresh()
  seen, erased = nil, false
  update()
end

---Drop the answers that a change makes untrue, and remember whether it has taken text away.
---@param buffer integer
---@param row integer Where the change begins.
---@param column integer
---@param grown integer By how many bytes.
local function note_change(buffer, row, column, grown)
  local typing = buffer == vim.api.nvim_get_current_buf()
    and vim.fn.mode():sub(1, 1) == "i"
    and row < vim.api.nvim_win_get_cursor(0)[1]
  erased = grown < 0
  answers.drop_untrue(buffer, row, column, typing)
end

---@param _ vim.lsp.Client
---@param buffer integer
function M.attach(_, buffer)
  if attached[buffer] then
    return
  end
  attached[buffer] = true
  vim.api.nvim_buf_attach(buffer, false, {
    on_bytes = function(_, _, _, row, column, _, _, _, old_length, _, _, new_length)
      if not attached[buffer] then
        return true
      end
      note_change(buffer, row, column, new_length - old_length)
    end,
    on_reload = answers.clear,
    on_detach = function()
      attached[buffer] = nil
    end,
  })
  local group = vim.api.nvim_create_augroup("pirouette.inline." .. buffer, {})

  ---@param events string|string[]
  ---@param run fun()
  local function on(events, run)
    vim.api.nvim_create_autocmd(events, { group = group, buffer = buffer, callback = run })
  end

  on({ "CursorMovedI", "TextChangedI", "TextChangedP" }, update)
  on({ "InsertEnter", "CompleteDone" }, function()
    vim.schedule(M.refresh) -- when the mode has changed, and the menu has closed
  end)
  on({ "CompleteChanged", "InsertLeave", "BufLeave" }, hide)
  M.refresh()
end

---@param buffer integer
function M.detach(buffer)
  if #vim.lsp.get_clients({ bufnr = buffer, name = "pirouette" }) > 1 then
    return
  end
  hide()
  attached[buffer] = nil
  pcall(vim.api.nvim_del_augroup_by_name, "pirouette.inline." .. buffer)
end

---@param part fun(rest: string): string
---@return boolean
function M.accept(part)
  -- Keys that are typed fast come before the events of those before them: look again.
  local place = place_now()
  local found = shown and place and answers.find(place)
  if not (place and found) then
    return false
  end
  require("pirouette.insertion").insert(place.buffer, place.row, place.column, part(found.rest))
  update()
  return true
end

---@param step integer
---@return boolean
function M.cycle(step)
  local place = place_now()
  if not place then
    return false
  end
  local before = answers.find(place)
  if shown and before and before.kept.by_hand then
    answers.turn(before.kept, place, step)
    show(place, answers.find(place))
  else
    ask(place, BY_HAND, function(answer)
      for index, one in ipairs(answer.texts) do
        if before and one == before.rest then
          answer.index = index
          answers.turn(answer, place, step)
          break
        end
      end
    end)
  end
  return true
end

---@return boolean
function M.dismiss()
  local place = place_now()
  if not (shown and place) then
    return false
  end
  answers.clear()
  hide()
  seen = place
  return true
end

return M
