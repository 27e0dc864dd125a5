#!/usr/bin/env bash
# Makes the syntax files of Vim and VS Code from the tables of words:
#   generate.sh           into editors/
#   generate.sh FOLDER    elsewhere, for the test that holds the files against the tables
set -euo pipefail
source=$(dirname "$(dirname "$(readlink -f "$0")")")
out=${1:-$source/editors}
mkdir -p "$out/vim/syntax" "$out/vscode/syntaxes"

keywords() { sed -n "s/^$1(\"\([^\"]*\)\".*/\1/p" "$source/grammar/keywords.def"; }
alternatives() { sort -u | paste -sd'|'; }

items=$(keywords ITEM | alternatives)
# `if` opens a statement too, and is a word anywhere.
statements=$({ keywords STATEMENT; keywords TOPOLOGY; keywords CLUSTER; } | grep -vx if | alternatives)
clauses=$({ sed -n 's/^CLAUSE([A-Z]*, "\([a-z]*\)".*/\1/p' "$source/compiler/sema/clause.def"; printf '%s\n' chunks collective root require prefix tied ignore; } | alternatives)
devices='node|cpu|gpu'
attributes='memory|compute|bandwidth|latency'
reserved=$({ keywords RESERVED; printf '%s\n' repeat init below updates in reduce copy; } | alternatives)
connectives=$({ keywords CONNECTIVE; printf '%s\n' keep; } | grep -vx over | alternatives)
types='dim|int|id|f32|f64|bf16'
constants='yes|no|pi|inf|zeros|ones|constant|normal|uniform|step|steps|training|deterministic|canonical'
operators=$(sed -n 's/^BUILTIN("\([a-z0-9_]*\)".*/\1/p' "$source/compiler/sema/builtin.def" | alternatives)
units=$(sed -n 's/^UNIT("\([^"%]*\)".*/\1/p' "$source/compiler/ast/unit.def" | sort -r | paste -sd'|')

vim() { sed 's/|/\\|/g' <<<"$1"; }
cat >"$out/vim/syntax/espalier.vim" <<VIM
" Plan files of Espalier. Made by editors/generate.sh from the compiler's tables of words.
if exists("b:current_syntax")
  finish
endif
syntax match espalierWord "\<\($(vim "$reserved")\)\>"
syntax match espalierType "\(:\s*\|^\s*precision\s\+\)\@<=\<\($(vim "$types")\)\>"
syntax match espalierConstant "\<\($(vim "$constants")\)\>\ze\(\s*=[^=]\|\s\+for\>\|\s\+on\>\)\@!"
syntax match espalierOperator "\<\($(vim "$operators")\)\>\ze("
" Words that open a block, a statement or a clause are words only where one may start; a name that is bound there is none.
syntax match espalierItem "^\s*\zs\<\($(vim "$items")\)\>\ze\(\s\+[A-Za-z_\"]\)"
syntax match espalierStatement "\(^\|[;{:]\)\s*\zs\<\($(vim "$statements")\)\>\ze\s\+[^= ]"
syntax match espalierStatement "\(^\|[;{]\)\s*\zs\<\($(vim "$devices")\)\>\ze\s\+[A-Za-z_]"
syntax match espalierAttribute "\([{,;]\|^\)\s*\zs\<\($(vim "$attributes")\)\>\ze\s\+[0-9]"
syntax match espalierClause "\(^\|[;{]\)\s*\zs\<\($(vim "$clauses")\)\>\ze\(\s*\$\|\s\+[^= ]\)" nextgroup=espalierPhrase
syntax match espalierPhrase "[^;{}#]*" contained contains=espalierConnective,espalierWord,espalierType,espalierConstant,espalierOperator,espalierNumber,espalierUnit,espalierString
syntax match espalierConnective "\<\($(vim "$connectives")\)\>" contained
syntax match espalierConnective "\(^\s*\(train\|plan\)\s\+\w\+\s\+\)\@<=for\>\|\<on\>\ze\s\+\w\+\s*{\|\<\(from\|to\)\>\ze\s"
syntax match espalierNumber "\<\d[0-9_]*\(\.\d\+\)\?\([eE][-+]\?\d\+\)\?\>" nextgroup=espalierUnit skipwhite
syntax match espalierUnit "\($(vim "$units")\)\ze\(\W\|\$\)\|%" contained
syntax region espalierString start=+"+ skip=+\\\\"+ end=+"+ oneline
syntax match espalierComment "#.*\$" contains=@Spell
highlight default link espalierItem Structure
highlight default link espalierStatement Statement
highlight default link espalierAttribute Identifier
highlight default link espalierClause Keyword
highlight default link espalierConnective Operator
highlight default link espalierWord Operator
highlight default link espalierType Type
highlight default link espalierConstant Constant
highlight default link espalierOperator Function
highlight default link espalierNumber Number
highlight default link espalierUnit Special
highlight default link espalierString String
highlight default link espalierComment Comment
let b:current_syntax = "espalier"
VIM

