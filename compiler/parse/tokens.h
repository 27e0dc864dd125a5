/* tokens.h: the classified tokens of a file, for those who need what the tree does not keep: the formatter. */
#ifndef ESPALIER_PARSE_TOKENS_H
#define ESPALIER_PARSE_TOKENS_H

#include "parse/parse.h"
#include "parse/token.h"

/* Reads, settles, pairs and classifies; list->memory is set by the caller. False: the file is not one to be read. */
bool parse_tokens(const parse_context *context, int file, token_list *list, bool expression);

#endif
