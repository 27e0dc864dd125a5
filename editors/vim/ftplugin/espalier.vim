" Plan files of Espalier. With Neovim the language server starts by itself.
if exists("b:did_ftplugin")
  finish
endif
let b:did_ftplugin = 1
setlocal commentstring=#\ %s comments=:# expandtab shiftwidth=2 softtabstop=2 textwidth=100
let &l:formatprg = get(g:, "espalier_path", "espalier") . " fmt -"
let b:undo_ftplugin = "setlocal commentstring< comments< expandtab< shiftwidth< softtabstop< textwidth< formatprg<"
let s:espalier = get(g:, "espalier_path", "espalier")
if has("nvim-0.8") && executable(s:espalier)
  call luaeval('vim.lsp.start({ name = "espalier", cmd = { _A, "lsp" }, root_dir = vim.fn.getcwd() })', s:espalier)
endif
