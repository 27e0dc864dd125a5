#include "graph/build_signature.h"

#include <assert.h>
#include <string.h>

/* Index letters of slots 0 and 1, operand by operand, then of the result: n samples, i channels in, o channels out,
 * c channels. Slots behind them are spatial and have no index. */
typedef struct window_signature {
    const char *operands[2];
    const char *result;
} window_signature;

static window_signature signature_of(op_kind kind)
{
    switch (kind) {
    case OP_conv:
        return (window_signature){{"ni", "oi"}, "no"};
    case OP_conv_data:
        return (window_signature){{"no", "oi"}, "ni"};
    case OP_conv_weight:
        return (window_signature){{"ni", "no"}, "oi"};
    default:
        return (window_signature){{"nc", "nc"}, "nc"};
    }
}

/* The label of a letter; NULL where the slot has no index: channels in, when there are groups. */
static atom letter_label(const build *b, char letter, const build_window *how)
{
    return letter == 'i' && how->groups > 1 ? NULL : atom_intern(b->g->atoms, &letter, 1);
}

static void set_window_attributes(graph_op *op, const build_window *how)
{
    op->attrs.i[0] = how->spatial;
    op->attrs.i[1] = how->groups;
    for (int k = 0; k < how->spatial; k++) {
        op->attrs.i[2 + 3 * k] = how->stride[k];
        op->attrs.i[3 + 3 * k] = how->pad[k];
        op->attrs.i[4 + 3 * k] = how->dilation[k];
        op->attrs.i[11 + k] = how->window[k];
    }
}

build_window build_window_of(const graph_op *op)
{
    build_window how = {.spatial = (int)op->attrs.i[0], .groups = op->attrs.i[1]};
    for (int k = 0; k < how.spatial; k++) {
        how.stride[k] = op->attrs.i[2 + 3 * k];
        how.pad[k] = op->attrs.i[3 + 3 * k];
        how.dilation[k] = op->attrs.i[4 + 3 * k];
        how.window[k] = op->attrs.i[11 + k];
        how.dims[k] = op->outputs.items[0]->type.dims[2 + k];
    }
    return how;
}

/* The operator over `x`, giving `result` (type dimensions and the caller's labels), indices by the table above. */
static build_operand window_op(build *b, op_kind kind, const build_operand *x, int count,
                               const build_window *how, const build_dims *result)
{
    build_operand lettered[2] = {{.value = NULL}};
    window_signature letters = signature_of(kind);
    assert(count >= 1 && count <= 2);
    for (int k = 0; k < count; k++) {
        lettered[k] = x[k];
        for (int slot = 0; slot < 2; slot++)
            lettered[k].labels[slot] = letter_label(b, letters.operands[k][slot], how);
    }
    signature s;
    if (!signature_begin(&s, b, kind, lettered, count))
        return build_poisoned();
    for (int k = 0; k < count; k++)
        for (int slot = 0; slot < 2; slot++)
            if (lettered[k].labels[slot] && !signature_slot(&s, k, slot))
                return build_poisoned();
    graph_value *y = s.op->outputs.items[0];
    y->type = (graph_type){.dtype = x[0].value->type.dtype, .rank = result->rank};
    memcpy(y->type.dims, result->dims, sizeof y->type.dims);
    for (int slot = 0; slot < 2; slot++) {
        atom label = letter_label(b, letters.result[slot], how);
        s.op->output_map[0][slot] = (int8_t)(label ? signature_find(&s, label) : NO_INDEX);
    }
    set_window_attributes(s.op, how);
    signature_enter(&s);
    build_operand answer = {.value = y};
    memcpy(answer.labels, result->labels, sizeof answer.labels);
    return answer;
}

static build_operand window_misfit(build *b, atom label, int64_t asked, int64_t there)
{
    const char *text =
        arena_format(b->g->memory, "a window gives %lld elements where there are %lld",
                     (long long)asked, (long long)there);
    build_fail(b, BUILD_RANGE, label, text);
    b->error.counts[0] = asked;
    b->error.counts[1] = there;
    return build_poisoned();
}

static bool rank_fits(build *b, const build_operand *x, int rank, int operand)
{
    if (x->value->type.rank == rank)
        return true;
    const char *text =
        arena_format(b->g->memory, "a window over %d dimensions, and the operand has %d", rank,
                     x->value->type.rank);
    build_fail(b, BUILD_RANK, NULL, text);
    b->error.operands[0] = operand;
    return false;
}

