/* sema_run.h: a plan text through parsing, checks and elaboration, for tests.
 *
 *     sema_run r = sema_run_text("use nn …", "ring4");
 *     assert_int_equal(diag_error_count(r.diags), 0);
 *     sema_run_free(&r);
 */
#ifndef TESTS_SUPPORT_SEMA_RUN_H
#define TESTS_SUPPORT_SEMA_RUN_H

#include "sema/sema.h"

typedef struct sema_run {
    arena *memory;
    atom_table *atoms;
    source_set *sources;
    diag_sink *diags;
    sema *sema;
    bool fine; /* elaborated without an error */
    sema_output out;
} sema_run;

/* Checks the text, then elaborates `plan` (NULL: the first one; "": none). */
sema_run sema_run_text(const char *bytes, const char *plan);
sema_run sema_run_file(const char *path, const char *plan);

/* Read and resolved, and no more. */
sema_run sema_run_unchecked(const char *bytes);

/* Elaborates the plan again, with `--set NAME=BYTES`. */
void sema_run_set(sema_run *r, const char *plan, const char *name, const char *bytes);

/* "E0214 3:7 axis 'dp' …\n" a line for each diagnostic, in order. */
const char *sema_run_words(sema_run *r);

void sema_run_free(sema_run *r);

#endif
