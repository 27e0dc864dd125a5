#include "graph/verify_internal.h"

#include "graph/op.h"

#include <string.h>

bool verify_same_shape(const graph *g, const graph_type *a, const graph_type *b)
{
    if (a->dtype != b->dtype || a->rank != b->rank)
        return false;
    for (int slot = 0; slot < a->rank; slot++)
        if (graph_type_size(g, a, slot) != graph_type_size(g, b, slot))
            return false;
    return true;
}

static const char *check_map(const verifier *v, const graph_op *op, const graph_value *x,
                             const int8_t *map)
{
    uint32_t seen = 0;
    for (int slot = 0; slot < x->type.rank; slot++) {
        if (map[slot] == NO_INDEX)
            continue;
        if (map[slot] < 0 || map[slot] >= op->index_count)
            return "a slot of an index that there is not";
        if (seen >> map[slot] & 1)
            return "an index stands twice in one operand";
        seen |= 1u << map[slot];
        int64_t size = graph_dim_size(v->g, op->indices[(int)map[slot]].dim);
        if (size != graph_type_size(v->g, &x->type, slot))
            return arena_format(v->memory, "sizes %lld and %lld under one index", (long long)size,
                                (long long)graph_type_size(v->g, &x->type, slot));
    }
    return NULL;
}

const char *verify_index_form(const verifier *v, const graph_op *op)
{
    const char *wrong = NULL;
    if (op->index_count < 0 || op->index_count > GRAPH_MAX_INDICES)
        return "too many indices";
    for (size_t k = 0; k < op->inputs.count && !wrong; k++)
        wrong = check_map(v, op, op->inputs.items[k], op->input_map[k]);
    for (size_t k = 0; k < op->outputs.count && !wrong; k++)
        wrong = check_map(v, op, op->outputs.items[k], op->output_map[k]);
    return wrong;
}

/* A bit for each index that the slots of x have. */
static uint32_t indices_in(const graph_value *x, const int8_t *map)
{
    uint32_t set = 0;
    for (int slot = 0; slot < x->type.rank; slot++)
        if (map[slot] != NO_INDEX)
            set |= 1u << map[slot];
    return set;
}

static int slots_without(const graph_value *x, const int8_t *map)
{
    int count = 0;
    for (int slot = 0; slot < x->type.rank; slot++)
        count += map[slot] == NO_INDEX;
    return count;
}

/* What an operator's operands and result have, for the class checks. */
typedef struct summary {
    uint32_t in[3], all_in, out;
    int free_in[3], free_out; /* slots without an index */
    dtype types[3], result;
} summary;

static summary summarise(const graph_op *op)
{
    summary s = {.all_in = 0};
    for (size_t k = 0; k < op->inputs.count; k++) {
        uint32_t set = indices_in(op->inputs.items[k], op->input_map[k]);
        s.all_in |= set;
        if (k < 3) {
            s.in[k] = set;
            s.free_in[k] = slots_without(op->inputs.items[k], op->input_map[k]);
            s.types[k] = op->inputs.items[k]->type.dtype;
        }
    }
    if (op->outputs.count) {
        s.out = indices_in(op->outputs.items[0], op->output_map[0]);
        s.free_out = slots_without(op->outputs.items[0], op->output_map[0]);
        s.result = op->outputs.items[0]->type.dtype;
    }
    return s;
}

static const char *check_source(const verifier *v, const graph_op *op, const summary *s)
{
    const graph_type *t = &op->outputs.items[0]->type;
    if (s->free_out)
        return "a source has an index for each slot";
    if (op->inputs.count > (op->kind == OP_random) ||
        (op->inputs.count && (op->inputs.items[0]->type.rank || s->types[0] != DTYPE_I32)))
        return "'random' takes an iteration, an i32 scalar, and no other source takes an operand";
    if (op->kind == OP_index && (t->rank != 1 || t->dtype != DTYPE_I32))
        return "'index' gives i32 over one dimension";
    if ((op->kind == OP_constant || op->kind == OP_clock) && t->rank != 0)
        return "a scalar source with dimensions";
    if (op->kind == OP_variable &&
        !verify_same_shape(v->g, t, &v->g->variables.items[op->attrs.variable].type))
        return "not the variable's type";
    return NULL;
}

static const char *check_map_class(const graph_op *op, const summary *s)
{
    dtype result;
    if (s->free_in[0] + s->free_in[1] + s->free_in[2] + s->free_out)
        return "a slot without an index";
    if (s->out != s->all_in)
        return "the result has not the operands' indices";
    if (!op_map_dtype(op->kind, s->types, &result))
        return "element types that do not fit";
    if (op->kind != OP_cast && result != s->result)
        return "the result has another element type";
    return NULL;
}

static const char *check_reduce(const graph_op *op, const summary *s)
{
    if (s->free_in[0] + s->free_out || s->out & ~s->in[0])
        return "the result's indices are some of the operand's";
    uint32_t gone = s->in[0] & ~s->out;
    if (op->kind == OP_argmax && (gone == 0 || (gone & (gone - 1))))
        return "'argmax' goes over one index";
    if (s->result != (op->kind == OP_argmax ? DTYPE_I32 : s->types[0]))
        return "the result has another element type";
    return NULL;
}

