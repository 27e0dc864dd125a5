-- The language server by raw messages: what it answers about each kind of thing, and that nothing a client sends ends
-- it. ESPALIER and WORK (a folder with digits.plan and parts.plan) come from the environment; prints a line a step.
local failures, steps = 0, 0
local work = os.getenv("WORK")

local function check(what, fine, got)
  print((fine and "ok    " or "FAIL  ") .. what .. (fine and "" or ": " .. vim.inspect(got)))
  io.stdout:write("\n")
  steps = steps + 1
  if not fine then failures = failures + 1 end
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("*a")
  file:close()
  return bytes
end

local function framed(body) return "Content-Length: " .. #body .. "\r\n\r\n" .. body end

-- Sends the pieces (tables are messages, strings go as they are) and returns answers by id, notifications, and the exit code.
local function talk(pieces)
  local bytes = {}
  for _, piece in ipairs(pieces) do
    bytes[#bytes + 1] = type(piece) == "string" and piece or framed(vim.json.encode(piece))
  end
  local sent = assert(io.open(work .. "/sent", "wb"))
  sent:write(table.concat(bytes))
  sent:close()
  local code = os.execute(os.getenv("ESPALIER") .. " lsp --stdio <" .. work .. "/sent >" .. work .. "/got 2>" .. work .. "/said")
  local got, at, answers, others = read(work .. "/got"), 1, {}, {}
  while at <= #got do
    local length, body = got:match("^Content%-Length: (%d+)\r\n\r\n()", at)
    if not length then error("no header at " .. at) end
    local message = vim.json.decode(got:sub(body, body + length - 1))
    if type(message.id) == "number" or type(message.id) == "string" then answers[message.id] = message
    else others[#others + 1] = message end
    at = body + length
  end
  return answers, others, code
end

local path = work .. "/digits.plan"
local uri, text = vim.uri_from_fname(path), read(path)
local start = { jsonrpc = "2.0", id = 0, method = "initialize", params = { capabilities = vim.empty_dict() } }
local function opened(bytes) return { jsonrpc = "2.0", method = "textDocument/didOpen",
  params = { textDocument = { uri = uri, languageId = "espalier", version = 1, text = bytes } } } end
local function request(id, method, params)
  params.textDocument = { uri = uri }
  return { jsonrpc = "2.0", id = id, method = "textDocument/" .. method, params = params }
end
local bye = { jsonrpc = "2.0", id = 999, method = "shutdown" }
local exit = { jsonrpc = "2.0", method = "exit" }

-- The position `into` characters behind where `words` begin in `bytes` (plain text; ASCII before it on its line).
local function position(bytes, words, into)
  local begin = assert(bytes:find(words, 1, true), "the text has no " .. words) + (into or 0)
  local line = select(2, bytes:sub(1, begin - 1):gsub("\n", ""))
  local column = begin - 1 - (bytes:sub(1, begin - 1):match(".*()\n") or 0)
  return { line = line, character = column }
end

local function line_at(bytes, range)
  local lines = vim.split(bytes, "\n", { plain = true })
  return lines[range.start.line + 1]
end

-- Asks one thing of a text that is opened first.
local function ask(bytes, method, params)
  local answers = talk({ start, opened(bytes), request(1, method, params), bye, exit })
  local answer = answers[1] and answers[1].result
  return answer ~= vim.NIL and answer or nil
end

local function diagnostics_of(others, of)
  local latest
  for _, message in ipairs(others) do
    if message.method == "textDocument/publishDiagnostics" and message.params.uri == of then latest = message.params.diagnostics end
  end
  return latest
end

-- ---------------------------------------------------------------- hover

local function hover(words, into) local h = ask(text, "hover", { position = position(text, words, into) }) return h and h.contents.value or "" end
local function expect_hover(what, words, into, ...)
  local got = hover(words, into)
  local fine = true
  for _, piece in ipairs({ ... }) do fine = fine and got:find(piece, 1, true) ~= nil end
  check("hover: " .. what, fine, got)
end
expect_hover("a value's layout under each plan", "h    = relu", 0, "f32[B@dp, H]` in plan ring4", "f32[B, H]` in plan alone")
expect_hover("a later binding of the same name", "h    = relu(linear(h", 0, "f32[B@dp, H2]")
expect_hover("an input", "input image", 6, "f32[B@dp, P]")
expect_hover("a value in a layer of one's own", "wide = ", 0, "wide = linear", "f32[B@dp, W]")
expect_hover("a layer's signature and comment", "linear(image", 0, "layer linear(x: [.., D], F: dim, bias = yes) -> [.., F]", "y = x . w")
expect_hover("a layer of one's own", "doubled(h", 0, "layer doubled(x: [.., D], W: dim) -> [.., W]", "Twice as wide")
expect_hover("an operator", "max(wide", 0, "operator", "max(x, y)")
expect_hover("a clause", "reduce grad", 0, "clause", "summed over the ranks")
expect_hover("a dimension's size", "H2 = H / 2", 0, "dimension", "`H2 = 64`")
expect_hover("a model's parameter", "linear(image, H)", 14, "parameter", "`H = 128`")
expect_hover("a mesh axis", "B over dp", 7, "mesh axis", "mesh dp = 4")

-- The contract's language model, whose plan is not all carried out: what is written there is known all the same.
local gpt = read(os.getenv("SOURCE") .. "/tests/golden/language/gpt.plan")
local function expect_gpt(what, words, into, ...)
  local got = ask(gpt, "hover", { position = position(gpt, words, into) })
  got = got and got.contents.value or ""
  local fine = true
  for _, piece in ipairs({ ... }) do fine = fine and got:find(piece, 1, true) ~= nil end
  check("hover: " .. what, fine, got)
end
expect_gpt("a layer in a plan's path, not an option of the same name", "block over pp", 0, "layer", "layer block(x: [B, S, D], A: dim)")
expect_gpt("a value in a path", "block.attn", 7, "attn = self_attention(norm(x), A, causal)", "f32[B, S, D]")
expect_gpt("a dimension that a layer makes", "A, F, V", 3, "dimension", "`F = 4096`")
expect_gpt("a node that an axis is placed over", "pp over host", 8, "node host[2]")
expect_gpt("a statement without its comment", "x    = repeat", 0, "x = repeat L: block(x, A)\n```")

-- ---------------------------------------------------------------- go to definition

local function expect_definition(what, words, into, line)
  local got = ask(text, "definition", { position = position(text, words, into) })
  local fine = got and (line:find("%.plan$") and got.uri:sub(-#line) == line
    or (got.uri == uri and line_at(text, got.range):find(line, 1, true) ~= nil))
  check("definition: " .. what, fine, got)
end
expect_definition("a layer of the library", "linear(image", 0, "/stdlib/nn.plan")
expect_definition("a part of the library", "use nn, optim", 8, "/stdlib/optim.plan")
expect_definition("an imported file", "parts.plan", 2, "/parts.plan")
expect_definition("a layer of an imported file", "halved(", 0, "/parts.plan")
expect_definition("a layer of one's own", "doubled(h", 0, "layer doubled")
expect_definition("a value: the binding that holds there", "linear(h, C)", 7, "h    = halved")
expect_definition("an input", "linear(image", 8, "input image")
expect_definition("a dimension, in the plan", "split  B over", 7, "input image")
expect_definition("a parameter of the model", "linear(h, C)", 10, "model mlp")
expect_definition("a parameter where the model is called", "mlp(H = 128", 4, "model mlp")
expect_definition("a parameter of an optimizer", "momentum = 0.9", 2, "/stdlib/optim.plan")
expect_definition("an input where the data are", "digit = 64", 0, "input digit")
expect_definition("a model", "for mlp(", 5, "model mlp")
expect_definition("a train", "ring4 for digits", 12, "train digits")
expect_definition("a cluster", "digits on laptop", 12, "cluster laptop")
expect_definition("an axis", "B over dp", 7, "mesh   dp")
expect_definition("a topology", "by ring", 4, "/stdlib/topology.plan")
expect_definition("an optimizer", "sgd(", 1, "/stdlib/optim.plan")
expect_definition("a device", "link worker", 6, "cpu worker")
local named = ask(text, "definition", { position = position(text, "linear(image", 0) })
check("the library's place can be opened", named and io.open(vim.uri_to_fname(named.uri)) ~= nil, named)

-- ---------------------------------------------------------------- completion, while the text is not whole

-- The first `from` of the file gives way to `to`, in which '|' stands where Tab would be pressed.
local function expect_completion(what, from, to, wanted, unwanted)
  local begin, last = text:find(from, 1, true)
  local before, after = text:sub(1, begin - 1) .. to:match("^(.-)|"), to:match("|(.*)$") .. text:sub(last + 1)
  local place = { line = select(2, before:gsub("\n", "")), character = #before:match("[^\n]*$") }
  local found, fine = {}, true
  for _, item in ipairs(ask(before .. after, "completion", { position = place }) or {}) do found[item.label] = item end
  for _, word in ipairs(wanted) do fine = fine and found[word] ~= nil end
  for _, word in ipairs(unwanted) do fine = fine and found[word] == nil end
  check("completion: " .. what, fine, vim.tbl_keys(found))
  return found
end
local items = expect_completion("clauses of a plan", "mesh   dp = 4", "  me|", { "mesh", "split", "require" }, { "batch", "linear", "B" })
check("a clause comes with its form", items.split and items.split.detail:find("split DIMENSION", 1, true) ~= nil, items.split)
expect_completion("clauses of a train", "batch     64", "b|", { "batch", "data", "epochs" }, { "mesh" })
expect_completion("dimensions to split", "split  B over dp", "split |", { "B", "P", "H", "C" }, { "ring" })
expect_completion("axes", "split  B over dp", "split B over |", { "dp" }, { "B", "worker" })
expect_completion("topologies", "over dp by ring", "over dp by |", { "ring", "tree", "hierarchical", "trees", "auto" }, { "sgd" })
expect_completion("optimizers", "optimizer sgd(lr = 0.1, momentum = 0.9)", "optimizer |", { "sgd", "adamw" }, { "cosine", "batch" })
expect_completion("schedules and parameters in an optimizer", "sgd(lr = 0.1, momentum = 0.9)", "sgd(lr = 0.1, |", { "momentum", "cosine" }, { "batch" })
expect_completion("weights behind as", "use nn, optim", "use nn, optim, weights\ntrain w for mlp(H = 1, C = 2) { init from \"x\" as |", { "gpt2", "llama" }, { "digits" })
expect_completion("trains behind for", "plan alone for digits on laptop { }", "plan alone for |", { "digits" }, { "laptop" })
expect_completion("clusters behind on", "plan alone for digits on laptop { }", "plan alone for digits on |", { "laptop" }, { "digits" })
expect_completion("inputs in data", "image = 0..63, digit = 64", "ima|", { "image", "digit", "scale" }, { "batch" })
items = expect_completion("layers, values, dimensions and operators in a model", "y    = linear(h, C)", "y = li|", { "linear", "doubled", "halved", "exp", "h", "image" }, { "mesh" })
check("a layer comes with its signature", items.linear and items.linear.detail:find("bias = yes", 1, true) ~= nil, items.linear)
check("and with its comment", items.linear and items.linear.documentation:find("x . w", 1, true) ~= nil, items.linear)
expect_completion("statements of a model", "y    = linear(h, C)", "me|", { "metric", "input" }, { "return", "exp2" })
expect_completion("statements of a cluster", "cpu worker[4] { memory 1 GiB }", "c|", { "cpu", "gpu", "link" }, { "mesh" })
expect_completion("attributes of a device", "memory 1 GiB", "me|", { "memory", "bandwidth" }, { "cpu" })
expect_completion("ends of a link", "link worker <-> worker: 10 GB/s, 1 us", "link w|", { "worker" }, { "mesh" })
expect_completion("blocks at the top", "plan alone for digits on laptop { }", "to|", { "topology", "plan" }, { "mesh" })
expect_completion("nothing in a comment", "batch     64", "# ba|", {}, { "batch", "data" })
expect_completion("nothing in a string", "data/digits.csv", "da|", {}, { "data", "batch" })

-- ---------------------------------------------------------------- signature help

local function signature(bytes, words)
  local place = position(bytes, words)
  place.character = place.character + #words
  return ask(bytes, "signatureHelp", { position = place })
end
local half = text:gsub("y    = linear%(h, C%)", "y = linear(h, ")
local help = signature(half, "y = linear(h, ")
check("signature help while a call is written", help and help.signatures[1].label:find("layer linear(x: [.., D], F: dim", 1, true) and help.activeParameter == 1, help)
help = signature((text:gsub("momentum = 0.9%)", "nesterov = ")), "nesterov = ")
check("signature help by an argument's name", help and help.signatures[1].parameters[help.activeParameter + 1].label:find("nesterov", 1, true), help)
help = signature((text:gsub("by ring", "by tree(arity = ")), "by tree(arity = ")
check("signature help for a topology", help and help.signatures[1].parameters[help.activeParameter + 1].label:find("arity", 1, true), help)
help = signature((text:gsub("y    = linear%(h, C%)", "y = where(h, ")), "y = where(h, ")
check("signature help for an operator", help and help.signatures[1].label == "where(condition, x, y)", help)

-- ---------------------------------------------------------------- references, rename, symbols, fixes

local function lines_of(list)
  local lines = {}
  for _, one in ipairs(list or {}) do lines[#lines + 1] = one.range.start.line + 1 end
  table.sort(lines)
  return lines
end
local function lines_with(...)
  local lines = {}
  for number, line in ipairs(vim.split(text, "\n", { plain = true })) do
    for _, pattern in ipairs({ ... }) do if line:find(pattern) then lines[#lines + 1] = number end end
  end
  return lines
end
local places = ask(text, "references", { position = position(text, "B over dp", 7), context = { includeDeclaration = true } })
check("references of an axis: its clause and each use", vim.deep_equal(lines_of(places), lines_with("%f[%w]dp%f[%W]")), places)
places = ask(text, "references", { position = position(text, "input digit", 6), context = { includeDeclaration = true } })
check("references of an input: model and data, not the train that is called alike",
  vim.deep_equal(lines_of(places), lines_with("input digit", "%(y, digit%)", "digit = 64")), places)

local function apply(bytes, edits)
  table.sort(edits, function(a, b)
    return a.range.start.line > b.range.start.line
      or (a.range.start.line == b.range.start.line and a.range.start.character > b.range.start.character)
  end)
  local lines = vim.split(bytes, "\n", { plain = true })
  local function offset(at)
    local sum = 0
    for i = 1, at.line do sum = sum + #(lines[i] or "") + 1 end
    return sum + at.character
  end
  for _, edit in ipairs(edits) do
    local from, to = offset(edit.range.start), offset(edit.range["end"])
    bytes = bytes:sub(1, from) .. edit.newText .. bytes:sub(to + 1)
  end
  return bytes
end
local edits = ask(text, "rename", { position = position(text, "H: dim", 0), newName = "Hidden" })
local renamed = edits and apply(text, edits.changes[uri]) or ""
local _, others = talk({ start, opened(renamed), bye, exit })
check("a renamed parameter leaves a file without errors",
  renamed:find("Hidden = 128", 1, true) and renamed:find("H2 = Hidden / 2", 1, true) and #(diagnostics_of(others, uri) or { 1 }) == 0, renamed)
edits = ask(text, "rename", { position = position(text, "layer doubled", 6), newName = "wider" })
renamed = edits and apply(text, edits.changes[uri]) or ""
check("a renamed layer", renamed:find("h    = wider(", 1, true) and renamed:find("layer wider(", 1, true), renamed)
check("what the library defines is not renamed", ask(text, "rename", { position = position(text, "linear(image", 0), newName = "affine" }) == nil)
check("what is no name is no new name", ask(text, "rename", { position = position(text, "H: dim", 0), newName = "a b" }) == nil)
check("a place that can be renamed", ask(text, "prepareRename", { position = position(text, "H: dim", 0) }) ~= nil)

local symbols, by_name = ask(text, "documentSymbol", {}), {}
for _, symbol in ipairs(symbols or {}) do by_name[symbol.name] = symbol end
local inner = {}
for _, symbol in ipairs(by_name.mlp and by_name.mlp.children or {}) do inner[symbol.name] = true end
check("symbols: blocks and what they bind", by_name.ring4 and by_name.doubled and by_name.laptop and inner.image and inner.loss and inner.H, symbols)

local misspelt = text:gsub("reduce grad over dp by ring", "reduce grad over dp by rnig")
local place = position(misspelt, "rnig")
local actions = ask(misspelt, "codeAction", { range = { start = place, ["end"] = place }, context = { diagnostics = {} } })
local mended = actions and actions[1] and apply(misspelt, actions[1].edit.changes[uri]) or ""
check("a quick fix mends a misspelt name", mended == text, actions)

-- ---------------------------------------------------------------- formatting

local rough = text:gsub("  mesh   dp = 4", "      mesh    dp=4"):gsub("  batch     64", " batch 64")
edits = ask(rough, "formatting", { options = { tabSize = 2, insertSpaces = true } })
check("formatting the whole gives the canonical file", edits and apply(rough, edits) == text, edits)
place = position(rough, "mesh ")
edits = ask(rough, "rangeFormatting", { range = { start = place, ["end"] = place }, options = { tabSize = 2, insertSpaces = true } })
local partly = edits and apply(rough, edits) or ""
check("formatting a range leaves the rest alone", partly:find("\n  mesh   dp = 4\n", 1, true) and partly:find("\n batch 64\n", 1, true), partly)
check("a canonical file needs no edits", #(ask(text, "formatting", { options = {} }) or { 1 }) == 0)
check("a file with errors of syntax is not formatted", #(ask((text:gsub("{", "", 1)), "formatting", { options = {} }) or { 1 }) == 0)

-- ---------------------------------------------------------------- changes, UTF-16, imported files

local function changed(range, bytes) return { jsonrpc = "2.0", method = "textDocument/didChange",
  params = { textDocument = { uri = uri, version = 2 }, contentChanges = { { range = range, text = bytes } } } } end
local first = "# \240\159\140\177\240\159\140\177 \195\164 seedlings\n" -- two letters beyond the basic plane, one beyond ASCII
_, others = talk({ start, opened(first .. text),
  changed({ start = { line = 0, character = 2 }, ["end"] = { line = 0, character = 4 } }, "x"), -- one of the two
  changed({ start = { line = 0, character = 4 }, ["end"] = { line = 0, character = 4 } }, "}"), bye, exit })
local last_version
for _, message in ipairs(others) do if message.params and message.params.version then last_version = message.params.version end end
check("diagnostics name the version that they are of", last_version == 2, others)
check("changes in UTF-16 keep the text whole", #(diagnostics_of(others, uri) or { 1 }) == 0, others)
local tail = "plan beyond for digits on laptop { } # \240\159\140\177\nplan x for digts on laptop { }"
_, others = talk({ start, opened(text .. "# \240\159\140\177\n" .. tail), bye, exit })
local seen = diagnostics_of(others, uri) or {}
check("a place behind such letters", #seen == 1 and seen[1].range.start.character == 11, seen)
_, others = talk({ start, opened('import "no\240\159\140\177ne.plan"; use nm\n'), bye, exit })
seen = diagnostics_of(others, uri) or {}
local at_nm
for _, one in ipairs(seen) do if one.message:find("'nm'", 1, true) then at_nm = one.range.start.character end end
check("columns are counted in UTF-16 units", at_nm == 26, seen)
local parts = vim.uri_from_fname(work .. "/broken.plan")
_, others = talk({ start, opened('import "broken.plan"\n'), changed({ start = { line = 0, character = 0 }, ["end"] = { line = 1, character = 0 } }, ""), bye, exit })
local shown, cleared = false, false
for _, message in ipairs(others) do
  if message.method == "textDocument/publishDiagnostics" and message.params.uri == parts then
    shown = shown or #message.params.diagnostics > 0
    cleared = shown and #message.params.diagnostics == 0
  end
end
check("an imported file's error is shown in it, and goes when it is no longer imported", shown and cleared, others)

local parts_uri = vim.uri_from_fname(work .. "/parts.plan")
local other = { jsonrpc = "2.0", method = "textDocument/didOpen",
  params = { textDocument = { uri = parts_uri, languageId = "espalier", version = 1, text = "use nn\n" } } }
local whole = { jsonrpc = "2.0", method = "textDocument/didChange", params = { textDocument = { uri = parts_uri, version = 2 },
  contentChanges = { { text = read(work .. "/parts.plan") } } } }
local counts = {}
_, others = talk({ start, opened(text), other, whole, bye, exit })
for _, message in ipairs(others) do
  if message.method == "textDocument/publishDiagnostics" and message.params.uri == uri then counts[#counts + 1] = #message.params.diagnostics end
end
check("what an editor holds of an imported file counts, saved or not", vim.deep_equal(counts, { 0, 1, 0 }), counts)

-- ---------------------------------------------------------------- big documents

local many = { text }
for i = 1, 3000 do many[#many + 1] = ("plan p%d for digits on laptop { mesh dp = 2; split B over dp }\n"):format(i) end
local big = table.concat(many)
local _, notes = talk({ start, opened(big), request(1, "documentSymbol", {}), request(2, "hover", { position = position(big, "h    = relu") }), bye, exit })
check("a document of thousands of plans", #(diagnostics_of(notes, uri) or { 1 }) == 0)
_, notes = talk({ start, opened(("x"):rep(2 * 1024 * 1024)), bye, exit })
seen = diagnostics_of(notes, uri) or {}
check("a document that is too large says so", #seen == 1 and seen[1].code == "E0107", seen)

-- ---------------------------------------------------------------- hostile clients

local function survives(what, ...)
  local pieces = { start, opened(text) }
  for _, piece in ipairs({ ... }) do pieces[#pieces + 1] = piece end
  vim.list_extend(pieces, { request(77, "hover", { position = position(text, "linear(image") }), bye, exit })
  local answers, rest, code = talk(pieces)
  local alive = answers[77] and answers[77].result and answers[77].result ~= vim.NIL and answers[999] ~= nil
  check("survives " .. what, alive and code == 0, { answers = answers, code = code })
  return answers, rest
end
local function refused(rest) -- how many errors without an id
  local count = 0
  for _, message in ipairs(rest) do count = count + (message.error and 1 or 0) end
  return count
end
local hostile = {
  ["what is not JSON"] = framed("{nonsense"),
  ["bytes that are not UTF-8"] = framed('{"jsonrpc":"2.0","method":"\255\254"}'),
  ["an empty body"] = "Content-Length: 0\r\n\r\n",
  ["a header without a length"] = "Content-Type: text\r\n\r\n",
  ["a length below zero"] = "Content-Length: -5\r\n\r\n",
  ["a length that is no number"] = "Content-Length: many\r\n\r\n",
  ["a batch"] = framed('[{"jsonrpc":"2.0","id":1,"method":"shutdown"}]'),
  ["a number"] = framed("7"),
  ["nesting without end"] = framed(("["):rep(100000)),
  ["an id that is an object"] = framed('{"jsonrpc":"2.0","id":{},"method":"shutdown"}'),
  ["a method that is a number"] = framed('{"jsonrpc":"2.0","method":9}'),
}
for what, bytes in pairs(hostile) do
  local _, rest = survives(what, bytes)
  check("and says what is wrong with it", refused(rest) == 1, rest)
end
survives("a header line of a megabyte", "X-Long: " .. ("y"):rep(1024 * 1024) .. "\r\nContent-Length: 2\r\n\r\n{}")
survives("unknown notifications", { jsonrpc = "2.0", method = "$/cancelRequest", params = { id = 3 } })
survives("answers to what it never asked", { jsonrpc = "2.0", id = 5, result = "x" })
survives("parameters of other kinds", framed('{"jsonrpc":"2.0","method":"textDocument/didOpen","params":[1,2]}'),
  framed('{"jsonrpc":"2.0","method":"textDocument/didChange","params":{"textDocument":7,"contentChanges":"x"}}'),
  framed('{"jsonrpc":"2.0","method":"textDocument/didChange","params":{"textDocument":{"uri":"' .. uri .. '"},"contentChanges":[3,{"text":4},{"range":5,"text":null}]}}'),
  framed('{"jsonrpc":"2.0","method":"textDocument/didClose"}'))
local answers = survives("requests of other kinds",
  framed('{"jsonrpc":"2.0","id":11,"method":"textDocument/hover","params":{"textDocument":{"uri":"' .. uri .. '"},"position":{"line":-4,"character":1e300}}}'),
  framed('{"jsonrpc":"2.0","id":12,"method":"textDocument/completion","params":{"textDocument":{"uri":"file:///nowhere"},"position":null}}'),
  framed('{"jsonrpc":"2.0","id":13,"method":"textDocument/rename","params":{"textDocument":{"uri":"' .. uri .. '"},"position":{"line":1e9,"character":0},"newName":[]}}'),
  framed('{"jsonrpc":"2.0","id":14,"method":"no/such/method"}'),
  framed('{"jsonrpc":"2.0","id":15,"method":"textDocument/rangeFormatting","params":{"textDocument":{"uri":"' .. uri .. '"},"range":{"start":{"line":9,"character":9},"end":{"line":1,"character":0}}}}'))
check("each request has its answer", answers[11] and answers[12] and answers[13] and answers[14] and answers[15], answers)
check("an unknown method is an error", answers[14] and answers[14].error and answers[14].error.code == -32601, answers[14])
survives("a range from its end to its begin", changed({ start = { line = 3, character = 0 }, ["end"] = { line = 1, character = 0 } }, ""))
answers = talk({ request(1, "hover", { position = { line = 0, character = 0 } }), start, bye, request(2, "hover", { position = { line = 0, character = 0 } }), exit })
check("nothing before 'initialize', nothing behind 'shutdown'",
  answers[1] and answers[1].error.code == -32002 and answers[2] and answers[2].error.code == -32600, answers)
local _, _, code = talk({ start, "Content-Length: 999999\r\n\r\n{" })
check("the input's end without 'shutdown' is an exit of 1", code ~= 0, code)

print(("%d steps, %d failures"):format(steps, failures))
io.stdout:write("\n")
if failures == 0 then vim.cmd("qall!") else vim.cmd("cquit 1") end
