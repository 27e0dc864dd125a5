#include "pass/simplify_internal.h"

#include "graph/op.h"

#include <string.h>

typedef struct liveness {
    bool *live; /* by value id */
    int count;  /* of those that are */
} liveness;

static void need(liveness *l, const graph_value *x)
{
    l->count += !l->live[x->id];
    l->live[x->id] = true;
}

static bool any_live(const liveness *l, const graph_value_vec *values)
{
    for (size_t k = 0; k < values->count; k++)
        if (l->live[values->items[k]->id])
            return true;
    return false;
}

static void mark_region(liveness *l, const graph_region *r);

/* A result of the body is needed when the scan's is, or, carried, when its argument is. */
static void mark_repeat(liveness *l, const graph_op *op)
{
    const graph_region *body = op->body;
    size_t carried = (size_t)op->attrs.i[1];
    int before;
    do {
        before = l->count;
        for (size_t k = 0; k < op->outputs.count; k++)
            if (l->live[op->outputs.items[k]->id] ||
                (k < carried && l->live[body->arguments.items[k]->id]))
                need(l, body->results.items[k]);
        mark_region(l, body);
    } while (l->count != before);
    for (size_t k = 0; k < op->inputs.count; k++)
        if (l->live[body->arguments.items[k]->id] ||
            (k < carried && l->live[op->outputs.items[k]->id]))
            need(l, op->inputs.items[k]);
}

static void mark_region(liveness *l, const graph_region *r)
{
    for (size_t i = r->ops.count; i-- > 0;) {
        const graph_op *op = r->ops.items[i];
        if (op_info_of(op->kind)->class != OP_CLASS_SINK && !any_live(l, &op->outputs))
            continue;
        if (op->kind == OP_repeat)
            mark_repeat(l, op);
        for (size_t k = 0; k < op->inputs.count && op->kind != OP_repeat; k++)
            need(l, op->inputs.items[k]);
    }
}

/* Entries of `values` with their flag set, in order. */
static void keep(graph_value_vec *values, const bool *kept)
{
    size_t count = 0;
    for (size_t k = 0; k < values->count; k++)
        if (kept[k])
            values->items[count++] = values->items[k];
    values->count = count;
}

/* Drops what the scan carries and stacks for nobody. */
static void narrow(graph *g, const liveness *l, graph_op *op)
{
    graph_region *body = op->body;
    size_t carried = (size_t)op->attrs.i[1], inputs = op->inputs.count, outputs = op->outputs.count;
    bool *in = arena_array(g->memory, bool, inputs + 1);
    bool *out = arena_array(g->memory, bool, outputs + 1);
    for (size_t k = 0; k < inputs; k++)
        in[k] = l->live[body->arguments.items[k]->id] ||
                (k < carried && l->live[op->outputs.items[k]->id]);
    for (size_t k = 0; k < outputs; k++)
        out[k] = k < carried ? in[k] : l->live[op->outputs.items[k]->id];
    for (size_t k = 0; k < carried; k++)
        op->attrs.i[1] -= !in[k];
    keep(&op->inputs, in);
    keep(&body->arguments, in);
    keep(&op->outputs, out);
    keep(&body->results, out);
}

static void sweep(graph *g, const liveness *l, graph_region *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->ops.count; i++) {
        graph_op *op = r->ops.items[i];
        if (op_info_of(op->kind)->class != OP_CLASS_SINK && !any_live(l, &op->outputs))
            continue;
        r->ops.items[kept++] = op;
        if (op->kind == OP_repeat) {
            narrow(g, l, op);
            sweep(g, l, op->body);
        }
    }
    r->ops.count = kept;
}

void simplify_drop_dead(graph *g, graph_function *f)
{
    liveness l = {.live = arena_array(g->memory, bool, g->next_value + 1)};
    for (size_t i = 0; i < f->results.count; i++)
        need(&l, f->results.items[i].value);
    mark_region(&l, &f->region);
    sweep(g, &l, &f->region);
    size_t kept = 0;
    for (size_t i = 0; i < f->gradients.count; i++)
        if (l.live[f->gradients.items[i].value->id])
            f->gradients.items[kept++] = f->gradients.items[i];
    f->gradients.count = kept;
}
