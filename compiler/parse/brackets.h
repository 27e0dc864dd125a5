/* brackets.h: pairs the brackets of a file before anything else is read, so that a missing one is reported where it
 * was opened and costs no more than its statement. */
#ifndef ESPALIER_PARSE_BRACKETS_H
#define ESPALIER_PARSE_BRACKETS_H

#include "parse/parse.h"
#include "parse/token.h"

/* Sets `pair` on both brackets of each pair. Behind it:
 * - a '(' or '[' that is never closed is a TOKEN_BAD; its statement ends with its line;
 * - a bracket that closes nothing is a TOKEN_SKIPPED, and so are the statements behind a '}' that came too early;
 * - where a block is not closed, the token before which it ends has TOKEN_CLOSES, or the file ends;
 * - nesting beyond PARSE_DEEPEST_NESTING ends the file. */
void brackets_pair(const parse_context *context, token_list *list);

#endif
