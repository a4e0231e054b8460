--- A client's functions in every Neovim: fields in 0.10, methods from 0.11 on.

local M = {}

M.NAME = 'hearth'

local has_methods = vim.fn.has('nvim-0.11') == 1

--- Our clients, those of one buffer if one is given.
---@param bufnr? integer
---@return vim.lsp.Client[]
function M.all(bufnr)
  return vim.lsp.get_clients({ name = M.NAME, bufnr = bufnr })
end

---@param client vim.lsp.Client
---@param name string
function M.call(client, name, ...)
  if has_methods then
    return client[name](client, ...)
  end
  return client[name](...)
end

--- Run a server's command; nothing happens without one.
---@param client_id integer
---@param command? lsp.Command
---@param bufnr? integer
function M.run(client_id, command, bufnr)
  local client = command and vim.lsp.get_client_by_id(client_id)
  if not client or M.call(client, 'is_stopped') then
    return
  end
  local params = { command = command.command, arguments = command.arguments }
  M.call(client, 'request', 'workspace/executeCommand', params, function() end, bufnr)
end

return M
