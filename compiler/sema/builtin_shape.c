/* builtin_shape.c: what stands where: dimensions taken apart, joined, cut, padded; and argmax, which may join some first. */
#include "sema/builtin.h"

#include <math.h>
#include <string.h>

/* x with the slots [first, first + taken) replaced by `made`. */
static value reshaped(elaboration *e, const builtin_call *c, build_operand x, const reshaping *how)
{
    build_dims dims = {0};
    int64_t before = 1, after = 1;
    if (tensor_rank(&x) - how->taken + how->count > GRAPH_MAX_RANK) {
        sema_report(e->sema, E0238, c->node->at, "a tensor has at most %d dimensions",
                    GRAPH_MAX_RANK);
        return value_poison();
    }
    for (int i = 0; i < tensor_rank(&x); i++) {
        if (i == how->first)
            for (int k = 0; k < how->count; k++) {
                dims.dims[dims.rank] = how->made[k]->dim;
                dims.labels[dims.rank++] = how->made[k]->text;
                after *= how->made[k]->size;
            }
        if (i >= how->first && i < how->first + how->taken) {
            before *= label_of(x.labels[i])->size;
            continue;
        }
        dims.dims[dims.rank] = x.value->type.dims[i];
        dims.labels[dims.rank++] = x.labels[i];
    }
    if (before != after) {
        sema_report(e->sema, E0213, c->node->at, "'%s' turns %lld elements into %lld", c->of->name,
                    (long long)before, (long long)after);
        return value_poison();
    }
    elab_place(e, c->node->at);
    return elab_tensor(e, c->node, build_reshape(e->build, x, &dims));
}

static int slot_of(const build_operand *x, const label *l)
{
    int slot = 0;
    while (slot < tensor_rank(x) && x->labels[slot] != l->text)
        slot++;
    return slot;
}

/* One dimension for all that are named, in their order; NULL after a report. */
static label *joined_label(elaboration *e, const builtin_call *c, label *const *over, int count)
{
    text name = text_in(e->sema->memory);
    double size = 1;
    for (int i = 0; i < count; i++) {
        text_add(&name, "%s%s", i ? "_" : "", over[i]->name);
        size *= (double)over[i]->size;
    }
    if (size > INT32_MAX) {
        sema_report(e->sema, E0238, c->node->at, "'%s' counts over %.3g elements", c->of->name,
                    size);
        return NULL;
    }
    atom joined = atom_of(e->sema->atoms, text_done(&name));
    dim_id dim = graph_dim_add(e->graph, joined, (int64_t)size, c->node->at);
    return label_new(e->graph, joined, dim, c->node->at);
}

/* argmax(x over A, B): the place in the row-major order of A and B. */
value call_argmax(elaboration *e, const builtin *b, const builtin_call *c)
{
    label *over[GRAPH_MAX_RANK + 1];
    atom order[GRAPH_MAX_RANK];
    build_operand x;
    bool fine = builtin_tensor(e, c, 0, &x);
    int count = fine ? builtin_reduced_dims(e, c, &x, over) : -1, kept = 0;
    if (count == 1)
        return elab_reduce(e, c->node, b->kind, x, over, count);
    for (int i = 0; i < count; i++) {
        if (!builtin_has_dim(e, c, &x, over[i]))
            return value_poison();
        if (over[i] == e->batch)
            x = elab_masked(e, x, -INFINITY);
    }
    if (count == 0)
        sema_report(e->sema, E0202, c->node->at, "'%s' is over at least one dimension",
                    c->of->name);
    label *all = count > 0 ? joined_label(e, c, over, count) : NULL;
    if (!all)
        return value_poison();
    for (int i = 0; i < tensor_rank(&x); i++) {
        bool named = false;
        for (int k = 0; k < count; k++)
            named = named || x.labels[i] == over[k]->text;
        if (!named)
            order[kept++] = x.labels[i];
    }
    for (int k = 0; k < count; k++)
        order[kept + k] = over[k]->text;
    elab_place(e, c->node->at);
    x = build_transpose(e->build, x, order);
    reshaping how = {.first = kept, .taken = count, .count = 1, .made = {all}};
    value joined = reshaped(e, c, x, &how);
    return joined.kind == VALUE_TENSOR ? elab_reduce(e, c->node, b->kind, joined.tensor, &all, 1)
                                       : joined;
}

/* `rename` and `split`: one dimension becomes those behind it, major first. */
value call_split(elaboration *e, const builtin *b, const builtin_call *c)
{
    (void)b;
    build_operand x;
    if (!builtin_tensor(e, c, 0, &x))
        return value_poison();
    label *from = c->items[0].over ? elab_dim_named(e, c->items[0].over) : NULL;
    if (!from || !builtin_has_dim(e, c, &x, from)) {
        if (!c->items[0].over)
            diag_fix(sema_report(e->sema, E0202, c->node->at,
                                 "'%s' needs to know over which dimension", c->of->name),
                     "%s", c->of->signature);
        return value_poison();
    }
    reshaping how = {.first = slot_of(&x, from), .taken = 1};
    for (int i = 1; i < c->count && how.count < GRAPH_MAX_RANK; i++) {
        label *l = elab_dim(e, c->items[i].node);
        if (!l)
            return value_poison();
        how.made[how.count++] = l;
    }
    return reshaped(e, c, x, &how);
}

value call_rename(elaboration *e, const builtin *b, const builtin_call *c)
{
    return call_split(e, b, c);
}

