#include "graph/build_signature.h"

#include <assert.h>
#include <string.h>

static int slot_of(const build_operand *x, atom label)
{
    for (int slot = 0; slot < x->value->type.rank; slot++)
        if (x->labels[slot] == label)
            return slot;
    return -1;
}

static build_operand no_label(build *b, int operand, atom label)
{
    const char *text = arena_format(b->g->memory, "the operand has no dimension '%s'", label);
    build_fail(b, BUILD_NO_LABEL, label, text);
    b->error.operands[0] = operand;
    return build_poisoned();
}

static build_dims dims_of(const build_operand *x)
{
    build_dims dims = {.rank = x->value->type.rank};
    memcpy(dims.dims, x->value->type.dims, sizeof dims.dims);
    memcpy(dims.labels, x->labels, sizeof dims.labels);
    return dims;
}

build_operand build_broadcast(build *b, build_operand x, const build_dims *dims)
{
    signature s;
    if (!signature_begin(&s, b, OP_broadcast, &x, 1) || !signature_operand(&s, 0, NULL))
        return build_poisoned();
    int kept = s.op->index_count;
    for (int i = 0; i < kept; i++) {
        bool found = false;
        for (int slot = 0; slot < dims->rank; slot++)
            found |= dims->labels[slot] == s.labels[i];
        if (!found)
            return no_label(b, 0, s.labels[i]);
    }
    return signature_end(&s, x.value->type.dtype, dims, NULL);
}

build_operand build_transpose(build *b, build_operand x, const atom *labels)
{
    signature s;
    if (x.value && memcmp(labels, x.labels, sizeof *labels * (size_t)x.value->type.rank) == 0)
        return x;
    if (!signature_begin(&s, b, OP_transpose, &x, 1) || !signature_operand(&s, 0, NULL))
        return build_poisoned();
    build_dims dims = {.rank = x.value->type.rank};
    for (int slot = 0; slot < dims.rank; slot++) {
        int from = slot_of(&x, labels[slot]);
        if (from < 0)
            return no_label(b, 0, labels[slot]);
        dims.labels[slot] = labels[slot];
        dims.dims[slot] = x.value->type.dims[from];
    }
    return signature_end(&s, x.value->type.dtype, &dims, NULL);
}

static build_operand counts_differ(build *b, const build_operand *x, const graph_type *to)
{
    int64_t there = graph_type_count(b->g, &x->value->type), asked = graph_type_count(b->g, to);
    const char *text = arena_format(b->g->memory, "%lld elements cannot become %lld",
                                    (long long)there, (long long)asked);
    build_fail(b, BUILD_COUNT, NULL, text);
    b->error.counts[0] = asked;
    b->error.counts[1] = there;
    return build_poisoned();
}

build_operand build_reshape(build *b, build_operand x, const build_dims *dims)
{
    signature s;
    if (!signature_begin(&s, b, OP_reshape, &x, 1))
        return build_poisoned();
    graph_value *y = s.op->outputs.items[0];
    y->type = (graph_type){.dtype = x.value->type.dtype, .rank = dims->rank};
    memcpy(y->type.dims, dims->dims, sizeof dims->dims);
    reshape_group groups[2 * GRAPH_MAX_RANK];
    int count = op_reshape_groups(b->g, &x.value->type, &y->type, groups);
    if (count < 0)
        return counts_differ(b, &x, &y->type);
    for (int i = 0; i < count; i++) {
        const reshape_group *r = &groups[i];
        if (r->from_end - r->from_begin != 1 || r->to_end - r->to_begin != 1)
            continue;
        s.op->indices[s.op->index_count].dim = x.value->type.dims[r->from_begin];
        s.op->input_map[0][r->from_begin] = (int8_t)s.op->index_count;
        s.op->output_map[0][r->to_begin] = (int8_t)s.op->index_count++;
    }
    signature_enter(&s);
    build_operand result = {.value = y};
    memcpy(result.labels, dims->labels, sizeof result.labels);
    return result;
}

