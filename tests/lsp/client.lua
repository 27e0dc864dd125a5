-- Drives `espalier lsp` by Neovim's own client, as an editor does: open, mistype, see the error, mend it, hover,
-- go to definition, complete, format. ESPALIER and PLAN come from the environment; prints a line for each step.
local failures = 0

local function check(what, fine, got)
  print((fine and "ok    " or "FAIL  ") .. what .. (fine and "" or ": " .. vim.inspect(got)))
  io.stdout:write("\n")
  if not fine then failures = failures + 1 end
end

local latest -- the diagnostics published last, with their version of the text
local client_id = vim.lsp.start_client({
  name = "espalier",
  cmd = { os.getenv("ESPALIER"), "lsp" },
  handlers = {
    ["textDocument/publishDiagnostics"] = function(_, result) latest = result end,
  },
})

vim.cmd("edit " .. os.getenv("PLAN"))
local buffer = vim.api.nvim_get_current_buf()
vim.lsp.buf_attach_client(buffer, client_id)
local uri = vim.uri_from_bufnr(buffer)
vim.wait(5000, function() return vim.lsp.buf_is_attached(buffer, client_id) end, 20)

local function published(wanted)
  return vim.wait(5000, function() return latest ~= nil and wanted(latest.diagnostics) end, 20)
end

local function find(pattern)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(buffer, 0, -1, false)) do
    local column = line:find(pattern)
    if column then return number - 1, column - 1, line end
  end
  error("no line has " .. pattern)
end

local function ask(method, line, character)
  local params = { textDocument = { uri = uri } }
  if line then params.position = { line = line, character = character } end
  if method == "textDocument/formatting" then params.options = { tabSize = 2, insertSpaces = true } end
  local answers, problem = vim.lsp.buf_request_sync(buffer, method, params, 5000)
  if not answers then return nil, problem end
  local answer = answers[client_id]
  return answer and answer.result, answer and answer.error
end

check("the example has no error", published(function(d) return #d == 0 end), latest)

local line, column, text = find("relu%(linear%(image")
vim.api.nvim_buf_set_lines(buffer, line, line + 1, false, { (text:gsub("linear%(image", "lineer(image")) })
check("a misspelt layer is seen where it stands", published(function(d)
  return #d == 1 and d[1].range.start.line == line and d[1].message:find("lineer") ~= nil and d[1].code ~= nil
end), latest)

vim.api.nvim_buf_set_lines(buffer, line, line + 1, false, { text })
check("mended, the error goes", published(function(d) return #d == 0 end), latest)

local hover = ask("textDocument/hover", line, text:find("linear%(") - 1)
check("hover on a layer shows its head", hover ~= nil and hover.contents.value:find("layer linear") ~= nil, hover)

local y_line, y_column = find("y    = linear")
hover = ask("textDocument/hover", y_line, y_column)
check("hover on a value shows its dimensions",
  hover ~= nil and hover.contents.value:find("%[B, C%]") ~= nil, hover)

local definition = ask("textDocument/definition", line, text:find("linear%(") - 1)
check("the definition of linear is in the standard library",
  definition ~= nil and definition.uri:find("nn%.plan$") ~= nil, definition)

local use_line, use_column = find("top1%(y, digit%)")
definition = ask("textDocument/definition", use_line, use_column + 5)
check("the definition of a value is its assignment",
  definition ~= nil and definition.uri == uri and definition.range.start.line == y_line, definition)

local plan_line = find("mesh   dp = 4")
local function completed(at_line, character)
  local labels = {}
  for _, item in ipairs(ask("textDocument/completion", at_line, character) or {}) do labels[item.label] = true end
  return labels
end
local labels = completed(plan_line, 2)
check("a plan's clauses are completed where one may start", labels.split and labels.reduce and not labels.ring, labels)
local split_line, split_column = find("B over dp")
labels = completed(split_line, split_column)
check("dimensions are completed behind 'split'", labels.B and labels.P and not labels.reduce, labels)
local reduce_line, reduce_column = find("ring$")
labels = completed(reduce_line, reduce_column)
check("topologies are completed behind 'by'", labels.ring and labels.tree, labels)

hover = ask("textDocument/hover", y_line, y_column)
check("hover on a value shows its layout under the plan", hover and hover.contents.value:find("f32[B@dp, C]", 1, true), hover)
local help = ask("textDocument/signatureHelp", y_line, (select(3, find("y    = linear"))):find("C%)") - 1)
check("signature help in a call", help and help.signatures[1].label:find("layer linear", 1, true) and help.activeParameter == 1, help)
local symbols = ask("textDocument/documentSymbol")
check("document symbols", symbols and #symbols >= 5, symbols)

local misspelt_line, misspelt_column, whole = find("ring$")
vim.api.nvim_buf_set_lines(buffer, misspelt_line, misspelt_line + 1, false, { (whole:gsub("ring$", "rnig")) })
published(function(d) return #d == 1 end)
local answers = vim.lsp.buf_request_sync(buffer, "textDocument/codeAction", { textDocument = { uri = uri },
  range = { start = { line = misspelt_line, character = misspelt_column }, ["end"] = { line = misspelt_line, character = misspelt_column } },
  context = { diagnostics = latest.diagnostics } }, 5000)
local actions = answers and answers[client_id].result
check("a quick fix is offered", actions and #actions == 1, actions)
if actions and #actions == 1 then vim.lsp.util.apply_workspace_edit(actions[1].edit, "utf-16") end
check("applied, the error goes", published(function(d) return #d == 0 end) and vim.api.nvim_buf_get_lines(buffer, misspelt_line, misspelt_line + 1, false)[1] == whole, latest)

answers = vim.lsp.buf_request_sync(buffer, "textDocument/rename", { textDocument = { uri = uri },
  position = { line = y_line, character = y_column }, newName = "scores" }, 5000)
local edit = answers and answers[client_id].result
check("rename gives edits", edit and #edit.changes[uri] == 3, edit)
if edit then vim.lsp.util.apply_workspace_edit(edit, "utf-16") end
check("renamed, there is no error", published(function(d) return #d == 0 end) and find("scores *= linear%(h, C%)") ~= nil, latest)

vim.api.nvim_buf_set_lines(buffer, plan_line, plan_line + 1, false, { "      mesh dp=4" })
published(function(d) return #d == 0 end)
local edits = ask("textDocument/formatting")
check("formatting gives edits", edits ~= nil and #edits > 0, edits)
if edits and #edits > 0 then
  vim.lsp.util.apply_text_edits(edits, buffer, "utf-16")
  local _, _, formatted = find("mesh")
  check("formatted, the clause stands as the others do", formatted:find("^  mesh +dp = 4$") ~= nil, formatted)
end

local client = vim.lsp.get_client_by_id(client_id)
client.stop()
check("the server leaves when asked", vim.wait(5000, function() return client.is_stopped() end, 20))

if failures == 0 then vim.cmd("qall!") else vim.cmd("cquit 1") end
