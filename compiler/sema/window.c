/* window.c: attention, convolutions and pools, whose operands stand in the order that the graph's op.h states. */
#include "sema/builtin.h"

#include <math.h>
#include <string.h>

/* x with its dimensions in the order of `front` that it has, then the others, then `back`. */
static build_operand ordered(elaboration *e, build_operand x, const build_operand *front,
                             label *const *back, int count)
{
    atom order[GRAPH_MAX_RANK];
    int kept = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < (pass ? tensor_rank(&x) : tensor_rank(front)); i++) {
            atom key = pass ? x.labels[i] : front->labels[i];
            bool last = false, there = false, taken = false;
            for (int k = 0; k < count; k++)
                last = last || key == back[k]->text;
            for (int k = 0; k < tensor_rank(&x); k++)
                there = there || x.labels[k] == key;
            for (int k = 0; k < kept; k++)
                taken = taken || order[k] == key;
            if (there && !last && !taken)
                order[kept++] = key;
        }
    for (int k = 0; k < count; k++)
        order[kept++] = back[k]->text;
    return build_transpose(e->build, x, order);
}

static bool lacks(elaboration *e, const builtin_call *c, const build_operand *x, const label *l)
{
    if (tensor_label(x, l))
        return false;
    sema_report(e->sema, E0211, c->node->at, "the tensor %s has no dimension '%s'",
                tensor_words(x, e->sema->memory), l->name);
    return true;
}

static value usage(elaboration *e, const builtin_call *c)
{
    diag *d = sema_report(e->sema, E0202, c->node->at, "'%s' is called otherwise", c->of->name);
    diag_fix(d, "%s", c->of->signature);
    return value_poison();
}

typedef struct attending {
    label *s, *t, *v, *k;
    build_attention how;
} attending;

static bool attention_operands(elaboration *e, const builtin_call *c, attending *a)
{
    a->s = elab_dim_named(e, c->items[0].over);
    a->t = elab_dim_named(e, c->items[1].over);
    a->v = elab_dim_named(e, c->items[2].over);
    a->k = elab_dim_named(e, c->items[3].node);
    if (!a->s || !a->t || !a->v || !a->k || !builtin_tensor(e, c, 0, &a->how.q) ||
        !builtin_tensor(e, c, 1, &a->how.k) || !builtin_tensor(e, c, 2, &a->how.v))
        return false;
    if (lacks(e, c, &a->how.q, a->s) || lacks(e, c, &a->how.q, a->k) ||
        lacks(e, c, &a->how.k, a->t) || lacks(e, c, &a->how.k, a->k) ||
        lacks(e, c, &a->how.v, a->t) || lacks(e, c, &a->how.v, a->v))
        return false;
    const ast_node *mask = builtin_option(c, "mask");
    value m = mask ? elab_expression(e, mask) : value_flag(true);
    if (m.kind == VALUE_FLAG && m.flag) /* every key is seen */
        return true;
    if (m.kind == VALUE_FLAG)
        sema_report(e->sema, E0256, mask->at, "a mask that is 'no' everywhere leaves no key");
    return m.kind == VALUE_TENSOR && elab_as_tensor(e, mask, m, DTYPE_COUNT, &a->how.mask) &&
           !lacks(e, c, &a->how.mask, a->t);
}

value call_attention(elaboration *e, const builtin *b, const builtin_call *c)
{
    (void)b;
    attending a = {.how = {.causal = false}};
    if (c->count != 4 || !c->items[0].over || !c->items[1].over || !c->items[2].over)
        return usage(e, c);
    if (!attention_operands(e, c, &a))
        return value_poison();
    a.how.scale = 1 / sqrt((double)a.k->size);
    if (!builtin_flag(e, c, "causal", &a.how.causal) ||
        !builtin_number(e, c, "scale", &a.how.scale) ||
        !builtin_whole(e, c, "window", (whole_range){"'window'", 0, INT32_MAX}, &a.how.window))
        return value_poison();
    elab_place(e, c->node->at);
    a.how.q = ordered(e, a.how.q, &a.how.q, (label *[]){a.s, a.k}, 2);
    a.how.k = ordered(e, a.how.k, &a.how.q, (label *[]){a.t, a.k}, 2);
    a.how.v = ordered(e, a.how.v, &a.how.q, (label *[]){a.t, a.v}, 2);
    if (a.how.mask.value)
        a.how.mask = ordered(e, a.how.mask, &a.how.q, &a.t, 1);
    build_operand lse;
    return elab_tensor(e, c->node, build_attend(e->build, &a.how, &lse));
}

