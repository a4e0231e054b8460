--- The language server's process: starting it, attaching buffers, starting it again when it died.

local builtin = require('hearth.builtin')
local clients = require('hearth.client')
local config = require('hearth.config')
local ghost = require('hearth.ghost')
local own = require('hearth.own')
local status = require('hearth.status')

local api = vim.api

local NAME = clients.NAME
local RESTARTS = 3 -- More deaths than this in a minute have a cause that another start will not cure.
local MINUTE_MS = 60000
local STOP_MS = 3000 -- How long a server may take to say goodbye.

local M = {}

---@type table<integer, { config: table, buffers: table<integer, true> }> By client id.
local running = {}

---@type table<integer, true> Clients that are being stopped in order to start again.
local restarting = {}

---@type integer[] When the server died, in milliseconds.
local deaths = {}

--- Who asks for and draws ghost text in this Neovim.
function M.front()
  return config.is_builtin() and builtin or own
end

--- Start the client again for the buffers that it had, as it is configured now.
---@param client_id integer
---@param had { config: table, buffers: table<integer, true> }
local function start_again(client_id, had)
  local wanted = vim.deepcopy(vim.lsp.config and vim.lsp.config[NAME] or M.config())
  wanted.root_dir = had.config.root_dir
  for bufnr in pairs(had.buffers) do
    if api.nvim_buf_is_loaded(bufnr) then
      vim.lsp.start(wanted, {
        bufnr = bufnr,
        reuse_client = function(client)
          return client.id ~= client_id and client.name == NAME and client.config.root_dir == wanted.root_dir
        end,
      })
    end
  end
end

---@return boolean
local function dies_too_often()
  local now = vim.uv.now()
  deaths = vim.tbl_filter(function(it)
    return now - it < MINUTE_MS
  end, deaths)
  table.insert(deaths, now)
  return RESTARTS < #deaths
end

---@param code integer
---@param signal integer
---@param client_id integer
local function on_exit(code, signal, client_id)
  vim.schedule(function()
    local had = running[client_id]
    running[client_id] = nil
    status.forget(client_id)
    local is_wanted = restarting[client_id]
    restarting[client_id] = nil
    local was_asked_to = code == 0 and (signal == 0 or signal == 15)
    if not had or vim.v.exiting ~= vim.NIL or (was_asked_to and not is_wanted) then
      return
    end
    if not is_wanted and dies_too_often() then
      vim.notify('Hearth stopped: its server keeps dying. See :checkhealth hearth, then :Hearth restart.', vim.log.levels.ERROR)
      return
    end
    start_again(client_id, had)
  end)
end

--- The client's configuration, as `vim.lsp.start` and `vim.lsp.config` want it.
---@return table
function M.config()
  local options = config.options
  local settings = next(options.settings) and options.settings or vim.empty_dict()
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  capabilities.textDocument.inlineCompletion = { dynamicRegistration = false }
  return {
    name = NAME,
    cmd = options.cmd,
    filetypes = options.filetypes,
    root_markers = options.root_markers,
    capabilities = capabilities,
    init_options = settings,
    settings = { [NAME] = settings },
    handlers = { ['hearth/status'] = status.on_notification },
    on_exit = on_exit,
  }
end

---@param bufnr integer
local function attach_by_hand(bufnr)
  local filetypes = config.options.filetypes
  local filetype = vim.bo[bufnr].filetype
  if not api.nvim_buf_is_loaded(bufnr) or vim.bo[bufnr].buftype ~= '' or filetype == '' then
    return
  end
  if filetypes and not vim.list_contains(filetypes, filetype) then
    return
  end
  local client = M.config()
  client.root_dir = vim.fs.root(bufnr, config.options.root_markers)
  vim.lsp.start(client, { bufnr = bufnr })
end

--- Attach to every buffer there is and will be. Safe to call again.
function M.enable()
  local program = config.options.cmd[1]
  if vim.fn.executable(program) ~= 1 then
    vim.notify(('Hearth: there is no program `%s`. See :checkhealth hearth.'):format(program), vim.log.levels.WARN)
    return
  end
  if vim.lsp.enable then
    vim.lsp.config(NAME, M.config())
    vim.lsp.enable(NAME)
    return
  end
  api.nvim_create_autocmd('FileType', {
    group = api.nvim_create_augroup('hearth.filetype', {}),
    callback = function(event)
      attach_by_hand(event.buf)
    end,
  })
  for _, bufnr in ipairs(api.nvim_list_bufs()) do
    attach_by_hand(bufnr)
  end
end

--- Stop the server and start it again for the same buffers; start it if there is none.
function M.restart()
  deaths = {}
  if #clients.all() == 0 then
    M.enable()
    return
  end
  for _, client in ipairs(clients.all()) do
    restarting[client.id] = true
    clients.call(client, 'stop')
    vim.defer_fn(function()
      if restarting[client.id] then
        clients.call(client, 'stop', true)
      end
    end, STOP_MS)
  end
end

--- Run one of the server's own commands.
---@param command string
function M.tell(command)
  for _, client in ipairs(clients.all()) do
    clients.run(client.id, { command = command })
  end
end

---@param client vim.lsp.Client
---@param bufnr integer
local function on_attach(client, bufnr)
  local entry = running[client.id] or { config = client.config, buffers = {} }
  if not running[client.id] and ghost.paused then
    clients.run(client.id, { command = 'hearth.pause' }) -- A new process knows nothing of it.
  end
  running[client.id] = entry
  entry.buffers[bufnr] = true
  local group = api.nvim_create_augroup('hearth.ghost.' .. bufnr, {})
  api.nvim_create_autocmd({ 'CursorMovedI', 'TextChangedI', 'TextChangedP' }, {
    group = group,
    buffer = bufnr,
    callback = function()
      ghost.refresh(bufnr)
    end,
  })
  api.nvim_create_autocmd({ 'CursorHold', 'InsertEnter' }, {
    group = group,
    buffer = bufnr,
    callback = function() -- Where somebody may type soon: the server reads what stands there.
      if not ghost.paused and not clients.call(client, 'is_stopped') then
        local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
        clients.call(client, 'notify', 'hearth/cursor', params)
      end
    end,
  })
  api.nvim_create_autocmd({ 'InsertLeave', 'BufLeave' }, {
    group = group,
    buffer = bufnr,
    callback = function()
      own.abort(bufnr)
    end,
  })
  api.nvim_create_autocmd('BufWipeout', {
    group = group,
    buffer = bufnr,
    callback = function()
      own.detach(bufnr)
      ghost.forget(bufnr)
    end,
  })
  M.front().attach(client, bufnr)
end

--- Follow the clients called `hearth`, whoever starts them.
function M.watch()
  local group = api.nvim_create_augroup('hearth', {})
  api.nvim_create_autocmd('LspAttach', {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == NAME then
        on_attach(client, event.buf)
      end
    end,
  })
  api.nvim_create_autocmd('LspDetach', {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == NAME then
        own.detach(event.buf)
        builtin.detach(event.buf)
        pcall(api.nvim_del_augroup_by_name, 'hearth.ghost.' .. event.buf)
      end
    end,
  })
  api.nvim_create_autocmd('ColorScheme', { group = group, callback = ghost.define_highlights })
  ghost.define_highlights()
end

return M
