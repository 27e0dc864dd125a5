#include "graph/build_signature.h"

#include <assert.h>
#include <string.h>

static build_operand argument(build *body, const graph_type *type, const atom *labels)
{
    graph_value *v = graph_value_new(body->g, body->region, *type);
    vec_push(body->g->memory, &body->region->arguments, v);
    build_operand x = {.value = v};
    memcpy(x.labels, labels, sizeof x.labels[0] * (size_t)type->rank);
    return x;
}

void build_repeat_begin(build *b, build *body, const build_scan *scan, build_operand *inside)
{
    arena *a = b->g->memory;
    graph_op *op = arena_make(a, graph_op);
    op->kind = OP_repeat;
    op->at = b->at;
    op->trail = b->trail;
    op->path = b->path;
    op->attrs.variable = -1;
    op->attrs.i[0] = graph_dim_size(b->g, scan->dim);
    op->attrs.i[1] = scan->count;
    op->attrs.i[2] = scan->reverse;
    op->body = arena_make(a, graph_region);
    op->body->owner = op;
    *body = *b;
    body->region = op->body;
    body->outer = b;
    body->repeat = op;
    body->leading = scan->label;
    body->leading_dim = scan->dim;
    body->carried = arena_array(a, build_operand, scan->count);
    body->iteration = build_poisoned();
    body->error = (build_error){.problem = BUILD_FINE};
    for (int k = 0; k < scan->count; k++) {
        const build_operand *x = &scan->carried[k];
        body->carried[k] = *x;
        vec_push(a, &op->inputs, x->value);
        inside[k] = x->value ? argument(body, &x->value->type, x->labels) : build_poisoned();
        if (!x->value)
            build_fail(body, BUILD_POISONED, NULL, "an operand has no value");
    }
}

/* x with the leading dimension first. */
static build_operand leading_first(build *body, build_operand x)
{
    atom order[GRAPH_MAX_RANK] = {body->leading};
    int rank = 1;
    for (int slot = 0; slot < x.value->type.rank; slot++)
        if (x.labels[slot] != body->leading) {
            if (rank == x.value->type.rank) {
                build_fail(body, BUILD_NO_LABEL, body->leading,
                           "a stacked operand without the leading dimension");
                return build_poisoned();
            }
            order[rank++] = x.labels[slot];
        }
    return build_transpose(body->outer, x, order);
}

build_operand build_repeat_stacked(build *body, build_operand x)
{
    if (x.value)
        x = leading_first(body, x);
    if (!x.value) {
        if (body->error.problem == BUILD_FINE)
            build_fail(body, BUILD_POISONED, NULL, "an operand has no value");
        return x;
    }
    int64_t size = graph_type_size(body->g, &x.value->type, 0);
    if (size != body->repeat->attrs.i[0]) {
        build_fail(body, BUILD_RANGE, body->leading, "a stacked operand of another length");
        body->error.counts[0] = body->repeat->attrs.i[0];
        body->error.counts[1] = size;
        return build_poisoned();
    }
    vec_push(body->g->memory, &body->repeat->inputs, x.value);
    graph_type slice = x.value->type;
    slice.rank--;
    memmove(slice.dims, slice.dims + 1, sizeof slice.dims[0] * (size_t)slice.rank);
    return argument(body, &slice, x.labels + 1);
}

build_operand build_repeat_iteration(build *body)
{
    if (body->iteration.value)
        return body->iteration;
    build_operand count = build_index(body->outer, body->leading_dim, body->leading);
    build_operand here = build_repeat_stacked(body, count);
    if (body->outer->repeat) {
        double iterations = (double)body->repeat->attrs.i[0];
        build_operand around = build_repeat_iteration(body->outer);
        build_operand size = build_constant(body->outer, DTYPE_I32, iterations);
        around = build_binary(body->outer, OP_mul, around, size);
        here = build_binary(body, OP_add, around, here);
    }
    body->iteration = here;
    return here;
}

static bool same_shape(const graph *g, const graph_type *x, const graph_type *y)
{
    if (x->dtype != y->dtype || x->rank != y->rank)
        return false;
    for (int slot = 0; slot < x->rank; slot++)
        if (graph_type_size(g, x, slot) != graph_type_size(g, y, slot))
            return false;
    return true;
}

/* A carried result in the order of its operand's dimensions. */
static bool carried_result(build *body, int k, build_operand x)
{
    const graph_value *in = body->region->arguments.items[k];
    if (!x.value)
        return build_fail(body, BUILD_POISONED, NULL, "an operand has no value");
    if (x.value->type.rank == in->type.rank)
        x = build_transpose(body, x, body->carried[k].labels);
    if (!x.value || !same_shape(body->g, &x.value->type, &in->type)) {
        build_fail(body, BUILD_TYPES, NULL, "a repeated value must keep its type");
        body->error.operands[0] = k;
        return false;
    }
    vec_push(body->g->memory, &body->region->results, x.value);
    return true;
}

static build_operand result(build *body, graph_type type)
{
    graph_value *v = graph_value_new(body->g, body->outer->region, type);
    v->producer = body->repeat;
    vec_push(body->g->memory, &body->repeat->outputs, v);
    return (build_operand){.value = v};
}

static build_operand stacked_result(build *body, build_operand x)
{
    graph_type type = x.value->type;
    assert(type.rank < GRAPH_MAX_RANK);
    memmove(type.dims + 1, type.dims, sizeof type.dims[0] * (size_t)type.rank);
    type.dims[0] = body->leading_dim;
    type.rank++;
    build_operand y = result(body, type);
    y.labels[0] = body->leading;
    memcpy(y.labels + 1, x.labels, sizeof x.labels[0] * (size_t)x.value->type.rank);
    return y;
}

bool build_repeat_end(build *body, const build_operand *carried, const build_operand *stacked,
                      int stacked_count, build_operand *results)
{
    graph_op *op = body->repeat;
    int count = (int)op->attrs.i[1];
    for (int k = 0; k < count; k++) {
        if (!carried_result(body, k, carried[k]))
            return false;
        results[k] = result(body, op->inputs.items[k]->type);
        memcpy(results[k].labels, body->carried[k].labels, sizeof results[k].labels);
    }
    for (int k = 0; k < stacked_count; k++) {
        if (!stacked[k].value)
            return build_fail(body, BUILD_POISONED, NULL, "an operand has no value");
        vec_push(body->g->memory, &body->region->results, stacked[k].value);
        results[count + k] = stacked_result(body, stacked[k]);
    }
    arena *a = body->g->memory;
    op->input_map = arena_alloc(a, sizeof *op->input_map * op->inputs.count);
    op->output_map = arena_alloc(a, sizeof *op->output_map * op->outputs.count);
    memset(op->input_map, NO_INDEX, sizeof *op->input_map * op->inputs.count);
    memset(op->output_map, NO_INDEX, sizeof *op->output_map * op->outputs.count);
    vec_push(a, &body->outer->region->ops, op);
    return true;
}
