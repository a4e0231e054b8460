--- What `setup` was given, checked: unusable values are left out and named, never raised.

local M = {}

---@class hearth.Config
---@field cmd string[] How to start the language server.
---@field filetypes? string[] Attach to these only; nil means every file.
---@field root_markers string[] A folder that holds one of these is a workspace's root.
---@field settings table Sent to the server as they are; see docs/settings.md.
---@field keys table<string, string> Insert-mode keys by function name, e.g. { accept = '<Tab>' }.
---@field ghost_text 'auto'|'builtin'|'own' Who asks for and draws ghost text.
---@field pause_ms integer Typing rest before the plugin's own client asks.

---@type hearth.Config
local defaults = {
  cmd = { 'hearth', 'lsp' },
  filetypes = nil,
  root_markers = { '.git', '.hg', 'pyproject.toml', 'package.json', 'Cargo.toml', 'go.mod' },
  settings = {},
  keys = {},
  ghost_text = 'auto',
  -- The server waits for a rest in the typing itself; this only merges the events of one keystroke.
  pause_ms = 10,
}

--- The functions that a key can be given to.
M.ACTIONS = { 'accept', 'accept_word', 'accept_line', 'next', 'prev', 'suggest', 'dismiss', 'toggle' }

---@type hearth.Config
M.options = vim.deepcopy(defaults)

---@type string[] One sentence for each value that could not be used.
M.problems = {}

---@param value any
local function is_string_list(value)
  if type(value) ~= 'table' or not vim.islist(value) then
    return false
  end
  return vim.iter(value):all(function(it)
    return type(it) == 'string'
  end)
end

local checks = {
  cmd = { 'a list of strings', function(value)
    return is_string_list(value) and 0 < #value
  end },
  filetypes = { 'a list of strings', is_string_list },
  root_markers = { 'a list of strings', is_string_list },
  settings = { 'a table', function(value)
    return type(value) == 'table'
  end },
  keys = { 'a table of keys by function name', function(value)
    return type(value) == 'table'
  end },
  ghost_text = { "'auto', 'builtin' or 'own'", function(value)
    return value == 'auto' or value == 'builtin' or value == 'own'
  end },
  pause_ms = { 'a whole number of milliseconds', function(value)
    return type(value) == 'number' and 0 <= value and value % 1 == 0
  end },
}

---@param raw? table
---@return hearth.Config
function M.resolve(raw)
  local options, problems = vim.deepcopy(defaults), {}
  for name, value in vim.spairs(type(raw) == 'table' and raw or {}) do
    local check = checks[name]
    if not check then
      table.insert(problems, ('setup: there is no option `%s`.'):format(name))
    elseif not check[2](value) then
      table.insert(problems, ('setup: `%s` must be %s.'):format(name, check[1]))
    else
      options[name] = vim.deepcopy(value)
    end
  end
  for name, key in vim.spairs(options.keys) do
    if not vim.list_contains(M.ACTIONS, name) then
      table.insert(problems, ('setup: `keys.%s` is no function of this plugin.'):format(name))
      options.keys[name] = nil
    elseif type(key) ~= 'string' or key == '' then
      table.insert(problems, ('setup: `keys.%s` must be a key, such as "<M-l>".'):format(name))
      options.keys[name] = nil
    end
  end
  if options.ghost_text == 'builtin' and not vim.lsp.inline_completion then
    table.insert(problems, "setup: `ghost_text = 'builtin'` needs Neovim 0.12; using 'own'.")
    options.ghost_text = 'own'
  end
  M.options, M.problems = options, problems
  return options
end

--- Whether Neovim's own inline completion is used.
function M.is_builtin()
  return M.options.ghost_text ~= 'own' and vim.lsp.inline_completion ~= nil
end

return M
