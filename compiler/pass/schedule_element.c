/* Elements of values as scalar nodes: what is not in memory is computed where it is read. */
#include "pass/schedule_internal.h"

#include <assert.h>
#include <string.h>

loop_address element_address(kernel_build *b, const place *p, loop_node *const *index, int rank)
{
    loop_address a = loop_address_at(p->view.buffer, p->view.first);
    for (int i = 0; i < rank; i++)
        loop_address_add(b->k, &a, p->stride[i], index[i]);
    for (int i = 0; i < p->view.loop_count; i++)
        loop_address_add(b->k, &a, p->view.loops[i].stride,
                         loop_iteration(b->k, p->view.loops[i].loop));
    return a;
}

static loop_node *load(kernel_build *b, graph_value *v, loop_node *const *index, loop_node *guard,
                       double otherwise)
{
    place p = b->l->places[v->id];
    assert(p.placed);
    return loop_load(b->k, v->type.dtype, element_address(b, &p, index, v->type.rank), guard,
                     otherwise);
}

/* Binds the operator's indices to those of its result. */
static void bind(const graph_op *op, loop_node *const *index, loop_node **bound)
{
    for (int i = 0; i < op->outputs.items[0]->type.rank; i++)
        if (op->output_map[0][i] != NO_INDEX)
            bound[op->output_map[0][i]] = index[i];
}

static void operand_index(const graph_op *op, int operand, loop_node *const *bound,
                          loop_node **index)
{
    for (int i = 0; i < op->inputs.items[operand]->type.rank; i++) {
        int8_t at = op->input_map[operand][i];
        index[i] = at == NO_INDEX ? NULL : bound[at];
    }
}

static loop_node *sum_of(kernel_build *b, loop_node *index, int64_t coefficient, int64_t base)
{
    loop_address a = loop_address_at(-1, base);
    loop_address_add(b->k, &a, coefficient, index);
    return loop_affine(b->k, a);
}

static loop_node *map(kernel_build *b, graph_op *op, loop_node *const *bound)
{
    loop_node *args[3], *index[GRAPH_MAX_RANK];
    for (size_t i = 0; i < op->inputs.count; i++) {
        operand_index(op, (int)i, bound, index);
        args[i] = element_at(b, op->inputs.items[i], index);
    }
    if (op->kind == OP_detach)
        return args[0];
    return loop_map(b->k, op->kind, op->outputs.items[0]->type.dtype, args, (int)op->inputs.count);
}

static loop_node *reshaped(kernel_build *b, graph_op *op, loop_node *const *index)
{
    graph_value *from = op->inputs.items[0], *to = op->outputs.items[0];
    reshape_group groups[2 * GRAPH_MAX_RANK];
    loop_node *inside[GRAPH_MAX_RANK];
    int count = op_reshape_groups(b->l->g, &from->type, &to->type, groups);
    for (int i = 0; i < count; i++) {
        reshape_group r = groups[i];
        loop_address linear = loop_address_at(-1, 0);
        int64_t stride = 1;
        for (int s = r.to_end - 1; s >= r.to_begin; s--) {
            loop_address_add(b->k, &linear, stride, index[s]);
            stride *= local_size(b->l, to, s);
        }
        loop_node *rest = linear.terms.count ? loop_affine(b->k, linear) : NULL;
        int64_t below = 1;
        for (int s = r.from_end - 1; s >= r.from_begin; s--) {
            int64_t size = local_size(b->l, from, s);
            loop_node *part = rest ? loop_div(b->k, rest, below) : loop_affine(b->k, linear);
            inside[s] = s == r.from_begin || !rest ? part : loop_mod(b->k, part, size);
            below *= size;
        }
    }
    return element_at(b, from, inside);
}

static loop_node *padded(kernel_build *b, graph_op *op, loop_node **index)
{
    graph_value *from = op->inputs.items[0];
    int slot = (int)op->attrs.i[0];
    int64_t stride = op->attrs.i[3] ? op->attrs.i[3] : 1, size = local_size(b->l, from, slot);
    loop_node *at = sum_of(b, index[slot], 1, -op->attrs.i[1]);
    loop_node *guard = loop_within(b->k, at, 0, (size - 1) * stride + 1);
    if (stride > 1) {
        loop_node *both[2] = {guard, loop_within(b->k, loop_mod(b->k, at, stride), 0, 1)};
        guard = loop_map(b->k, OP_and, DTYPE_BOOL, both, 2);
        at = loop_div(b->k, at, stride);
    }
    index[slot] = at;
    return load(b, from, index, guard, op->attrs.f[0]);
}

static loop_node *joined(kernel_build *b, graph_op *op, loop_node **index)
{
    int slot = (int)op->attrs.i[0];
    loop_node *at = index[slot], *result = NULL;
    int64_t first = 0;
    for (size_t i = 0; i < op->inputs.count; i++) {
        graph_value *part = op->inputs.items[i];
        int64_t size = local_size(b->l, part, slot);
        loop_node *guard = loop_within(b->k, at, first, first + size);
        index[slot] = sum_of(b, at, 1, -first);
        loop_node *own = load(b, part, index, guard, 0);
        loop_node *args[3] = {guard, own, result};
        result = result ? loop_map(b->k, OP_where, part->type.dtype, args, 3) : own;
        first += size;
    }
    return result;
}

