--- Ghost text by Neovim's own inline completion (0.12 and later), and what it has no function for.
---
--- `vim.lsp.inline_completion` can accept a whole item and cycle. Its `get()` hands the item to a function
--- first, which is the public way to the item that is shown: accepting a part of it, or dropping it, starts
--- there. What is left of a partly accepted item is shown by `ghost.lua` until the next answer comes.

local ghost = require('hearth.ghost')
local own = require('hearth.own')
local suggestion = require('hearth.suggestion')

local METHOD = 'textDocument/inlineCompletion'

local M = {}

---@type table<integer, hearth.Asked> Where the answer that is shown was asked for.
local answered = {}

---@type table<integer, boolean>
local watched = {}

--- See this client's inline completion requests, so that silence holds and positions are known.
---@param client vim.lsp.Client
local function watch(client)
  if watched[client.id] then
    return
  end
  watched[client.id] = true
  local request = client.request
  client.request = function(self, method, params, handler, bufnr)
    if method ~= METHOD or not handler then
      return request(self, method, params, handler, bufnr)
    end
    local buffer = (not bufnr or bufnr == 0) and vim.api.nvim_get_current_buf() or bufnr
    local asked = ghost.here(buffer)
    if ghost.is_silent(buffer) or not asked then
      return false
    end
    return request(self, method, params, function(err, result, context, ...)
      if type(result) == 'table' then
        if ghost.is_silent(buffer) then
          return
        end
        answered[buffer] = asked
        ghost.clear(buffer) -- From here on Neovim shows it.
      end
      return handler(err, result, context, ...)
    end, bufnr)
  end
end

---@param client vim.lsp.Client
---@param bufnr integer
function M.attach(client, bufnr)
  watch(client)
  vim.lsp.inline_completion.enable(true, { bufnr = bufnr })
end

---@param bufnr integer
function M.detach(bufnr)
  answered[bufnr] = nil
end

--- Neovim's item as a suggestion of ours.
---@param item vim.lsp.inline_completion.Item
---@param bufnr integer
---@return hearth.Suggestion?
local function read(item, bufnr)
  local asked = answered[bufnr]
  if not asked then
    return nil
  end
  local range
  if item.range then
    local row, col, end_row, end_col = item.range:to_extmark()
    range = { start = { line = row, character = col }, ['end'] = { line = end_row, character = end_col } }
  end
  local it = { insertText = item.insert_text, range = range, command = item.command }
  return suggestion.read(it, asked, item.client_id, 'utf-8')
end

---@param bufnr integer
---@param part? fun(rest: string): string
function M.accept(bufnr, part)
  if ghost.current(bufnr) then
    return own.accept(bufnr, part)
  end
  return vim.lsp.inline_completion.get({
    bufnr = bufnr,
    on_accept = function(item)
      local client = vim.lsp.get_client_by_id(item.client_id)
      if not client or client.name ~= 'hearth' or type(item.insert_text) ~= 'string' then
        return item -- Another server's: not ours to cut.
      end
      local it = read(item, bufnr)
      if it then
        ghost.insert(bufnr, it, part)
      end
    end,
  })
end

---@param bufnr integer
---@param step integer
function M.cycle(bufnr, step)
  if ghost.current(bufnr) then
    return ghost.cycle(bufnr, step)
  end
  vim.lsp.inline_completion.select({ bufnr = bufnr, count = step })
  return true
end

---@param bufnr integer
function M.dismiss(bufnr)
  local was_shown = ghost.current(bufnr) ~= nil
  ghost.silence(bufnr)
  local dropped = vim.lsp.inline_completion.get({ bufnr = bufnr, on_accept = function() end })
  return was_shown or dropped
end

return M