cat >"$out/vscode/syntaxes/espalier.tmLanguage.json" <<JSON
{
  "information_for_contributors": "Made by editors/generate.sh from the compiler's tables of words.",
  "scopeName": "source.espalier",
  "patterns": [
    { "name": "comment.line.number-sign.espalier", "match": "#.*\$" },
    { "name": "string.quoted.double.espalier", "begin": "\"", "end": "\"|\$", "patterns": [{ "name": "constant.character.escape.espalier", "match": "\\\\\\\\." }] },
    { "name": "storage.type.espalier", "match": "^\\\\s*($items)\\\\b(?=\\\\s+[A-Za-z_\"])" },
    { "name": "keyword.control.espalier", "match": "(?:^|(?<=[;{:]))\\\\s*($statements)\\\\b(?=\\\\s+[^= ])" },
    { "name": "keyword.control.espalier", "match": "(?:^|(?<=[;{]))\\\\s*($devices)\\\\b(?=\\\\s+[A-Za-z_])" },
    { "name": "variable.parameter.espalier", "match": "(?:^|(?<=[{,;]))\\\\s*($attributes)\\\\b(?=\\\\s+[0-9])" },
    {
      "begin": "(?:^|(?<=[;{]))\\\\s*($clauses)\\\\b(?=\\\\s*\$|\\\\s+[^= ])", "end": "(?=[;{}#])|\$",
      "beginCaptures": { "1": { "name": "keyword.other.clause.espalier" } },
      "patterns": [
        { "name": "keyword.operator.word.espalier", "match": "\\\\b($connectives)\\\\b" },
        { "include": "#words" }
      ]
    },
    { "name": "keyword.operator.word.espalier", "match": "\\\\b(for|on|from|to)\\\\b(?=\\\\s)" },
    { "include": "#words" }
  ],
  "repository": {
    "words": {
      "patterns": [
        { "name": "string.quoted.double.espalier", "begin": "\"", "end": "\"|\$" },
        { "name": "keyword.operator.word.espalier", "match": "\\\\b($reserved)\\\\b" },
        { "name": "support.type.espalier", "match": "(?:(?<=:)|(?<=: )|(?<=precision ))($types)\\\\b" },
        { "name": "constant.language.espalier", "match": "\\\\b($constants)\\\\b(?!\\\\s*=[^=]|\\\\s+(for|on)\\\\b)" },
        { "name": "support.function.espalier", "match": "\\\\b($operators)(?=\\\\()" },
        { "name": "constant.numeric.espalier", "match": "\\\\b[0-9][0-9_]*(\\\\.[0-9]+)?([eE][-+]?[0-9]+)?(\\\\s*(($units)(?=\\\\W|\$)|%))?" }
      ]
    }
  }
}
JSON
