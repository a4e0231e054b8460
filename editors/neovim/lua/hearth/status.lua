--- What the server says about itself: the last `hearth/status` notification of each client.

local M = {}

---@type table<integer, table> By client id.
local latest = {}

---@param result? table
---@param context { client_id: integer }
function M.on_notification(_, result, context)
  if type(result) == 'table' then
    latest[context.client_id] = result
    vim.schedule(function()
      vim.api.nvim_exec_autocmds('User', { pattern = 'HearthStatus', modeline = false })
      vim.cmd.redrawstatus()
    end)
  end
end

---@param client_id integer
function M.forget(client_id)
  latest[client_id] = nil
end

--- The last status in a few words, such as "loading starter 40%" or "ready starter, 52 tokens/s".
---@param client_id integer
---@return string
function M.describe(client_id)
  local it = latest[client_id]
  if not it then
    return 'connected'
  end
  if it.paused then
    return 'paused'
  end
  local text = ('%s %s'):format(it.state or '', it.model or ''):gsub('^%s+', ''):gsub('%s+$', '')
  if it.state == 'loading' and 0 < (it.progress or 0) then
    text = ('%s %d%%'):format(text, it.progress * 100)
  elseif it.state == 'ready' and 0 < (it.tokensPerSecond or 0) then
    text = ('%s, %d tokens/s'):format(text, it.tokensPerSecond)
  end
  return text
end

--- Why nothing can be suggested; empty if all is well or nothing is known.
---@param client_id integer
---@return string
function M.problem(client_id)
  return (latest[client_id] or {}).problem or ''
end

--- What is remembered of the project, such as "ready, 812 files, 24.5 MB of text"; empty if nothing is known.
---@param client_id integer
---@return string
function M.memory(client_id)
  local it = (latest[client_id] or {}).memory
  if type(it) ~= 'table' then
    return ''
  end
  local text = it.state or ''
  if it.state == 'building' and 0 < (it.progress or 0) then
    text = ('%s %d%%'):format(text, it.progress * 100)
  end
  if 0 < (it.files or 0) then
    text = ('%s, %d file%s, %.1f MB of text'):format(text, it.files, it.files == 1 and '' or 's', it.megabytes or 0)
  end
  return text
end

return M