/* merge(x over A, E, D): A, brought beside E, and E become D, where E stood. */
value call_merge(elaboration *e, const builtin *b, const builtin_call *c)
{
    (void)b;
    build_operand x;
    if (!builtin_tensor(e, c, 0, &x))
        return value_poison();
    builtin_call sources = *c;
    sources.count--;
    label *from[GRAPH_MAX_RANK + 1];
    int count = builtin_over_dims(e, &sources, 0, &x, from);
    label *to = count < 0 ? NULL : elab_dim(e, c->items[c->count - 1].node);
    if (!to)
        return value_poison();
    atom order[GRAPH_MAX_RANK];
    int kept = 0, first = 0;
    for (int i = 0; i < count; i++)
        if (!builtin_has_dim(e, c, &x, from[i]))
            return value_poison();
    for (int i = 0; i < tensor_rank(&x); i++) {
        bool merged = false;
        for (int k = 0; k < count; k++)
            merged = merged || x.labels[i] == from[k]->text;
        if (x.labels[i] == from[count - 1]->text) {
            first = kept;
            for (int k = 0; k < count; k++)
                order[kept++] = from[k]->text;
        } else if (!merged)
            order[kept++] = x.labels[i];
    }
    elab_place(e, c->node->at);
    x = build_transpose(e->build, x, order);
    reshaping how = {.first = first, .taken = count, .count = 1, .made = {to}};
    return reshaped(e, c, x, &how);
}

/* slice(x over S, T = 3 ..< 8) */
value call_slice(elaboration *e, const builtin *b, const builtin_call *c)
{
    (void)b;
    build_operand x;
    const ast_node *made = c->items[1].node;
    label *from = c->items[0].over ? elab_dim_named(e, c->items[0].over) : NULL;
    if (!builtin_tensor(e, c, 0, &x) || !from || !builtin_has_dim(e, c, &x, from))
        return value_poison();
    value range = made->kind == AST_NAMED ? elab_expression(e, made->children[0]) : value_poison();
    if (range.kind != VALUE_RANGE) {
        diag *d =
            sema_report(e->sema, E0220, made->at, "a slice names its dimension and its range");
        diag_fix(d, "%s", c->of->signature);
        return value_poison();
    }
    if (range.number < 0 || range.last < range.number || range.last >= (double)from->size ||
        range.number != floor(range.number) || range.last != floor(range.last)) {
        sema_report(e->sema, E0236, made->at, "a slice of '%s' lies within 0 ..< %lld", from->name,
                    (long long)from->size);
        return value_poison();
    }
    int64_t first = (int64_t)range.number, last = (int64_t)range.last, stride = 1;
    if (!builtin_whole(e, c, "stride", (whole_range){"'stride'", 1, INT32_MAX}, &stride))
        return value_poison();
    label *to = elab_dim_new(e, made->name, (last - first) / stride + 1, made->at);
    elab_place(e, c->node->at);
    build_slicing how = {from->text, first, stride, to->dim, to->text};
    return elab_tensor(e, c->node, build_slice(e->build, x, &how));
}

value call_pad(elaboration *e, const builtin *b, const builtin_call *c)
{
    (void)b;
    build_operand x;
    label *from = c->items[0].over ? elab_dim_named(e, c->items[0].over) : NULL;
    if (!builtin_tensor(e, c, 0, &x) || !from || !builtin_has_dim(e, c, &x, from))
        return value_poison();
    label *to = elab_dim(e, c->items[1].node);
    int64_t before = 0;
    double filled = 0;
    if (!to ||
        !builtin_whole(e, c, "before", (whole_range){"'before'", 0, to->size - from->size},
                       &before) ||
        !builtin_number(e, c, "value", &filled))
        return value_poison();
    int64_t after = to->size - from->size - before;
    if (after < 0) {
        sema_report(e->sema, E0213, c->items[1].node->at, "'%s' of %lld is padded to fewer: %lld",
                    from->name, (long long)from->size, (long long)to->size);
        return value_poison();
    }
    elab_place(e, c->node->at);
    build_padding how = {from->text, before, after, 1, filled, to->dim, to->text};
    return elab_tensor(e, c->node, build_pad(e->build, x, &how));
}

value call_concat(elaboration *e, const builtin *b, const builtin_call *c)
{
    (void)b;
    build_operand x[BUILTIN_ITEMS];
    int64_t size = 0;
    int count = c->count - 1;
    label *to = elab_dim(e, c->items[count].node);
    if (!to)
        return value_poison();
    for (int i = 0; i < count; i++) {
        label *from = c->items[i].over ? elab_dim_named(e, c->items[i].over) : NULL;
        if (!builtin_tensor(e, c, i, &x[i]) || !from || !builtin_has_dim(e, c, &x[i], from)) {
            if (!c->items[i].over)
                diag_fix(sema_report(e->sema, E0202, c->items[i].node->at,
                                     "'concat' needs to know over which dimension"),
                         "%s", c->of->signature);
            return value_poison();
        }
        size += from->size;
        x[i].labels[slot_of(&x[i], from)] = to->text;
        if (i)
            x[i] = build_transpose(e->build, x[i], x[0].labels);
        if (!x[i].value)
            return elab_tensor(e, c->node, x[i]);
    }
    if (size != to->size) {
        sema_report(e->sema, E0213, c->items[count].node->at,
                    "the parts have %lld and '%s' is %lld", (long long)size, to->name,
                    (long long)to->size);
        return value_poison();
    }
    elab_place(e, c->node->at);
    return elab_tensor(e, c->node, build_concat(e->build, x, count, to->text, to->dim));
}