/* x with slot `slot` changed to `dim` under `now` by an operator that treats that slot in its own way. */
static build_operand along(signature *s, const build_operand *x, int slot, dim_id dim, atom now)
{
    atom special = x->labels[slot];
    if (!signature_operand(s, 0, special))
        return build_poisoned();
    build_dims dims = dims_of(x);
    dims.dims[slot] = dim;
    dims.labels[slot] = now;
    s->op->attrs.i[0] = slot;
    return signature_end(s, x->value->type.dtype, &dims, now);
}

static build_operand out_of_range(build *b, atom label, int64_t asked, int64_t there)
{
    const char *text = arena_format(b->g->memory, "element %lld of dimension '%s' of %lld",
                                    (long long)asked, label, (long long)there);
    build_fail(b, BUILD_RANGE, label, text);
    b->error.counts[0] = asked;
    b->error.counts[1] = there;
    return build_poisoned();
}

build_operand build_slice(build *b, build_operand x, const build_slicing *how)
{
    signature s;
    if (!signature_begin(&s, b, OP_slice, &x, 1))
        return build_poisoned();
    int slot = slot_of(&x, how->label);
    if (slot < 0)
        return no_label(b, 0, how->label);
    int64_t there = graph_type_size(b->g, &x.value->type, slot);
    int64_t count = graph_dim_size(b->g, how->dim);
    int64_t last = how->first + (count - 1) * how->stride;
    if (how->first < 0 || how->stride < 1 || (count && last >= there))
        return out_of_range(b, how->label, how->first < 0 ? how->first : last, there);
    s.op->attrs.i[1] = how->first;
    s.op->attrs.i[2] = how->stride;
    return along(&s, &x, slot, how->dim, how->now);
}

build_operand build_pad(build *b, build_operand x, const build_padding *how)
{
    signature s;
    if (!signature_begin(&s, b, OP_pad, &x, 1))
        return build_poisoned();
    int slot = slot_of(&x, how->label);
    if (slot < 0)
        return no_label(b, 0, how->label);
    int64_t there = graph_type_size(b->g, &x.value->type, slot);
    int64_t spread = there ? (there - 1) * how->stride + 1 : 0;
    int64_t size = how->before + spread + how->after;
    if (how->before < 0 || how->after < 0 || how->stride < 1 ||
        size != graph_dim_size(b->g, how->dim))
        return out_of_range(b, how->label, size, graph_dim_size(b->g, how->dim));
    s.op->attrs.i[1] = how->before;
    s.op->attrs.i[2] = how->after;
    s.op->attrs.i[3] = how->stride;
    s.op->attrs.f[0] = how->value;
    return along(&s, &x, slot, how->dim, how->now);
}

static build_operand concat_misfit(build *b, int operand, build_problem problem, const char *text)
{
    build_fail(b, problem, NULL, text);
    b->error.operands[0] = operand;
    return build_poisoned();
}

build_operand build_concat(build *b, const build_operand *x, int count, atom label, dim_id dim)
{
    assert(count > 0);
    build_operand ordered[count];
    int64_t total = 0;
    for (int k = 0; k < count; k++) {
        if (!x[k].value)
            return concat_misfit(b, k, BUILD_POISONED, "an operand has no value");
        if (x[k].value->type.dtype != x[0].value->type.dtype)
            return concat_misfit(b, k, BUILD_TYPES, "'concat' takes operands of one type");
        if (x[k].value->type.rank != x[0].value->type.rank)
            return concat_misfit(b, k, BUILD_NO_LABEL,
                                 "'concat' takes the same dimensions everywhere");
        ordered[k] = build_transpose(b, x[k], x[0].labels);
        if (!ordered[k].value || slot_of(&ordered[k], label) < 0)
            return no_label(b, k, label);
        total += graph_type_size(b->g, &ordered[k].value->type, slot_of(&ordered[k], label));
    }
    if (total != graph_dim_size(b->g, dim))
        return out_of_range(b, label, total, graph_dim_size(b->g, dim));
    signature s;
    if (!signature_begin(&s, b, OP_concat, ordered, count))
        return build_poisoned();
    for (int k = 0; k < count; k++)
        if (!signature_operand(&s, k, label))
            return build_poisoned();
    int slot = slot_of(&ordered[0], label);
    build_dims dims = dims_of(&ordered[0]);
    dims.dims[slot] = dim;
    s.op->attrs.i[0] = slot;
    return signature_end(&s, x[0].value->type.dtype, &dims, label);
}

