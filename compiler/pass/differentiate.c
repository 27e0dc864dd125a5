#include "pass/differentiate.h"

#include "pass/gradient.h"

#include <assert.h>
#include <string.h>

static gradient_fn *const gradients_of[OP_COUNT] = {
#define OP(kind, name, class, inputs, gradient) [OP_##kind] = gradient_##gradient,
#include "graph/op.def"
#undef OP
};

void gradient_none(gradient_context *c, const graph_op *op)
{
    (void)c;
    (void)op;
}

void gradient_refuse(gradient_context *c, const graph_op *op)
{
    (void)c;
    (void)op;
    assert(false && "a gradient is not differentiated again");
}

bool gradient_wanted(const gradient_context *c, const graph_op *op, int k)
{
    return c->active[op->inputs.items[k]->id];
}

build_operand gradient_operand(gradient_context *c, const graph_op *op, int k)
{
    return build_by_index(c->b, op->inputs.items[k], op->input_map[k]);
}

build_operand gradient_result(gradient_context *c, const graph_op *op, int k)
{
    return build_by_index(c->b, op->outputs.items[k], op->output_map[k]);
}

build_operand gradient_of_result(gradient_context *c, const graph_op *op, int k)
{
    graph_value *adjoint = c->adjoint[op->outputs.items[k]->id];
    if (!adjoint)
        return (build_operand){.value = NULL};
    return build_by_index(c->b, adjoint, op->output_map[k]);
}

build_operand gradient_times(gradient_context *c, build_operand x, build_operand y)
{
    return build_binary(c->b, OP_mul, x, y);
}

build_operand gradient_constant(gradient_context *c, build_operand like, double value)
{
    return build_constant(c->b, like.value->type.dtype, value);
}

build_operand gradient_scaled(gradient_context *c, build_operand x, double factor)
{
    return gradient_times(c, x, gradient_constant(c, x, factor));
}

graph_value *gradient_zeros(gradient_context *c, const graph_value *x)
{
    build_operand zero = build_constant(c->b, x->type.dtype, 0);
    if (x->type.rank == 0)
        return zero.value;
    build_dims dims = {.rank = x->type.rank};
    for (int slot = 0; slot < dims.rank; slot++) {
        dims.dims[slot] = x->type.dims[slot];
        dims.labels[slot] = build_index_label(c->b, slot);
    }
    return build_broadcast(c->b, zero, &dims).value;
}

void gradient_accumulate(gradient_context *c, graph_value *x, graph_value *part)
{
    assert(x->id < c->values && part->type.rank == x->type.rank);
    graph_value *before = c->adjoint[x->id];
    if (before) {
        int8_t map[GRAPH_MAX_RANK];
        for (int slot = 0; slot < GRAPH_MAX_RANK; slot++)
            map[slot] = (int8_t)slot;
        part = build_binary(c->b, OP_add, build_by_index(c->b, before, map),
                            build_by_index(c->b, part, map))
                   .value;
    }
    c->adjoint[x->id] = part;
}

static bool has_label(const build_operand *x, atom label)
{
    for (int slot = 0; slot < x->value->type.rank; slot++)
        if (x->labels[slot] == label)
            return true;
    return false;
}

/* `part` summed over the labels that `like` lacks. */
static build_operand summed_to(gradient_context *c, build_operand part, const build_operand *like)
{
    atom gone[GRAPH_MAX_RANK];
    int count = 0;
    for (int slot = 0; slot < part.value->type.rank; slot++)
        if (!has_label(like, part.labels[slot]))
            gone[count++] = part.labels[slot];
    return build_reduce(c->b, OP_sum, part, gone, count);
}

void gradient_give(gradient_context *c, const graph_op *op, int k, build_operand part)
{
    if (!gradient_wanted(c, op, k))
        return;
    assert(part.value && "a gradient has a value");
    build_operand like = gradient_operand(c, op, k);
    part = summed_to(c, part, &like);
    bool whole = true;
    for (int slot = 0; slot < like.value->type.rank; slot++)
        whole &= has_label(&part, like.labels[slot]);
    if (whole) {
        part = build_transpose(c->b, part, like.labels);
    } else {
        build_dims dims = {.rank = like.value->type.rank};
        memcpy(dims.dims, like.value->type.dims, sizeof dims.dims);
        memcpy(dims.labels, like.labels, sizeof dims.labels);
        part = build_broadcast(c->b, part, &dims);
    }
    gradient_accumulate(c, like.value, part.value);
}

static bool any_adjoint(const gradient_context *c, const graph_op *op)
{
    for (size_t k = 0; k < op->outputs.count; k++)
        if (op->outputs.items[k]->id < c->values && c->adjoint[op->outputs.items[k]->id])
            return true;
    return false;
}

