/* manual.h: the manual pages, as man(7) source, from the tables of commands, options, forms and words.
 *
 * Pages are espalier(1), one for each command (espalier-check(1), ...), and espalier-plan(5), the language in brief.
 *
 *     for (int i = 0; manual_page_name(a, i); i++)
 *         fputs(manual_page(a, i), out);
 */
#ifndef ESPALIER_DRIVER_MANUAL_H
#define ESPALIER_DRIVER_MANUAL_H

#include "base/text.h"

/* "espalier-check"; NULL behind the last. */
const char *manual_page_name(arena *a, int i);

/* "1" or "5" */
const char *manual_page_section(int i);

const char *manual_page(arena *a, int i);

/* For manual_plan.c: roff that prints the words as they stand. */
void manual_words(text *t, const char *words);

/* .TP with a tag in bold, then its text. */
void manual_item(text *t, const char *tag, const char *words);

/* The body of espalier-plan(5). */
void manual_plan(text *t);

#endif
