/* compile.h: the passes, in their order, from a plan file to an object file.
 *
 * Each pass is a row of the table in compile.c: its name, what it does, the verifier behind it, and the form it leaves.
 * A new pass is a row there.
 */
#ifndef ESPALIER_DRIVER_COMPILE_H
#define ESPALIER_DRIVER_COMPILE_H

#include "ast/ast.h"
#include "codegen/codegen.h"
#include "driver/session.h"
#include "sema/sema.h"

typedef struct compilation {
    session *session;
    const char *path; /* of the plan file */
    const char *plan; /* as asked for; NULL: the file's first */
    bool one;         /* that plan alone is checked, with what it uses */
    ast_node *file;
    sema *meaning;
    graph *graph; /* graph form, then spmd form */
    training *training;
    schedule *schedule;
    codegen_module *module; /* freed by compile_clean_up */
} compilation;

typedef enum pass_id {
#define PASS(id, name) PASS_##id,
#include "driver/passes.def"
#undef PASS
    PASS_COUNT
} pass_id;

/* Runs the passes up to and including `last`, or as far as --stop-after says. False after an error, which is in the
 * session's diagnostics. */
bool compile_plan(session *s, const char *operand, pass_id last, compilation *c);

/* Writes the executable. False after a diagnostic. */
bool compile_link(compilation *c, const char *output);

/* Builds the executable in a folder of its own, runs it with these arguments behind its name, removes it; its exit code. */
int compile_execute(compilation *c, char *const *arguments);

/* Frees what is not in the session's arena; also for a zeroed compilation. */
void compile_clean_up(compilation *c);

const char *compile_pass_name(pass_id id);

/* The pass of that name; -1 if there is none. */
int compile_find_pass(const char *name);

/* "parse, resolve, …", for messages. */
const char *compile_pass_names(arena *a);

#endif
