/* Incremental functions: what becomes of one operator. */
#include "pass/incremental_internal.h"

#include "graph/op.h"

#include <string.h>

static bool slot_is(const incremental *m, const graph_value *x, int slot)
{
    return incremental_is_along(m, x->type.dims[slot]);
}

/* Marks: which of the operator's indices are positions, which the batch, which results have. */
typedef struct index_uses {
    uint32_t along, batch, in, out;
    bool loose; /* positions or the batch in a slot that has no index */
} index_uses;

static void note_slots(const incremental *m, const graph_value *x, const int8_t *map, index_uses *u,
                       uint32_t *seen)
{
    for (int slot = 0; slot < x->type.rank; slot++) {
        bool along = slot_is(m, x, slot), batch = incremental_is_batch(m, x->type.dims[slot]);
        if (map[slot] == NO_INDEX) {
            u->loose |= along || batch;
            continue;
        }
        uint32_t bit = 1u << map[slot];
        *seen |= bit;
        u->along |= along ? bit : 0;
        u->batch |= batch ? bit : 0;
    }
}

static index_uses uses_of(const incremental *m, const graph_op *op)
{
    index_uses u = {.along = 0};
    for (size_t k = 0; k < op->inputs.count; k++)
        note_slots(m, op->inputs.items[k], op->input_map[k], &u, &u.in);
    for (size_t k = 0; k < op->outputs.count; k++)
        note_slots(m, op->outputs.items[k], op->output_map[k], &u, &u.out);
    return u;
}

static bool refuse_word(incremental *m, const graph_op *op, const char *format)
{
    const char *word = op_info_of(op->kind)->name;
    return incremental_refuse(m, op, arena_format(m->g->memory, format, word), NULL);
}

/* What an operator may do with positions and sequences when it knows nothing of either. */
static bool check_indices(incremental *m, const graph_op *op)
{
    index_uses u = uses_of(m, op);
    uint32_t gone = u.in & ~u.out;
    if (gone & u.along)
        return refuse_word(m, op, "'%s' goes over positions here, those to come among them");
    if (gone & u.batch)
        return refuse_word(m, op, "'%s' goes over the sequences of a batch here");
    if (u.along & (u.along - 1))
        return refuse_word(m, op, "'%s' meets every position with every other here");
    if (u.loose)
        return refuse_word(m, op, "'%s' mixes positions or sequences here");
    return true;
}

graph_op *incremental_clone(incremental *m, const graph_op *op, graph_value *const *inputs,
                            int count)
{
    graph_op *c = build_op(m->b, op->kind, count, (int)op->outputs.count);
    c->attrs = op->attrs;
    c->index_count = op->index_count;
    for (int i = 0; i < op->index_count; i++)
        c->indices[i].dim = incremental_dim(m, op->indices[i].dim);
    for (int k = 0; k < count; k++) {
        c->inputs.items[k] = inputs[k];
        if (k < (int)op->inputs.count)
            memcpy(c->input_map[k], op->input_map[k], sizeof *c->input_map);
    }
    for (size_t k = 0; k < op->outputs.count; k++) {
        graph_value *y = c->outputs.items[k];
        y->type = incremental_type(m, &op->outputs.items[k]->type);
        y->name = op->outputs.items[k]->name;
        memcpy(c->output_map[k], op->output_map[k], sizeof *c->output_map);
        m->now[op->outputs.items[k]->id] = y;
    }
    return c;
}

static bool fitting(const incremental *m, const graph_op *c, const graph_value *x,
                    const int8_t *map)
{
    for (int slot = 0; slot < x->type.rank; slot++)
        if (map[slot] != NO_INDEX && graph_type_size(m->g, &x->type, slot) !=
                                         graph_dim_size(m->g, c->indices[map[slot]].dim))
            return false;
    return true;
}

