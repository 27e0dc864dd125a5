/* diag.h: what is said to the user about a plan file.
 *
 * Every diagnostic has a code of codes.def, a place, a message in lower case without a full stop, notes at the
 * other places that take part, and, where there is one, a fix. One mistake gives one diagnostic: whoever reports
 * an error makes the value poisoned, and nobody reports on a poisoned value.
 *
 *     diag *d = diag_report(sink, E0214, at, "axis '%s' of %d does not divide dimension '%s' of %d", ...);
 *     diag_label(d, "'%s' = %d", ...);                         // beside the underline
 *     diag_note(d, declared, "axis '%s' declared here", name);
 *     diag_fix(d, "tp = 2 or 5");                              // words only
 *     diag_fix_edit(d, span, "dp = 2", "dp = 2");              // words, and the edit that carries them out
 *
 * diag_report returns NULL-safe handles: labels, notes and fixes on NULL do nothing. The same words said twice at one
 * place are kept once.
 */
#ifndef ESPALIER_DIAG_DIAG_H
#define ESPALIER_DIAG_DIAG_H

#include "base/vec.h"
#include "diag/source.h"
#include <stdbool.h>
#include <stdio.h>

/* codes.def: CODE(number, "title"). The enum is E0101 and so on; docs/codes/E0101.md is its page. */
typedef enum diag_code {
#define CODE(number, title) E##number,
#include "diag/codes.def"
#undef CODE
    DIAG_CODE_COUNT
} diag_code;

typedef struct diag_remark {
    span at;
    const char *words;
} diag_remark;

typedef struct diag_repair {
    const char *words;
    const char *replacement; /* NULL: words only */
    span at;                 /* what the replacement takes the place of */
} diag_repair;

/* Read-only outside diag/. */
typedef struct diag {
    arena *memory;
    diag_code code;
    span at;
    size_t order; /* of reporting, where places are equal */
    const char *message;
    const char *label; /* NULL: none */
    VEC(diag_remark) notes;
    VEC(diag_repair) fixes;
} diag;

typedef struct diag_sink diag_sink;

enum {
    DIAG_LIMIT = 20,  /* printed */
    DIAG_KEPT = 1000, /* of more, only the number is kept */
};

diag_sink *diag_sink_new(arena *a, const source_set *sources);

diag *diag_report(diag_sink *sink, diag_code code, span at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void diag_label(diag *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diag_note(diag *d, span at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_fix(diag *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* `words` as shown; the edit replaces `at` by `replacement`. */
void diag_fix_edit(diag *d, span at, const char *replacement, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

int diag_error_count(const diag_sink *sink);

/* How often something was reported, what had been said before included: has anything been reported since? */
size_t diag_report_count(const diag_sink *sink);

/* The diagnostics that were kept, ordered by place. Valid until the next report. */
const diag *const *diag_ordered(const diag_sink *sink, size_t *count);

/* Ordered by place, at most DIAG_LIMIT, then a line that says how many more there are. */
void diag_print(const diag_sink *sink, FILE *out, bool colour);

/* The same as an array of LSP diagnostics, grouped by file: [{"uri": …, "diagnostics": […]}]. Positions count UTF-16
 * units from 0; fixes stand in "data": {"fixes": [{"title", "edit": {"range", "newText"}}]}. */
void diag_print_json(const diag_sink *sink, FILE *out);

const char *diag_code_text(diag_code code); /* "E0214" */
const char *diag_code_title(diag_code code);

/* "E0214" or "e0214" to its code; false: no such code. */
bool diag_code_find(const char *name, diag_code *code);

#endif