/* What a window is over: `n` dimensions of x, and as many of the result. */
typedef struct windowing {
    build_operand x, w;
    label *in[3], *of[3], *out[3], *result[2]; /* result: samples, channels */
    int spatial;
    build_window how;
} windowing;

/* One number for each dimension of a window. */
typedef struct windowing_numbers {
    int64_t *at;
    int count;
} windowing_numbers;

/* The names behind an item's `over`: up to three. */
static int item_dims(elaboration *e, const builtin_call *c, int item, label **dims)
{
    int count = 0;
    for (int i = item; i < c->count && (i == item || !c->items[i].over) && count < 3; i++) {
        if (i > item && c->items[i].node->kind != AST_NAME)
            break;
        label *l = elab_dim_named(e, i == item ? c->items[i].over : c->items[i].node);
        if (!l)
            return -1;
        dims[count++] = l;
    }
    return count;
}

/* `stride = 2` for every dimension of the window, `stride = (2, 1)` for each its own. */
static bool each_whole(elaboration *e, const builtin_call *c, const char *name, whole_range range,
                       windowing_numbers *n)
{
    const ast_node *at = builtin_option(c, name);
    if (!at)
        return true;
    value v = elab_expression(e, at);
    if (v.kind == VALUE_TUPLE && v.count != n->count) {
        diag *d = sema_report(e->sema, E0257, at->at, "'%s' has %d numbers for %d dimension%s",
                              name, v.count, n->count, n->count == 1 ? "" : "s");
        diag_fix(d, "one number for all, or %d", n->count);
        return false;
    }
    for (int k = 0; k < n->count; k++)
        if (!value_whole(e->sema, at, v.kind == VALUE_TUPLE ? v.items[k] : v, range, &n->at[k]))
            return false;
    return true;
}

static bool window_options(elaboration *e, const builtin_call *c, windowing *w)
{
    int64_t *const numbers[] = {w->how.stride, w->how.pad, w->how.dilation, w->how.window};
    static const struct {
        const char *name;
        whole_range range;
        int64_t preset;
    } options[] = {{"stride", {"'stride'", 1, 4096}, 1},
                   {"padding", {"'padding'", 0, 4096}, 0},
                   {"dilation", {"'dilation'", 1, 4096}, 1},
                   {"window", {"'window'", 1, 4096}, 2}};
    w->how.groups = 1;
    w->how.spatial = w->spatial;
    for (int i = 0; i < 4; i++) {
        windowing_numbers n = {numbers[i], w->spatial};
        for (int k = 0; k < w->spatial; k++)
            n.at[k] = options[i].preset;
        if (!each_whole(e, c, options[i].name, options[i].range, &n))
            return false;
    }
    for (int k = 0; k < w->spatial; k++) {
        w->how.window[k] = w->of[k] ? w->of[k]->size : w->how.window[k];
        w->how.dims[k] = w->out[k]->dim;
    }
    return builtin_whole(e, c, "groups", (whole_range){"'groups'", 1, INT32_MAX}, &w->how.groups);
}

