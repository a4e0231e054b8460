--- Ghost text of the plugin's own: what is shown in a buffer, and putting it into the text.
---
--- On Neovim 0.12 the built-in client shows the server's answers; then this file only shows what is left
--- of a suggestion after a part of it was accepted.

local clients = require('hearth.client')
local suggestion = require('hearth.suggestion')

local api = vim.api

local M = {}

M.namespace = api.nvim_create_namespace('hearth.ghost')

---@class hearth.Shown
---@field list hearth.Suggestion[]
---@field index integer
---@field counted boolean Whether "(2/3)" is shown: only while the user cycles.

---@type table<integer, hearth.Shown>
local shown = {}

---@type table<integer, integer> The text's `changedtick` when its suggestion was dismissed.
local silent = {}

---@type boolean
M.paused = false

--- The cursor's line, and where in it the cursor is; nil unless the buffer is being typed into.
---@param bufnr integer
---@return hearth.Asked?
function M.here(bufnr)
  if api.nvim_get_current_buf() ~= bufnr or not vim.startswith(api.nvim_get_mode().mode, 'i') then
    return nil
  end
  local row, col = unpack(api.nvim_win_get_cursor(0))
  return { row = row - 1, col = col, line = api.nvim_get_current_line() }
end

--- Virtual text does not expand tabs as the buffer does, so the ghost brings its own blanks.
---@param text string
---@param column integer Display column that the text starts at.
---@param tabstop integer
local function expand_tabs(text, column, tabstop)
  return (text:gsub('([^\t]*)\t', function(chunk)
    column = column + api.nvim_strwidth(chunk)
    local blanks = tabstop - column % tabstop
    column = column + blanks
    return chunk .. (' '):rep(blanks)
  end))
end