/* The operator over new dimensions, where its indices let it. */
static bool write_plain(incremental *m, const graph_op *op)
{
    graph_value *inputs[64];
    if (op->inputs.count > 64)
        return refuse_word(m, op, "'%s' has more operands than sampling goes through");
    for (size_t k = 0; k < op->inputs.count; k++)
        inputs[k] = incremental_operand(m, op->inputs.items[k]);
    const graph_op *c = incremental_clone(m, op, inputs, (int)op->inputs.count);
    bool fits = true;
    for (size_t k = 0; k < c->inputs.count; k++)
        fits = fits && fitting(m, c, c->inputs.items[k], c->input_map[k]);
    for (size_t k = 0; k < c->outputs.count; k++)
        fits = fits && fitting(m, c, c->outputs.items[k], c->output_map[k]);
    return fits || refuse_word(m, op, "'%s' meets positions with something as long here");
}

static bool write_source(incremental *m, const graph_op *op)
{
    graph_value *y = op->outputs.items[0];
    bool along = y->type.rank == 1 && slot_is(m, y, 0);
    if (op->kind == OP_input)
        return true; /* it stands already */
    if (op->kind == OP_random)
        return incremental_refuse(m, op, "random numbers of the model are those of a whole batch",
                                  NULL);
    if (op->kind == OP_variable) {
        graph_op *c = incremental_clone(m, op, NULL, 0);
        c->outputs.items[0]->type = y->type;
        memcpy(c->indices, op->indices, sizeof c->indices);
        for (int slot = 0; slot < y->type.rank; slot++)
            m->whole[y->id] = m->whole[y->id] || slot_is(m, y, slot);
        return true;
    }
    if (op->kind != OP_index || !along)
        return write_plain(m, op);
    build_operand at = {.value = m->position};
    build_operand index =
        build_index(m->b, incremental_dim(m, y->type.dims[0]), atom_of(m->g->atoms, "0"));
    m->now[y->id] = build_binary(m->b, OP_add, index, at).value;
    return true;
}

static int own_variable(incremental *m, const graph_op *op, const char *part,
                        const graph_type *cell)
{
    for (size_t i = 0; i < m->variables.count; i++)
        if (m->variables.items[i].op == op && !strcmp(m->variables.items[i].part, part))
            return m->variables.items[i].variable;
    graph_variable v = {.kind = VARIABLE_CACHE, .type = *cell, .of = -1, .at = op->at};
    for (const incremental_level *l = m->level; l->outer; l = l->outer) {
        memmove(v.type.dims + 1, v.type.dims, sizeof v.type.dims[0] * (GRAPH_MAX_RANK - 1));
        v.type.dims[0] = l->leading;
        v.type.rank++;
        v.stacked = true;
    }
    v.path = arena_format(m->g->memory, "cache.%d/%s.%s", (int)m->variables.count,
                          op->path ? op->path : op_info_of(op->kind)->name, part);
    v.path = atom_of(m->g->atoms, v.path);
    v.init = atom_of(m->g->atoms, "zeros");
    int variable = graph_variable_add(m->g, v);
    vec_push(m->g->memory, &m->variables, (kept_variable){op, part, variable});
    return variable;
}

/* The variable where `b` writes: its slice in a repeat's body. */
static build_operand variable_here(incremental *m, build *b, int variable)
{
    build_operand x;
    if (b->repeat) {
        x = variable_here(m, b->outer, variable);
        x.labels[0] = b->leading;
        x = build_repeat_stacked(b, x);
    } else {
        atom none[GRAPH_MAX_RANK] = {NULL};
        b->at = m->b->at;
        for (int i = 0; i < GRAPH_MAX_RANK; i++)
            none[i] = atom_of(m->g->atoms, arena_format(m->g->memory, "%d", i));
        x = build_variable(b, variable, none);
    }
    return incremental_labelled(m, x.value);
}

incremental_own incremental_keep(incremental *m, const graph_op *op, const char *part,
                                 const graph_type *cell)
{
    int variable = own_variable(m, op, part, cell);
    return (incremental_own){variable, variable_here(m, m->b, variable)};
}

