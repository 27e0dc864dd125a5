/* complete.h: what may follow on a command line of `espalier`, for the shells' completions.
 *
 * The shells' scripts (command_completions.c) hold no tables: they hand over the words typed so far and get the
 * candidates, a line each: the word, a tab, what it is. A candidate that ends in '=', ':' or '/' goes on. Everything
 * comes from the tables of commands, options, forms and passes, plans and clusters from the file that is named.
 *
 *     complete_words(session, words, count, out);     // words behind `espalier`; the last is the one being typed
 */
#ifndef ESPALIER_DRIVER_COMPLETE_H
#define ESPALIER_DRIVER_COMPLETE_H

#include "base/text.h"
#include "driver/session.h"

void complete_words(session *s, char *const *words, int count, text *out);

#endif
