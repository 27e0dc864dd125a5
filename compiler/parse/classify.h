/* classify.h: what each word and line end means where it stands (rules 6 and 9).
 *
 * A statement ends at a line end or ';' outside brackets. Its first word is looked up for the kind of block it stands
 * in; a word is a keyword elsewhere only in its own place (`init` in a param, `from` in a send, `over` in a clause), so
 * all of them stay free as names. A misspelt first word is reported with the nearest one, and taken for it.
 */
#ifndef ESPALIER_PARSE_CLASSIFY_H
#define ESPALIER_PARSE_CLASSIFY_H

#include "parse/parse.h"
#include "parse/token.h"

/* Changes types (NAME to keywords, NEWLINE and SEMICOLON to END) and sets flags; brackets are paired before. */
void classify(const parse_context *context, token_list *list);

/* The same for a file that holds one expression. */
void classify_expression(const parse_context *context, token_list *list);

#endif
