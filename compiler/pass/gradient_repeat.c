/* The gradient of a scan is a scan in the other direction. Its carried values are the adjoints of the forward carried values
 * and one sum for each captured value; its stacked operands are the forward ones, the adjoints of the forward stacked
 * results, and the stash: what its body reads of the forward body. */
#include "pass/gradient.h"

#include <assert.h>
#include <string.h>

typedef struct scan_gradient {
    gradient_context *outer;
    gradient_context inner;
    graph_op *forward; /* gets stashed values as further stacked results */
    build body;
    int carried; /* of the forward scan */
    graph_value_vec captures;
    build_operand *inside; /* backward body's carried arguments: adjoints, then sums */
    build_operand *carried_out, *stacked_out; /* the backward body's results */
    int carried_count, stacked_count;
    graph_value_vec stashed, slices; /* forward body value, its slice in the backward body */
} scan_gradient;

static build_operand whole(const build *b, graph_value *x)
{
    int8_t map[GRAPH_MAX_RANK];
    for (int slot = 0; slot < GRAPH_MAX_RANK; slot++)
        map[slot] = (int8_t)slot;
    return build_by_index(b, x, map);
}

/* A stacked value: its leading dimension is labelled apart, the others as those of a slice. */
static build_operand stack(const build *b, graph_value *x, atom leading)
{
    int8_t map[GRAPH_MAX_RANK];
    for (int slot = 0; slot < GRAPH_MAX_RANK; slot++)
        map[slot] = (int8_t)(slot - 1);
    build_operand o = build_by_index(b, x, map);
    o.labels[0] = leading;
    return o;
}

static bool within(const graph_region *r, const graph_region *body)
{
    for (; r; r = r->owner && r->owner->outputs.count ? r->owner->outputs.items[0]->region : NULL)
        if (r == body)
            return true;
    return false;
}

static bool has_value(const graph_value_vec *v, const graph_value *x)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->items[i] == x)
            return true;
    return false;
}

/* Active values of the enclosing regions that the body reads. */
static void find_captures(scan_gradient *s, const graph_region *r)
{
    for (size_t i = 0; i < r->ops.count; i++) {
        const graph_op *op = r->ops.items[i];
        for (size_t k = 0; k < op->inputs.count; k++) {
            graph_value *x = op->inputs.items[k];
            if (s->outer->active[x->id] && !within(x->region, s->forward->body) &&
                !has_value(&s->captures, x))
                vec_push(s->outer->g->memory, &s->captures, x);
        }
        if (op->body)
            find_captures(s, op->body);
    }
    for (size_t k = 0; k < r->results.count; k++) {
        graph_value *x = r->results.items[k];
        if (s->outer->active[x->id] && !within(x->region, s->forward->body) &&
            !has_value(&s->captures, x))
            vec_push(s->outer->g->memory, &s->captures, x);
    }
}

static dim_id leading_dim(graph *g, const graph_op *op)
{
    size_t carried = (size_t)op->attrs.i[1];
    if (op->inputs.count > carried)
        return op->inputs.items[carried]->type.dims[0];
    if (op->outputs.count > carried)
        return op->outputs.items[carried]->type.dims[0];
    return graph_dim_add(g, atom_of(g->atoms, "iteration"), op->attrs.i[0], op->at);
}

static bool carries(const scan_gradient *s, int k)
{
    return s->outer->active[s->forward->body->arguments.items[k]->id];
}

/* Opens the backward body. */
static void begin(scan_gradient *s)
{
    gradient_context *c = s->outer;
    int count = s->carried + (int)s->captures.count, n = 0;
    build_operand *start = arena_array(c->g->memory, build_operand, count + 1);
    s->inside = arena_array(c->g->memory, build_operand, count + 1);
    for (int k = 0; k < s->carried; k++) {
        if (!carries(s, k))
            continue;
        graph_value *adjoint = c->adjoint[s->forward->outputs.items[k]->id];
        if (!adjoint)
            adjoint = gradient_zeros(c, s->forward->outputs.items[k]);
        start[n++] = whole(c->b, adjoint);
    }
    for (size_t k = 0; k < s->captures.count; k++)
        start[n++] = whole(c->b, gradient_zeros(c, s->captures.items[k]));
    build_scan scan = {.dim = leading_dim(c->g, s->forward),
                       .label = atom_of(c->g->atoms, "(iteration)"),
                       .reverse = !s->forward->attrs.i[2],
                       .carried = start,
                       .count = n};
    build_repeat_begin(c->b, &s->body, &scan, s->inside);
}