static bool any_active(const gradient_context *c, const graph_op *op)
{
    for (size_t k = 0; k < op->outputs.count; k++)
        if (op->outputs.items[k]->id < c->values && c->active[op->outputs.items[k]->id])
            return true;
    return false;
}

void gradient_region(gradient_context *c, const graph_region *region)
{
    build before = *c->b;
    for (size_t i = region->ops.count; i-- > 0;) {
        const graph_op *op = region->ops.items[i];
        if (!any_adjoint(c, op) || !any_active(c, op))
            continue;
        c->b->at = op->at;
        c->b->trail = op->trail;
        c->b->path = op->path;
        gradients_of[op->kind](c, op);
    }
    c->b->at = before.at;
    c->b->trail = before.trail;
    c->b->path = before.path;
}

/* Activity: forwards, through bodies until nothing changes. */

static void activate_region(const graph *g, const graph_region *r, bool *active);

static bool activate(const graph_value *x, bool *active)
{
    bool changes = !active[x->id] && dtype_is_float(x->type.dtype);
    if (changes)
        active[x->id] = true;
    return changes;
}

static void activate_repeat(const graph *g, const graph_op *op, bool *active)
{
    const graph_region *body = op->body;
    for (size_t k = 0; k < op->inputs.count; k++)
        if (active[op->inputs.items[k]->id])
            activate(body->arguments.items[k], active);
    for (bool changes = true; changes;) {
        activate_region(g, body, active);
        changes = false;
        for (int64_t k = 0; k < op->attrs.i[1]; k++)
            if (active[body->results.items[k]->id])
                changes |= activate(body->arguments.items[k], active);
    }
    for (size_t k = 0; k < op->outputs.count; k++)
        if (active[body->results.items[k]->id] ||
            ((int64_t)k < op->attrs.i[1] && active[body->arguments.items[k]->id]))
            activate(op->outputs.items[k], active);
}

static void activate_op(const graph *g, const graph_op *op, bool *active)
{
    if (op->kind == OP_repeat) {
        activate_repeat(g, op, active);
        return;
    }
    bool any = false;
    if (op->kind == OP_variable) {
        const graph_variable *v = &g->variables.items[op->attrs.variable];
        any = v->kind == VARIABLE_PARAMETER && !v->frozen;
    }
    for (size_t k = 0; k < op->inputs.count; k++)
        any |= active[op->inputs.items[k]->id];
    if (any && gradients_of[op->kind] == gradient_none && op->kind != OP_variable)
        any = false;
    for (size_t k = 0; any && k < op->outputs.count; k++)
        activate(op->outputs.items[k], active);
}

static void activate_region(const graph *g, const graph_region *r, bool *active)
{
    for (size_t i = 0; i < r->ops.count; i++)
        activate_op(g, r->ops.items[i], active);
}

/* Adjoints of the reads of each variable, summed. */
static void collect(gradient_context *c, const graph_region *region, size_t count,
                    graph_value **gradients)
{
    for (size_t i = 0; i < count; i++) {
        const graph_op *op = region->ops.items[i];
        if (op->kind != OP_variable || !c->adjoint[op->outputs.items[0]->id] ||
            !c->active[op->outputs.items[0]->id])
            continue;
        graph_value **sum = &gradients[op->attrs.variable];
        graph_value *part = c->adjoint[op->outputs.items[0]->id];
        c->b->at = op->at;
        c->b->trail = op->trail;
        c->b->path = op->path;
        if (*sum)
            part = build_binary(c->b, OP_add, build_by_index(c->b, *sum, op->output_map[0]),
                                build_by_index(c->b, part, op->output_map[0]))
                       .value;
        *sum = part;
    }
}

void pass_differentiate(graph *g, graph_function *f, graph_value *loss, graph_value **gradients)
{
    assert(loss->type.rank == 0 && loss->region == &f->region);
    size_t forward = f->region.ops.count;
    bool *active = arena_array(g->memory, bool, g->next_value);
    build b = build_at(g, &f->region, loss->producer->at);
    gradient_context c = {.g = g, .b = &b, .active = active, .values = g->next_value};
    c.adjoint = arena_array(g->memory, graph_value *, c.values);
    memset(gradients, 0, sizeof *gradients * g->variables.count);
    activate_region(g, &f->region, active);
    b.trail = loss->producer->trail;
    b.path = loss->producer->path;
    c.adjoint[loss->id] = build_constant(&b, loss->type.dtype, 1).value;
    graph_region until = f->region; /* gradient operators go behind these */
    until.ops.count = forward;
    gradient_region(&c, &until);
    collect(&c, &f->region, forward, gradients);
    for (size_t v = 0; v < g->variables.count; v++)
        if (gradients[v])
            vec_push(g->memory, &f->gradients, (graph_gradient){(int)v, gradients[v]});
}
