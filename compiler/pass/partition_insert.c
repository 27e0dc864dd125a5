#include "pass/partition_internal.h"

#include "graph/op.h"

#include <assert.h>
#include <string.h>

/* A collective that was made, so that a second reader does not make it again. */
typedef struct conversion {
    const graph_value *from;
    op_kind kind;
    int axis, slot;
    const graph_region *region;
    graph_value *to;
} conversion;

typedef struct insertion {
    partition *p;
    graph_region *region; /* being rewritten */
    graph_op_vec *out;
    graph_function *function;
    graph_value **now;       /* by value id: what stands for it, summed where it must be */
    graph_value_vec waiting; /* gradients whose sums are put off until somebody reads one */
    VEC(conversion) made;
} insertion;

static bool is_gradient(const insertion *in, const graph_value *x)
{
    for (size_t i = 0; i < in->function->gradients.count; i++)
        if (in->function->gradients.items[i].value == x)
            return true;
    return false;
}

static const training_reduce *reduce_over(const training *t, int axis)
{
    for (size_t i = 0; i < t->reduces.count; i++)
        if (t->reduces.items[i].axis == axis)
            return &t->reduces.items[i];
    return NULL;
}

static span split_over(const training *t, int axis)
{
    for (size_t i = 0; i < t->splits.count; i++)
        if (t->splits.items[i].axis == axis)
            return t->splits.items[i].at;
    return t->mesh.items[axis].declared;
}

static graph_op *collective(insertion *in, op_kind kind, graph_value *x, int axis)
{
    graph *g = in->p->g;
    graph_op *op = arena_make(g->memory, graph_op);
    op->kind = kind;
    op->at = split_over(in->p->t, axis);
    if (x->producer) {
        op->trail = (span_vec){.items = NULL};
        for (size_t i = 0; i < x->producer->trail.count; i++)
            vec_push(g->memory, &op->trail, x->producer->trail.items[i]);
        vec_push(g->memory, &op->trail, x->producer->at);
        op->path = x->producer->path;
    }
    op->attrs.variable = -1;
    op->attrs.i[0] = axis;
    op->index_count = x->type.rank;
    op->input_map = arena_alloc(g->memory, sizeof *op->input_map);
    op->output_map = arena_alloc(g->memory, sizeof *op->output_map);
    memset(op->input_map, NO_INDEX, sizeof *op->input_map);
    for (int slot = 0; slot < x->type.rank; slot++) {
        op->indices[slot].dim = x->type.dims[slot];
        op->input_map[0][slot] = (int8_t)slot;
    }
    memcpy(op->output_map, op->input_map, sizeof *op->output_map);
    graph_value *y = graph_value_new(g, in->region, x->type);
    y->layout = x->layout;
    y->producer = op;
    y->name = x->name;
    vec_push(g->memory, &op->inputs, x);
    vec_push(g->memory, &op->outputs, y);
    vec_push(g->memory, in->out, op);
    return op;
}

/* x summed, or maximised, over every axis over which it is not yet. */
static graph_value *summed(insertion *in, graph_value *x, bool gradient)
{
    for (int axis = 0; x->layout.partial; axis++) {
        if (!(x->layout.partial >> axis & 1))
            continue;
        const training_reduce *reduce = reduce_over(in->p->t, axis);
        bool extreme = split_is_extreme(x);
        graph_op *op = collective(in, OP_all_reduce, x, axis);
        op->attrs.i[1] = gradient;
        op->attrs.i[2] = extreme;
        op->attrs.name = reduce ? reduce->topology : NULL;
        if (gradient && reduce)
            op->at = reduce->at;
        x = op->outputs.items[0];
        x->layout.partial &= ~(1u << axis);
    }
    return x;
}

static graph_value *moved(insertion *in, op_kind kind, graph_value *x, int axis, int slot)
{
    for (size_t i = 0; i < in->made.count; i++) {
        const conversion *c = &in->made.items[i];
        if (c->from == x && c->kind == kind && c->axis == axis && c->slot == slot &&
            c->region == in->region)
            return c->to;
    }
    graph_op *op = collective(in, kind, x, axis);
    op->attrs.i[1] = slot;
    graph_value *y = op->outputs.items[0];
    y->layout.axis[slot] = (int8_t)(kind == OP_all_gather ? NO_AXIS : axis);
    vec_push(in->p->g->memory, &in->made, (conversion){x, kind, axis, slot, in->region, y});
    return y;
}

/* x in another layout: gathered where it is split otherwise, then cut. A constant 0 is as unsummed as its reader likes. */
static graph_value *converted(insertion *in, graph_value *x, const graph_layout *to)
{
    assert((x->layout.partial == to->partial || split_is_zero(x)) && "sums were made before");
    for (int slot = 0; slot < x->type.rank; slot++)
        if (x->layout.axis[slot] != NO_AXIS && x->layout.axis[slot] != to->axis[slot])
            x = moved(in, OP_all_gather, x, x->layout.axis[slot], slot);
    for (int slot = 0; slot < x->type.rank; slot++)
        if (x->layout.axis[slot] != to->axis[slot])
            x = moved(in, OP_shard, x, to->axis[slot], slot);
    return x;
}

