--- `:Hearth status|source|pause|resume|toggle|restart|restart_engine|log`.

local clients = require('hearth.client')
local ghost = require('hearth.ghost')
local server = require('hearth.server')
local status = require('hearth.status')

local M = {}

---@param lines string[]
local function say(lines)
  vim.notify(table.concat(lines, '\n'), vim.log.levels.INFO)
end

local function show_status()
  local running = clients.all()
  if #running == 0 then
    say({ 'Hearth: no server runs for this Neovim. See :checkhealth hearth.' })
    return
  end
  local lines = {}
  for _, client in ipairs(running) do
    local buffers = vim.tbl_count(client.attached_buffers)
    lines[#lines + 1] = ('Hearth: %s, %d buffer%s, %s'):format(
      status.describe(client.id),
      buffers,
      buffers == 1 and '' or 's',
      client.config.root_dir or 'no workspace'
    )
    local problem = status.problem(client.id)
    if problem ~= '' then
      lines[#lines + 1] = problem
    end
  end
  if ghost.paused then
    lines[#lines + 1] = 'Ghost text is paused; :Hearth resume brings it back.'
  end
  say(lines)
end

--- The server answers with a message of its own.
local function ask_for_source()
  local client = clients.all(vim.api.nvim_get_current_buf())[1]
  if not client then
    say({ 'Hearth: no server is attached to this buffer. See :checkhealth hearth.' })
    return
  end
  clients.run(client.id, { command = 'hearth.suggestionSource' })
end

local function open_log()
  local log = vim.lsp.log or require('vim.lsp.log')
  vim.cmd.tabnew(vim.fn.fnameescape(log.get_filename()))
  vim.bo.readonly = true
  vim.cmd.normal({ 'G', bang = true })
end

local verbs = {
  status = show_status,
  source = ask_for_source,
  pause = function()
    require('hearth').pause()
  end,
  resume = function()
    require('hearth').resume()
  end,
  toggle = function()
    require('hearth').toggle()
    say({ ghost.paused and 'Hearth: ghost text is paused.' or 'Hearth: ghost text is on.' })
  end,
  restart = server.restart,
  restart_engine = function()
    server.tell('hearth.restartEngine')
  end,
  log = open_log,
}

---@param verb string
function M.run(verb)
  local run = verbs[verb == '' and 'status' or verb]
  if run then
    run()
  else
    vim.notify(('Hearth: there is no `%s`; say %s.'):format(verb, table.concat(M.complete(''), ', ')), vim.log.levels.ERROR)
  end
end

---@param lead string
---@return string[]
function M.complete(lead)
  local names = vim.tbl_filter(function(it)
    return vim.startswith(it, lead)
  end, vim.tbl_keys(verbs))
  table.sort(names)
  return names
end

return M
