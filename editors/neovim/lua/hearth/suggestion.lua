--- Values and pure functions: what a suggestion still has to say where the cursor stands now.

local M = {}

--- Where and on what text the server was asked. Rows and columns are 0-based, columns in bytes.
---@class hearth.Asked
---@field row integer
---@field col integer
---@field line string

--- One item of the server's, bound to the line that it was made for.
---@class hearth.Suggestion
---@field text string Everything that stands between `before` and what stays of `after`.
---@field row integer
---@field before string The line up to where `text` begins.
---@field after string The line behind the cursor.
---@field replaces integer How many bytes of `after` the suggestion takes the place of.
---@field client_id integer
---@field command? lsp.Command To run once all of it is accepted.

---@param line string
---@param units integer Position in the client's encoding.
---@param encoding string
---@return integer bytes
local function bytes_of(line, units, encoding)
  if encoding == 'utf-8' then
    return math.min(units, #line)
  end
  if vim.fn.has('nvim-0.11') == 1 then
    return vim.str_byteindex(line, encoding, units, false)
  end
  local ok, bytes = pcall(vim.str_byteindex, line, units, encoding == 'utf-16')
  return ok and bytes or #line
end

--- A buffer's lines end in no carriage return, whatever the file's do.
---@generic T
---@param text T
---@return T
function M.with_newlines(text)
  return type(text) == 'string' and text:gsub('\r\n?', '\n') or text
end

--- Read an item; nil when it is no plain text on the line that was asked about.
---@param item table lsp.InlineCompletionItem
---@param asked hearth.Asked
---@param client_id integer
---@param encoding string
---@return hearth.Suggestion?
function M.read(item, asked, client_id, encoding)
  local text = item.insertText
  if type(text) ~= 'string' then
    return nil
  end
  local first, last = asked.col, asked.col
  if item.range then
    local range = item.range
    if range.start.line ~= asked.row or range['end'].line ~= asked.row then
      return nil
    end
    first = bytes_of(asked.line, range.start.character, encoding)
    last = bytes_of(asked.line, range['end'].character, encoding)
  end
  if asked.col < first or last < asked.col then
    return nil
  end
  return {
    text = M.with_newlines(text),
    row = asked.row,
    before = asked.line:sub(1, first),
    after = asked.line:sub(asked.col + 1),
    replaces = last - asked.col,
    client_id = client_id,
    command = item.command,
  }
end

--- What is left to insert at the cursor, or nil when the text around it no longer fits.
---@param it hearth.Suggestion
---@param now hearth.Asked
---@return string?
function M.rest(it, now)
  if now.row ~= it.row or now.col < #it.before then
    return nil
  end
  if now.line:sub(1, #it.before) ~= it.before or now.line:sub(now.col + 1) ~= it.after then
    return nil
  end
  local typed = now.line:sub(#it.before + 1, now.col)
  if not vim.startswith(it.text, typed) or #it.text == #typed then
    return nil
  end
  return it.text:sub(#typed + 1)
end

--- The same suggestion, bound to the place where `rest` of it now begins.
---@param it hearth.Suggestion
---@param rest string
---@param now hearth.Asked
---@return hearth.Suggestion
function M.rebase(it, rest, now)
  return vim.tbl_extend('force', it, {
    text = rest,
    row = now.row,
    before = now.line:sub(1, now.col),
    after = now.line:sub(now.col + 1),
  })
end

--- The leading blanks and the run of word characters (or of other characters) behind them.
---@param rest string
function M.next_word(rest)
  return rest:match('^%s*[%w_\128-\255]+') or rest:match('^%s*[^%w_%s\128-\255]+') or rest
end

--- Up to the end of the first line that has something in it.
---@param rest string
function M.next_line(rest)
  return rest:match('^\n*[^\n]*')
end

return M
