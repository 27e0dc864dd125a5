/* incremental_internal.h: what incremental.c (the functions, and the walk over operators) and incremental_op.c (what becomes
 * of one) share.
 */
#ifndef ESPALIER_PASS_INCREMENTAL_INTERNAL_H
#define ESPALIER_PASS_INCREMENTAL_INTERNAL_H

#include "graph/build.h"
#include "pass/incremental.h"

/* A variable that an operator of the model keeps; both functions share it. */
typedef struct kept_variable {
    const graph_op *op;
    const char *part;
    int variable;
} kept_variable;

/* What a variable becomes when the call ends; in a repeat's body, its slice. */
typedef struct kept_value {
    int variable;
    graph_value *value;
} kept_value;

/* A region that is being written: the function's own, or a repeat's body. */
typedef struct incremental_level {
    struct incremental_level *outer;
    dim_id leading; /* of a repeat */
    VEC(kept_value) kept;
} incremental_level;

typedef struct incremental {
    graph *g;
    training *t;
    diag_sink *diags;
    graph_function *from;
    const graph_op *input; /* of the ids */
    int dim_count;         /* before the pass made any */
    bool *along;           /* by dimension: positions, under whatever name */
    dim_id *stands;        /* by dimension: what stands for it, where it is not along */
    dim_id one, rows, cache;
    graph_value **now; /* by value id of `from`: what stands for it */
    bool *
        whole; /* by value id: a parameter over all positions, of which rows are read where they are needed */
    int values;
    VEC(kept_variable) variables;
    build *b;
    incremental_level *level;
    graph_value *position; /* of the first id: an i32 scalar */
} incremental;

bool incremental_is_along(const incremental *m, dim_id d);
bool incremental_is_batch(const incremental *m, dim_id d);
dim_id incremental_dim(const incremental *m, dim_id d);
graph_type incremental_type(const incremental *m, const graph_type *t);

/* x with its slots' numbers as labels. */
build_operand incremental_labelled(const incremental *m, graph_value *x);

/* What stands for an operand: of a parameter over positions, the rows of these. */
graph_value *incremental_operand(incremental *m, const graph_value *x);

/* Reports that sampling cannot go through the operator; returns false. */
bool incremental_refuse(incremental *m, const graph_op *op, const char *why, const char *fix);

/* Writes an operator that is no repeat. False after a diagnostic. */
bool incremental_op(incremental *m, const graph_op *op);

#endif
