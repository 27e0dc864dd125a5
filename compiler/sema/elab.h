/* elab.h: elaboration: a definition's body, carried out once for each place that calls it, writes operators.
 *
 * An `elaboration` writes one function of the graph (`step` or `eval`). Each call of a definition has a `frame`: its names,
 * its dimensions, and the paths of its operators and parameters. Evaluating an expression gives a value (value.h) and
 * writes the operators that make it behind `build`, the builder of the current region.
 *
 *     value y = elab_expression(e, node);
 *     if (y.kind == VALUE_TENSOR) …
 *
 * Whatever is wrong is reported once, and gives a poisoned value.
 */
#ifndef ESPALIER_SEMA_ELAB_H
#define ESPALIER_SEMA_ELAB_H

#include "sema/path.h"
#include "sema/value.h"

enum { NAME_VALUE, NAME_DIM, NAME_COUNT };
enum {
    ELAB_DEEPEST = 64,
    ELAB_MOST_OPS = 100000,
    ELAB_MOST_CALLS = 30000, /* of definitions, in one function of the graph */
    ELAB_MOST_LAYERS = 100000
};

typedef struct binding {
    atom name;
    value value;
    span at;
    int variable; /* of a param or state; else -1 */
    bool is_state;
} binding;

typedef struct frame {
    struct frame *caller;
    sema_file *file;
    const definition *of;
    table
        names; /* NAME_VALUE -> binding, NAME_DIM -> label, NAME_COUNT -> how often a layer was called */
    atom path;        /* of operators: layers and the names that their results are bound to */
    atom own_path;    /* of parameters: layers alone */
    path_node *place; /* the same as a node; NULL outside the model */
    const parameter *rest_of; /* the first whose `..` is known; NULL: none yet */
    atom rest[GRAPH_MAX_RANK];
    int rest_count;
    VEC(binding *) states;
    value result;
    bool returned;
    const ast_node **
        given; /* by parameter: its argument where the definition is called, NULL for the default */
} frame;

/* A repeat around the code that is elaborated. */
typedef struct scan {
    struct scan *around; /* the repeat that it stands in, or NULL */
    build *outer;
    frame *within;
    label *leading; /* the dimension that counts the iterations */
    VEC(int) stacked_states;
    VEC(build_operand) stacked_results;
} scan;

typedef struct metric {
    atom name;
    build_operand value;
    span at;
} metric;

typedef struct elaboration {
    sema *sema;
    graph *graph;
    graph_function *function;
    build *build; /* of the current region */
    build *root;  /* of the function's own region */
    frame *frame;
    scan *scan;      /* the innermost; NULL outside repeats */
    bool learning;   /* `step`, not `eval` */
    bool measuring;  /* metrics are results */
    bool scheduling; /* inside optimizers and schedules: conditions may depend on the step */
    dtype real;
    label *batch; /* NULL until the first input */
    build_operand
        counts;      /* eval: bool [batch], true for samples that count; made when first needed */
    table variables; /* path -> index + 1 */
    table clocks;    /* name -> build_operand * */
    VEC(table) spare_names; /* empty, of frames that were given back; and their bindings */
    VEC(binding *) spare_bindings;
    VEC(metric) metrics;
    build_operand loss;
    build_operand scores; /* of ids that are wanted, as the first loss or metric takes them */
    span loss_at;
    int depth;
    int calls;
    bool too_deep; /* or too many operators or calls, reported: nothing is called any more */
    int randoms;
    struct setup *setup;
    build_operand average_keeps, average_takes; /* of the old average and of the parameter */
    struct updated *updated; /* inside an optimizer: the parameter that it updates */
} elaboration;

/* elab.c: frames and names. */
frame *frame_push(elaboration *e, const definition *of, span call);
void frame_pop(elaboration *e);

/* Gives back the names of a frame that is popped and that nobody asks any more: calls are many. */
void frame_give_back(elaboration *e, frame *f);

binding *frame_bind(elaboration *e, atom name, value v, span at);
void frame_bind_dim(elaboration *e, atom name, label *l);
binding *frame_lookup(const elaboration *e, atom name);
label *frame_dim(const elaboration *e, atom name);

/* A new dimension of the graph (one of that name and size that is there already is taken), with a label of this frame. */
label *elab_dim_new(elaboration *e, atom name, int64_t size, span at);

/* The dimension that `name` names here; NULL after a report. */
label *elab_dim_named(elaboration *e, const ast_node *name);

/* `N`, or `N = size` for a new one; a bare number is an error. NULL after a report. */
label *elab_dim(elaboration *e, const ast_node *node);

/* A size: a positive whole number that fits. 0 after a report. */
int64_t elab_size(elaboration *e, const ast_node *node);

/* expression.c */
value elab_expression(elaboration *e, const ast_node *node);
bool elab_flag(elaboration *e, const ast_node *node, bool *out);

/* A number without a unit, as those in definitions are; false after a report. Texts have no place in them. */
bool literal_plain(sema *s, const ast_node *literal);

/* operate.c: operators over values, with the promotions of the language. */
void elab_place(elaboration *e, span at);
value elab_tensor(elaboration *e, const ast_node *at, build_operand t);
value elab_binary(elaboration *e, const ast_node *node, value x, value y);
/* The input that ids come from as they are, and what they are below; NULL: they are no input's. */
const graph_op *elab_ids_input(const elaboration *e, const build_operand *ids, int64_t *below);
value elab_unary(elaboration *e, const ast_node *node, op_kind kind, value x);
value elab_map(elaboration *e, const ast_node *at, op_kind kind, const value *x, int count);
bool elab_as_tensor(elaboration *e, const ast_node *at, value v, dtype type, build_operand *out);
build_operand elab_clock(elaboration *e, const char *which);
build_operand elab_masked(elaboration *e, build_operand x, double other);
value elab_reduce(elaboration *e, const ast_node *at, op_kind kind, build_operand x,
                  label *const *over, int count);
value elab_count(elaboration *e, label *const *over, int count);
value elab_mean(elaboration *e, const ast_node *at, build_operand x, label *const *over, int count);
bool is_real(dtype t);

/* call.c: calls of definitions. */
value elab_call(elaboration *e, const ast_node *node);
void elab_arguments(elaboration *e, const definition *d, const ast_node *call, frame *callee);

/* What the caller calls by a bare name is never a flag of the callee. */
typedef struct caller_names {
    bool (*knows)(const void *scope, atom name);
    const void *scope;
} caller_names;

/* given[i]: the argument of parameter i, NULL where the default holds. False after a report. */
bool call_match(sema *s, const caller_names *names, const definition *d, const ast_node *call,
                const ast_node **given);

/* builtin.c: calls of what the language itself has. */
typedef struct builtin builtin;
const builtin *builtin_find(const sema *s, atom name);
value elab_builtin(elaboration *e, const builtin *b, const ast_node *node);
void builtin_offer_all(nearest *n);
void builtin_arity(const builtin *b, int *least, int *most);

/* body.c: statements. */
/* Whether the graph has no room for the operators of a definition's body, or for `more` that `node` is about to write: reported
 * once. What differentiation writes does not count, so that a check and a build say the same. */
bool elab_full(elaboration *e, const ast_node *node, int more);

void elab_body(elaboration *e, const ast_node *body);

/* The state becomes x: at once, or, in a repeat, as its slice of one round. */
void elab_state_write(elaboration *e, int variable, build_operand x);
bool init_known(sema *s, const ast_node *x); /* the expression behind `init` */

/* repeat.c */
value elab_repeat(elaboration *e, const ast_node *node, atom assigned);

#endif
