/* words.h: what is wrong with single tokens, and the joining of numbers with their units. */
#ifndef ESPALIER_PARSE_WORDS_H
#define ESPALIER_PARSE_WORDS_H

#include "parse/parse.h"
#include "parse/token.h"

/* Interns names, reads numbers and their units, reports strings that do not end, foreign characters and signs.
 * What is wrong becomes a TOKEN_BAD_VALUE, which stands for an expression, or a TOKEN_BAD, which ends the reading of
 * its statement; neither is reported on again. */
void words_settle(const parse_context *context, token_list *list);

#endif