build_operand incremental_before(incremental *m, build_operand kept, double x)
{
    build_operand at = {.value = m->position};
    build_operand first = build_binary(m->b, OP_eq, at, build_constant(m->b, DTYPE_I32, 0));
    build_operand choice[3] = {first, build_constant(m->b, kept.value->type.dtype, x), kept};
    return build_map(m->b, OP_where, choice, 3);
}

/* All rows so far of an operand of attention, these among them. */
static graph_value *cached(incremental *m, const graph_op *op, int k, const char *part)
{
    build_operand rows = incremental_labelled(m, incremental_operand(m, op->inputs.items[k]));
    graph_type cell = rows.value->type;
    int slot = cell.rank - (k == 3 ? 1 : 2); /* a mask has no depth */
    cell.dims[slot] = m->cache;
    incremental_own own = incremental_keep(m, op, part, &cell);
    build_operand at = {.value = m->position};
    return build_append(m->b, own.value, rows, at, rows.labels[slot]).value;
}

static bool check_attention(incremental *m, const graph_op *op)
{
    const graph_value *q = op->inputs.items[0], *k = op->inputs.items[1];
    if (incremental_lead(m, k->type.dims[k->type.rank - 2]) ||
        incremental_lead(m, q->type.dims[q->type.rank - 2]))
        return incremental_refuse(m, op, "this attention goes over more than the positions", NULL);
    if (!slot_is(m, q, q->type.rank - 2))
        return incremental_refuse(m, op, "this attention reads the keys of every position", NULL);
    if (op->attrs.i[0] != 1)
        return incremental_refuse(m, op, "attention that is not causal sees positions to come",
                                  "attention(…, causal = yes), or self_attention(x, A, causal)");
    for (int slot = 0; slot + 2 < k->type.rank; slot++)
        if (slot_is(m, k, slot))
            return refuse_word(m, op, "'%s' meets every position with every other here");
    return true;
}

/* Causal attention of the new positions to all so far. */
static bool write_attention(incremental *m, const graph_op *op)
{
    const graph_value *q = op->inputs.items[0], *k = op->inputs.items[1];
    bool keys = slot_is(m, k, k->type.rank - 2), queries = slot_is(m, q, q->type.rank - 2);
    if (!keys && !(queries && (op->attrs.i[0] || op->attrs.i[1])))
        return check_indices(m, op) && write_plain(m, op);
    if (!keys)
        return incremental_refuse(m, op, "the keys of this causal attention are no positions",
                                  NULL);
    if (!check_attention(m, op))
        return false;
    const graph_value *mask = op->inputs.count > 3 ? op->inputs.items[3] : NULL;
    int count = mask ? 4 : 3;
    graph_value *inputs[5] = {incremental_operand(m, q)};
    inputs[1] = cached(m, op, 1, "keys");
    inputs[2] = cached(m, op, 2, "values");
    if (mask && !slot_is(m, mask, mask->type.rank - 1))
        return incremental_refuse(m, op, "the mask of these keys is of no positions", NULL);
    if (mask)
        inputs[3] = cached(m, op, 3, "mask");
    inputs[count] = m->position;
    graph_op *c = incremental_clone(m, op, inputs, count + 1);
    c->indices[(int)op->input_map[1][k->type.rank - 2]].dim = m->cache;
    c->attrs.i[2] = 1;
    return true;
}

