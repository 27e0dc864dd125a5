" Plan files of Espalier.
if exists("b:current_syntax")
  finish
endif
syntax keyword espalierItem use import model layer optimizer schedule train cluster plan topology
syntax keyword espalierStatement input param state metric if else return repeat for send init below updates by
syntax keyword espalierClause data batch epochs steps seed clip freeze checkpoint sample microbatches average
syntax keyword espalierClause mesh split reduce place pipeline shard recompute save precision require
syntax keyword espalierMachine node cpu gpu link switch memory compute bandwidth
syntax keyword espalierWord over on from to as with within every keep then and or not copy in mod
syntax keyword espalierType dim int id f32 f64 bf16
syntax keyword espalierConstant yes no pi inf zeros ones normal uniform constant
syntax match espalierNumber "\<\d[0-9_]*\(\.\d\+\)\?\([eE][-+]\?\d\+\)\?\>"
syntax match espalierUnit "\<\(\(\d\|_\)\+\(\.\d\+\)\?\)\@<= *\([KMGTP]i\?B\|[KMGTP]b\|TFLOP\|GFLOP\|PFLOP\|ns\|us\|ms\|s\)\(/s\)\?\>"
syntax region espalierString start=+"+ skip=+\\"+ end=+"+ oneline
syntax match espalierComment "#.*$" contains=@Spell
highlight default link espalierItem Structure
highlight default link espalierStatement Statement
highlight default link espalierClause Keyword
highlight default link espalierMachine Keyword
highlight default link espalierWord Operator
highlight default link espalierType Type
highlight default link espalierConstant Constant
highlight default link espalierNumber Number
highlight default link espalierUnit Special
highlight default link espalierString String
highlight default link espalierComment Comment
let b:current_syntax = "espalier"