/* Result spatial sizes must be what the windows give; fills in the spatial dimensions. */
static bool spatial_fits(build *b, const build_operand *x, const int64_t *window,
                         const build_window *how, build_dims *result)
{
    for (int k = 0; k < how->spatial; k++) {
        int64_t in = graph_type_size(b->g, &x->value->type, 2 + k);
        int64_t size = op_window_size(in, window[k], how->stride[k], how->pad[k], how->dilation[k]);
        if (size != graph_dim_size(b->g, how->dims[k])) {
            window_misfit(b, x->labels[2 + k], size, graph_dim_size(b->g, how->dims[k]));
            return false;
        }
        result->dims[2 + k] = how->dims[k];
        result->labels[2 + k] = x->labels[2 + k];
    }
    return true;
}

static bool convolution_fits(build *b, const build_operand *x, const build_operand *w, int rank)
{
    if (x->value && w->value)
        return rank_fits(b, x, rank, 0) && rank_fits(b, w, rank, 1);
    build_fail(b, BUILD_POISONED, NULL, "an operand has no value");
    return false;
}

build_operand build_conv(build *b, build_operand x, build_operand w, const build_window *how)
{
    int rank = 2 + how->spatial;
    if (!convolution_fits(b, &x, &w, rank))
        return build_poisoned();
    const graph_type *xt = &x.value->type, *wt = &w.value->type;
    int64_t channels = graph_type_size(b->g, xt, 1);
    int64_t taken = graph_type_size(b->g, wt, 1) * how->groups;
    if (channels != taken || graph_type_size(b->g, wt, 0) % how->groups != 0)
        return window_misfit(b, x.labels[1], taken, channels);
    int64_t window[3] = {0};
    for (int k = 0; k < how->spatial; k++)
        window[k] = graph_type_size(b->g, wt, 2 + k);
    build_dims result = {.rank = rank, .dims = {xt->dims[0], wt->dims[0]}};
    result.labels[0] = x.labels[0];
    result.labels[1] = w.labels[0];
    if (!spatial_fits(b, &x, window, how, &result))
        return build_poisoned();
    return window_op(b, OP_conv, (build_operand[]){x, w}, 2, how, &result);
}

build_operand build_conv_transposed(build *b, build_operand x, build_operand w,
                                    const build_window *how, dim_id channels)
{
    int rank = 2 + how->spatial;
    if (!convolution_fits(b, &x, &w, rank))
        return build_poisoned();
    const graph_type *xt = &x.value->type, *wt = &w.value->type;
    int64_t into = graph_type_size(b->g, wt, 1) * how->groups;
    if (graph_type_size(b->g, xt, 1) != graph_type_size(b->g, wt, 0) ||
        graph_type_size(b->g, wt, 0) % how->groups != 0 || into != graph_dim_size(b->g, channels))
        return window_misfit(b, x.labels[1], into, graph_dim_size(b->g, channels));
    build_dims result = {.rank = rank, .dims = {xt->dims[0], channels}};
    result.labels[0] = x.labels[0];
    result.labels[1] = w.labels[1];
    for (int k = 0; k < how->spatial; k++) {
        int64_t there = graph_type_size(b->g, xt, 2 + k);
        int64_t size =
            op_window_size(graph_dim_size(b->g, how->dims[k]), graph_type_size(b->g, wt, 2 + k),
                           how->stride[k], how->pad[k], how->dilation[k]);
        if (size != there)
            return window_misfit(b, x.labels[2 + k], size, there);
        result.dims[2 + k] = how->dims[k];
        result.labels[2 + k] = x.labels[2 + k];
    }
    return window_op(b, OP_conv_data, (build_operand[]){x, w}, 2, how, &result);
}

build_operand build_pool(build *b, op_kind kind, build_operand x, const build_window *how)
{
    if (!x.value) {
        build_fail(b, BUILD_POISONED, NULL, "an operand has no value");
        return build_poisoned();
    }
    if (!rank_fits(b, &x, 2 + how->spatial, 0))
        return build_poisoned();
    const graph_type *t = &x.value->type;
    build_dims result = {.rank = t->rank, .dims = {t->dims[0], t->dims[1]}};
    result.labels[0] = x.labels[0];
    result.labels[1] = x.labels[1];
    if (!spatial_fits(b, &x, how->window, how, &result))
        return build_poisoned();
    return window_op(b, kind, &x, 1, how, &result);
}

build_operand build_window_gradient(build *b, op_kind kind, const build_operand *x, int count,
                                    const build_window *how, const build_operand *like)
{
    build_dims result = {.rank = like->value->type.rank};
    memcpy(result.dims, like->value->type.dims, sizeof result.dims);
    memcpy(result.labels, like->labels, sizeof result.labels);
    return window_op(b, kind, x, count, how, &result);
}