/* The adjoints with which the backward body starts: of the forward body's results. */
static void seed(scan_gradient *s)
{
    const graph_region *body = s->forward->body;
    size_t results = s->forward->outputs.count;
    int n = 0;
    for (int k = 0; k < s->carried; k++)
        if (carries(s, k)) {
            graph_value *y = body->results.items[k];
            graph_value *adjoint = s->inside[n++].value;
            if (s->outer->active[y->id])
                gradient_accumulate(&s->inner, y, adjoint);
        }
    for (size_t k = (size_t)s->carried; k < results; k++) {
        graph_value *adjoint = s->outer->adjoint[s->forward->outputs.items[k]->id];
        if (!adjoint || !s->outer->active[body->results.items[k]->id])
            continue;
        build_operand slice =
            build_repeat_stacked(&s->body, stack(&s->body, adjoint, s->body.leading));
        gradient_accumulate(&s->inner, body->results.items[k], slice.value);
    }
}

static bool is_cheap(const graph_value *x)
{
    const graph_op *op = x->producer;
    return op && (op->kind == OP_constant || op->kind == OP_index || op->kind == OP_clock);
}

/* A copy of a source in the backward body costs less than a stash. */
static graph_value *copy_source(scan_gradient *s, const graph_value *x)
{
    graph_op *copy = arena_make(s->outer->g->memory, graph_op);
    *copy = *x->producer;
    copy->outputs = (graph_value_vec){.items = NULL};
    graph_value *y = graph_value_new(s->outer->g, s->body.region, x->type);
    y->producer = copy;
    vec_push(s->outer->g->memory, &copy->outputs, y);
    graph_op_vec *ops = &s->body.region->ops;
    vec_push(s->outer->g->memory, ops, copy);
    memmove(ops->items + 1, ops->items, sizeof *ops->items * (ops->count - 1));
    ops->items[0] = copy;
    return y;
}

/* One more stacked result of the forward scan: x of each iteration. */
static graph_value *stash(scan_gradient *s, graph_value *x)
{
    graph *g = s->outer->g;
    graph_op *op = s->forward;
    graph_type type = x->type;
    assert(type.rank < GRAPH_MAX_RANK);
    memmove(type.dims + 1, type.dims, sizeof type.dims[0] * (size_t)type.rank);
    type.dims[0] = s->body.leading_dim;
    type.rank++;
    graph_value *y = graph_value_new(g, op->outputs.items[0]->region, type);
    y->producer = op;
    y->name = x->name;
    vec_push(g->memory, &op->outputs, y);
    vec_push(g->memory, &op->body->results, x);
    op->output_map = arena_alloc(g->memory, sizeof *op->output_map * op->outputs.count);
    memset(op->output_map, NO_INDEX, sizeof *op->output_map * op->outputs.count);
    return y;
}

/* The stacked operand of the forward scan whose slice is x, or NULL. */
static graph_value *stacked_operand(const scan_gradient *s, const graph_value *x)
{
    const graph_region *body = s->forward->body;
    for (size_t k = (size_t)s->carried; k < body->arguments.count; k++)
        if (body->arguments.items[k] == x)
            return s->forward->inputs.items[k];
    return NULL;
}

/* What stands for the forward body's value x in the backward body. */
static graph_value *slice_of(scan_gradient *s, graph_value *x)
{
    for (size_t i = 0; i < s->stashed.count; i++)
        if (s->stashed.items[i] == x)
            return s->slices.items[i];
    graph_value *y;
    if (is_cheap(x)) {
        y = copy_source(s, x);
    } else {
        graph_value *all = stacked_operand(s, x);
        all = all ? all : stash(s, x);
        y = build_repeat_stacked(&s->body, stack(&s->body, all, s->body.leading)).value;
    }
    vec_push(s->outer->g->memory, &s->stashed, x);
    vec_push(s->outer->g->memory, &s->slices, y);
    return y;
}

