/* build.h: makes operators, with every shape rule in one place.
 *
 * An operand carries a label for each of its dimensions: the dimension's name where the operator is written. Slots of
 * one label are one index: operators broadcast and contract by label, and a label stands at most once in an operand.
 * A result's labels are those of its operands in operand order, the first operand's first, unless said otherwise.
 *
 *     build b = build_at(g, &f->region, span);
 *     build_operand x = build_input(&b, image, DTYPE_F32, &(build_dims){2, {B, P}, {b_label, p_label}});
 *     build_operand y = build_dot(&b, x, w, &p_label, 1);       // [b p] . [p h] -> [b h]
 *     y = build_map(&b, OP_add, (build_operand[]){y, bias}, 2);  // bias [h] is broadcast
 *     if (!y.value) report(b.error.problem, b.error.text);
 *
 * Errors. A function that cannot make its operator returns an operand without a value and describes why in
 * `build.error`. An operand without a value makes the result one too, with problem BUILD_POISONED: nothing to report.
 * Operands are never cast by themselves: arithmetic takes equal types (op_map_dtype).
 *
 * Passes use the same functions: build_by_index makes labels from an operator's own indices.
 */
#ifndef ESPALIER_GRAPH_BUILD_H
#define ESPALIER_GRAPH_BUILD_H

#include "graph/op.h"

typedef struct build_operand {
    graph_value *value; /* NULL: poisoned */
    atom labels[GRAPH_MAX_RANK];
} build_operand;

typedef enum build_problem {
    BUILD_FINE,
    BUILD_POISONED, /* an operand has no value */
    BUILD_SIZES,    /* `label` has one size in one operand and another in another: dims, operands */
    BUILD_NO_LABEL, /* operand operands[0] has no dimension `label` */
    BUILD_LABEL_TWICE, /* an operand has, or the result would have, `label` twice */
    BUILD_RANK,        /* more dimensions or indices than GRAPH_MAX_RANK, GRAPH_MAX_INDICES */
    BUILD_TYPES,       /* operand operands[0] has a type that does not fit: dtypes */
    BUILD_COUNT,       /* reshape: another number of elements: counts */
    BUILD_RANGE        /* slice, window: reaches past dimension `label`: counts = asked, there */
} build_problem;

typedef struct build_error {
    build_problem problem;
    atom label;
    int operands[2];
    dim_id dims[2];
    dtype dtypes[2];
    int64_t counts[2];
    const char *text; /* one line of words, without a place */
} build_error;

typedef struct build {
    graph *g;
    graph_region *region; /* operators are appended here */
    span at;              /* given to each operator, with trail and path */
    span_vec trail;
    atom path;
    build_error error; /* of the latest failure; stays until the next */

    /* In a repeat's body: */
    struct build *outer;
    graph_op *repeat;
    build_operand *carried;  /* as given to build_repeat_begin */
    build_operand iteration; /* i32 scalar, once somebody asked for it */
    dim_id leading_dim;      /* of stacked operands and results */
    atom leading;
} build;

/* Dimensions of a new tensor, with their labels. */
typedef struct build_dims {
    int rank;
    dim_id dims[GRAPH_MAX_RANK];
    atom labels[GRAPH_MAX_RANK];
} build_dims;

build build_at(graph *g, graph_region *region, span at);

/* Sources. */
build_operand build_variable(build *b, int variable, const atom *labels);
build_operand build_input(build *b, atom field, dtype type, const build_dims *dims);
build_operand build_constant(build *b, dtype type, double value);
build_operand build_index(build *b, dim_id dim, atom label); /* i32 [dim] */
build_operand build_clock(build *b, const char *which);      /* f64: "step", "steps", "valid" */
/* In a repeat's body each iteration has its own numbers. */
build_operand build_random(build *b, atom name, dtype type, const build_dims *dims);

/* Element by element. `cast` and `detach` too: build_cast, build_map(OP_detach). */
build_operand build_map(build *b, op_kind kind, const build_operand *operands, int count);
build_operand build_unary(build *b, op_kind kind, build_operand x);
build_operand build_binary(build *b, op_kind kind, build_operand x, build_operand y);
build_operand build_cast(build *b, build_operand x, dtype type);

/* sum, reduce_max, reduce_min over `labels`; argmax over exactly one. Over no label: the operand itself. */
build_operand build_reduce(build *b, op_kind kind, build_operand x, const atom *labels, int count);

/* Products of x and y summed over `labels`, which both must have. Other labels that both have stay (a batch). */
build_operand build_dot(build *b, build_operand x, build_operand y, const atom *labels, int count);

/* x with all of `dims`, in that order; every label of x must be among them. */
build_operand build_broadcast(build *b, build_operand x, const build_dims *dims);

/* x's dimensions in the order of `labels`: all of them. x itself when it has that order. */
build_operand build_transpose(build *b, build_operand x, const atom *labels);

/* The same elements in row-major order under other dimensions: merges, splits, renames. */
build_operand build_reshape(build *b, build_operand x, const build_dims *dims);

