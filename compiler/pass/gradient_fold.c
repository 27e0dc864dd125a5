#include "pass/gradient.h"

void gradient_sum(gradient_context *c, const graph_op *op)
{
    gradient_give(c, op, 0, gradient_of_result(c, op, 0));
}

/* Shared evenly among the elements that are equal to the result. */
static void give_extreme(gradient_context *c, const graph_op *op)
{
    build_operand x = gradient_operand(c, op, 0), y = gradient_result(c, op, 0);
    build_operand dy = gradient_of_result(c, op, 0), zero = gradient_constant(c, dy, 0);
    build_operand equal = build_binary(c->b, OP_eq, x, y);
    atom gone[GRAPH_MAX_RANK];
    int count = 0;
    for (int slot = 0; slot < x.value->type.rank; slot++) {
        bool kept = false;
        for (int s = 0; s < y.value->type.rank; s++)
            kept |= y.labels[s] == x.labels[slot];
        if (!kept)
            gone[count++] = x.labels[slot];
    }
    build_operand ones = build_cast(c->b, equal, x.value->type.dtype);
    build_operand share =
        build_binary(c->b, OP_div, dy, build_reduce(c->b, OP_sum, ones, gone, count));
    gradient_give(c, op, 0, build_map(c->b, OP_where, (build_operand[]){equal, share, zero}, 3));
}

void gradient_reduce_max(gradient_context *c, const graph_op *op)
{
    give_extreme(c, op);
}

void gradient_reduce_min(gradient_context *c, const graph_op *op)
{
    give_extreme(c, op);
}

/* Labels of x and y together that `like` lacks: what the gradient for `like` sums over. */
static int summed_labels(const build_operand *x, const build_operand *y, const build_operand *like,
                         atom *gone)
{
    int count = 0;
    for (int slot = 0; slot < x->value->type.rank; slot++) {
        bool kept = false, shared = false;
        for (int s = 0; s < like->value->type.rank; s++)
            kept |= like->labels[s] == x->labels[slot];
        for (int s = 0; s < y->value->type.rank; s++)
            shared |= y->labels[s] == x->labels[slot];
        if (!kept && shared)
            gone[count++] = x->labels[slot];
    }
    return count;
}

void gradient_dot(gradient_context *c, const graph_op *op)
{
    build_operand a = gradient_operand(c, op, 0), b = gradient_operand(c, op, 1);
    build_operand dy = gradient_of_result(c, op, 0);
    atom gone[GRAPH_MAX_RANK];
    if (gradient_wanted(c, op, 0))
        gradient_give(c, op, 0, build_dot(c->b, dy, b, gone, summed_labels(&dy, &b, &a, gone)));
    if (gradient_wanted(c, op, 1))
        gradient_give(c, op, 1, build_dot(c->b, a, dy, gone, summed_labels(&a, &dy, &b, gone)));
}
