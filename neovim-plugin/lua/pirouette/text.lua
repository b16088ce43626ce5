---Arithmetic of suggested text. Pure: it knows neither buffers nor the server.
local M = {}

local WORD = "[%w_\128-\255]+"
local SIGNS = "[^%w%s_\128-\255]+"

---Text with the line ends that Neovim has inside.
---@param text string
---@return string
function M.with_plain_line_ends(text)
  return (text:gsub("\r\n?", "\n"))
end

---What remains of `text` once `typed` has been typed; nil where that is not how it begins, or all.
---@param text string
---@param typed string
---@return string?
function M.rest(text, typed)
  if #typed < #text and vim.startswith(text, typed) then
    return text:sub(#typed + 1)
  end
end

---The first line that is not empty, with the line ends before it and without its own.
---@param text string
---@return string
function M.first_line(text)
  return text:match("^\n*[^\n]*")
end

---The white space that `text` begins with, and the word or the signs after it.
---@param text string
---@return string
function M.first_word(text)
  local space, rest = text:match("^(%s*)(.*)$")
  return space .. (rest:match("^" .. WORD) or rest:match("^" .. SIGNS) or "")
end

---`line` as it looks from a display column on, with spaces for its tabs.
---@param line string
---@param column integer
---@return string
function M.with_spaces(line, column)
  local width = vim.fn.strdisplaywidth
  return (
    line:gsub("([^\t]*)\t", function(before)
      local start = column
      column = start + width(before .. "\t", start)
      return before .. (" "):rep(column - start - width(before, start))
    end)
  )
end

return M
