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
    local asked, tick = ghost.here(buffer), vim.api.nvim_buf_get_changedtick(buffer)
    if ghost.is_silent(buffer) or not asked then
      return false
    end
    return request(self, method, params, function(err, result, context, ...)
      if type(result) == 'table' then
        local is_late = vim.api.nvim_buf_get_changedtick(buffer) ~= tick
        if ghost.is_silent(buffer) or (is_late and ghost.current(buffer)) then
          return -- What is left of an accepted suggestion is newer than this.
        end
        for _, item in ipairs(result.items or result) do
          item.insertText = suggestion.with_newlines(item.insertText)
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

--- Whether Neovim shows a suggestion in this buffer; it has no function that says so.
---@param bufnr integer
local function is_drawn(bufnr)
  local namespace = vim.api.nvim_get_namespaces()['nvim.lsp.inline_completion']
  return namespace ~= nil and 0 < #vim.api.nvim_buf_get_extmarks(bufnr, namespace, 0, -1, { limit = 1 })
end

--- Take away what Neovim shows.
---@param bufnr integer
---@return boolean
local function drop(bufnr)
  return vim.lsp.inline_completion.get({ bufnr = bufnr, on_accept = function() end })
end

---@param bufnr integer
---@param step integer
function M.cycle(bufnr, step)
  if ghost.current(bufnr) then
    return ghost.cycle(bufnr, step)
  end
  if not is_drawn(bufnr) then
    return false
  end
  vim.lsp.inline_completion.select({ bufnr = bufnr, count = step })
  return true
end

--- Ask by hand. Neovim has no function for it, so the answer is shown by the plugin.
---@param bufnr integer
function M.suggest(bufnr)
  drop(bufnr)
  -- Later, because dropping cancels what is being asked, and is itself done later.
  vim.schedule(function()
    own.suggest(bufnr)
  end)
  return true
end

---@param bufnr integer
function M.dismiss(bufnr)
  local was_shown = ghost.current(bufnr) ~= nil
  ghost.silence(bufnr)
  return drop(bufnr) or was_shown
end

return M
