#!/usr/bin/env bash
# Vim and VS Code: the syntax files are what the tables of words give; Vim colours each kind of word, and only where it is one;
# the patterns of the TextMate grammar are read by the engine that VS Code has; package.json is whole.
. "$(dirname "$(readlink -f "$0")")/lib.sh"
cd "$SOURCE/editors"

./generate.sh "$work"
for file in vim/syntax/espalier.vim vscode/syntaxes/espalier.tmLanguage.json; do
    cmp "$work/$file" "$file" || fail "editors/$file is behind the tables: run editors/generate.sh"
done

words=0
while read -r word; do
    for file in vim/syntax/espalier.vim vscode/syntaxes/espalier.tmLanguage.json; do
        grep -qE "[(|]$word[)|\\]" "$file" || fail "editors/$file does not have '$word'"
    done
    words=$((words + 1))
done < <(sed -n 's/^\(ITEM\|STATEMENT\|TOPOLOGY\|CLUSTER\|RESERVED\|CONNECTIVE\)("\([a-z]*\)".*/\2/p' "$SOURCE/grammar/keywords.def"
         sed -n 's/^CLAUSE([A-Z]*, "\([a-z]*\)".*/\1/p' "$SOURCE/compiler/sema/clause.def"
         sed -n 's/^BUILTIN("\([a-z0-9_]*\)".*/\1/p' "$SOURCE/compiler/sema/builtin.def"
         sed -n 's/^UNIT("\([A-Za-z/]*\)".*/\1/p' "$SOURCE/compiler/ast/unit.def")
[ "$words" -ge 100 ] || fail "only $words words were looked for"

cat >"$work/colours.plan" <<'PLAN'
use nn
model train(batch: dim) {
  input data: f32[B, P]
  split = exp(data)
  loss  = mean(if 1 > 0 then split else data over B)  # mesh
}
train steps for train(batch = 3) {
  data csv("split.csv", data = 0)
  batch 64
}
cluster c { node n[2] { cpu w { memory 80 GiB } }; link w <-> w: 10 GB/s, 1 us }
plan p for steps on c {
  mesh dp = 4; split B over dp
  reduce grad over dp by ring as int8
}
topology t(n) {
  chunks n
  for s in 0 ..< n: send s from s to s + 1 copy
}
PLAN
# LINE WORD KIND: the word where it stands first on that line; `-`: no colour
cat >"$work/expected" <<'WORDS'
1 use Item
2 model Item
2 train -
2 batch -
2 dim Type
3 input Statement
3 data -
3 f32 Type
4 split -
4 exp Operator
4 data -
5 mean Operator
5 if Word
5 then Word
5 split -
5 over Word
5 mesh Comment
7 train Item
7 for Connective
7 steps -
8 data Clause
8 split String
9 batch Clause
9 64 Number
11 cluster Item
11 node Statement
11 cpu Statement
11 memory Attribute
11 80 Number
11 GiB Unit
11 link Statement
11 us Unit
12 plan Item
12 on Connective
13 mesh Clause
13 split Clause
13 over Word
14 reduce Clause
14 by Connective
14 ring -
14 as Connective
16 topology Item
17 chunks Clause
18 for Statement
18 send Statement
18 from Connective
18 copy Word
WORDS
cat >"$work/colours.lua" <<'LUA'
local failures, looked = 0, 0
for line in io.lines(os.getenv("WORK") .. "/expected") do
  local number, word, kind = line:match("(%d+) (%S+) (%S+)")
  local text = vim.fn.getline(tonumber(number))
  local column = text:find("%f[%w_]" .. word .. "%f[^%w_]")
  local got = vim.fn.synIDattr(vim.fn.synID(tonumber(number), column, 1), "name"):gsub("^espalier", "")
  if got == "Phrase" or got == "" then got = "-" end
  if got ~= kind then
    print(("line %s: '%s' is %s, not %s"):format(number, word, got, kind))
    io.stdout:write("\n")
    failures = failures + 1
  end
  looked = looked + 1
end
print(vim.bo.filetype .. ": " .. looked .. " words")
if failures == 0 and vim.bo.filetype == "espalier" then vim.cmd("qall!") else vim.cmd("cquit 1") end
LUA
WORK="$work" timeout 60 nvim --headless -u NONE -i NONE -n --cmd "set runtimepath+=$SOURCE/editors/vim" \
    --cmd "filetype on | syntax on" "$work/colours.plan" -c "luafile $work/colours.lua" >"$work/said" 2>&1 ||
    { cat "$work/said"; fail "Vim's colours"; }

jq -e '.main and .contributes.languages[0].extensions == [".plan"] and (.contributes.grammars[0].scopeName == "source.espalier")
       and .dependencies["vscode-languageclient"] and (.engines.vscode | startswith("^"))' vscode/package.json >/dev/null ||
    fail "editors/vscode/package.json"
for file in $(jq -r '.main, .contributes.languages[0].configuration, .contributes.grammars[0].path' vscode/package.json); do
    [ -f "vscode/$file" ] || fail "package.json names $file, which is not there"
done
jq -e '.comments.lineComment == "#"' vscode/language-configuration.json >/dev/null || fail "language-configuration.json"
command -v node >/dev/null && { node --check vscode/extension.js || fail "extension.js"; }

# jq's regular expressions are Oniguruma's, as VS Code's are.
patterns=0
while IFS= read -r pattern; do
    jq -n --arg pattern "$pattern" '"" | test($pattern)' >/dev/null || fail "the engine does not read $pattern"
    patterns=$((patterns + 1))
done < <(jq -r '.. | objects | .match?, .begin?, .end? | strings' vscode/syntaxes/espalier.tmLanguage.json)
matches() { # SCOPE TEXT: some pattern of that scope is found in it
    jq -e --arg scope "$1" --arg text "$2" '
        [.. | objects | select(.match? or .begin?) | select((.name? // .beginCaptures?["1"].name? // "") | startswith($scope)) | (.match? // .begin?) as $p | $text | test($p)] | any' \
        vscode/syntaxes/espalier.tmLanguage.json >/dev/null
}
matches storage.type 'model m {' || fail "TextMate: model"
matches keyword.other.clause '  split B over dp' || fail "TextMate: a clause"
matches keyword.other.clause '  split = exp(x)' && fail "TextMate: a name that is a clause elsewhere"
matches keyword.control '  input data: f32[B, P]' || fail "TextMate: a statement"
matches support.function 'y = exp(x)' || fail "TextMate: an operator"
matches constant.numeric '10 GB/s' || fail "TextMate: a number"
echo "editors: $words words, $patterns patterns, $(tail -1 "$work/said")"