static const char *check_contract(const summary *s)
{
    if (s->free_in[0] + s->free_in[1] + s->free_out || s->out & ~s->all_in)
        return "the result's indices are some of the operands'";
    if (s->types[0] != s->types[1] || s->types[0] != s->result || !dtype_is_float(s->result))
        return "a product takes one floating-point type";
    return NULL;
}

static const char *check_reshape(const verifier *v, const graph_op *op)
{
    if (graph_type_count(v->g, &op->inputs.items[0]->type) !=
        graph_type_count(v->g, &op->outputs.items[0]->type))
        return "another number of elements";
    return NULL;
}

/* slice, pad, concat: slot i[0] alone has no index, and every other slot stays in its place. */
static const char *check_along(const verifier *v, const graph_op *op)
{
    const graph_value *y = op->outputs.items[0];
    int64_t slot = op->attrs.i[0], total = 0;
    if (slot < 0 || slot >= y->type.rank)
        return "no such slot";
    for (size_t k = 0; k < op->inputs.count; k++) {
        const graph_value *x = op->inputs.items[k];
        if (x->type.rank != y->type.rank || x->type.dtype != y->type.dtype ||
            slots_without(x, op->input_map[k]) != 1 || op->input_map[k][slot] != NO_INDEX ||
            memcmp(op->input_map[k], op->output_map[0], (size_t)y->type.rank) != 0)
            return "operand and result differ beside the slot";
        total += graph_type_size(v->g, &x->type, (int)slot);
    }
    int64_t size = graph_type_size(v->g, &y->type, (int)slot), n = total;
    const int64_t *i = op->attrs.i;
    if (op->kind == OP_concat && size != total)
        return "the parts do not add up";
    if (op->kind == OP_slice && (i[1] < 0 || i[2] < 1 || (size && i[1] + (size - 1) * i[2] >= n)))
        return "reaches past the end";
    if (op->kind == OP_pad &&
        (i[1] < 0 || i[2] < 0 || i[3] < 1 || size != i[1] + i[2] + (n ? (n - 1) * i[3] + 1 : 0)))
        return "another size than the padding gives";
    return NULL;
}

static const char *check_gather(const graph_op *op, const summary *s)
{
    if (s->types[1] != DTYPE_I32 || s->types[0] != s->result)
        return "ids are i32, and the result has the table's type";
    if (op->kind == OP_gather)
        return s->free_in[0] == 1 && !s->free_in[1] && !s->free_out && s->out == s->all_in
                   ? NULL
                   : "one slot of the table is the rows, and the result has every index";
    bool fits = !s->free_in[0] && !s->free_in[1] && s->free_out == 1 && !(s->in[1] & ~s->in[0]) &&
                !(s->out & ~s->in[0]);
    return fits ? NULL : "one slot of the result is the rows, and updates have every index";
}

static const char *check_append(const verifier *v, const graph_op *op)
{
    const graph_value *cache = op->inputs.items[0], *rows = op->inputs.items[1];
    const graph_value *position = op->inputs.items[2], *y = op->outputs.items[0];
    int64_t slot = op->attrs.i[0];
    size_t rank = (size_t)cache->type.rank;
    if (slot < 0 || slot >= cache->type.rank)
        return "no such slot";
    if (position->type.rank || position->type.dtype != DTYPE_I32)
        return "the position is an i32 scalar";
    if (!verify_same_shape(v->g, &cache->type, &y->type) || rows->type.rank != cache->type.rank ||
        rows->type.dtype != cache->type.dtype || op->input_map[0][slot] != NO_INDEX ||
        memcmp(op->input_map[0], op->output_map[0], rank) != 0 ||
        memcmp(op->input_map[0], op->input_map[1], rank) != 0)
        return "cache and rows differ beside the slot";
    if (graph_type_size(v->g, &rows->type, (int)slot) >
        graph_type_size(v->g, &cache->type, (int)slot))
        return "more rows than the cache has";
    return NULL;
}

static const char *check_move(const verifier *v, const graph_op *op, const summary *s)
{
    switch (op->kind) {
    case OP_broadcast:
        return s->free_in[0] + s->free_out || s->in[0] & ~s->out || s->types[0] != s->result
                   ? "the result has all of the operand's indices"
                   : NULL;
    case OP_reshape:
        return check_reshape(v, op);
    case OP_transpose:
    case OP_cumsum:
        if (op->kind == OP_cumsum &&
            (op->attrs.i[0] < 0 || op->attrs.i[0] >= op->inputs.items[0]->type.rank))
            return "no such slot";
        return s->free_in[0] + s->free_out || s->in[0] != s->out || s->types[0] != s->result
                   ? "operand and result have the same indices"
                   : NULL;
    case OP_append:
        return check_append(v, op);
    case OP_gather:
    case OP_scatter_add:
        return check_gather(op, s);
    default:
        return check_along(v, op);
    }
}

