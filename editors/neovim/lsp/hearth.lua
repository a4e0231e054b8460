--- For `vim.lsp.enable('hearth')` on Neovim 0.11 and later, without `setup`.

return require('hearth.server').config()
