#include "graph/build_signature.h"

#include <assert.h>
#include <string.h>

enum { Q, K, V, MASK };

/* Last slots match by role, so that keys and queries over one dimension stay apart. */
static build_operand with_roles(const build *b, build_operand x, const char *before_last,
                                const char *last)
{
    int rank = x.value->type.rank;
    if (before_last)
        x.labels[rank - 2] = atom_of(b->g->atoms, before_last);
    x.labels[rank - 1] = atom_of(b->g->atoms, last);
    return x;
}

static bool ranks_fit(build *b, const build_operand *x, int count)
{
    for (int k = 0; k < count; k++)
        if (!x[k].value || x[k].value->type.rank < (k == MASK ? 1 : 2)) {
            build_fail(b, x[k].value ? BUILD_RANK : BUILD_POISONED, NULL,
                       "attention takes positions and a depth");
            b->error.operands[0] = k;
            return false;
        }
    return true;
}

static bool types_fit(build *b, const build_operand *x, int count)
{
    dtype type = x[Q].value->type.dtype;
    for (int k = 0; k < count; k++) {
        dtype wanted = k == MASK ? DTYPE_BOOL : type;
        if (x[k].value->type.dtype == wanted && dtype_is_float(type))
            continue;
        build_fail(b, BUILD_TYPES, NULL,
                   arena_format(b->g->memory, "attention takes %s here, not %s", dtype_name(wanted),
                                dtype_name(x[k].value->type.dtype)));
        b->error.operands[0] = k;
        return false;
    }
    return true;
}

/* Every index of keys, values and mask but their own last ones is one of the queries. */
static bool leading_fits(signature *s, int count)
{
    int allowed = s->operands[Q].value->type.rank;
    for (int k = K; k < count; k++)
        for (int slot = 0; slot < s->operands[k].value->type.rank - (k == MASK ? 1 : 2); slot++)
            if (s->op->input_map[k][slot] >= allowed) {
                atom label = s->operands[k].labels[slot];
                const char *text =
                    arena_format(s->b->g->memory, "the queries have no dimension '%s'", label);
                build_fail(s->b, BUILD_NO_LABEL, label, text);
                s->b->error.operands[0] = k;
                return false;
            }
    return true;
}

/* o has the queries' dimensions with the values' depth, the row log-sum-exp has them without a depth. */
static build_operand attention_results(signature *s, const build_attention *how,
                                       build_operand *row_lse)
{
    const graph_type *q = &how->q.value->type, *v = &how->v.value->type;
    build_dims rows = {.rank = q->rank - 1};
    memcpy(rows.dims, q->dims, sizeof rows.dims);
    memcpy(rows.labels, s->operands[Q].labels, sizeof rows.labels);
    build_dims out = rows;
    out.rank = q->rank;
    out.dims[q->rank - 1] = v->dims[v->rank - 1];
    out.labels[q->rank - 1] = s->operands[V].labels[v->rank - 1];
    if (!signature_result(s, 0, q->dtype, &out, NULL) ||
        !signature_result(s, 1, q->dtype == DTYPE_F64 ? DTYPE_F64 : DTYPE_F32, &rows, NULL))
        return build_poisoned();
    signature_enter(s);
    build_operand o = how->q;
    o.value = s->op->outputs.items[0];
    o.labels[q->rank - 1] = how->v.labels[v->rank - 1];
    *row_lse = how->q;
    row_lse->value = s->op->outputs.items[1];
    return o;
}

build_operand build_attend(build *b, const build_attention *how, build_operand *row_lse)
{
    build_operand x[5] = {how->q, how->k, how->v, how->mask};
    int count = how->mask.value ? 4 : 3;
    bool positioned = how->position.value != NULL;
    *row_lse = build_poisoned();
    if (!ranks_fit(b, x, count) || !types_fit(b, x, count))
        return build_poisoned();
    x[Q] = with_roles(b, x[Q], "(query)", "(depth)");
    x[K] = with_roles(b, x[K], "(key)", "(depth)");
    x[V] = with_roles(b, x[V], "(key)", "(value)");
    if (count == 4)
        x[MASK] = with_roles(b, x[MASK], NULL, "(key)");
    x[count] = how->position;
    signature s;
    if (!signature_begin(&s, b, OP_attention, x, count + positioned))
        return build_poisoned();
    for (int k = 0; k < count; k++)
        if (!signature_operand(&s, k, NULL))
            return build_poisoned();
    if (!leading_fits(&s, count))
        return build_poisoned();
    s.op->attrs.i[0] = how->causal;
    s.op->attrs.i[1] = how->window;
    s.op->attrs.i[2] = positioned;
    s.op->attrs.f[0] = how->scale;
    return attention_results(&s, how, row_lse);
}
