" Plan files of Espalier. With Neovim the language server starts by itself.
if exists("b:did_ftplugin")
  finish
endif
let b:did_ftplugin = 1
setlocal commentstring=#\ %s comments=:# expandtab shiftwidth=2 softtabstop=2 textwidth=100
setlocal formatprg=espalier\ fmt\ -
let b:undo_ftplugin = "setlocal commentstring< comments< expandtab< shiftwidth< softtabstop< textwidth< formatprg<"
if has("nvim-0.8") && executable("espalier")
  lua vim.lsp.start({ name = "espalier", cmd = { "espalier", "lsp" }, root_dir = vim.fn.getcwd() })
endif
