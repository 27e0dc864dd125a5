#include "graph/verify.h"

#include "graph/op.h"
#include "graph/text_form.h"
#include "graph/verify_internal.h"

#include <string.h>

static const char *check_region(verifier *v, const graph_region *r);

static const char *check_type(const verifier *v, const graph_value *x)
{
    if (x->type.dtype >= DTYPE_COUNT || x->type.rank < 0 || x->type.rank > GRAPH_MAX_RANK)
        return "a value without a type";
    for (int slot = 0; slot < x->type.rank; slot++)
        if (x->type.dims[slot] < 0 || (size_t)x->type.dims[slot] >= v->g->dims.count)
            return "a value over a dimension that there is not";
    return verify_layout(v, x);
}

static const char *define(verifier *v, const graph_value *x, const graph_region *r,
                          const graph_op *producer)
{
    if (x->id < 0 || x->id >= v->g->next_value)
        return "a value without a number";
    if (v->defined[x->id])
        return "a value is defined twice";
    v->defined[x->id] = true;
    if (x->region != r || x->producer != producer)
        return "a value names another region or producer";
    return check_type(v, x);
}

/* The scan's own rule: what goes in, what the body sees, what comes out. */
static const char *check_stack(const verifier *v, const graph_value *whole, const graph_value *part,
                               int64_t iterations)
{
    graph_type slice = whole->type;
    if (slice.rank < 1 || graph_type_size(v->g, &whole->type, 0) != iterations)
        return "a stacked value without an entry for each iteration";
    slice.rank--;
    memmove(slice.dims, slice.dims + 1, sizeof slice.dims[0] * (size_t)slice.rank);
    return verify_same_shape(v->g, &slice, &part->type) ? NULL
                                                        : "a stacked value of another type inside";
}

static const char *check_repeat_types(const verifier *v, const graph_op *op)
{
    const graph_region *body = op->body;
    int64_t carried = op->attrs.i[1];
    if (!body || body->owner != op || op->inputs.count != body->arguments.count ||
        op->outputs.count != body->results.count || carried < 0 ||
        (size_t)carried > op->inputs.count || (size_t)carried > op->outputs.count)
        return "operands, results and the body's arguments and results do not match";
    for (int64_t k = 0; k < carried; k++) {
        const graph_type *t = &body->arguments.items[k]->type;
        if (!verify_same_shape(v->g, t, &op->inputs.items[k]->type) ||
            !verify_same_shape(v->g, t, &op->outputs.items[k]->type) ||
            !verify_same_shape(v->g, t, &body->results.items[k]->type))
            return "a carried value changes its type";
    }
    const char *wrong = NULL;
    for (size_t k = (size_t)carried; k < op->inputs.count && !wrong; k++)
        wrong = check_stack(v, op->inputs.items[k], body->arguments.items[k], op->attrs.i[0]);
    for (size_t k = (size_t)carried; k < op->outputs.count && !wrong; k++)
        wrong = check_stack(v, op->outputs.items[k], body->results.items[k], op->attrs.i[0]);
    return wrong;
}

static const char *check_repeat(verifier *v, const graph_op *op)
{
    const graph_region *body = op->body;
    const char *wrong = check_repeat_types(v, op);
    for (size_t k = 0; k < body->arguments.count && !wrong; k++)
        wrong = define(v, body->arguments.items[k], body, NULL);
    if (!wrong)
        wrong = check_region(v, body);
    for (size_t k = 0; k < body->results.count && !wrong; k++)
        if (!v->defined[body->results.items[k]->id])
            wrong = "a body's result is not defined";
    return wrong;
}

static const char *check_counts(const graph *g, const graph_op *op)
{
    const op_info *info = op_info_of(op->kind);
    bool sink = info->class == OP_CLASS_SINK;
    if (info->inputs >= 0 && op->inputs.count != (size_t)info->inputs)
        return "another number of operands";
    if (info->class != OP_CLASS_CONTROL && info->class != OP_CLASS_FUSED &&
        op->outputs.count != (sink ? 0 : 1))
        return "another number of results";
    if (info->attributes->variable &&
        (op->attrs.variable < 0 || (size_t)op->attrs.variable >= g->variables.count))
        return "no such variable";
    return NULL;
}

static const char *check_op(verifier *v, const graph_op *op, const graph_region *r)
{
    const char *wrong = op->kind < OP_COUNT ? check_counts(v->g, op) : "no such operator";
    for (size_t k = 0; k < op->inputs.count && !wrong; k++)
        if (!op->inputs.items[k] || !v->defined[op->inputs.items[k]->id])
            wrong = "an operand is used before it is defined";
    if (!wrong && op->kind == OP_repeat)
        wrong = check_repeat(v, op);
    for (size_t k = 0; k < op->outputs.count && !wrong; k++)
        wrong = define(v, op->outputs.items[k], r, op);
    if (!wrong && op->kind != OP_repeat) {
        wrong = verify_index_form(v, op);
        wrong = wrong ? wrong : verify_class(v, op);
    }
    return !wrong && v->spmd ? verify_layouts(v, op) : wrong;
}

/* Names of a body go out of sight behind it. */
static void leave(verifier *v, const graph_region *r)
{
    for (size_t k = 0; k < r->arguments.count; k++)
        v->defined[r->arguments.items[k]->id] = false;
    for (size_t i = 0; i < r->ops.count; i++)
        for (size_t k = 0; k < r->ops.items[i]->outputs.count; k++)
            v->defined[r->ops.items[i]->outputs.items[k]->id] = false;
}

static const char *check_region(verifier *v, const graph_region *r)
{
    for (size_t i = 0; i < r->ops.count; i++) {
        const graph_op *op = r->ops.items[i];
        const char *wrong = check_op(v, op, r);
        if (wrong && strchr(wrong, '@'))
            return wrong; /* of an operator in a body: it names its own line */
        if (wrong)
            return arena_format(v->memory, "%s: %s", graph_print_op(v->g, op, v->memory), wrong);
        if (op->body)
            leave(v, op->body);
    }
    return NULL;
}

static const char *check_results(const verifier *v, const graph_function *f)
{
    for (size_t i = 0; i < f->gradients.count; i++) {
        const graph_gradient *d = &f->gradients.items[i];
        if (!v->defined[d->value->id] ||
            !verify_same_shape(v->g, &d->value->type, &v->g->variables.items[d->variable].type))
            return arena_format(v->memory, "the gradient of '%s' is not of its type",
                                v->g->variables.items[d->variable].path);
    }
    for (size_t i = 0; i < f->results.count; i++) {
        const graph_value *x = f->results.items[i].value;
        bool scores = f->results.items[i].kind == RESULT_SCORES;
        if (!x || !v->defined[x->id] || (x->type.rank != 0 && !scores) || x->layout.partial)
            return arena_format(v->memory, "result '%s' is not a scalar of the function, summed",
                                f->results.items[i].name);
    }
    return NULL;
}

const char *graph_verify(const graph *g, arena *a)
{
    verifier v = {.g = g, .memory = a, .spmd = strcmp(g->form, "spmd") == 0};
    v.defined = arena_array(a, bool, g->next_value + 1);
    const char *wrong = NULL;
    for (size_t i = 0; i < g->functions.count && !wrong; i++) {
        wrong = check_region(&v, &g->functions.items[i]->region);
        wrong = wrong ? wrong : check_results(&v, g->functions.items[i]);
    }
    return wrong;
}
