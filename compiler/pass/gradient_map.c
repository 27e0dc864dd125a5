#include "pass/gradient.h"

#include <math.h>

/* Most unary gradients: dy times the slope. */
static void give_slope(gradient_context *c, const graph_op *op, build_operand slope)
{
    gradient_give(c, op, 0, gradient_times(c, gradient_of_result(c, op, 0), slope));
}

static build_operand unary(gradient_context *c, op_kind kind, build_operand x)
{
    return build_unary(c->b, kind, x);
}

static build_operand binary(gradient_context *c, op_kind kind, build_operand x, build_operand y)
{
    return build_binary(c->b, kind, x, y);
}

void gradient_cast(gradient_context *c, const graph_op *op)
{
    dtype from = op->inputs.items[0]->type.dtype;
    gradient_give(c, op, 0, build_cast(c->b, gradient_of_result(c, op, 0), from));
}

void gradient_neg(gradient_context *c, const graph_op *op)
{
    gradient_give(c, op, 0, unary(c, OP_neg, gradient_of_result(c, op, 0)));
}

void gradient_abs(gradient_context *c, const graph_op *op)
{
    give_slope(c, op, unary(c, OP_sign, gradient_operand(c, op, 0)));
}

void gradient_exp(gradient_context *c, const graph_op *op)
{
    give_slope(c, op, gradient_result(c, op, 0));
}

void gradient_log(gradient_context *c, const graph_op *op)
{
    build_operand dy = gradient_of_result(c, op, 0);
    gradient_give(c, op, 0, binary(c, OP_div, dy, gradient_operand(c, op, 0)));
}

void gradient_log1p(gradient_context *c, const graph_op *op)
{
    build_operand x = gradient_operand(c, op, 0), dy = gradient_of_result(c, op, 0);
    build_operand below = binary(c, OP_add, x, gradient_constant(c, x, 1));
    gradient_give(c, op, 0, binary(c, OP_div, dy, below));
}

void gradient_sqrt(gradient_context *c, const graph_op *op)
{
    build_operand half = gradient_scaled(c, gradient_of_result(c, op, 0), 0.5);
    gradient_give(c, op, 0, binary(c, OP_div, half, gradient_result(c, op, 0)));
}

void gradient_rsqrt(gradient_context *c, const graph_op *op)
{
    build_operand y = gradient_result(c, op, 0);
    build_operand cube = gradient_times(c, gradient_times(c, y, y), y);
    give_slope(c, op, gradient_scaled(c, cube, -0.5));
}

void gradient_sin(gradient_context *c, const graph_op *op)
{
    give_slope(c, op, unary(c, OP_cos, gradient_operand(c, op, 0)));
}

void gradient_cos(gradient_context *c, const graph_op *op)
{
    give_slope(c, op, unary(c, OP_neg, unary(c, OP_sin, gradient_operand(c, op, 0))));
}

void gradient_tanh(gradient_context *c, const graph_op *op)
{
    build_operand y = gradient_result(c, op, 0);
    build_operand one = gradient_constant(c, y, 1);
    give_slope(c, op, binary(c, OP_sub, one, gradient_times(c, y, y)));
}

void gradient_sigmoid(gradient_context *c, const graph_op *op)
{
    build_operand y = gradient_result(c, op, 0);
    build_operand rest = binary(c, OP_sub, gradient_constant(c, y, 1), y);
    give_slope(c, op, gradient_times(c, y, rest));
}

void gradient_erf(gradient_context *c, const graph_op *op)
{
    build_operand x = gradient_operand(c, op, 0);
    build_operand bell = unary(c, OP_exp, unary(c, OP_neg, gradient_times(c, x, x)));
    give_slope(c, op, gradient_scaled(c, bell, 2 / sqrt(3.14159265358979323846)));
}

void gradient_add(gradient_context *c, const graph_op *op)
{
    gradient_give(c, op, 0, gradient_of_result(c, op, 0));
    gradient_give(c, op, 1, gradient_of_result(c, op, 0));
}

void gradient_sub(gradient_context *c, const graph_op *op)
{
    gradient_give(c, op, 0, gradient_of_result(c, op, 0));
    if (gradient_wanted(c, op, 1))
        gradient_give(c, op, 1, unary(c, OP_neg, gradient_of_result(c, op, 0)));
}

void gradient_mul(gradient_context *c, const graph_op *op)
{
    build_operand dy = gradient_of_result(c, op, 0);
    for (int k = 0; k < 2; k++)
        if (gradient_wanted(c, op, k))
            gradient_give(c, op, k, gradient_times(c, dy, gradient_operand(c, op, 1 - k)));
}

