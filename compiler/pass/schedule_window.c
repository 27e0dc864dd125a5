/* Convolutions and pools: calls of the runtime, on dense operands. */
#include "pass/schedule_internal.h"

/* Which values are x, w and y of an operator, in the ABI's words. */
typedef struct window_roles {
    graph_value *x, *w, *y;
    graph_value *a, *b; /* operands of the call; NULL: not read */
} window_roles;

static window_roles roles_of(const graph_op *op)
{
    graph_value *first = op->inputs.items[0], *out = op->outputs.items[0];
    graph_value *second = op->inputs.count > 1 ? op->inputs.items[1] : NULL;
    switch (op->kind) {
    case OP_conv:
        return (window_roles){first, second, out, first, second};
    case OP_conv_data:
        return (window_roles){out, second, first, first, second};
    case OP_conv_weight:
        return (window_roles){first, out, second, first, second};
    case OP_max_pool_grad:
        return (window_roles){first, NULL, second, first, second};
    case OP_sum_pool_grad:
        return (window_roles){out, NULL, first, NULL, first};
    default:
        return (window_roles){first, NULL, out, first, NULL};
    }
}

static schedule_conv shape_of(const lower *l, const graph_op *op, const window_roles *r)
{
    schedule_conv c = {.op = op->kind, .spatial = (int)op->attrs.i[0]};
    c.groups = op->attrs.i[1] > 0 ? op->attrs.i[1] : 1;
    c.batch = local_size(l, r->x, 0);
    c.in = local_size(l, r->x, 1);
    c.out = local_size(l, r->y, 1);
    for (int k = 0; k < c.spatial; k++) {
        c.size[k] = local_size(l, r->x, 2 + k);
        c.result[k] = local_size(l, r->y, 2 + k);
        c.window[k] = r->w ? local_size(l, r->w, 2 + k) : op->attrs.i[11 + k];
        c.stride[k] = op->attrs.i[2 + 3 * k];
        c.pad[k] = op->attrs.i[3 + 3 * k];
        c.dilation[k] = op->attrs.i[4 + 3 * k];
    }
    return c;
}

static schedule_view dense_view(lower *l, graph_value *v)
{
    return v ? place_dense(l, v).view : (schedule_view){.buffer = -1};
}

void lower_window(lower *l, graph_op *op)
{
    graph_value *out = op->outputs.items[0];
    window_roles r = roles_of(op);
    schedule_view a = dense_view(l, r.a), b = dense_view(l, r.b);
    place to = place_for(l, out);
    schedule_instruction *i = instruction_add(l, SCHEDULE_CONV);
    i->type = out->type.dtype;
    i->conv = shape_of(l, op, &r);
    i->operands[0] = a;
    i->operands[1] = b;
    i->operands[2] = to.view;
    i->operand_count = 3;
    l->places[out->id] = to;
}
