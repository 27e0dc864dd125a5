/* graph.h: the typed graph of a training, over named dimensions; also its spmd form.
 *
 * A `graph` holds the dimensions, the variables (what outlives a step: parameters, optimizer state, model state) and
 * the functions: `step` (forward, gradients, reduction, optimizer), `eval` (forward on held-out samples, in
 * inference form) and, where the train samples, those of pass/incremental.h. With microbatches a step is several calls of
 * `accumulate` (forward, gradients) and one of `step` (the rest); what the first adds up and the second reads are variables
 * of the kind VARIABLE_SUM. A function is a list of operators in an order that can be executed.
 *
 * Index form. Every operator has an index space: `indices`, each over one dimension. Each slot (dimension) of each
 * operand and result is mapped to one index, or to NO_INDEX where the operator treats that slot in its own way (the table
 * rows of a gather, the joined dimension of a concat). This is the operator's signature (`b d, d f -> b f`): splitting,
 * cost, gradients of broadcasts, and lowering all follow from it, and no pass looks at dimension names or positions.
 *   - an index in no result is summed over (dot) or reduced over (sum, max, …);
 *   - an index that some operand lacks is broadcast to it.
 * The storage order of a value is row-major in the order of its type's dimensions.
 *
 * Repetition. `repeat` is a scan: a region with carried values, stacked operands (slice i is seen by iteration i) and
 * stacked results (iteration i gives slice i). Parameters of a repeated layer are stacked variables with a leading
 * dimension; so are stashed activations. A region may read values of the enclosing function (captures).
 *
 * Layouts (spmd form only). A value's layout says, for each slot, the mesh axis that splits it or NO_AXIS, and the set of
 * axes over which it is not yet summed (`{+dp}`). Sizes in types stay global; local sizes are size / axis size.
 *
 * Everything lives in the graph's arena. Passes edit functions in place or build new ones; values and operators are
 * never freed. The text form (graph_print, graph_parse) is complete: parse(print(g)) prints the same.
 */
#ifndef ESPALIER_GRAPH_GRAPH_H
#define ESPALIER_GRAPH_GRAPH_H

#include "base/atom.h"
#include "base/vec.h"
#include "diag/source.h"
#include <stdbool.h>

enum {
    GRAPH_MAX_RANK = 8,
    GRAPH_MAX_INDICES = 16,
    GRAPH_MAX_AXES = 8,
    NO_INDEX = -1,
    NO_AXIS = -1
};

typedef enum dtype { DTYPE_F32, DTYPE_F64, DTYPE_BF16, DTYPE_I32, DTYPE_BOOL, DTYPE_COUNT } dtype;

size_t dtype_bytes(dtype t);     /* 4, 8, 2, 4, 1 */
const char *dtype_name(dtype t); /* "f32" … */
bool dtype_is_float(dtype t);

typedef int32_t dim_id; /* index into graph.dims */

typedef struct graph_dim {
    atom name;
    int64_t size;  /* global */
    span declared; /* where the dimension was made */
    bool batch;    /* the dimension that `batch` sizes */
} graph_dim;

typedef struct graph_type {
    dtype dtype;
    int rank;
    dim_id dims[GRAPH_MAX_RANK]; /* one dimension may stand twice */
} graph_type;

/* spmd form. */
typedef struct graph_layout {
    int8_t axis[GRAPH_MAX_RANK]; /* per slot: mesh axis or NO_AXIS */
    uint32_t partial;            /* bit a: the value is still to be summed over axis a */
} graph_layout;

typedef enum op_kind {
#define OP(kind, ...) OP_##kind,
#include "graph/op.def"
#undef OP
    OP_COUNT
} op_kind;

typedef struct graph_op graph_op;
typedef struct graph_region graph_region;

typedef struct graph_value {
    int id; /* unique in its graph; `%id` in text */
    graph_type type;
    graph_layout layout;
    graph_op *producer;   /* NULL for a region's arguments */
    graph_region *region; /* where it is defined */
    atom name;            /* the name it was bound to in the plan file, or NULL */
} graph_value;

typedef struct graph_index {
    dim_id dim;
} graph_index;

/* Attributes; which of them an operator reads stands in op.def. */
typedef struct graph_attrs {
    double f[4];
    int64_t i[16];
    atom name;
    int variable; /* variable, assign, accumulate: index into graph.variables */
} graph_attrs;

typedef VEC(graph_value *) graph_value_vec;
typedef VEC(graph_op *) graph_op_vec;
typedef VEC(span) span_vec;

