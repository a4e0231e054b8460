--- Keys, only those the user asked for: each falls through to what it did before when there is no ghost text.

local M = {}

---@type table<string, string> The key that an action has, by action.
local mapped = {}

--- Make `<Plug>(hearth-else-…)` do what the key did before it became ours.
---@param key string
---@return string plug
local function keep_previous(key)
  local plug = ('<Plug>(hearth-else-%s)'):format(key:gsub('[<>|]', ''))
  local previous = vim.fn.maparg(key, 'i', false, true)
  if vim.startswith(previous.desc or '', 'Hearth: ') then
    return plug
  end
  if vim.tbl_isempty(previous) or previous.buffer == 1 then
    vim.keymap.set('i', plug, key)
  else
    previous.lhs, previous.lhsrawalt = plug, nil
    previous.lhsraw = vim.api.nvim_replace_termcodes(plug, true, true, true)
    vim.fn.mapset('i', false, previous)
  end
  return plug
end

---@param keys table<string, string>
---@param actions table<string, fun(): boolean>
function M.map(keys, actions)
  for action, key in pairs(mapped) do
    if keys[action] ~= key then
      pcall(vim.keymap.del, 'i', key)
      mapped[action] = nil
    end
  end
  for action, key in pairs(keys) do
    local plug = keep_previous(key)
    vim.keymap.set('i', key, function()
      return actions[action]() and '' or plug
    end, { expr = true, remap = true, replace_keycodes = true, desc = 'Hearth: ' .. action:gsub('_', ' ') })
    mapped[action] = key
  end
end

return M
