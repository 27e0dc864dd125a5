/* gradient.h: what an operator's gradient function is given. Private to differentiate.c and gradient_*.c.
 *
 * A gradient function is called once for its operator, in reverse order, when some result has an adjoint and some operand
 * is active. It builds with c->b, and hands each active operand its part:
 *
 *     void gradient_exp(gradient_context *c, const graph_op *op)
 *     {
 *         gradient_give(c, op, 0, gradient_times(c, gradient_of_result(c, op, 0), gradient_result(c, op, 0)));
 *     }
 *
 * Operands come labelled by the operator's indices; gradient_give sums over what the operand lacks, broadcasts to what it
 * has, and puts the dimensions in its order.
 */
#ifndef ESPALIER_PASS_GRADIENT_H
#define ESPALIER_PASS_GRADIENT_H

#include "graph/build.h"

typedef struct gradient_context {
    graph *g;
    build *b;
    const bool *active;    /* by value id: depends on a parameter that is trained */
    graph_value **adjoint; /* by value id: NULL while there is none */
    int values;            /* entries of both */
} gradient_context;

/* Differentiates the operators of `region` in reverse order. */
void gradient_region(gradient_context *c, const graph_region *region);

bool gradient_wanted(const gradient_context *c, const graph_op *op,
                     int k); /* operand k is active */
build_operand gradient_operand(gradient_context *c, const graph_op *op, int k);
build_operand gradient_result(gradient_context *c, const graph_op *op, int k);
/* The adjoint of result k; without a value when there is none. */
build_operand gradient_of_result(gradient_context *c, const graph_op *op, int k);

/* Adds `part`, labelled by op's indices, to operand k's adjoint, if it is wanted. */
void gradient_give(gradient_context *c, const graph_op *op, int k, build_operand part);
/* The same for a part of the operand's own shape. */
void gradient_accumulate(gradient_context *c, graph_value *x, graph_value *part);

build_operand gradient_times(gradient_context *c, build_operand x, build_operand y);
build_operand gradient_scaled(gradient_context *c, build_operand x, double factor);
build_operand gradient_constant(gradient_context *c, build_operand like, double value);
/* 0 of x's type and dimensions. */
graph_value *gradient_zeros(gradient_context *c, const graph_value *x);

typedef void gradient_fn(gradient_context *c, const graph_op *op);
gradient_fn gradient_none, gradient_refuse;
gradient_fn gradient_cast, gradient_neg, gradient_abs, gradient_exp, gradient_log, gradient_log1p,
    gradient_sqrt, gradient_rsqrt, gradient_sin, gradient_cos, gradient_tanh, gradient_sigmoid,
    gradient_erf, gradient_add, gradient_sub, gradient_mul, gradient_div, gradient_mod,
    gradient_pow, gradient_max, gradient_min, gradient_where; /* gradient_map.c */
gradient_fn gradient_sum, gradient_reduce_max, gradient_reduce_min,
    gradient_dot; /* gradient_fold.c */
gradient_fn gradient_broadcast, gradient_reshape, gradient_transpose, gradient_slice, gradient_pad,
    gradient_concat, gradient_gather, gradient_scatter_add, gradient_cumsum; /* gradient_move.c */
gradient_fn gradient_conv, gradient_conv_data, gradient_max_pool, gradient_sum_pool,
    gradient_attention;      /* gradient_window.c */
gradient_fn gradient_repeat; /* gradient_repeat.c */

#endif
