--- Asking for ghost text where Neovim cannot: before 0.12, or when the user prefers it.

local clients = require('hearth.client')
local config = require('hearth.config')
local ghost = require('hearth.ghost')
local suggestion = require('hearth.suggestion')

local api = vim.api

local METHOD = 'textDocument/inlineCompletion'
local INVOKED, AUTOMATIC = 1, 2 -- InlineCompletionTriggerKind

local M = {}

---@type table<integer, uv.uv_timer_t>
local timers = {}

---@type table<integer, { client_id: integer, id: integer }>
local pending = {}

---@param bufnr integer
local function cancel(bufnr)
  local request = pending[bufnr]
  pending[bufnr] = nil
  local client = request and vim.lsp.get_client_by_id(request.client_id)
  if client and not clients.call(client, 'is_stopped') then
    clients.call(client, 'cancel_request', request.id)
  end
end

---@param bufnr integer
---@param kind integer
---@return boolean asked
local function ask(bufnr, kind)
  local client, asked = clients.all(bufnr)[1], ghost.here(bufnr)
  if not client or not asked or ghost.is_silent(bufnr) or vim.fn.reg_executing() ~= '' then
    return false
  end
  cancel(bufnr)
  local tick = api.nvim_buf_get_changedtick(bufnr)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = kind }
  local request = { client_id = client.id }
  local function show(err, result)
    local is_newest = pending[bufnr] == request
    if is_newest then
      pending[bufnr] = nil
    end
    -- Null means "nothing new": a later request has the answer, and what is shown stays.
    if err or not is_newest or type(result) ~= 'table' or ghost.is_silent(bufnr) then
      return
    end
    local list = {}
    for _, item in ipairs(result.items or result) do
      list[#list + 1] = suggestion.read(item, asked, client.id, client.offset_encoding)
    end
    if api.nvim_buf_get_changedtick(bufnr) == tick or ghost.fits(list, bufnr) then
      ghost.show(bufnr, list) -- Otherwise it is about older text, and another answer is on its way.
    end
  end
  pending[bufnr] = request
  local sent, id = clients.call(client, 'request', METHOD, params, show, bufnr)
  if not sent then
    pending[bufnr] = nil
  elseif pending[bufnr] == request then
    request.id = id
  end
  return sent == true
end

---@param bufnr integer
local function stop_timer(bufnr)
  local timer = timers[bufnr]
  timers[bufnr] = nil
  if timer and not timer:is_closing() then
    timer:stop()
    timer:close()
  end
end

--- Ask when the typing rests.
---@param bufnr integer
function M.ask_soon(bufnr)
  stop_timer(bufnr)
  if ghost.is_silent(bufnr) then
    return
  end
  timers[bufnr] = vim.defer_fn(function()
    timers[bufnr] = nil
    ask(bufnr, AUTOMATIC)
  end, config.options.pause_ms)
end

---@param bufnr integer
function M.abort(bufnr)
  stop_timer(bufnr)
  cancel(bufnr)
  ghost.clear(bufnr)
end

---@param client vim.lsp.Client
---@param bufnr integer
function M.attach(client, bufnr)
  if not client.server_capabilities.inlineCompletionProvider then
    return
  end
  if vim.lsp.inline_completion then -- It may be on for another server; two would draw the same text.
    vim.lsp.inline_completion.enable(false, { bufnr = bufnr, client_id = client.id })
  end
  api.nvim_create_autocmd({ 'InsertEnter', 'CursorMovedI', 'TextChangedI', 'TextChangedP' }, {
    group = api.nvim_create_augroup('hearth.own.' .. bufnr, {}),
    buffer = bufnr,
    callback = function()
      M.ask_soon(bufnr)
    end,
  })
  M.ask_soon(bufnr)
end

---@param bufnr integer
function M.detach(bufnr)
  M.abort(bufnr)
  pcall(api.nvim_del_augroup_by_name, 'hearth.own.' .. bufnr)
end

---@param bufnr integer
---@param part? fun(rest: string): string
function M.accept(bufnr, part)
  local it = ghost.current(bufnr)
  if not it then
    return false
  end
  -- Later, because an <expr> mapping may not change the text.
  vim.schedule(function()
    ghost.insert(bufnr, it, part)
  end)
  return true
end

--- Ask by hand: at once, and where typing alone would not.
---@param bufnr integer
function M.suggest(bufnr)
  stop_timer(bufnr)
  ghost.speak(bufnr)
  return ask(bufnr, INVOKED)
end

---@param bufnr integer
---@param step integer
function M.cycle(bufnr, step)
  return ghost.cycle(bufnr, step)
end

---@param bufnr integer
function M.dismiss(bufnr)
  local was_shown = ghost.current(bufnr) ~= nil
  M.abort(bufnr)
  ghost.silence(bufnr)
  return was_shown
end

return M
