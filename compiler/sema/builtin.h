/* builtin.h: for the files that carry out builtin.def's rows: a call's arguments, sorted.
 *
 * Arguments of a builtin are items (tensors, each with the dimension that stands behind its `over`; names of
 * dimensions; `NAME = size`, which makes one) and options (`stride = 2`), which may stand anywhere.
 */
#ifndef ESPALIER_SEMA_BUILTIN_H
#define ESPALIER_SEMA_BUILTIN_H

#include "sema/elab.h"

enum { BUILTIN_ITEMS = 16 };

typedef struct builtin_item {
    const ast_node *node;
    const ast_node *over; /* NULL without one */
} builtin_item;

typedef struct builtin_call {
    const builtin *of;
    const ast_node *node;
    builtin_item items[BUILTIN_ITEMS];
    int count;
    const ast_node *options[BUILTIN_ITEMS]; /* AST_NAMED */
    int option_count;
} builtin_call;

struct builtin {
    const char *name;
    value (*handler)(elaboration *, const builtin *, const builtin_call *);
    op_kind kind;
    int least, most;
    const char *signature;
};

/* A reshape of neighbouring slots. */
typedef struct reshaping {
    int first, taken;
    label *made[GRAPH_MAX_RANK];
    int count;
} reshaping;

/* The item as a tensor; false after a report. */
bool builtin_tensor(elaboration *e, const builtin_call *c, int item, build_operand *out);

const ast_node *builtin_option(const builtin_call *c, const char *name); /* NULL without it */

/* The option's value; `out` stays as it is without it. False after a report. */
bool builtin_whole(elaboration *e, const builtin_call *c, const char *name, whole_range range,
                   int64_t *out);
bool builtin_number(elaboration *e, const builtin_call *c, const char *name, double *out);
bool builtin_flag(elaboration *e, const builtin_call *c, const char *name, bool *out);

/* The `over` of the item and the plain names behind it; -1 after a report. `..` stands for the dimensions of x that have no
 * name here (x is NULL: `..` is an error). `over` has room for GRAPH_MAX_RANK + 1. */
int builtin_over_dims(elaboration *e, const builtin_call *c, int item, const build_operand *x,
                      label **over);

/* The same of the first item; without `over` all dimensions of x. */
int builtin_reduced_dims(elaboration *e, const builtin_call *c, const build_operand *x,
                         label **over);

bool builtin_has_dim(elaboration *e, const builtin_call *c, const build_operand *x, const label *l);

/* builtin_shape.c */
value call_argmax(elaboration *e, const builtin *b, const builtin_call *c);
value call_split(elaboration *e, const builtin *b, const builtin_call *c);
value call_rename(elaboration *e, const builtin *b, const builtin_call *c);
value call_merge(elaboration *e, const builtin *b, const builtin_call *c);
value call_slice(elaboration *e, const builtin *b, const builtin_call *c);
value call_pad(elaboration *e, const builtin *b, const builtin_call *c);
value call_concat(elaboration *e, const builtin *b, const builtin_call *c);

/* window.c */
value call_attention(elaboration *e, const builtin *b, const builtin_call *c);
value call_convolve(elaboration *e, const builtin *b, const builtin_call *c);
value call_transposed(elaboration *e, const builtin *b, const builtin_call *c);
value call_pool(elaboration *e, const builtin *b, const builtin_call *c);

#endif