static loop_node *gathered(kernel_build *b, graph_op *op, loop_node *const *bound)
{
    graph_value *table = op->inputs.items[0];
    loop_node *index[GRAPH_MAX_RANK], *ids[GRAPH_MAX_RANK], *guard = NULL;
    operand_index(op, 1, bound, ids);
    loop_node *row = loop_to_index(b->k, element_at(b, op->inputs.items[1], ids));
    operand_index(op, 0, bound, index);
    for (int i = 0; i < table->type.rank; i++) {
        if (index[i])
            continue;
        int axis = table->layout.axis[i];
        if (axis != NO_AXIS) {
            int64_t size = local_size(b->l, table, i);
            loop_address own = loop_address_at(-1, 0);
            loop_address_add(b->k, &own, 1, row);
            loop_address_add(b->k, &own, -size, loop_coordinate(b->k, axis));
            row = loop_affine(b->k, own);
            guard = loop_within(b->k, row, 0, size);
        }
        index[i] = row;
    }
    return load(b, table, index, guard, 0);
}

/* The position in the whole tensor of an index along `slot`. */
static loop_node *global_index(kernel_build *b, const graph_value *v, int slot, loop_node *index)
{
    if (v->layout.axis[slot] == NO_AXIS)
        return index;
    loop_address a = loop_address_at(-1, 0);
    loop_address_add(b->k, &a, 1, index);
    loop_address_add(b->k, &a, local_size(b->l, v, slot),
                     loop_coordinate(b->k, v->layout.axis[slot]));
    return loop_affine(b->k, a);
}

/* FNV-1a and a finaliser, as the runtime's random.h names its streams. */
static uint64_t stream_of(const char *name)
{
    uint64_t hash = 0xCBF29CE484222325u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001B3u;
    hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9u;
    hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBu;
    return hash ^ (hash >> 31);
}

/* Numbers go by the sample's place in the whole batch, of which slot `i` has a part: adds the samples before it, and gives
 * the stride that makes the slot as long as the whole batch. */
static int64_t skip_microbatches(kernel_build *b, const graph_value *v, int i, loop_address *linear,
                                 int64_t stride)
{
    const schedule *s = b->l->s;
    if (s->clock[CLOCK_MICROBATCH] < 0)
        return stride;
    loop_address clock = loop_address_at(s->clock[CLOCK_MICROBATCH], 0);
    loop_node *number = loop_to_index(b->k, loop_load(b->k, DTYPE_F64, clock, NULL, 0));
    loop_address_add(b->k, linear, stride * graph_type_size(b->l->g, &v->type, i), number);
    return stride * s->microbatches;
}

static loop_node *random_at(kernel_build *b, graph_op *op, loop_node *const *index)
{
    const graph_value *v = op->outputs.items[0];
    loop_address linear = loop_address_at(-1, 0);
    int64_t stride = 1;
    for (int i = v->type.rank - 1; i >= 0; i--) {
        loop_address_add(b->k, &linear, stride, global_index(b, v, i, index[i]));
        if (b->l->g->dims.items[v->type.dims[i]].batch)
            stride = skip_microbatches(b, v, i, &linear, stride);
        stride *= graph_type_size(b->l->g, &v->type, i);
    }
    if (op->inputs.count) /* the iteration of the repeat around it */
        loop_address_add(b->k, &linear, stride,
                         loop_to_index(b->k, element_at(b, op->inputs.items[0], index)));
    loop_node *step =
        loop_load(b->k, DTYPE_F64, loop_address_at(b->l->s->clock[CLOCK_STEP], 0), NULL, 0);
    return loop_random(b->k, v->type.dtype, loop_affine(b->k, linear), step,
                       stream_of(op->attrs.name));
}

static loop_node *moved(kernel_build *b, graph_op *op, loop_node *const *given)
{
    loop_node *index[GRAPH_MAX_RANK], *bound[GRAPH_MAX_INDICES] = {0};
    memcpy(index, given, sizeof index);
    bind(op, given, bound);
    switch (op->kind) {
    case OP_broadcast:
    case OP_transpose:
        operand_index(op, 0, bound, index);
        return element_at(b, op->inputs.items[0], index);
    case OP_reshape:
        return reshaped(b, op, given);
    case OP_slice:
        index[op->attrs.i[0]] =
            sum_of(b, given[op->attrs.i[0]], op->attrs.i[2] ? op->attrs.i[2] : 1, op->attrs.i[1]);
        return element_at(b, op->inputs.items[0], index);
    case OP_pad:
        return padded(b, op, index);
    case OP_concat:
        return joined(b, op, index);
    default:
        assert(op->kind == OP_gather);
        return gathered(b, op, bound);
    }
}

loop_node *element_compute(kernel_build *b, graph_value *v, loop_node *const *index)
{
    graph_op *op = v->producer;
    loop_node *bound[GRAPH_MAX_INDICES] = {0};
    assert(op);
    switch (op_info_of(op->kind)->class) {
    case OP_CLASS_MAP:
        bind(op, index, bound);
        return map(b, op, bound);
    case OP_CLASS_MOVE:
        return moved(b, op, index);
    default:
        break;
    }
    if (op->kind == OP_constant)
        return loop_const(b->k, v->type.dtype, op->attrs.f[0]);
    if (op->kind == OP_index)
        return loop_from_index(b->k, v->type.dtype, global_index(b, v, 0, index[0]));
    assert(op->kind == OP_random);
    return random_at(b, op, index);
}

loop_node *element_at(kernel_build *b, graph_value *v, loop_node *const *index)
{
    size_t bytes = sizeof *index * (size_t)v->type.rank;
    for (size_t i = 0; i < b->elements.count; i++) {
        element *e = &b->elements.items[i];
        if (e->value == v && memcmp(e->index, index, bytes) == 0)
            return e->node;
    }
    element e = {.value = v};
    memcpy(e.index, index, bytes);
    e.node = b->l->places[v->id].placed ? load(b, v, index, NULL, 0) : element_compute(b, v, index);
    vec_push(b->l->a, &b->elements, e);
    return e.node;
}
