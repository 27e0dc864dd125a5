/* value.h: what an expression stands for while a plan is elaborated, and the dimensions of tensors.
 *
 * A `label` is a dimension as a definition sees it. Two labels are the same dimension only if they are one object: a
 * definition called from D to D has a label for each, both over the same dimension of the graph. Tensors are operands
 * of the graph's builder, whose labels are the texts inside these objects, so that the builder, which compares labels
 * by address, sees what the definition sees.
 *
 * A poisoned value stands for a mistake that is reported already; whatever meets it is poisoned and says nothing.
 */
#ifndef ESPALIER_SEMA_VALUE_H
#define ESPALIER_SEMA_VALUE_H

#include "ast/ast.h"
#include "graph/build.h"
#include "sema/scope.h"

enum { BARE = -1 }; /* the quantity of a number without a unit */

typedef struct label {
    atom name;
    dim_id dim;
    int64_t size;
    span at;
    bool batch;
    const struct frame *home; /* the definition that it belongs to; NULL: the model's head */
    struct label *outer;      /* what it is where the definition is called; NULL: made inside */
    char text[];              /* the builder's label */
} label;

typedef enum value_kind {
    VALUE_POISON,
    VALUE_NUMBER,
    VALUE_FLAG,
    VALUE_DIM,
    VALUE_TENSOR,
    VALUE_TUPLE,
    VALUE_RANGE,
    VALUE_TEXT
} value_kind;

typedef struct value {
    value_kind kind;
    int quantity;         /* of a number: BARE or a `quantity` */
    bool flag;            /* of a flag */
    double number;        /* of a number; the first of a range */
    double last;          /* of a range, included */
    label *dim;           /* of a dim */
    build_operand tensor; /* of a tensor */
    struct value *items;  /* of a tuple */
    int count;
    atom text;
} value;

value value_poison(void);
value value_number(double number);
value value_quantity(double number, int measures);
value value_flag(bool flag);

/* "a number", "a tensor [B, D]": for messages. */
const char *value_words(const value *v, arena *a);

label *label_new(graph *g, atom name, dim_id dim, span at);
label *label_of(atom key);

/* The label of that name in a tensor; NULL if it has none. */
label *tensor_label(const build_operand *t, const label *l);
int tensor_rank(const build_operand *t);
const char *tensor_words(const build_operand *t, arena *a); /* "[B, D]" */

/* Constant arithmetic. `op` is a word of AST_BINARY; reports and poisons what does not fit. */
value number_binary(sema *s, const ast_node *at, value x, value y);
value number_unary(sema *s, const ast_node *at, value x);
const char *number_words(double number, arena *a); /* "0.5", "64" */

/* A number that has no variables: literals, + - * / // % ^, and `1/16`. For clusters and clauses of train and plan. */
value constant_of(sema *s, const ast_node *expression);

/* The number in the base unit of `q`; false after reporting that a bare number or another quantity stands there. */
bool constant_quantity(sema *s, const ast_node *expression, quantity q, double *out);

/* A bare whole number in least..most; false after a report that calls it `what`. */
typedef struct whole_range {
    const char *what;
    int64_t least, most;
} whole_range;
bool constant_whole(sema *s, const ast_node *expression, whole_range range, int64_t *out);
bool value_whole(sema *s, const ast_node *at, value v, whole_range range, int64_t *out);

#endif