/* y = a / b: da = dy / b, db = - dy y / b */
void gradient_div(gradient_context *c, const graph_op *op)
{
    build_operand over =
        binary(c, OP_div, gradient_of_result(c, op, 0), gradient_operand(c, op, 1));
    gradient_give(c, op, 0, over);
    if (gradient_wanted(c, op, 1)) {
        build_operand part = gradient_times(c, over, gradient_result(c, op, 0));
        gradient_give(c, op, 1, unary(c, OP_neg, part));
    }
}

/* x - y floor(x / y): dy for x, -dy floor(x / y) for y. */
void gradient_mod(gradient_context *c, const graph_op *op)
{
    build_operand dy = gradient_of_result(c, op, 0);
    gradient_give(c, op, 0, dy);
    if (!gradient_wanted(c, op, 1))
        return;
    build_operand times = binary(c, OP_div, gradient_operand(c, op, 0), gradient_operand(c, op, 1));
    build_operand part = gradient_times(c, dy, unary(c, OP_floor, times));
    gradient_give(c, op, 1, unary(c, OP_neg, part));
}

static bool constant_of(const graph_value *x, double *value)
{
    if (!x->producer || x->producer->kind != OP_constant)
        return false;
    *value = x->producer->attrs.f[0];
    return true;
}

/* e a^(e-1), without a pole at 0 for the exponents 0, 1 and 2. */
static build_operand power_slope(gradient_context *c, const graph_op *op)
{
    build_operand a = gradient_operand(c, op, 0), e = gradient_operand(c, op, 1);
    double exponent;
    if (constant_of(e.value, &exponent)) {
        if (exponent == 0 || exponent == 1)
            return gradient_constant(c, a, exponent);
        if (exponent == 2)
            return gradient_scaled(c, a, 2);
    }
    build_operand zero = gradient_constant(c, a, 0);
    build_operand lower = binary(c, OP_sub, e, gradient_constant(c, a, 1));
    build_operand slope = gradient_times(c, e, binary(c, OP_pow, a, lower));
    build_operand flat = binary(c, OP_eq, e, zero);
    return build_map(c->b, OP_where, (build_operand[]){flat, zero, slope}, 3);
}

/* y = a^e: de = dy y log a, and 0 where a is 0, as torch.pow. */
void gradient_pow(gradient_context *c, const graph_op *op)
{
    build_operand dy = gradient_of_result(c, op, 0);
    if (gradient_wanted(c, op, 0))
        gradient_give(c, op, 0, gradient_times(c, dy, power_slope(c, op)));
    if (!gradient_wanted(c, op, 1))
        return;
    build_operand a = gradient_operand(c, op, 0), zero = gradient_constant(c, a, 0);
    build_operand slope = gradient_times(c, gradient_result(c, op, 0), unary(c, OP_log, a));
    build_operand at_zero = binary(c, OP_eq, a, zero);
    slope = build_map(c->b, OP_where, (build_operand[]){at_zero, zero, slope}, 3);
    gradient_give(c, op, 1, gradient_times(c, dy, slope));
}

/* dy where operand k wins; of two equals half each, or nothing beside a constant. */
static void give_winner(gradient_context *c, const graph_op *op, int k)
{
    if (!gradient_wanted(c, op, k))
        return;
    build_operand mine = gradient_operand(c, op, k), other = gradient_operand(c, op, 1 - k);
    build_operand dy = gradient_of_result(c, op, 0), lose = gradient_constant(c, dy, 0);
    double value;
    bool larger = op->kind == OP_max;
    if (!constant_of(other.value, &value)) {
        build_operand half = gradient_scaled(c, dy, 0.5), equal = binary(c, OP_eq, mine, other);
        lose = build_map(c->b, OP_where, (build_operand[]){equal, half, lose}, 3);
    }
    build_operand wins = larger ? binary(c, OP_lt, other, mine) : binary(c, OP_lt, mine, other);
    gradient_give(c, op, k, build_map(c->b, OP_where, (build_operand[]){wins, dy, lose}, 3));
}

void gradient_max(gradient_context *c, const graph_op *op)
{
    give_winner(c, op, 0);
    give_winner(c, op, 1);
}

void gradient_min(gradient_context *c, const graph_op *op)
{
    give_winner(c, op, 0);
    give_winner(c, op, 1);
}

void gradient_where(gradient_context *c, const graph_op *op)
{
    build_operand chosen = gradient_operand(c, op, 0), dy = gradient_of_result(c, op, 0);
    build_operand zero = gradient_constant(c, dy, 0);
    if (gradient_wanted(c, op, 1))
        gradient_give(c, op, 1, build_map(c->b, OP_where, (build_operand[]){chosen, dy, zero}, 3));
    if (gradient_wanted(c, op, 2))
        gradient_give(c, op, 2, build_map(c->b, OP_where, (build_operand[]){chosen, zero, dy}, 3));
}
