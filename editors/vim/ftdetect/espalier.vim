autocmd BufRead,BufNewFile *.plan setfiletype espalier
