#include "pass/gradient.h"

#include <string.h>

void gradient_broadcast(gradient_context *c, const graph_op *op)
{
    gradient_give(c, op, 0, gradient_of_result(c, op, 0));
}

void gradient_transpose(gradient_context *c, const graph_op *op)
{
    gradient_give(c, op, 0, gradient_of_result(c, op, 0));
}

static build_dims dims_of(const build_operand *x)
{
    build_dims dims = {.rank = x->value->type.rank};
    memcpy(dims.dims, x->value->type.dims, sizeof dims.dims);
    memcpy(dims.labels, x->labels, sizeof dims.labels);
    return dims;
}

void gradient_reshape(gradient_context *c, const graph_op *op)
{
    build_operand x = gradient_operand(c, op, 0);
    build_dims dims = dims_of(&x);
    gradient_give(c, op, 0, build_reshape(c->b, gradient_of_result(c, op, 0), &dims));
}

/* slice's reverse is a pad with zeros, pad's is a slice. Both sides label slot i[0] the same. */
void gradient_slice(gradient_context *c, const graph_op *op)
{
    int slot = (int)op->attrs.i[0];
    build_operand x = gradient_operand(c, op, 0), dy = gradient_of_result(c, op, 0);
    int64_t whole = graph_type_size(c->g, &x.value->type, slot);
    int64_t count = graph_type_size(c->g, &dy.value->type, slot);
    int64_t first = count ? op->attrs.i[1] : 0, stride = op->attrs.i[2];
    build_padding how = {.label = dy.labels[slot],
                         .before = first,
                         .after = whole - first - (count ? (count - 1) * stride + 1 : 0),
                         .stride = stride,
                         .dim = x.value->type.dims[slot],
                         .now = x.labels[slot]};
    gradient_give(c, op, 0, build_pad(c->b, dy, &how));
}

void gradient_pad(gradient_context *c, const graph_op *op)
{
    int slot = (int)op->attrs.i[0];
    build_operand x = gradient_operand(c, op, 0), dy = gradient_of_result(c, op, 0);
    build_slicing how = {.label = dy.labels[slot],
                         .first = op->attrs.i[1],
                         .stride = op->attrs.i[3],
                         .dim = x.value->type.dims[slot],
                         .now = x.labels[slot]};
    if (graph_type_size(c->g, &x.value->type, slot) == 0)
        how.first = 0;
    gradient_give(c, op, 0, build_slice(c->b, dy, &how));
}

void gradient_concat(gradient_context *c, const graph_op *op)
{
    int slot = (int)op->attrs.i[0];
    int64_t first = 0;
    for (int k = 0; k < (int)op->inputs.count; k++) {
        build_operand x = gradient_operand(c, op, k), dy = gradient_of_result(c, op, 0);
        int64_t size = graph_type_size(c->g, &x.value->type, slot);
        build_slicing how = {.label = dy.labels[slot],
                             .first = size ? first : 0,
                             .stride = 1,
                             .dim = x.value->type.dims[slot],
                             .now = x.labels[slot]};
        if (gradient_wanted(c, op, k))
            gradient_give(c, op, k, build_slice(c->b, dy, &how));
        first += size;
    }
}

/* The slot of the table that holds the rows. */
static int rows_slot(const graph_value *table, const int8_t *map)
{
    int slot = 0;
    while (slot < table->type.rank && map[slot] != NO_INDEX)
        slot++;
    return slot;
}

void gradient_gather(gradient_context *c, const graph_op *op)
{
    if (!gradient_wanted(c, op, 0))
        return;
    build_operand table = gradient_operand(c, op, 0), ids = gradient_operand(c, op, 1);
    int rows = rows_slot(table.value, op->input_map[0]);
    build_scatter how = {.dim = table.value->type.dims[rows], .rows = table.labels[rows]};
    for (int slot = 0; slot < table.value->type.rank; slot++)
        if (slot != rows) {
            how.kept.dims[how.kept.rank] = table.value->type.dims[slot];
            how.kept.labels[how.kept.rank++] = table.labels[slot];
        }
    gradient_give(c, op, 0, build_scatter_add(c->b, gradient_of_result(c, op, 0), ids, &how));
}

void gradient_scatter_add(gradient_context *c, const graph_op *op)
{
    if (!gradient_wanted(c, op, 0))
        return;
    build_operand dy = gradient_of_result(c, op, 0), ids = gradient_operand(c, op, 1);
    int rows = rows_slot(dy.value, op->output_map[0]);
    gradient_give(c, op, 0, build_gather(c->b, dy, dy.labels[rows], ids));
}

void gradient_cumsum(gradient_context *c, const graph_op *op)
{
    build_operand dy = gradient_of_result(c, op, 0);
    atom along = build_index_label(c->b, op->input_map[0][op->attrs.i[0]]);
    gradient_give(c, op, 0, build_cumsum(c->b, dy, along, !op->attrs.i[1]));
}
