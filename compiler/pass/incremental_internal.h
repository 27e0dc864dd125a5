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
    int64_t *lead;         /* by dimension along positions: see incremental_shift.c */
    dim_id *stands;        /* by dimension: what stands for it, where it is not along */
    dim_id one, rows, cache, positions;
    VEC(dim_id) longer; /* rows with a lead, of this function */
    graph_value **now;  /* by value id of `from`: what stands for it */
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

int64_t incremental_lead(const incremental *m, dim_id d); /* 0 where it is not along */

/* x with its slots' numbers as labels. */
build_operand incremental_labelled(const incremental *m, graph_value *x);

/* What stands for an operand: of a parameter over positions, the rows of these. */
graph_value *incremental_operand(incremental *m, const graph_value *x);

/* Reports that sampling cannot go through the operator; returns false. */
bool incremental_refuse(incremental *m, const graph_op *op, const char *why, const char *fix);

/* The operator's like over the new dimensions, with `inputs` for operands. */
graph_op *incremental_clone(incremental *m, const graph_op *op, graph_value *const *inputs,
                            int count);

/* A variable of the operator's own: `cell`, behind the leading dimensions of the repeats around it; where it is written. */
typedef struct incremental_own {
    int variable;
    build_operand value;
} incremental_own;
incremental_own incremental_keep(incremental *m, const graph_op *op, const char *part,
                                 const graph_type *cell);

/* `x` in front of the first position, what the variable holds behind it. */
build_operand incremental_before(incremental *m, build_operand kept, double x);

/* pad, slice and conv along positions. */
typedef struct incremental_shift {
    int slot;       /* of operand and result */
    int64_t before; /* rows that the operator reads in front of the operand's own */
    int64_t
        allowed; /* the longest lead that its result can have; below 0: it reads positions to come */
} incremental_shift;

/* False where the operator does not move positions. */
bool incremental_shift_of(const incremental *m, const graph_op *op, incremental_shift *shift);
bool incremental_write_shift(incremental *m, const graph_op *op, const incremental_shift *shift);

/* Writes an operator that is no repeat. False after a diagnostic. */
bool incremental_op(incremental *m, const graph_op *op);

#endif
