/* syntax_error.h: a token that the grammar did not expect, in words: what was found, what belongs there, and the edit
 * that is most probably meant. */
#ifndef ESPALIER_PARSE_SYNTAX_ERROR_H
#define ESPALIER_PARSE_SYNTAX_ERROR_H

#include "parse/feed.h"

/* `expected`: token types that may stand here. Reports, unless the token was reported already, and skips. */
void syntax_error(parser *p, int found, span at, const int *expected, int count);

/* The grammar's stack is full. */
void syntax_error_deep(parser *p, span at);

#endif
