#include "pass/simplify.h"

#include "graph/op.h"
#include "pass/simplify_internal.h"

#include <stdint.h>
#include <string.h>

typedef struct simplifier {
    graph *g;
    graph_value **now; /* by value id: what stands for it, NULL: itself */
    graph_op **table;  /* open addressing: the operators of the region so far */
    size_t room;       /* a power of two */
} simplifier;

static graph_value *current(const simplifier *s, graph_value *x)
{
    while (s->now[x->id])
        x = s->now[x->id];
    return x;
}

static bool scalar_constant(const graph_value *x, double *value)
{
    if (!x->producer || x->producer->kind != OP_constant)
        return false;
    *value = x->producer->attrs.f[0];
    return true;
}

/* The operator becomes a constant when all its operands are constants. */
static void fold(graph_op *op)
{
    double x[3];
    for (size_t k = 0; k < op->inputs.count; k++)
        if (!scalar_constant(op->inputs.items[k], &x[k]))
            return;
    dtype type = op->outputs.items[0]->type.dtype;
    double y = op_round(type, op_scalar(op->kind, x));
    op->kind = OP_constant;
    op->inputs.count = 0;
    op->attrs.f[0] = y;
}

static bool same_type(const graph_value *x, const graph_value *y)
{
    return x->type.dtype == y->type.dtype && x->type.rank == y->type.rank &&
           memcmp(x->type.dims, y->type.dims, sizeof x->type.dims[0] * (size_t)x->type.rank) == 0 &&
           memcmp(&x->layout, &y->layout, sizeof x->layout) == 0;
}

/* The operand that the result equals, or NULL: x + 0, x - 0, x * 1, x / 1, a cast to x's own type. */
static graph_value *identity_of(const graph_op *op)
{
    double value, neutral = op->kind == OP_mul || op->kind == OP_div ? 1 : 0;
    bool commutes = op->kind == OP_add || op->kind == OP_mul;
    if (op->kind == OP_cast)
        return same_type(op->inputs.items[0], op->outputs.items[0]) ? op->inputs.items[0] : NULL;
    if (!commutes && op->kind != OP_sub && op->kind != OP_div)
        return NULL;
    for (int k = 0; k < (commutes ? 2 : 1); k++) {
        const graph_value *other = op->inputs.items[1 - k];
        graph_value *x = op->inputs.items[k];
        if (scalar_constant(other, &value) && value == neutral &&
            same_type(x, op->outputs.items[0]) &&
            memcmp(op->input_map[k], op->output_map[0], (size_t)x->type.rank) == 0)
            return x;
    }
    return NULL;
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *b = bytes;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ b[i]) * 1099511628211u;
    return hash;
}

static uint64_t hash_op(const graph_op *op)
{
    uint64_t hash = mix(14695981039346656037u, &op->kind, sizeof op->kind);
    for (size_t k = 0; k < op->inputs.count; k++) {
        hash = mix(hash, &op->inputs.items[k]->id, sizeof(int));
        hash = mix(hash, op->input_map[k], (size_t)op->inputs.items[k]->type.rank);
    }
    return mix(hash, &op->attrs.variable, sizeof op->attrs.variable);
}

static bool maps_equal(const graph_value_vec *x, int8_t (*a)[GRAPH_MAX_RANK],
                       int8_t (*b)[GRAPH_MAX_RANK])
{
    for (size_t k = 0; k < x->count; k++)
        if (memcmp(a[k], b[k], (size_t)x->items[k]->type.rank) != 0)
            return false;
    return true;
}

static bool equal_ops(const graph_op *x, const graph_op *y)
{
    if (x->kind != y->kind || x->inputs.count != y->inputs.count ||
        x->outputs.count != y->outputs.count)
        return false;
    for (size_t k = 0; k < x->inputs.count; k++)
        if (x->inputs.items[k] != y->inputs.items[k])
            return false;
    for (size_t k = 0; k < x->outputs.count; k++)
        if (!same_type(x->outputs.items[k], y->outputs.items[k]))
            return false;
    return memcmp(x->attrs.f, y->attrs.f, sizeof x->attrs.f) == 0 &&
           memcmp(x->attrs.i, y->attrs.i, sizeof x->attrs.i) == 0 &&
           x->attrs.name == y->attrs.name && x->attrs.variable == y->attrs.variable &&
           maps_equal(&x->inputs, x->input_map, y->input_map) &&
           maps_equal(&x->outputs, x->output_map, y->output_map);
}

/* The same operator, seen before in this region; else it is remembered and NULL comes back. */
static graph_op *seen_before(simplifier *s, graph_op *op)
{
    size_t at = hash_op(op) & (s->room - 1);
    for (; s->table[at]; at = (at + 1) & (s->room - 1))
        if (equal_ops(s->table[at], op))
            return s->table[at];
    s->table[at] = op;
    return NULL;
}

static void stands_for(simplifier *s, graph_value *from, graph_value *to)
{
    s->now[from->id] = to;
    if (!to->name)
        to->name = from->name;
}

/* True when the operator stays. */
static bool simplify_op(simplifier *s, graph_op *op)
{
    op_class class = op_info_of(op->kind)->class;
    for (size_t k = 0; k < op->inputs.count; k++)
        op->inputs.items[k] = current(s, op->inputs.items[k]);
    if (class == OP_CLASS_CONTROL || class == OP_CLASS_SINK || class == OP_CLASS_COLLECTIVE)
        return true;
    graph_value *same = class == OP_CLASS_MAP ? identity_of(op) : NULL;
    if (same) {
        stands_for(s, op->outputs.items[0], same);
        return false;
    }
    if (class == OP_CLASS_MAP)
        fold(op);
    graph_op *before = seen_before(s, op);
    for (size_t k = 0; before && k < op->outputs.count; k++)
        stands_for(s, op->outputs.items[k], before->outputs.items[k]);
    return !before;
}

static void simplify_region(simplifier *s, graph_region *r)
{
    graph_op **table = s->table;
    size_t room = s->room, kept = 0;
    for (s->room = 64; s->room < 2 * r->ops.count;)
        s->room *= 2;
    s->table = arena_array(s->g->memory, graph_op *, s->room);
    for (size_t i = 0; i < r->ops.count; i++) {
        graph_op *op = r->ops.items[i];
        bool stays = simplify_op(s, op);
        if (op->body)
            simplify_region(s, op->body);
        if (stays)
            r->ops.items[kept++] = op;
    }
    r->ops.count = kept;
    for (size_t k = 0; k < r->results.count; k++)
        r->results.items[k] = current(s, r->results.items[k]);
    s->table = table;
    s->room = room;
}

void pass_simplify(graph *g)
{
    simplifier s = {.g = g};
    s.now = arena_array(g->memory, graph_value *, g->next_value + 1);
    for (size_t i = 0; i < g->functions.count; i++) {
        graph_function *f = g->functions.items[i];
        simplify_region(&s, &f->region);
        for (size_t k = 0; k < f->results.count; k++)
            f->results.items[k].value = current(&s, f->results.items[k].value);
        for (size_t k = 0; k < f->gradients.count; k++)
            f->gradients.items[k].value = current(&s, f->gradients.items[k].value);
        simplify_drop_dead(g, f);
    }
}
