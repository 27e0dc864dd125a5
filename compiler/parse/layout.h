/* layout.h: which tokens of a file share a line of its canonical form. The first half of format.h. */
#ifndef ESPALIER_PARSE_LAYOUT_H
#define ESPALIER_PARSE_LAYOUT_H

#include "base/vec.h"
#include "parse/token.h"

typedef struct layout_line {
    VEC(const token *) code; /* a ';' between statements is among them */
    const token *comment;    /* behind the code, or alone; NULL: none */
    size_t depth;            /* blocks around the line */
    bool blank_before;
    bool continues; /* inside brackets that an earlier line opened */
} layout_line;

typedef VEC(layout_line) layout;

layout layout_of(const token_list *list);

#endif