/* Puts the sums of all gradients that wait, one behind the other. */
static void flush(insertion *in)
{
    for (size_t i = 0; i < in->waiting.count; i++) {
        graph_value *x = in->waiting.items[i];
        in->now[x->id] = summed(in, x, true);
    }
    in->waiting.count = 0;
}

static bool waits(const insertion *in, const graph_value *x)
{
    for (size_t i = 0; i < in->waiting.count; i++)
        if (in->waiting.items[i] == x)
            return true;
    return false;
}

static bool region_reads_waiting(const insertion *in, const graph_region *r)
{
    for (size_t i = 0; i < r->ops.count; i++) {
        for (size_t k = 0; k < r->ops.items[i]->inputs.count; k++)
            if (waits(in, r->ops.items[i]->inputs.items[k]))
                return true;
        if (r->ops.items[i]->body && region_reads_waiting(in, r->ops.items[i]->body))
            return true;
    }
    return false;
}

static void flush_for(insertion *in, const graph_op *op)
{
    bool reads = op->body && region_reads_waiting(in, op->body);
    for (size_t k = 0; k < op->inputs.count; k++)
        reads |= waits(in, op->inputs.items[k]);
    if (reads)
        flush(in);
}

/* Notes the layouts of op's results, and what stands for them from here on. */
static void define(insertion *in, graph_op *op)
{
    partition *p = in->p;
    for (size_t k = 0; k < op->outputs.count; k++) {
        graph_value *y = op->outputs.items[k];
        y->layout = p->made[y->id];
        in->now[y->id] = y;
        if (!p->must_sum[y->id] || !y->layout.partial)
            continue;
        if (is_gradient(in, y) && in->region == &in->function->region)
            vec_push(p->g->memory, &in->waiting, y);
        else
            in->now[y->id] = summed(in, y, false);
    }
}

static void insert_region(insertion *in, graph_region *r);

static void insert_repeat(insertion *in, graph_op *op)
{
    partition *p = in->p;
    graph_region *body = op->body, *outside = in->region;
    graph_op_vec *out = in->out;
    size_t carried = (size_t)op->attrs.i[1];
    for (size_t k = 0; k < op->inputs.count; k++) {
        graph_value *argument = body->arguments.items[k];
        graph_layout want = p->made[argument->id];
        argument->layout = want;
        in->now[argument->id] = argument;
        if (k >= carried) {
            memmove(want.axis + 1, want.axis, sizeof want.axis - 1);
            want.axis[0] = NO_AXIS;
        }
        op->inputs.items[k] = converted(in, in->now[op->inputs.items[k]->id], &want);
    }
    insert_region(in, body);
    graph_op_vec inside = body->ops;
    in->region = body;
    in->out = &inside;
    for (size_t k = 0; k < body->results.count; k++) {
        graph_value *result = in->now[body->results.items[k]->id];
        body->results.items[k] =
            k < carried ? converted(in, result, &p->made[body->arguments.items[k]->id]) : result;
    }
    body->ops = inside;
    in->region = outside;
    in->out = out;
    vec_push(p->g->memory, out, op);
}

static void insert_op(insertion *in, graph_op *op)
{
    partition *p = in->p;
    partition_choice choice;
    flush_for(in, op);
    op_class class = op_info_of(op->kind)->class;
    if (class == OP_CLASS_CONTROL) {
        insert_repeat(in, op);
        define(in, op);
        return;
    }
    if (class == OP_CLASS_SINK) {
        const graph_layout *want = &p->g->variables.items[op->attrs.variable].layout;
        op->inputs.items[0] = converted(in, in->now[op->inputs.items[0]->id], want);
    } else if (class == OP_CLASS_SOURCE) {
        for (size_t k = 0; k < op->inputs.count; k++)
            op->inputs.items[k] = in->now[op->inputs.items[k]->id];
    } else {
        partition_choose(p, op, &choice);
        for (size_t k = 0; k < op->inputs.count; k++)
            op->inputs.items[k] =
                converted(in, in->now[op->inputs.items[k]->id], &choice.operand[k]);
    }
    vec_push(p->g->memory, in->out, op);
    define(in, op);
}

static void insert_region(insertion *in, graph_region *r)
{
    graph_region *outside = in->region;
    graph_op_vec *out = in->out, ops = {.items = NULL};
    in->region = r;
    in->out = &ops;
    for (size_t i = 0; i < r->ops.count; i++)
        insert_op(in, r->ops.items[i]);
    if (!outside)
        flush(in);
    r->ops = ops;
    in->region = outside;
    in->out = out;
}

/* A result is the same on every rank: scores are gathered. */
static graph_value *whole_result(insertion *in, graph_value *x)
{
    graph_region *r = &in->function->region;
    graph_layout whole = graph_layout_none();
    in->region = r;
    in->out = &r->ops;
    return converted(in, x, &whole);
}

void partition_insert(partition *p)
{
    graph *g = p->g;
    for (size_t i = 0; i < g->functions.count; i++) {
        graph_function *f = g->functions.items[i];
        insertion in = {.p = p, .function = f};
        in.now = arena_array(g->memory, graph_value *, p->values + 1);
        insert_region(&in, &f->region);
        for (size_t k = 0; k < f->gradients.count; k++)
            f->gradients.items[k].value = in.now[f->gradients.items[k].value->id];
        for (size_t k = 0; k < f->results.count; k++)
            f->results.items[k].value = whole_result(&in, in.now[f->results.items[k].value->id]);
    }
}