struct graph_op {
    op_kind kind;
    span at;        /* the plan line that caused it, innermost */
    span_vec trail; /* call sites around it, outermost first: for path clauses and traces */
    atom path; /* "block.attn": layer and binding names around it, for recompute, save, freeze */
    graph_value_vec inputs;
    graph_value_vec outputs;
    int index_count;
    graph_index indices[GRAPH_MAX_INDICES];
    int8_t (*input_map)[GRAPH_MAX_RANK];  /* [inputs][slot] -> index or NO_INDEX */
    int8_t (*output_map)[GRAPH_MAX_RANK]; /* [outputs][slot] */
    graph_attrs attrs;
    graph_region *body; /* repeat only */
};

/* repeat's inputs:  [carried..., stacked...]; its region's arguments are in the same order.
 * repeat's outputs: [carried..., stacked...]; the region's results likewise.
 * attrs.i[0] = iterations, i[1] = number carried, i[2] = 1 when it runs from last to first;
 * the leading dimension of every stacked operand and result has `iterations` entries. */
struct graph_region {
    graph_op *owner; /* NULL for a function */
    graph_value_vec arguments;
    graph_op_vec ops;
    graph_value_vec results;
};

typedef enum variable_kind {
    VARIABLE_PARAMETER,
    VARIABLE_OPTIMIZER,
    VARIABLE_STATE,
    VARIABLE_CACHE, /* what sampling keeps from one id to the next: never saved, written before it is read */
    VARIABLE_SUM /* over the microbatches of a step; in spmd form it may be unsummed over axes */
} variable_kind;

typedef struct graph_variable {
    atom path; /* "block.linear_2.w"; optimizer state: "block.linear_2.w/v" */
    variable_kind kind;
    graph_type type;
    graph_layout layout;
    int of;    /* optimizer state, sum of gradients: the parameter's index; else -1 */
    atom init; /* "zeros", "ones", "constant", "normal", "uniform" */
    double init_args[2];
    bool stacked; /* the leading dimension counts the iterations of a repeat */
    bool frozen;
    span at;
} graph_variable;

/* A parameter or a running value: what the model itself has, and published files hold. */
static inline bool graph_variable_is_model(const graph_variable *v)
{
    return v->kind == VARIABLE_PARAMETER || v->kind == VARIABLE_STATE;
}

typedef enum result_kind {
    RESULT_LOSS,
    RESULT_METRIC,
    RESULT_LEARNING_RATE,
    RESULT_GRAD_NORM,
    RESULT_SCORES
} result_kind;

typedef struct graph_result {
    atom name; /* "loss", "accuracy", "lr", "grad_norm", "scores" */
    result_kind kind;
    graph_value *value; /* a scalar; scores: any tensor */
} graph_result;

/* What pass_differentiate found; partition sums it over the ranks. */
typedef struct graph_gradient {
    int variable;
    graph_value *value; /* of the variable's type */
} graph_gradient;

typedef struct graph_function {
    atom
        name; /* "step", "eval", "accumulate"; for sampling "scores", then "prefill" and "decode" */
    graph_region region;
    VEC(graph_result) results;
    VEC(graph_gradient) gradients; /* a record: it keeps no value alive */
} graph_function;

typedef struct graph_axis {
    atom name;
    int size;
    span declared;
} graph_axis;

typedef struct graph {
    arena *memory;
    atom_table *atoms;
    const source_set *sources;
    atom form; /* "graph" or "spmd" */
    VEC(graph_dim) dims;
    VEC(graph_variable) variables;
    VEC(graph_function *) functions;
    VEC(graph_axis) mesh; /* spmd form; major first */
    int next_value;
} graph;

graph *graph_new(arena *a, atom_table *atoms, const source_set *sources);
graph_function *graph_function_add(graph *g, const char *name);
graph_function *graph_function_find(const graph *g, const char *name); /* NULL if there is none */
dim_id graph_dim_add(graph *g, atom name, int64_t size, span declared);
int graph_variable_add(graph *g, graph_variable v); /* its layout becomes graph_layout_none */
graph_layout graph_layout_none(void);               /* nothing split, nothing partial */
graph_value *graph_value_new(graph *g, graph_region *region, graph_type type); /* no producer yet */

int64_t graph_dim_size(const graph *g, dim_id d);
int64_t graph_type_size(const graph *g, const graph_type *t, int slot);
int64_t graph_type_count(const graph *g, const graph_type *t);   /* elements, global */
int64_t graph_local_count(const graph *g, const graph_value *v); /* elements on one rank */
int64_t graph_local_size(const graph *g, const graph_value *v, int slot);

#endif
