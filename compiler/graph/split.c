#include "graph/split.h"

#include "graph/op.h"

#include <assert.h>
#include <string.h>

static int8_t (*maps_copy(const graph *g, int8_t (*from)[GRAPH_MAX_RANK],
                          size_t count))[GRAPH_MAX_RANK]
{
    int8_t(*to)[GRAPH_MAX_RANK] = arena_alloc(g->memory, sizeof *to * (count ? count : 1));
    if (count)
        memcpy(to, from, sizeof *to * count);
    return to;
}

static void reshape_form(const graph *g, const graph_op *op, split_form *form)
{
    reshape_group groups[2 * GRAPH_MAX_RANK];
    int count =
        op_reshape_groups(g, &op->inputs.items[0]->type, &op->outputs.items[0]->type, groups);
    for (int i = 0; i < count; i++) {
        const reshape_group *r = &groups[i];
        if (r->from_end == r->from_begin || r->to_end == r->to_begin ||
            form->input_map[0][r->from_begin] != NO_INDEX)
            continue;
        form->input_map[0][r->from_begin] = (int8_t)form->count;
        form->output_map[0][r->to_begin] = (int8_t)form->count++;
    }
}

/* The rows are an index of the table alone. */
static void rows_form(const graph_value *table, int8_t *map, split_form *form)
{
    for (int slot = 0; slot < table->type.rank; slot++)
        if (map[slot] == NO_INDEX)
            map[slot] = (int8_t)form->count++;
}

/* Attention splits by its leading dimensions alone: not by positions, depth or value channels. */
static void attention_form(const graph_op *op, split_form *form)
{
    for (size_t k = 0; k < 3; k++) {
        int rank = op->inputs.items[k]->type.rank;
        form->whole[form->input_map[k][rank - 1]] = true;
        form->whole[form->input_map[k][rank - 2]] = true;
    }
}

split_form split_form_of(const graph *g, const graph_op *op)
{
    split_form form = {.count = op->index_count};
    form.input_map = maps_copy(g, op->input_map, op->inputs.count);
    form.output_map = maps_copy(g, op->output_map, op->outputs.count);
    switch (op->kind) {
    case OP_reshape:
        reshape_form(g, op, &form);
        break;
    case OP_gather:
        rows_form(op->inputs.items[0], form.input_map[0], &form);
        break;
    case OP_scatter_add:
        rows_form(op->outputs.items[0], form.output_map[0], &form);
        break;
    case OP_attention:
    case OP_attention_grad:
        attention_form(op, &form);
        break;
    case OP_cumsum:
        form.whole[op->input_map[0][op->attrs.i[0]]] = true;
        break;
    case OP_argmax:
    case OP_reduce_min: /* no all-reduce by minimum: the dimension is gathered */
        for (int i = 0; i < op->index_count; i++)
            form.whole[i] = memchr(op->output_map[0], i, sizeof op->output_map[0]) == NULL;
        break;
    case OP_reduce_max:
        form.fold = SPLIT_FOLD_MAX;
        break;
    default:
        break;
    }
    return form;
}

static split_flow cast_flow(const graph_op *op)
{
    dtype from = op->inputs.items[0]->type.dtype, to = op->outputs.items[0]->type.dtype;
    bool widens = from == to || (from != DTYPE_I32 && from != DTYPE_BOOL && to == DTYPE_F64) ||
                  (from == DTYPE_BF16 && to == DTYPE_F32);
    return widens ? SPLIT_FLOW_ALL : SPLIT_FLOW_NONE;
}

split_flow split_flow_of(const graph_op *op)
{
    switch (op->kind) {
    case OP_cast:
        return cast_flow(op);
    case OP_neg:
    case OP_detach:
    case OP_add:
    case OP_sub:
    case OP_sum:
    case OP_broadcast:
    case OP_reshape:
    case OP_transpose:
    case OP_slice:
    case OP_concat:
    case OP_cumsum:
    case OP_sum_pool:
    case OP_sum_pool_grad:
        return SPLIT_FLOW_ALL;
    case OP_pad:
        return op->attrs.f[0] == 0 ? SPLIT_FLOW_ALL : SPLIT_FLOW_NONE;
    case OP_mul:
    case OP_dot:
    case OP_conv:
    case OP_conv_data:
    case OP_conv_weight:
        return SPLIT_FLOW_ONE;
    case OP_div:
    case OP_gather:
    case OP_scatter_add:
        return SPLIT_FLOW_FIRST;
    case OP_where:
        return SPLIT_FLOW_TAIL;
    default:
        return SPLIT_FLOW_NONE;
    }
}

bool split_is_zero(const graph_value *v)
{
    const graph_op *op = v->producer;
    while (op && op->kind == OP_broadcast)
        op = op->inputs.items[0]->producer;
    return op && op->kind == OP_constant && op->attrs.f[0] == 0;
}

bool split_is_extreme(const graph_value *v)
{
    const graph_op *op = v->producer;
    while (op && op->kind == OP_all_reduce)
        op = op->inputs.items[0]->producer;
    return op && op->kind == OP_reduce_max && v->layout.partial;
}