---@param bufnr integer
---@param it hearth.Suggestion
---@param rest string
---@param now hearth.Asked
---@param count? string
local function draw(bufnr, it, rest, now, count)
  local tabstop = vim.bo[bufnr].tabstop
  local lines = vim.split(rest, '\n', { plain = true })
  local replaced = it.after:sub(1, it.replaces)
  local place = 'inline'
  if replaced ~= '' and #lines == 1 and vim.endswith(lines[1], replaced) then
    lines[1] = lines[1]:sub(1, -#replaced - 1) -- It stays where it is: only what comes before it is new.
  elseif replaced ~= '' then
    place = 'overlay'
    local missing = api.nvim_strwidth(replaced) - api.nvim_strwidth(lines[1])
    lines[1] = lines[1] .. (' '):rep(math.max(0, missing))
  end
  local column = vim.fn.strdisplaywidth(now.line:sub(1, now.col))
  local chunks = {}
  for i, line in ipairs(lines) do
    chunks[i] = { { expand_tabs(line, i == 1 and column or 0, tabstop), 'HearthGhost' } }
  end
  if count then
    table.insert(chunks[#chunks], { count, 'HearthGhostCount' })
  end
  api.nvim_buf_set_extmark(bufnr, M.namespace, now.row, now.col, {
    virt_text = chunks[1],
    virt_text_pos = place,
    virt_lines = 1 < #chunks and vim.list_slice(chunks, 2) or nil,
    hl_mode = 'combine',
  })
end

---@param bufnr integer
function M.clear(bufnr)
  shown[bufnr] = nil
  if api.nvim_buf_is_valid(bufnr) then
    api.nvim_buf_clear_namespace(bufnr, M.namespace, 0, -1)
  end
end

--- What is shown, and what of it would be inserted now.
---@param bufnr integer
---@return hearth.Suggestion?, string?
function M.current(bufnr)
  local state, now = shown[bufnr], M.here(bufnr)
  local it = state and state.list[state.index]
  local rest = it and now and suggestion.rest(it, now)
  if rest then
    return it, rest
  end
end

--- Draw again at the cursor; clear when the text no longer fits.
---@param bufnr integer
---@return boolean visible
function M.refresh(bufnr)
  local state = shown[bufnr]
  if not state then
    return false
  end
  local it, rest = M.current(bufnr)
  if not it or not rest then
    M.clear(bufnr)
    return false
  end
  api.nvim_buf_clear_namespace(bufnr, M.namespace, 0, -1)
  local count = state.counted and (' (%d/%d)'):format(state.index, #state.list) or nil
  draw(bufnr, it, rest, M.here(bufnr), count)
  return true
end

---@param list hearth.Suggestion[]
---@param bufnr integer
---@return hearth.Suggestion[] # Those that the text still allows.
local function fitting_of(list, bufnr)
  local now = M.here(bufnr)
  return vim.tbl_filter(function(it)
    return now ~= nil and suggestion.rest(it, now) ~= nil
  end, list)
end

---@param list hearth.Suggestion[]
---@param bufnr integer
---@return boolean
function M.fits(list, bufnr)
  return 0 < #fitting_of(list, bufnr)
end

---@param bufnr integer
---@param list hearth.Suggestion[]
function M.show(bufnr, list)
  local fitting = fitting_of(list, bufnr)
  shown[bufnr] = 0 < #fitting and { list = fitting, index = 1, counted = false } or nil
  if not M.refresh(bufnr) then
    M.clear(bufnr)
  end
end

---@param bufnr integer
---@param step integer
---@return boolean
function M.cycle(bufnr, step)
  local state = shown[bufnr]
  if not state or not M.current(bufnr) then
    return false
  end
  state.index = (state.index - 1 + step) % #state.list + 1
  state.counted = true
  return M.refresh(bufnr)
end

--- Put the suggestion, or the part of it that `part` chooses, into the text at the cursor.
---@param bufnr integer
---@param it hearth.Suggestion
---@param part? fun(rest: string): string
---@return boolean inserted
function M.insert(bufnr, it, part)
  local now = M.here(bufnr)
  local rest = now and suggestion.rest(it, now)
  if not now or not rest or not vim.bo[bufnr].modifiable then
    M.clear(bufnr)
    return false
  end
  local text = part and part(rest) or rest
  local is_all = text == rest
  local lines = vim.split(text, '\n', { plain = true })
  vim.bo[bufnr].undolevels = vim.bo[bufnr].undolevels -- Its own undo step: `u` takes back just this.
  local to = now.col + (is_all and it.replaces or 0)
  api.nvim_buf_set_text(bufnr, now.row, now.col, now.row, to, lines)
  api.nvim_win_set_cursor(0, { now.row + #lines, (#lines == 1 and now.col or 0) + #lines[#lines] })
  if is_all then
    M.clear(bufnr)
    clients.run(it.client_id, it.command, bufnr)
  else
    M.show(bufnr, { suggestion.rebase(it, rest:sub(#text + 1), M.here(bufnr)) })
  end
  return true
end

--- Nothing is asked or shown until the text changes.
---@param bufnr integer
function M.silence(bufnr)
  silent[bufnr] = api.nvim_buf_get_changedtick(bufnr)
  M.clear(bufnr)
end

--- End the silence.
---@param bufnr integer
function M.speak(bufnr)
  silent[bufnr] = nil
end

---@param bufnr integer
function M.is_silent(bufnr)
  return M.paused or silent[bufnr] == api.nvim_buf_get_changedtick(bufnr)
end

---@param bufnr integer
function M.forget(bufnr)
  M.clear(bufnr)
  silent[bufnr] = nil
end

function M.define_highlights()
  local has_hint = vim.fn.hlexists('ComplHint') == 1
  api.nvim_set_hl(0, 'HearthGhost', { default = true, link = has_hint and 'ComplHint' or 'NonText' })
  api.nvim_set_hl(0, 'HearthGhostCount', { default = true, link = has_hint and 'ComplHintMore' or 'MoreMsg' })
end

return M
