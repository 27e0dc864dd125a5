/* checked.h: a plan text through reading, or through everything that `check` does, for tests.
 *
 *     checked c = checked_text("a.plan", bytes, length);
 *     ... diag_ordered(c.diags, &count) ...
 *     checked_free(&c);
 */
#ifndef ESPALIER_TESTS_SUPPORT_CHECKED_H
#define ESPALIER_TESTS_SUPPORT_CHECKED_H

#include "parse/parse.h"

typedef struct checked {
    arena *memory;
    source_set *sources;
    diag_sink *diags;
    ast_node *file;
} checked;

/* Read alone, and with everything behind that `check` does. */
checked checked_text(const char *path, const char *bytes, size_t length);
checked checked_whole(const char *path, const char *bytes, size_t length);
void checked_free(checked *c);

/* The bytes of a file, NUL behind them; NULL where it cannot be read. The caller frees. */
char *read_whole_file(const char *path, size_t *length);

/* Every file below `folder` whose name ends in `ending`, sorted. In `a`. */
typedef VEC(const char *) path_list;
path_list files_below(arena *a, const char *folder, const char *ending);

#endif