/* The window makes `of` out of `from`: x's dimensions and the result's, or the other way round. */
static bool sizes_fit(elaboration *e, const builtin_call *c, const windowing *w, bool back)
{
    for (int k = 0; k < w->spatial; k++) {
        const label *from = back ? w->out[k] : w->in[k], *of = back ? w->in[k] : w->out[k];
        int64_t size = op_window_size(from->size, w->how.window[k], w->how.stride[k], w->how.pad[k],
                                      w->how.dilation[k]);
        if (size == of->size)
            continue;
        sema_report(e->sema, E0213, c->node->at,
                    "the window gives %lld elements over '%s', and '%s' is %lld", (long long)size,
                    from->name, of->name, (long long)of->size);
        return false;
    }
    return true;
}

/* x as samples, channels, spatial: exactly two dimensions stand before the spatial ones. */
static bool arrange(elaboration *e, const builtin_call *c, windowing *w)
{
    for (int k = 0; k < w->spatial; k++)
        if (lacks(e, c, &w->x, w->in[k]))
            return false;
    if (tensor_rank(&w->x) != w->spatial + 2) {
        sema_report(e->sema, E0211, c->node->at,
                    "'%s' takes samples, channels and %d more dimensions, not %s", c->of->name,
                    w->spatial, tensor_words(&w->x, e->sema->memory));
        return false;
    }
    elab_place(e, c->node->at);
    w->x = ordered(e, w->x, &w->x, w->in, w->spatial);
    w->result[0] = label_of(w->x.labels[0]);
    w->result[1] = label_of(w->x.labels[1]);
    return w->x.value != NULL;
}

/* The weights with their window last: two dimensions of channels before it. */
static bool weights_in_order(elaboration *e, const builtin_call *c, windowing *w)
{
    for (int k = 0; k < w->spatial; k++)
        if (lacks(e, c, &w->w, w->of[k]))
            return false;
    if (tensor_rank(&w->w) != w->spatial + 2) {
        sema_report(e->sema, E0211, c->node->at,
                    "the weights have %s, not channels out, channels in and the window",
                    tensor_words(&w->w, e->sema->memory));
        return false;
    }
    w->w = ordered(e, w->w, &w->w, w->of, w->spatial);
    return w->w.value != NULL;
}

static bool weights_misfit(elaboration *e, const builtin_call *c, const windowing *w)
{
    sema_report(e->sema, E0211, c->node->at, "weights %s do not go with channels '%s' of %lld",
                tensor_words(&w->w, e->sema->memory), w->result[1]->name,
                (long long)w->result[1]->size);
    return false;
}

static bool arrange_weights(elaboration *e, const builtin_call *c, windowing *w)
{
    if (!weights_in_order(e, c, w))
        return false;
    if (w->w.value && w->how.groups == 1 && w->w.labels[0] == w->result[1]->text) {
        label *last[GRAPH_MAX_RANK] = {w->result[1]};
        for (int k = 0; k < w->spatial; k++)
            last[k + 1] = w->of[k];
        w->w = ordered(e, w->w, &w->w, last, w->spatial + 1);
    }
    if (!w->w.value)
        return false;
    label *out = label_of(w->w.labels[0]), *in = label_of(w->w.labels[1]);
    if (w->how.groups == 1
            ? in != w->result[1]
            : in->size * w->how.groups != w->result[1]->size || out->size % w->how.groups)
        return weights_misfit(e, c, w);
    w->result[1] = out;
    return true;
}

static value windowed(elaboration *e, const builtin_call *c, const windowing *w, build_operand y)
{
    y.labels[0] = w->result[0]->text;
    y.labels[1] = w->result[1]->text;
    for (int k = 0; k < w->spatial; k++)
        y.labels[2 + k] = w->out[k]->text;
    return elab_tensor(e, c->node, y);
}

static bool result_dims(elaboration *e, const builtin_call *c, windowing *w, int first)
{
    for (int k = 0; k < w->spatial; k++) {
        w->out[k] = elab_dim(e, c->items[first + k].node);
        if (!w->out[k])
            return false;
    }
    return true;
}

