#include "pass/gradient.h"

#include <assert.h>
#include <string.h>

/* The operator's window, with the spatial dimensions of another result. */
static build_window window_for(const graph_op *op, const graph_value *result)
{
    build_window how = build_window_of(op);
    for (int k = 0; k < how.spatial; k++)
        how.dims[k] = result->type.dims[2 + k];
    return how;
}

static void give_window(gradient_context *c, const graph_op *op, int k, op_kind kind,
                        const build_operand *operands)
{
    if (!gradient_wanted(c, op, k))
        return;
    build_operand like = gradient_operand(c, op, k);
    build_window how = window_for(op, like.value);
    build_operand part =
        build_window_gradient(c->b, kind, operands, op_info_of(kind)->inputs, &how, &like);
    gradient_give(c, op, k, part);
}

void gradient_conv(gradient_context *c, const graph_op *op)
{
    build_operand x = gradient_operand(c, op, 0), w = gradient_operand(c, op, 1);
    build_operand dy = gradient_of_result(c, op, 0);
    give_window(c, op, 0, OP_conv_data, (build_operand[]){dy, w});
    give_window(c, op, 1, OP_conv_weight, (build_operand[]){x, dy});
}

/* conv_data(u, w) is linear in both; its transpose in u is conv, in w conv_weight with the adjoint for the data. */
void gradient_conv_data(gradient_context *c, const graph_op *op)
{
    build_operand u = gradient_operand(c, op, 0), w = gradient_operand(c, op, 1);
    build_operand g = gradient_of_result(c, op, 0);
    give_window(c, op, 0, OP_conv, (build_operand[]){g, w});
    give_window(c, op, 1, OP_conv_weight, (build_operand[]){g, u});
}

void gradient_max_pool(gradient_context *c, const graph_op *op)
{
    build_operand x = gradient_operand(c, op, 0), dy = gradient_of_result(c, op, 0);
    give_window(c, op, 0, OP_max_pool_grad, (build_operand[]){x, dy});
}

void gradient_sum_pool(gradient_context *c, const graph_op *op)
{
    build_operand dy = gradient_of_result(c, op, 0);
    give_window(c, op, 0, OP_sum_pool_grad, &dy);
}

static void set_operand(graph_op *op, int k, graph_value *x, const int8_t *map)
{
    op->inputs.items[k] = x;
    memcpy(op->input_map[k], map, GRAPH_MAX_RANK);
}

void gradient_attention(gradient_context *c, const graph_op *op)
{
    graph_value *o = op->outputs.items[0], *lse = op->outputs.items[1];
    if (c->adjoint[lse->id]) {
        gradient_refuse(c, op);
        return;
    }
    bool masked = op->inputs.count == 4;
    graph_op *back = build_op(c->b, OP_attention_grad, masked ? 7 : 6, 3);
    back->index_count = op->index_count;
    memcpy(back->indices, op->indices, sizeof back->indices);
    back->attrs = op->attrs;
    for (int k = 0; k < 3; k++) {
        set_operand(back, k, op->inputs.items[k], op->input_map[k]);
        back->outputs.items[k]->type = op->inputs.items[k]->type;
        memcpy(back->output_map[k], op->input_map[k], GRAPH_MAX_RANK);
    }
    set_operand(back, 3, o, op->output_map[0]);
    set_operand(back, 4, lse, op->output_map[1]);
    set_operand(back, 5, c->adjoint[o->id], op->output_map[0]);
    if (masked)
        set_operand(back, 6, op->inputs.items[3], op->input_map[3]);
    for (int k = 0; k < 3; k++)
        gradient_give(c, op, k, gradient_result(c, back, k));
}