static build_operand ids_misfit(build *b, dtype type)
{
    const char *text =
        arena_format(b->g->memory, "ids are i32, and these are %s", dtype_name(type));
    build_fail(b, BUILD_TYPES, NULL, text);
    b->error.operands[0] = 1;
    b->error.dtypes[0] = type;
    return build_poisoned();
}

build_operand build_gather(build *b, build_operand table, atom rows, build_operand ids)
{
    build_operand operands[2] = {table, ids};
    signature s;
    if (!signature_begin(&s, b, OP_gather, operands, 2))
        return build_poisoned();
    if (ids.value->type.dtype != DTYPE_I32)
        return ids_misfit(b, ids.value->type.dtype);
    if (slot_of(&table, rows) < 0)
        return no_label(b, 0, rows);
    /* The ids' indices first: the result has them in front. */
    if (!signature_operand(&s, 1, NULL) || !signature_operand(&s, 0, rows))
        return build_poisoned();
    build_dims all = signature_all(&s);
    return signature_end(&s, table.value->type.dtype, &all, NULL);
}

build_operand build_scatter_add(build *b, build_operand updates, build_operand ids,
                                const build_scatter *table)
{
    build_operand operands[2] = {updates, ids};
    signature s;
    if (!signature_begin(&s, b, OP_scatter_add, operands, 2))
        return build_poisoned();
    if (ids.value->type.dtype != DTYPE_I32)
        return ids_misfit(b, ids.value->type.dtype);
    for (int slot = 0; slot < ids.value->type.rank; slot++)
        if (slot_of(&updates, ids.labels[slot]) < 0)
            return no_label(b, 0, ids.labels[slot]);
    if (!signature_operand(&s, 0, NULL) || !signature_operand(&s, 1, NULL))
        return build_poisoned();
    build_dims dims = {.rank = table->kept.rank + 1, .dims = {table->dim}, .labels = {table->rows}};
    for (int slot = 0; slot < table->kept.rank; slot++) {
        if (signature_find(&s, table->kept.labels[slot]) == NO_INDEX)
            return no_label(b, 0, table->kept.labels[slot]);
        dims.dims[slot + 1] = table->kept.dims[slot];
        dims.labels[slot + 1] = table->kept.labels[slot];
    }
    return signature_end(&s, updates.value->type.dtype, &dims, table->rows);
}

build_operand build_cumsum(build *b, build_operand x, atom label, bool reverse)
{
    signature s;
    if (!signature_begin(&s, b, OP_cumsum, &x, 1) || !signature_operand(&s, 0, NULL))
        return build_poisoned();
    int slot = slot_of(&x, label);
    if (slot < 0)
        return no_label(b, 0, label);
    s.op->attrs.i[0] = slot;
    s.op->attrs.i[1] = reverse;
    build_dims dims = dims_of(&x);
    return signature_end(&s, x.value->type.dtype, &dims, NULL);
}

build_operand build_append(build *b, build_operand cache, build_operand rows,
                           build_operand position, atom label)
{
    if (cache.value && rows.value && rows.value->type.rank == cache.value->type.rank)
        rows = build_transpose(b, rows, cache.labels);
    build_operand operands[3] = {cache, rows, position};
    signature s;
    if (!signature_begin(&s, b, OP_append, operands, 3) || !signature_operand(&s, 0, label) ||
        !signature_operand(&s, 1, label))
        return build_poisoned();
    if (slot_of(&cache, label) < 0)
        return no_label(b, 0, label);
    s.op->attrs.i[0] = slot_of(&cache, label);
    build_dims dims = dims_of(&cache);
    return signature_end(&s, cache.value->type.dtype, &dims, label);
}
