" Plan files of Espalier. Made by editors/generate.sh from the compiler's tables of words.
if exists("b:current_syntax")
  finish
endif
syntax match espalierWord "\<\(and\|below\|copy\|else\|if\|in\|init\|not\|or\|over\|reduce\|repeat\|then\|updates\)\>"
syntax match espalierType "\(:\s*\|^\s*precision\s\+\)\@<=\<\(dim\|int\|id\|f32\|f64\|bf16\)\>"
syntax match espalierConstant "\<\(yes\|no\|pi\|inf\|zeros\|ones\|constant\|normal\|uniform\|step\|steps\|training\|deterministic\|canonical\)\>\ze\(\s*=[^=]\|\s\+for\>\|\s\+on\>\)\@!"
syntax match espalierOperator "\<\(abs\|argmax\|attention\|concat\|convolve\|convolve_transposed\|cos\|count\|cumsum\|detach\|dot\|erf\|exp\|floor\|gather\|index\|log\|log1p\|max\|mean\|merge\|min\|mod\|number\|pad\|pow\|random\|rename\|rsqrt\|sigmoid\|sign\|sin\|slice\|split\|sqrt\|sum\|tanh\|where\|window_max\|window_sum\)\>\ze("
" Words that open a block, a statement or a clause are words only where one may start; a name that is bound there is none.
syntax match espalierItem "^\s*\zs\<\(cluster\|import\|layer\|model\|optimizer\|plan\|schedule\|topology\|train\|use\|weights\)\>\ze\(\s\+[A-Za-z_\"]\)"
syntax match espalierStatement "\(^\|[;{:]\)\s*\zs\<\(for\|input\|link\|metric\|param\|require\|return\|send\|state\|switch\)\>\ze\s\+[^= ]"
syntax match espalierStatement "\(^\|[;{]\)\s*\zs\<\(node\|cpu\|gpu\)\>\ze\s\+[A-Za-z_]"
syntax match espalierAttribute "\([{,;]\|^\)\s*\zs\<\(memory\|compute\|bandwidth\|latency\)\>\ze\s\+[0-9]"
syntax match espalierClause "\(^\|[;{]\)\s*\zs\<\(average\|batch\|checkpoint\|chunks\|clip\|collective\|data\|epochs\|freeze\|ignore\|init\|mesh\|microbatches\|optimizer\|pipeline\|place\|precision\|prefix\|recompute\|reduce\|require\|root\|sample\|save\|seed\|shard\|split\|steps\|tied\)\>\ze\(\s*$\|\s\+[^= ]\)" nextgroup=espalierPhrase
syntax match espalierPhrase "[^;{}#]*" contained contains=espalierConnective,espalierWord,espalierType,espalierConstant,espalierOperator,espalierNumber,espalierUnit,espalierString
syntax match espalierConnective "\<\(as\|at\|by\|every\|except\|for\|from\|keep\|on\|to\|with\|within\)\>" contained
syntax match espalierConnective "\(^\s*\(train\|plan\)\s\+\w\+\s\+\)\@<=for\>\|\<on\>\ze\s\+\w\+\s*{\|\<\(from\|to\)\>\ze\s"
syntax match espalierNumber "\<\d[0-9_]*\(\.\d\+\)\?\([eE][-+]\?\d\+\)\?\>" nextgroup=espalierUnit skipwhite
syntax match espalierUnit "\(us\|s\|ns\|ms\|TiB/s\|TiB\|Tb/s\|TFLOP/s\|TB/s\|TB\|PFLOP/s\|MiB/s\|MiB\|Mb/s\|MFLOP/s\|MB/s\|MB\|KiB/s\|KiB\|Kb/s\|KB/s\|KB\|GiB/s\|GiB\|Gb/s\|GFLOP/s\|GB/s\|GB\|FLOP/s\|B/s\|B\)\ze\(\W\|$\)\|%" contained
syntax region espalierString start=+"+ skip=+\\"+ end=+"+ oneline
syntax match espalierComment "#.*$" contains=@Spell
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
