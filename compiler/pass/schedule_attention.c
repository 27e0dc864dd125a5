/* Attention: a call of the runtime. Queries' leading dimensions that keys have too are batch and key heads, in that order;
 * those that keys lack are the heads that share a key head. */
#include "pass/schedule_internal.h"

#include <string.h>

static int slot_with(const int8_t *map, int rank, int index)
{
    for (int i = 0; i < rank; i++)
        if (index != NO_INDEX && map[i] == index)
            return i;
    return -1;
}

/* Sizes of the groups, from q's slots in order; false where they stand in another order than batch, key heads, heads. */
static bool heads_of(const lower *l, const graph_op *op, schedule_attention *t)
{
    const graph_value *q = op->inputs.items[0], *k = op->inputs.items[1];
    int leading = q->type.rank - 2, with = 0, seen = 0;
    for (int i = 0; i < leading; i++)
        with += slot_with(op->input_map[1], k->type.rank, op->input_map[0][i]) >= 0;
    t->batch = t->heads = t->kv_heads = 1;
    for (int i = 0; i < leading; i++) {
        int64_t size = local_size(l, q, i);
        bool shared = slot_with(op->input_map[1], k->type.rank, op->input_map[0][i]) < 0;
        if (shared) {
            t->heads *= size;
            continue;
        }
        if (seen != i || slot_with(op->input_map[1], k->type.rank, op->input_map[0][i]) != i)
            return false;
        seen++;
        if (with > 1 && seen == with)
            t->kv_heads = size;
        else
            t->batch *= size;
    }
    t->heads *= t->kv_heads;
    return k->type.rank - 2 == with && op->inputs.items[2]->type.rank - 2 == with;
}

static bool mask_fits(const lower *l, const graph_op *op, int mask, schedule_attention *t)
{
    const graph_value *m = op->inputs.items[mask];
    int64_t batch = 1;
    for (int i = 0; i + 1 < m->type.rank; i++)
        batch *= local_size(l, m, i);
    t->mask_stride = m->type.rank > 1 && batch > 1 ? t->t : 0;
    return batch == 1 || batch == t->batch;
}

static bool shape_of(const lower *l, const graph_op *op, int mask, schedule_attention *t)
{
    const graph_value *q = op->inputs.items[0], *k = op->inputs.items[1];
    const graph_value *v = op->inputs.items[2];
    t->op = op->kind;
    t->s = local_size(l, q, q->type.rank - 2);
    t->e = local_size(l, q, q->type.rank - 1);
    t->t = local_size(l, k, k->type.rank - 2);
    t->ev = local_size(l, v, v->type.rank - 1);
    t->causal = op->attrs.i[0] == 1;
    t->window = op->attrs.i[1];
    t->scale = op->attrs.f[0];
    t->positioned = op->kind == OP_attention && op->attrs.i[2] == 1;
    return heads_of(l, op, t) && (mask < 0 || mask_fits(l, op, mask, t));
}

/* The operand that is the mask; -1: there is none. */
static int mask_of(const graph_op *op)
{
    bool forward = op->kind == OP_attention;
    size_t count = op->inputs.count - (forward && op->attrs.i[2] == 1);
    return count > (forward ? 3u : 6u) ? (forward ? 3 : 6) : -1;
}

/* inputs by role, as the ABI orders operands: q, k, v, mask, o, lse, then do, dq, dk, dv or the position. */
void lower_attention(lower *l, graph_op *op)
{
    bool forward = op->kind == OP_attention;
    int mask = mask_of(op);
    schedule_attention shape = {0};
    schedule_view operands[10];
    place outputs[3];
    if (!shape_of(l, op, mask, &shape)) {
        lower_refuse(l,
                     "attention with its leading dimensions in this order is not carried out yet");
        return;
    }
    for (int i = 0; i < 3; i++)
        operands[i] = place_dense(l, op->inputs.items[i]).view;
    operands[3] =
        mask < 0 ? (schedule_view){.buffer = -1} : place_dense(l, op->inputs.items[mask]).view;
    for (int i = 3; !forward && i < 6; i++)
        operands[i + 1] = place_dense(l, op->inputs.items[i]).view;
    for (size_t i = 0; i < op->outputs.count; i++) {
        outputs[i] = place_for(l, op->outputs.items[i]);
        operands[(forward ? 4 : 7) + i] = outputs[i].view;
    }
    if (shape.positioned)
        operands[6] = place_of(l, op->inputs.items[op->inputs.count - 1]).view;
    schedule_instruction *call = instruction_add(l, SCHEDULE_ATTENTION);
    call->type = op->outputs.items[0]->type.dtype;
    call->attention = shape;
    call->operand_count = (forward ? 6 : 10) + shape.positioned;
    memcpy(call->operands, operands, sizeof *operands * (size_t)call->operand_count);
    for (size_t i = 0; i < op->outputs.count; i++)
        l->places[op->outputs.items[i]->id] = outputs[i];
}
