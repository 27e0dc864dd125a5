/* session.h: what one invocation of `espalier` owns, from the command line to the diagnostics.
 *
 *     session s;
 *     session_init(&s, &options);
 *     if (session_compile(&s, operand, PASS_PLACE, &c)) ...
 *     int code = session_finish(&s);          // prints the diagnostics; EXIT_FINE or EXIT_DIAGNOSED
 *     session_clean_up(&s);
 */
#ifndef ESPALIER_DRIVER_SESSION_H
#define ESPALIER_DRIVER_SESSION_H

#include "base/atom.h"
#include "diag/diag.h"
#include "driver/options.h"

typedef struct session {
    const options *options;
    arena *memory;
    atom_table *atoms;
    source_set *sources;
    diag_sink *diags;
    int code; /* the worst exit code so far */
} session;

void session_init(session *s, const options *o);
void session_clean_up(session *s);

/* Says what the system refused, on standard error, and makes the exit code EXIT_SYSTEM. Returns false. */
bool session_refuse(session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for the command line: EXIT_USAGE. */
bool session_misuse(session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints the diagnostics and returns the exit code. */
int session_finish(session *s);

/* "dir/a.plan:ring4" -> "dir/a.plan" and "ring4"; without a plan's name `*plan` is NULL. */
void session_split_operand(session *s, const char *operand, const char **path, const char **plan);

/* Opens an output file, "-" or NULL being standard output; NULL after session_refuse. */
FILE *session_open(session *s, const char *path);

/* Closes what session_open gave; false after session_refuse when not everything could be written. */
bool session_close(session *s, FILE *out, const char *path);

#endif
