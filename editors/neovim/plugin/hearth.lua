--- Loaded by Neovim at start: the `:Hearth` command, and following clients that `vim.lsp.enable` starts.

if vim.g.loaded_hearth or vim.fn.has('nvim-0.10') ~= 1 then
  return
end
vim.g.loaded_hearth = true

vim.api.nvim_create_user_command('Hearth', function(command)
  require('hearth.command').run(command.args)
end, {
  nargs = '?',
  bar = true,
  desc = 'Hearth: status, source, pause, resume, toggle, restart, log',
  complete = function(lead)
    return require('hearth.command').complete(lead)
  end,
})

require('hearth.server').watch()
