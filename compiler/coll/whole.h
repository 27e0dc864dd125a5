/* whole.h: whole-number expressions of topology blocks.
 *
 *     whole_scope scope = {.memory = arena, .sink = sink, .work = COLL_MAX_WORK};
 *     whole_bind(&scope, name, 8);
 *     int64_t value;
 *     if (!whole_value(&scope, expression, &value)) ...   // reported
 */
#ifndef ESPALIER_COLL_WHOLE_H
#define ESPALIER_COLL_WHOLE_H

#include "ast/ast.h"
#include "base/vec.h"
#include "diag/diag.h"
#include <stdint.h>

typedef struct whole_binding {
    atom name;
    int64_t value;
} whole_binding;

typedef struct whole_scope {
    arena *memory;
    diag_sink *sink;
    const ast_node *topology;    /* named in messages */
    int64_t work;                /* evaluations left */
    VEC(whole_binding) bindings; /* inner last; a later one hides an earlier */
} whole_scope;

void whole_bind(whole_scope *scope, atom name, int64_t value);

/* False: reported, or poisoned by what the parser reported. Comparisons give 0 or 1. */
bool whole_value(whole_scope *scope, const ast_node *expression, int64_t *value);

/* Takes one evaluation off the budget; false, reported at `at`, when it is spent. */
bool whole_spend(whole_scope *scope, span at);

#endif