static void replace_read(scan_gradient *s, graph_value **x)
{
    if ((*x)->region == s->forward->body)
        *x = slice_of(s, *x);
}

static void replace_reads(scan_gradient *s, graph_region *r)
{
    size_t count = r->ops.count; /* copies of sources go in front and move the others */
    graph_op **ops = arena_array(s->outer->g->memory, graph_op *, count + 1);
    if (count)
        memcpy(ops, r->ops.items, sizeof *ops * count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < ops[i]->inputs.count; k++)
            replace_read(s, &ops[i]->inputs.items[k]);
        if (ops[i]->body)
            replace_reads(s, ops[i]->body);
    }
    for (size_t k = 0; k < r->results.count; k++)
        replace_read(s, &r->results.items[k]);
}

static build_operand adjoint_or_zeros(scan_gradient *s, graph_value *x)
{
    graph_value *adjoint = s->inner.adjoint[x->id];
    return whole(&s->body, adjoint ? adjoint : gradient_zeros(&s->inner, x));
}

/* The backward body's results: adjoints of the carried arguments, sums, adjoints of the slices. */
static void collect(scan_gradient *s)
{
    const graph_region *body = s->forward->body;
    arena *a = s->outer->g->memory;
    size_t arguments = body->arguments.count, n = 0;
    s->carried_out = arena_array(a, build_operand, arguments + s->captures.count + 1);
    s->stacked_out = arena_array(a, build_operand, arguments + 1);
    for (int k = 0; k < s->carried; k++)
        if (carries(s, k))
            s->carried_out[n++] = adjoint_or_zeros(s, body->arguments.items[k]);
    for (size_t k = 0; k < s->captures.count; k++, n++) {
        graph_value *part = s->inner.adjoint[s->captures.items[k]->id];
        s->carried_out[n] = s->inside[n];
        if (part)
            s->carried_out[n] = build_binary(&s->body, OP_add, s->inside[n], whole(&s->body, part));
    }
    s->carried_count = (int)n;
    for (size_t k = (size_t)s->carried; k < arguments; k++)
        if (s->outer->active[body->arguments.items[k]->id])
            s->stacked_out[s->stacked_count++] = adjoint_or_zeros(s, body->arguments.items[k]);
}

/* Closes the backward body and hands its results to the enclosing function. */
static void finish(scan_gradient *s)
{
    gradient_context *c = s->outer;
    const graph_region *body = s->forward->body;
    size_t r = 0, count = (size_t)(s->carried_count + s->stacked_count);
    build_operand *results = arena_array(c->g->memory, build_operand, count + 1);
    bool closed =
        build_repeat_end(&s->body, s->carried_out, s->stacked_out, s->stacked_count, results);
    assert(closed);
    (void)closed;
    for (int k = 0; k < s->carried; k++) {
        if (!carries(s, k))
            continue;
        if (c->active[s->forward->inputs.items[k]->id])
            gradient_accumulate(c, s->forward->inputs.items[k], results[r].value);
        r++;
    }
    for (size_t k = 0; k < s->captures.count; k++)
        gradient_accumulate(c, s->captures.items[k], results[r++].value);
    for (size_t k = (size_t)s->carried; k < body->arguments.count; k++)
        if (c->active[body->arguments.items[k]->id])
            gradient_accumulate(c, s->forward->inputs.items[k], results[r++].value);
}

void gradient_repeat(gradient_context *c, const graph_op *op)
{
    scan_gradient s = {.outer = c, .carried = (int)op->attrs.i[1]};
    s.forward = op->outputs.items[0]->producer; /* the same operator, which is given a stash */
    assert(s.forward == op);
    find_captures(&s, op->body);
    begin(&s);
    s.inner = *c;
    s.inner.b = &s.body;
    s.inner.adjoint = arena_array(c->g->memory, graph_value *, c->values);
    seed(&s);
    gradient_region(&s.inner, op->body);
    collect(&s);
    replace_reads(&s, s.body.region);
    for (int k = 0; k < s.carried_count; k++)
        replace_read(&s, &s.carried_out[k].value);
    for (int k = 0; k < s.stacked_count; k++)
        replace_read(&s, &s.stacked_out[k].value);
    finish(&s);
}