/* Elements first, first + stride, … of dimension `label`, which becomes `dim` under `now`. */
typedef struct build_slicing {
    atom label;
    int64_t first, stride;
    dim_id dim;
    atom now;
} build_slicing;
build_operand build_slice(build *b, build_operand x, const build_slicing *how);

/* Dimension `label` with `before` and `after` elements of `value` at its ends and stride - 1 between each two of its own;
 * it becomes `dim` under `now`. */
typedef struct build_padding {
    atom label;
    int64_t before, after, stride;
    double value;
    dim_id dim;
    atom now;
} build_padding;
build_operand build_pad(build *b, build_operand x, const build_padding *how);

/* Joined along `label`, which each operand has with a size of its own and which becomes `dim`. All have the same labels. */
build_operand build_concat(build *b, const build_operand *x, int count, atom label, dim_id dim);

/* Rows of `table` (dimension `rows`) chosen by i32 `ids`: labels of ids, then those of the table that ids lack. */
build_operand build_gather(build *b, build_operand table, atom rows, build_operand ids);

/* gather's reverse: a table with dimension `rows`, then the labels of `updates` that are not in `summed`. */
typedef struct build_scatter {
    dim_id dim; /* of the rows */
    atom rows;
    build_dims kept; /* the table's other dimensions */
} build_scatter;
build_operand build_scatter_add(build *b, build_operand updates, build_operand ids,
                                const build_scatter *table);

build_operand build_cumsum(build *b, build_operand x, atom label, bool reverse);

/* `rows` into dimension `label` of `cache` from `position` on, in place: `cache` is a variable or a slice of one, and is read
 * through the result alone. All operands have the same labels. */
build_operand build_append(build *b, build_operand cache, build_operand rows,
                           build_operand position, atom label);

/* Convolutions and pools; slots in the order that op.h states. `spatial` has the dimensions of the result's spatial slots
 * (labels are x's), whose sizes are op_window_size. */
typedef struct build_window {
    int spatial;
    int64_t groups;
    int64_t window[3]; /* pools only */
    int64_t stride[3], pad[3], dilation[3];
    dim_id dims[3];
} build_window;
build_operand build_conv(build *b, build_operand x, build_operand w, const build_window *how);
/* The transposed convolution: x [n, co, spatial…], w [co, ci / groups, window…] give [n, ci, spatial…]: ci is `channels`, with
 * the label that w's slot has, and a convolution over `dims` has x's spatial sizes. */
build_operand build_conv_transposed(build *b, build_operand x, build_operand w,
                                    const build_window *how, dim_id channels);
build_operand build_pool(build *b, op_kind kind, build_operand x, const build_window *how);

/* conv_data, conv_weight, max_pool_grad, sum_pool_grad: the result has the type and labels of `like`. */
build_operand build_window_gradient(build *b, op_kind kind, const build_operand *x, int count,
                                    const build_window *how, const build_operand *like);
build_window build_window_of(const graph_op *op); /* `dims` as the result has them */

/* Attention; slots in the order that op.h states, the values of mask and position NULL without one. */
typedef struct build_attention {
    build_operand q, k, v, mask, position;
    bool causal;
    int64_t window; /* 0: none */
    double scale;
} build_attention;
build_operand build_attend(build *b, const build_attention *how, build_operand *row_lse);

/* A scan. The body is built with the returned builder; operands of the enclosing region may be used in it as they are.
 *
 *     build body; build_operand inside[1];
 *     build_scan scan = {.dim = layers, .label = layers_label, .carried = &x, .count = 1};
 *     build_repeat_begin(&b, &body, &scan, inside);
 *     build_operand w = build_repeat_stacked(&body, stacked_w);     // slice i in iteration i
 *     … build with &body …
 *     build_repeat_end(&body, &y, NULL, 0, results);
 *
 * Results are the carried ones, then the stacked ones with the leading dimension in front. A carried value keeps its type.
 * False when a carried result does not fit; the error is in `body`. `b` must stay where it is until build_repeat_end. */
typedef struct build_scan {
    dim_id dim; /* the leading dimension: its size is the number of iterations */
    atom label;
    bool reverse;
    const build_operand *carried;
    int count;
} build_scan;
void build_repeat_begin(build *b, build *body, const build_scan *scan, build_operand *inside);
build_operand build_repeat_stacked(build *body, build_operand x);
/* The number of the iteration, i32; through all repeats around it, the outermost's major. */
build_operand build_repeat_iteration(build *body);
bool build_repeat_end(build *body, const build_operand *carried, const build_operand *stacked,
                      int stacked_count, build_operand *results);

void build_assign(build *b, int variable, build_operand x);
void build_accumulate(build *b, int variable, build_operand x);

/* For passes: labels of operator `op`'s own indices; build_by_index gives operand `x` the labels of `map`, and slots of
 * NO_INDEX the label of their slot's number. */
atom build_index_label(const build *b, int index);
build_operand build_by_index(const build *b, graph_value *x, const int8_t *map);

/* An operator with empty maps (all NO_INDEX) and results without a type, appended to b's region. */
graph_op *build_op(build *b, op_kind kind, int inputs, int outputs);

#endif
