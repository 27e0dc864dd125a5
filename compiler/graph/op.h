/* op.h: what op.def says of each operator, as a table, and the scalar functions of the MAP class.
 *
 *     const op_info *info = op_info_of(op->kind);
 *     if (info->class == OP_CLASS_MAP) y = op_scalar(op->kind, x);
 *
 * Index form by class (see graph.h); `slots` are the dimensions of an operand or result, in storage order:
 *
 *   SOURCE      no operands (`random` in a repeat's body: the iteration, an i32 scalar); each slot of the result has an index of its own. `index` has rank 1.
 *   MAP         every slot of every operand and of the result has an index; the result has every index once.
 *   REDUCE      the operand has every index once, the result a subset of them; `argmax` lacks exactly one.
 *   CONTRACT    each operand has an index at most once; the result's indices come from the operands; the others are summed.
 *   MOVE        broadcast   the result has the operand's indices and more
 *               reshape     slots that stay have an index; merged, split and renamed-with-split ones NO_INDEX
 *               transpose   both sides have the same indices
 *               slice, pad  the slot i[0] is NO_INDEX on both sides, the others stay, in the same order
 *               concat      the slot i[0] is NO_INDEX everywhere, the others are shared
 *               gather      exactly one slot of the table is NO_INDEX: the rows; ids may share indices with the table;
 *                           the result has every index
 *               scatter_add exactly one slot of the result is NO_INDEX: the rows; updates have every index; an index that
 *                           the result lacks is summed
 *               cumsum      both sides have the same indices; along slot i[0] it is a running sum
 *               append      cache and result have the same type; their slot i[0], and that of the rows, is NO_INDEX, the others
 *                           stay; the cache is a variable, or its slice in a repeat's body, and nobody else reads it
 *   WINDOW      x [n, ci, spatial…], w [co, ci, window…], y [n, co, spatial…]: n is an index, co is one when groups is 1 or
 *               for conv's w and y; ci is one (summed) when groups is 1; spatial and window slots are NO_INDEX.
 *               Pools: n and c are indices.
 *   FUSED       attention: q [.., s, k], k [.., t, k], v [.., t, e], mask [.., t] -> o [.., s, e], lse [.., s]. Leading slots
 *               match by index; k, v and mask may lack leading indices of q (shared heads). The mask is bool, true where a
 *               key counts. The position is an i32 scalar.
 *   CONTROL     no indices.
 *   SINK        one index for each slot of the operand.
 *   COLLECTIVE  one index for each slot, the same on both sides.
 */
#ifndef ESPALIER_GRAPH_OP_H
#define ESPALIER_GRAPH_OP_H

#include "graph/graph.h"

typedef enum op_class {
    OP_CLASS_SOURCE,
    OP_CLASS_MAP,
    OP_CLASS_REDUCE,
    OP_CLASS_CONTRACT,
    OP_CLASS_MOVE,
    OP_CLASS_WINDOW,
    OP_CLASS_FUSED,
    OP_CLASS_CONTROL,
    OP_CLASS_SINK,
    OP_CLASS_COLLECTIVE
} op_class;

/* The attributes that an operator reads, as words of the text form. */
typedef struct op_attributes {
    const char *i[16]; /* name of attrs.i[k], or NULL where it is not read */
    const char *f[4];  /* the same of attrs.f[k] */
    bool name;         /* reads attrs.name */
    bool variable;     /* reads attrs.variable */
} op_attributes;

typedef struct op_info {
    const char *name;
    op_class class;
    int inputs; /* -1: any number */
    const op_attributes *attributes;
} op_info;

const op_info *op_info_of(op_kind kind);

/* OP_COUNT when no operator has that name. */
op_kind op_find(const char *name, size_t length);

/* The value of a MAP operator at one element, in f64: what every lowering is measured against. Booleans are 0 and 1.
 * `cast`'s rounding to its result's type is op_round. */
double op_scalar(op_kind kind, const double *x);

/* `x` as a value of type `t` holds it: rounded to f32 or bf16, truncated towards zero for i32, x != 0 for bool. */
double op_round(dtype t, double x);

/* The result type of a MAP operator over operands of these types; false when they do not fit. `cast` takes any. */
bool op_map_dtype(op_kind kind, const dtype *inputs, dtype *result);

bool op_is_comparison(op_kind kind); /* eq, ne, lt, le */

/* Reshape, seen as runs of slots with equal element counts: `from` slots [from_begin, from_end) become [to_begin, to_end).
 * Returns the number of groups, at most 2 * GRAPH_MAX_RANK, or -1 when the element counts differ. */
typedef struct reshape_group {
    int from_begin, from_end;
    int to_begin, to_end;
} reshape_group;

int op_reshape_groups(const graph *g, const graph_type *from, const graph_type *to,
                      reshape_group *groups);

/* Output elements along one spatial dimension of a window: floor((in + 2 pad - dilation (window - 1) - 1) / stride) + 1,
 * at least 0. */
int64_t op_window_size(int64_t in, int64_t window, int64_t stride, int64_t pad, int64_t dilation);

#endif
