--- `:checkhealth hearth`: what works, what does not, and what to do about it.

local clients = require('hearth.client')
local config = require('hearth.config')
local ghost = require('hearth.ghost')
local status = require('hearth.status')

local health = vim.health

local TIMEOUT_MS = 10000 -- A cold Python on a slow disk starts in seconds, not tens of them.
local NO_ENGINE = 3 -- The exit code of `hearth status` when none runs.

local M = {}

--- Run the `hearth` program; nil and the reason when that does not work.
---@param arguments string[]
---@param expected? table<integer, true> Exit codes that are an answer too.
---@return vim.SystemCompleted?, string
local function run(arguments, expected)
  local command = vim.list_extend({ config.options.cmd[1] }, arguments)
  local started, process = pcall(vim.system, command, { text = true })
  if not started then
    return nil, tostring(process)
  end
  local done = process:wait(TIMEOUT_MS)
  if done.code ~= 0 and not (expected or {})[done.code] then
    local said = vim.trim(done.stderr ~= '' and done.stderr or done.stdout or '')
    return nil, ('`%s` ended with code %d: %s'):format(table.concat(command, ' '), done.code, said)
  end
  return done, ''
end

local function check_neovim()
  local version = tostring(vim.version())
  if vim.fn.has('nvim-0.10') ~= 1 then
    health.error(('Neovim %s is too old'):format(version), 'Install Neovim 0.10 or later.')
  elseif config.is_builtin() then
    health.ok(('Neovim %s: its own inline completion shows the ghost text'):format(version))
  elseif vim.lsp.inline_completion then
    health.ok(("Neovim %s: the plugin shows the ghost text (`ghost_text = 'own'`)"):format(version))
  else
    health.ok(('Neovim %s: the plugin shows the ghost text'):format(version))
  end
end

---@return boolean
local function check_program()
  local program = config.options.cmd[1]
  if vim.fn.executable(program) ~= 1 then
    health.error(('there is no program `%s`'):format(program), {
      'Install Hearth from its checkout: `uv tool install .` or `pipx install .`.',
      "If it is installed, give its full path: `cmd = { '/full/path/hearth', 'lsp' }`.",
    })
    return false
  end
  local done, reason = run({ '--version' })
  if not done then
    health.error(('`%s` does not run'):format(vim.fn.exepath(program)), reason)
    return false
  end
  health.ok(('%s: `%s`'):format(vim.trim(done.stdout), vim.fn.exepath(program)))
  return true
end

local function check_clients()
  local running = clients.all()
  if #running == 0 then
    health.warn('no server is attached', {
      "Call `require('hearth').setup()` in your configuration, or `vim.lsp.enable('hearth')` on 0.11 and later.",
      'Open a file: Hearth attaches to files that have a filetype.',
    })
    return
  end
  for _, client in ipairs(running) do
    health.ok(('attached to %d buffer(s) in %s; positions in %s; %s'):format(
      vim.tbl_count(client.attached_buffers),
      client.config.root_dir or 'no workspace',
      client.offset_encoding,
      status.describe(client.id)
    ))
    if not client.server_capabilities.inlineCompletionProvider then
      health.error('the server offers no inline completion', 'Check that `cmd` starts `hearth lsp`.')
    end
    if status.memory(client.id) ~= '' then
      health.info(('project memory: %s'):format(status.memory(client.id)))
    end
    if status.problem(client.id) ~= '' then
      health.error(status.problem(client.id))
    end
  end
end

local function check_engine()
  local done, reason = run({ 'status', '--json' }, { [NO_ENGINE] = true })
  if not done then
    health.warn('the engine could not be asked', { reason, 'Run `hearth doctor` in a terminal.' })
    return
  end
  if done.code == NO_ENGINE then
    health.info('no engine is running; the next request starts one')
    return
  end
  local parsed, engine = pcall(vim.json.decode, done.stdout, { luanil = { object = true } })
  if not parsed or type(engine) ~= 'table' then
    health.warn('`hearth status --json` says nothing that can be read', 'Run `hearth doctor` in a terminal.')
    return
  end
  local text = ('engine: %s, model: %s'):format(engine.state or 'unknown', engine.model or 'unknown')
  if engine.state == 'failed' or (engine.problem or '') ~= '' then
    health.error(text, { engine.problem or 'no reason given', 'Run `hearth doctor` in a terminal.' })
  else
    health.ok(text)
  end
end

local function check_settings()
  for _, problem in ipairs(config.problems) do
    health.warn(problem, ':help hearth-setup')
  end
  if #config.problems == 0 then
    health.ok('nothing is wrong with the options given to `setup`')
  end
  if next(config.options.keys) == nil then
    health.info("no keys: Hearth maps none unless asked, for example `keys = { accept = '<Tab>' }`")
  end
  for action, key in vim.spairs(config.options.keys) do
    local mapping = vim.fn.maparg(key, 'i', false, true)
    if not vim.startswith(mapping.desc or '', 'Hearth: ') then
      health.warn(('%s does not %s: another mapping has taken it'):format(key, action:gsub('_', ' ')), {
        ('`:verbose imap %s` says which. Set Hearth up after it, or choose another key.'):format(key),
      })
    end
  end
  if ghost.paused then
    health.warn('ghost text is paused', '`:Hearth resume` brings it back.')
  end
end

function M.check()
  health.start('Neovim')
  check_neovim()
  health.start('Server')
  local found = check_program()
  check_clients()
  health.start('Engine')
  if found then
    check_engine()
  else
    health.info('not asked: the program is missing')
  end
  health.start('Options')
  check_settings()
end

return M
