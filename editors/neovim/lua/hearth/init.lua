--- Hearth for Neovim: ghost text from the `hearth` language server. All thinking is done by the server.

local clients = require('hearth.client')
local config = require('hearth.config')
local ghost = require('hearth.ghost')
local server = require('hearth.server')
local status = require('hearth.status')
local suggestion = require('hearth.suggestion')

local M = {}

local function current()
  return vim.api.nvim_get_current_buf()
end

--- Accept the whole suggestion. This and the others are false when there is nothing to act on.
---@return boolean
function M.accept()
  return server.front().accept(current())
end

---@return boolean
function M.accept_word()
  return server.front().accept(current(), suggestion.next_word)
end

---@return boolean
function M.accept_line()
  return server.front().accept(current(), suggestion.next_line)
end

--- Show the next suggestion.
---@return boolean
function M.next()
  return server.front().cycle(current(), 1)
end

--- Show the previous suggestion.
---@return boolean
function M.prev()
  return server.front().cycle(current(), -1)
end

--- Ask for a suggestion here and now.
---@return boolean
function M.suggest()
  return server.front().suggest(current())
end

--- Hide the suggestion; nothing is shown until the text changes, and nothing on this line until the line does.
---@return boolean
function M.dismiss()
  local was_shown = server.front().dismiss(current())
  if was_shown then
    server.tell('hearth.dismissed')
  end
  return was_shown
end

--- No ghost text in any buffer, and nothing is asked, until `resume`.
function M.pause()
  if ghost.paused then
    return
  end
  M.dismiss()
  ghost.paused = true
  server.tell('hearth.pause')
end

function M.resume()
  ghost.paused = false
  server.tell('hearth.resume')
end

---@return boolean true, so that a key bound to it is used up
function M.toggle()
  if ghost.paused then
    M.resume()
  else
    M.pause()
  end
  return true
end

--- One line for a status line; empty where no Hearth is attached.
---@return string
function M.status()
  local client = clients.all(current())[1]
  if not client then
    return ''
  end
  return 'hearth ' .. (ghost.paused and 'paused' or status.describe(client.id))
end

M.restart = server.restart

--- Start Hearth for the files of this Neovim. Every option has a default: `:help hearth-setup`.
---@param options? table
function M.setup(options)
  if vim.fn.has('nvim-0.10') ~= 1 then
    vim.notify('Hearth needs Neovim 0.10 or later.', vim.log.levels.ERROR)
    return
  end
  local resolved = config.resolve(options)
  for _, problem in ipairs(config.problems) do
    vim.notify('Hearth: ' .. problem, vim.log.levels.WARN)
  end
  local actions = {}
  for _, name in ipairs(config.ACTIONS) do
    actions[name] = M[name]
  end
  require('hearth.keys').map(resolved.keys, actions)
  server.watch()
  server.enable()
end

return M
