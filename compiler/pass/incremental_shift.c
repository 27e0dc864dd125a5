/* Incremental functions: operators that move positions.
 *
 * A dimension along positions may be longer than S at its front: of `pad(x over S, T = S + 2, before = 2)` row u is position
 * u - 2. Such a dimension has a lead, here 2: where a function takes positions p .. p + T - 1, it holds rows p .. p + T + 1 of
 * the dimension, so that what reads neighbours behind it (a convolution, a slice) finds them. What is longer at its end
 * has no rows there that anybody may ask for.
 *
 *   pad      the rows in front, from the call before or the padding's value, then the new ones
 *   slice    from row `first` on: fewer rows of lead are left
 *   conv     along positions with stride 1: rows in front as with pad, and fewer rows of lead are left
 *
 * A result whose lead would be below 0 is made of positions to come.
 */
#include "pass/incremental_internal.h"

#include "graph/op.h"

static int spatial_along(const incremental *m, const graph_op *op)
{
    const graph_value *x = op->inputs.items[0];
    for (int k = 0; k < (int)op->attrs.i[0]; k++)
        if (incremental_is_along(m, x->type.dims[2 + k]))
            return k;
    return -1;
}

bool incremental_shift_of(const incremental *m, const graph_op *op, incremental_shift *shift)
{
    const graph_value *x = op->inputs.count ? op->inputs.items[0] : NULL;
    const int64_t *i = op->attrs.i;
    int64_t stride = 1, reach = 0;
    *shift = (incremental_shift){.slot = -1};
    if (op->kind == OP_pad) {
        *shift = (incremental_shift){.slot = (int)i[0], .before = i[1]};
        stride = i[3];
    } else if (op->kind == OP_slice) {
        shift->slot = (int)i[0];
        stride = i[2];
        reach = i[1];
    } else if (op->kind == OP_conv && spatial_along(m, op) >= 0) {
        int k = spatial_along(m, op);
        int64_t window = graph_type_size(m->g, &op->inputs.items[1]->type, 2 + k);
        *shift = (incremental_shift){.slot = 2 + k, .before = i[3 + 3 * k]};
        stride = i[2 + 3 * k];
        reach = i[4 + 3 * k] * (window - 1);
    }
    if (shift->slot < 0 || !incremental_is_along(m, x->type.dims[shift->slot]))
        return false;
    shift->allowed = incremental_lead(m, x->type.dims[shift->slot]) + shift->before - reach;
    if (stride > 1)
        shift->allowed = -1;
    return true;
}

static build_operand part_of(incremental *m, build_operand x, int slot, int64_t first, dim_id dim)
{
    build_slicing how = {x.labels[slot], first, 1, dim, x.labels[slot]};
    return build_slice(m->b, x, &how);
}

static dim_id made_dim(incremental *m, int64_t size)
{
    return graph_dim_add(m->g, atom_of(m->g->atoms, "sample.rows"), size, m->t->sampling.at);
}

/* The operand with `before` rows in front of its own; they are kept for the next call. */
static build_operand with_rows_before(incremental *m, const graph_op *op,
                                      const incremental_shift *shift, double filled)
{
    build_operand x = incremental_labelled(m, incremental_operand(m, op->inputs.items[0]));
    int slot = shift->slot;
    if (!shift->before)
        return x;
    dim_id before = made_dim(m, shift->before);
    graph_type cell = x.value->type;
    cell.dims[slot] = before;
    incremental_own own = incremental_keep(m, op, "rows", &cell);
    build_operand parts[2] = {incremental_before(m, own.value, filled), x};
    parts[0] = build_transpose(m->b, parts[0], x.labels);
    dim_id all = made_dim(m, shift->before + graph_type_size(m->g, &x.value->type, slot));
    build_operand y = build_concat(m->b, parts, 2, x.labels[slot], all);
    build_operand kept = part_of(m, y, slot, graph_dim_size(m->g, m->rows), before);
    vec_push(m->g->memory, &m->level->kept, (kept_value){own.variable, kept.value});
    return y;
}

/* The convolution of rows that are all there. */
static build_operand convolved(incremental *m, const graph_op *op, const incremental_shift *shift,
                               build_operand x)
{
    build_window how = build_window_of(op);
    int along = shift->slot - 2;
    build_operand w = incremental_labelled(m, incremental_operand(m, op->inputs.items[1]));
    how.pad[along] = 0;
    for (int k = 0; k < how.spatial; k++) {
        int64_t size = op_window_size(graph_type_size(m->g, &x.value->type, 2 + k),
                                      graph_type_size(m->g, &w.value->type, 2 + k), how.stride[k],
                                      how.pad[k], how.dilation[k]);
        how.dims[k] = k == along ? made_dim(m, size) : op->outputs.items[0]->type.dims[2 + k];
    }
    /* Channels of x and w are one index, those of the result w's own. */
    w.labels[0] = atom_of(m->g->atoms, "out");
    for (int k = 0; k < how.spatial; k++)
        w.labels[2 + k] = atom_of(m->g->atoms, arena_format(m->g->memory, "window %d", k));
    return build_conv(m->b, x, w, &how);
}

bool incremental_write_shift(incremental *m, const graph_op *op, const incremental_shift *shift)
{
    graph_value *y = op->outputs.items[0];
    dim_id d = y->type.dims[shift->slot];
    int64_t lead = incremental_lead(m, d);
    const char *word = op_info_of(op->kind)->name;
    if (!incremental_is_along(m, d) || lead > shift->allowed)
        return incremental_refuse(
            m, op, arena_format(m->g->memory, "'%s' reads positions to come here", word), NULL);
    bool pads = op->kind == OP_pad;
    build_operand x = with_rows_before(m, op, shift, pads ? op->attrs.f[0] : 0);
    if (op->kind == OP_conv)
        x = convolved(m, op, shift, x);
    int64_t first = op->kind == OP_slice ? op->attrs.i[1] : 0;
    x = incremental_labelled(m, x.value);
    m->now[y->id] = part_of(m, x, shift->slot, first, incremental_dim(m, d)).value;
    m->now[y->id]->name = y->name;
    return true;
}