/* x in, window sizes -> y: spatial slots from 2 on. */
static const char *check_window_sizes(const verifier *v, const graph_op *op, const graph_value *x,
                                      const graph_value *w, const graph_value *y)
{
    int spatial = (int)op->attrs.i[0];
    if (spatial < 1 || spatial > 3 || x->type.rank != 2 + spatial || y->type.rank != 2 + spatial ||
        (w && w->type.rank != 2 + spatial))
        return "another number of spatial dimensions";
    for (int k = 0; k < spatial; k++) {
        const int64_t *i = &op->attrs.i[2 + 3 * k];
        int64_t window = w ? graph_type_size(v->g, &w->type, 2 + k) : op->attrs.i[11 + k];
        int64_t in = graph_type_size(v->g, &x->type, 2 + k);
        if (window < 1 || i[0] < 1 || i[1] < 0 || i[2] < 1)
            return "a window without size, stride or dilation";
        if (graph_type_size(v->g, &y->type, 2 + k) != op_window_size(in, window, i[0], i[1], i[2]))
            return "another size than the windows give";
    }
    return NULL;
}

static const char *check_channels(const verifier *v, const graph_op *op, const graph_value *x,
                                  const graph_value *w, const graph_value *y)
{
    int64_t groups = op->attrs.i[1];
    if (groups < 1 ||
        graph_type_size(v->g, &w->type, 1) * groups != graph_type_size(v->g, &x->type, 1) ||
        graph_type_size(v->g, &w->type, 0) != graph_type_size(v->g, &y->type, 1) ||
        graph_type_size(v->g, &w->type, 0) % groups != 0)
        return "channels and groups do not fit";
    return check_window_sizes(v, op, x, w, y);
}

static const char *check_window(const verifier *v, const graph_op *op)
{
    const graph_value *const *in = (const graph_value *const *)op->inputs.items;
    const graph_value *out = op->outputs.items[0];
    switch (op->kind) {
    case OP_conv:
        return check_channels(v, op, in[0], in[1], out);
    case OP_conv_data:
        return check_channels(v, op, out, in[1], in[0]);
    case OP_conv_weight:
        return check_channels(v, op, in[0], out, in[1]);
    case OP_max_pool_grad:
        return check_window_sizes(v, op, in[0], NULL, in[1]);
    case OP_sum_pool_grad:
        return check_window_sizes(v, op, out, NULL, in[0]);
    default:
        return check_window_sizes(v, op, in[0], NULL, out);
    }
}

static const char *check_fused(const graph_op *op, const summary *s)
{
    bool positioned = op->kind == OP_attention && op->attrs.i[2] == 1;
    size_t tensors = op->kind == OP_attention ? 3 : 6, count = op->inputs.count - positioned;
    if ((count != tensors && count != tensors + 1) ||
        op->outputs.count != (op->kind == OP_attention ? 2 : 3))
        return "another number of operands or results";
    for (int k = 0; k < 3; k++)
        if (op->inputs.items[k]->type.rank < 2 || s->types[k] != s->types[0] || s->free_in[k])
            return "attention takes positions and depth of one element type";
    if (count == tensors + 1 && op->inputs.items[tensors]->type.dtype != DTYPE_BOOL)
        return "a mask is bool";
    const graph_type *last = &op->inputs.items[op->inputs.count - 1]->type;
    if (positioned && (last->rank || last->dtype != DTYPE_I32))
        return "the position is an i32 scalar";
    return NULL;
}

static const char *check_sink(const verifier *v, const graph_op *op)
{
    const graph_type *t = &op->inputs.items[0]->type;
    if (!verify_same_shape(v->g, t, &v->g->variables.items[op->attrs.variable].type))
        return "not the variable's type";
    bool sum = v->g->variables.items[op->attrs.variable].kind == VARIABLE_SUM;
    if (sum != (op->kind == OP_accumulate))
        return "a sum alone is added to";
    return NULL;
}

static const char *check_collective(const verifier *v, const graph_op *op)
{
    if (!v->spmd)
        return "a collective before partition";
    if (op->attrs.i[0] < 0 || op->attrs.i[0] >= (int64_t)v->g->mesh.count)
        return "no such axis";
    if (!verify_same_shape(v->g, &op->inputs.items[0]->type, &op->outputs.items[0]->type))
        return "a collective keeps the type";
    return NULL;
}

const char *verify_class(const verifier *v, const graph_op *op)
{
    summary s = summarise(op);
    switch (op_info_of(op->kind)->class) {
    case OP_CLASS_SOURCE:
        return check_source(v, op, &s);
    case OP_CLASS_MAP:
        return check_map_class(op, &s);
    case OP_CLASS_REDUCE:
        return check_reduce(op, &s);
    case OP_CLASS_CONTRACT:
        return check_contract(&s);
    case OP_CLASS_MOVE:
        return check_move(v, op, &s);
    case OP_CLASS_WINDOW:
        return check_window(v, op);
    case OP_CLASS_FUSED:
        return check_fused(op, &s);
    case OP_CLASS_SINK:
        return check_sink(v, op);
    case OP_CLASS_COLLECTIVE:
        return check_collective(v, op);
    case OP_CLASS_CONTROL:
        break;
    }
    return NULL;
}