/* x over H, W, w over I, J, then as many dimensions of the result, and `more` behind them. */
static bool convolution(elaboration *e, const builtin_call *c, windowing *w, int more)
{
    int second = 1;
    while (second < c->count && !c->items[second].over)
        second++;
    w->spatial = second;
    if (!c->items[0].over || second > 3 || c->count < 3 * second || c->count > 3 * second + more) {
        usage(e, c);
        return false;
    }
    return item_dims(e, c, 0, w->in) == second && item_dims(e, c, second, w->of) >= second &&
           result_dims(e, c, w, 2 * second) && builtin_tensor(e, c, 0, &w->x) &&
           builtin_tensor(e, c, second, &w->w) && window_options(e, c, w) && arrange(e, c, w);
}

value call_convolve(elaboration *e, const builtin *b, const builtin_call *c)
{
    (void)b;
    windowing w = {.spatial = 0};
    if (!convolution(e, c, &w, 0) || !sizes_fit(e, c, &w, false) || !arrange_weights(e, c, &w))
        return value_poison();
    return windowed(e, c, &w, build_conv(e->build, w.x, w.w, &w.how));
}

/* The channels of x stand first in the weights; those of the result second, or by groups, when they are named. */
static bool transposed_weights(elaboration *e, const builtin_call *c, windowing *w)
{
    if (!weights_in_order(e, c, w))
        return false;
    if (w->w.labels[1] == w->result[1]->text) {
        label *last[GRAPH_MAX_RANK] = {label_of(w->w.labels[0])};
        for (int k = 0; k < w->spatial; k++)
            last[k + 1] = w->of[k];
        w->w = ordered(e, w->w, &w->w, last, w->spatial + 1);
    }
    label *in = w->w.value ? label_of(w->w.labels[0]) : NULL, *out = NULL;
    if (in)
        out = c->count > 3 * w->spatial ? elab_dim(e, c->items[3 * w->spatial].node)
                                        : label_of(w->w.labels[1]);
    if (!out)
        return false;
    if (in != w->result[1] || in->size % w->how.groups ||
        label_of(w->w.labels[1])->size * w->how.groups != out->size)
        return weights_misfit(e, c, w);
    w->result[1] = out;
    return true;
}

value call_transposed(elaboration *e, const builtin *b, const builtin_call *c)
{
    (void)b;
    windowing w = {.spatial = 0};
    if (!convolution(e, c, &w, 1) || !sizes_fit(e, c, &w, true) || !transposed_weights(e, c, &w))
        return value_poison();
    dim_id channels = w.result[1]->dim;
    return windowed(e, c, &w, build_conv_transposed(e->build, w.x, w.w, &w.how, channels));
}

/* A window of a pool that could lie on padding alone would have no largest element. */
static bool padding_fits(elaboration *e, const builtin_call *c, const windowing *w)
{
    for (int k = 0; k < w->spatial; k++) {
        int64_t reach = w->how.dilation[k] * (w->how.window[k] - 1) + 1;
        if (2 * w->how.pad[k] <= reach)
            continue;
        diag *d =
            sema_report(e->sema, E0258, c->node->at,
                        "a padding of %lld is more than half of a window that reaches over %lld",
                        (long long)w->how.pad[k], (long long)reach);
        diag_fix(d, "padding = %lld at most", (long long)(reach / 2));
        return false;
    }
    return true;
}

value call_pool(elaboration *e, const builtin *b, const builtin_call *c)
{
    windowing w = {.spatial = c->count / 2};
    if (!c->items[0].over || c->count % 2 || w.spatial > 3)
        return usage(e, c);
    for (int k = 0; k < w.spatial; k++) {
        w.in[k] = elab_dim_named(e, k ? c->items[k].node : c->items[0].over);
        if (!w.in[k])
            return value_poison();
    }
    if (!result_dims(e, c, &w, w.spatial) || !builtin_tensor(e, c, 0, &w.x) ||
        !window_options(e, c, &w) || !padding_fits(e, c, &w) || !sizes_fit(e, c, &w, false) ||
        !arrange(e, c, &w))
        return value_poison();
    return windowed(e, c, &w, build_pool(e->build, b->kind, w.x, &w.how));
}
