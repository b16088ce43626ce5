---Keys of insert mode, for users who asked for them. Where there is nothing to act on, a key keeps
---the meaning that it had before.
local M = {}

---@type table<string, string>
M.usual = {
  accept = "<Tab>",
  accept_line = "<M-l>",
  accept_word = "<M-w>",
  next = "<M-]>",
  previous = "<M-[>",
  dismiss = "<C-]>",
}

---@param keys string As typed, such as `<Tab>`.
---@return string
local function raw(keys)
  return vim.api.nvim_replace_termcodes(keys, true, true, true)
end

---Do what a key did before it was mapped here.
---@param key string
---@param before table<string, any> What `maparg()` told of it.
local function fall_through(key, before)
  local keys = before.rhs and raw(before.rhs) or raw(key)
  if before.expr == 1 then
    keys = before.callback and before.callback() or vim.api.nvim_eval(before.rhs)
    keys = before.replace_keycodes == 1 and raw(keys or "") or keys
  elseif before.callback then
    return before.callback()
  end
  -- Before all else that is typed; mapped again only where it was.
  local remap = before.rhs and before.noremap == 0
  vim.api.nvim_feedkeys(keys or "", remap and "mi" or "ni", false)
end

---Map the usual keys, or others; `false` in place of a key leaves an action without one.
---@param chosen table<string, string|false>
function M.set(chosen)
  for action in pairs(chosen) do
    if not M.usual[action] then
      vim.notify(("Pirouette: there is no action '%s' to map"):format(action), vim.log.levels.WARN)
    end
  end
  for action, key in pairs(vim.tbl_extend("force", M.usual, chosen)) do
    if key and M.usual[action] then
      local before = vim.fn.maparg(key, "i", false, true)
      vim.keymap.set("i", key, function()
        if not require("pirouette")[action]() then
          fall_through(key, before)
        end
      end, { desc = "Pirouette: " .. action:gsub("_", " ") })
    end
  end
end

return M
