/* suggest.h: "did you mean": the known name nearest to a misspelt one.
 *
 *     suggestion s = suggest_for("lineer");
 *     for each name known in this place: suggest_offer(&s, name);
 *     if (s.best) diag_fix_edit(d, at, s.best, "did you mean '%s'?", s.best);
 *
 * Near is: a distance (insert, delete, change, swap neighbours) of at most a third of the longer name, or another
 * case of the same letters. Among equals the first offered wins.
 */
#ifndef ESPALIER_DIAG_SUGGEST_H
#define ESPALIER_DIAG_SUGGEST_H

#include <stddef.h>

typedef struct suggestion {
    const char *name;
    const char *best; /* NULL: nothing near */
    size_t distance;  /* of best */
} suggestion;

suggestion suggest_for(const char *name);
void suggest_offer(suggestion *s, const char *candidate);

/* Edits between the two; texts longer than 63 bytes are far from everything. */
size_t suggest_distance(const char *a, const char *b);

#endif