/* The sum so far is kept: 0 in front of the first position. */
static bool write_cumsum(incremental *m, const graph_op *op)
{
    const graph_value *x = op->inputs.items[0];
    int slot = (int)op->attrs.i[0];
    if (!slot_is(m, x, slot))
        return check_indices(m, op) && write_plain(m, op);
    if (op->attrs.i[1])
        return incremental_refuse(m, op, "a sum from the end begins with positions to come", NULL);
    if (incremental_lead(m, x->type.dims[slot]))
        return incremental_refuse(m, op, "this sum goes over more than the positions", NULL);
    if (!check_indices(m, op) || !write_plain(m, op))
        return false;
    build_operand y = incremental_labelled(m, m->now[op->outputs.items[0]->id]);
    graph_type cell = y.value->type;
    memmove(cell.dims + slot, cell.dims + slot + 1,
            sizeof cell.dims[0] * (size_t)(cell.rank - slot - 1));
    cell.rank--;
    incremental_own own = incremental_keep(m, op, "sum", &cell);
    build_operand before = own.value;
    for (int i = slot; i < cell.rank; i++)
        before.labels[i] = y.labels[i + 1];
    before = incremental_before(m, before, 0);
    y = build_transpose(m->b, build_binary(m->b, OP_add, y, before), y.labels);
    build_slicing last = {y.labels[slot], graph_dim_size(m->g, m->rows) - 1, 1, m->one,
                          y.labels[slot]};
    build_operand sum = build_slice(m->b, y, &last);
    sum = build_reduce(m->b, OP_sum, sum, &last.label, 1);
    m->now[op->outputs.items[0]->id] = y.value;
    vec_push(m->g->memory, &m->level->kept, (kept_value){own.variable, sum.value});
    return true;
}

/* Sizes around the slot of positions in a run of slots that a reshape merges or splits. */
static int64_t size_behind(const incremental *m, const graph_type *was, const graph_type *now,
                           int begin, int end)
{
    int64_t behind = 1;
    for (int slot = end - 1; slot >= begin; slot--) {
        if (incremental_is_along(m, was->dims[slot]))
            return behind;
        behind *= graph_type_size(m->g, now, slot);
    }
    return 0; /* no positions among them */
}

static int64_t size_all(const incremental *m, const graph_type *now, int begin, int end)
{
    int64_t all = 1;
    for (int slot = begin; slot < end; slot++)
        all *= graph_type_size(m->g, now, slot);
    return all;
}

static bool write_reshape(incremental *m, const graph_op *op)
{
    const graph_type *from = &op->inputs.items[0]->type, *to = &op->outputs.items[0]->type;
    graph_type from_now = incremental_type(m, from), to_now = incremental_type(m, to);
    reshape_group groups[2 * GRAPH_MAX_RANK];
    int count = op_reshape_groups(m->g, from, to, groups);
    for (int i = 0; i < count; i++) {
        const reshape_group *r = &groups[i];
        if (size_all(m, &from_now, r->from_begin, r->from_end) !=
                size_all(m, &to_now, r->to_begin, r->to_end) ||
            size_behind(m, from, &from_now, r->from_begin, r->from_end) !=
                size_behind(m, to, &to_now, r->to_begin, r->to_end))
            return incremental_refuse(m, op, "positions are merged or split here", NULL);
    }
    return write_plain(m, op);
}

/* Rows of a table over positions may be asked for by their number. */
static bool write_gather(incremental *m, const graph_op *op)
{
    const graph_value *table = op->inputs.items[0];
    int rows = 0, others = 0;
    for (int slot = 0; slot < table->type.rank; slot++) {
        bool along = slot_is(m, table, slot);
        rows += along && op->input_map[0][slot] == NO_INDEX;
        others += along && op->input_map[0][slot] != NO_INDEX;
    }
    if (!rows)
        return check_indices(m, op) && write_plain(m, op);
    index_uses u = uses_of(m, op);
    if (!m->whole[table->id] || others || u.along & (u.along - 1))
        return incremental_refuse(m, op, "'gather' may read any position here", NULL);
    graph_value *inputs[2] = {m->now[table->id], incremental_operand(m, op->inputs.items[1])};
    incremental_clone(m, op, inputs, 2);
    return true;
}

bool incremental_op(incremental *m, const graph_op *op)
{
    incremental_shift shift;
    if (incremental_shift_of(m, op, &shift))
        return incremental_write_shift(m, op, &shift);
    switch (op->kind) {
    case OP_attention:
        return write_attention(m, op);
    case OP_cumsum:
        return write_cumsum(m, op);
    case OP_reshape:
        return write_reshape(m, op);
    case OP_gather:
        return write_gather(m, op);
    default:
        if (op_info_of(op->kind)->class == OP_CLASS_SOURCE)
            return write_source(m, op);
        return check_indices(m, op) && write_plain(m, op);
    }
}
