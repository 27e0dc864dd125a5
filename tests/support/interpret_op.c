#include "support/interpret_op.h"

#include "graph/op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int64_t interpret_count(const interpret_tensor *t)
{
    int64_t count = 1;
    for (int slot = 0; slot < t->rank; slot++)
        count *= t->sizes[slot];
    return count;
}

/* A point of an index space; visits every point in row-major order, none when a size is 0. */
typedef struct odometer {
    int count;
    int64_t sizes[2 * GRAPH_MAX_INDICES];
    int64_t at[2 * GRAPH_MAX_INDICES];
    bool done;
} odometer;

static void start(odometer *o)
{
    o->done = false;
    for (int i = 0; i < o->count; i++) {
        o->at[i] = 0;
        o->done |= o->sizes[i] == 0;
    }
}

static void next(odometer *o)
{
    for (int i = o->count; i-- > 0;) {
        if (++o->at[i] < o->sizes[i])
            return;
        o->at[i] = 0;
    }
    o->done = true;
}

/* The operator's own indices with this rank's sizes. */
static odometer over_indices(const graph_op *op, const interpret_tensor *in,
                             const interpret_tensor *out)
{
    odometer o = {.count = op->index_count};
    for (size_t k = 0; k < op->inputs.count; k++)
        for (int slot = 0; slot < in[k].rank; slot++)
            if (op->input_map[k][slot] != NO_INDEX)
                o.sizes[(int)op->input_map[k][slot]] = in[k].sizes[slot];
    for (size_t k = 0; k < op->outputs.count; k++)
        for (int slot = 0; slot < out[k].rank; slot++)
            if (op->output_map[k][slot] != NO_INDEX)
                o.sizes[(int)op->output_map[k][slot]] = out[k].sizes[slot];
    start(&o);
    return o;
}

static odometer over_tensor(const interpret_tensor *t)
{
    odometer o = {.count = t->rank};
    memcpy(o.sizes, t->sizes, sizeof t->sizes);
    start(&o);
    return o;
}

static int64_t offset_of(const interpret_tensor *t, const int64_t *at)
{
    int64_t offset = 0;
    for (int slot = 0; slot < t->rank; slot++)
        offset = offset * t->sizes[slot] + at[slot];
    return offset;
}

/* The element at a point; slots without an index are at `free`. */
static double *element(const interpret_tensor *t, const int8_t *map, const odometer *o,
                       int64_t free)
{
    int64_t at[GRAPH_MAX_RANK];
    for (int slot = 0; slot < t->rank; slot++)
        at[slot] = map[slot] == NO_INDEX ? free : o->at[(int)map[slot]];
    return &t->data[offset_of(t, at)];
}

static void run_map(const graph_op *op, const interpret_tensor *in, const interpret_tensor *out)
{
    dtype type = op->outputs.items[0]->type.dtype;
    for (odometer o = over_indices(op, in, out); !o.done; next(&o)) {
        double x[3] = {0};
        for (size_t k = 0; k < op->inputs.count; k++)
            x[k] = *element(&in[k], op->input_map[k], &o, 0);
        double y = op_scalar(op->kind, x);
        bool rounds = op->kind == OP_cast && type != DTYPE_F32 && type != DTYPE_F64;
        *element(out, op->output_map[0], &o, 0) = rounds ? op_round(type, y) : y;
    }
}

static void run_sum(const graph_op *op, const interpret_tensor *in, const interpret_tensor *out)
{
    for (odometer o = over_indices(op, in, out); !o.done; next(&o)) {
        double y = *element(&in[0], op->input_map[0], &o, 0);
        if (op->inputs.count == 2)
            y *= *element(&in[1], op->input_map[1], &o, 0);
        *element(out, op->output_map[0], &o, 0) += y;
    }
}

static void run_extreme(const graph_op *op, const interpret_tensor *in, const interpret_tensor *out)
{
    double sign = op->kind == OP_reduce_min ? -1 : 1;
    for (int64_t i = 0; i < interpret_count(out); i++)
        out->data[i] = -INFINITY * sign;
    for (odometer o = over_indices(op, in, out); !o.done; next(&o)) {
        double x = *element(&in[0], op->input_map[0], &o, 0);
        double *y = element(out, op->output_map[0], &o, 0);
        if (x * sign > *y * sign)
            *y = x;
    }
}

static void run_argmax(const graph_op *op, const interpret_tensor *in, const interpret_tensor *out)
{
    int along = 0;
    for (int i = 0; i < op->index_count; i++)
        if (!memchr(op->output_map[0], i, (size_t)out->rank))
            along = i;
    for (odometer o = over_indices(op, in, out); !o.done; next(&o)) {
        double *best = element(out, op->output_map[0], &o, 0);
        odometer there = o;
        there.at[along] = (int64_t)*best;
        double x = *element(&in[0], op->input_map[0], &o, 0);
        if (x > *element(&in[0], op->input_map[0], &there, 0))
            *best = (double)o.at[along];
    }
}

/* broadcast, transpose */
static void run_copy(const graph_op *op, const interpret_tensor *in, const interpret_tensor *out)
{
    for (odometer o = over_indices(op, in, out); !o.done; next(&o))
        *element(out, op->output_map[0], &o, 0) = *element(&in[0], op->input_map[0], &o, 0);
}

static void run_slice(const graph_op *op, const interpret_tensor *in, const interpret_tensor *out)
{
    int64_t slot = op->attrs.i[0];
    for (odometer o = over_tensor(out); !o.done; next(&o)) {
        int64_t at[GRAPH_MAX_RANK];
        memcpy(at, o.at, sizeof at);
        at[slot] = op->attrs.i[1] + at[slot] * op->attrs.i[2];
        out->data[offset_of(out, o.at)] = in[0].data[offset_of(&in[0], at)];
    }
}

static void run_pad(const graph_op *op, const interpret_tensor *in, const interpret_tensor *out)
{
    int64_t slot = op->attrs.i[0];
    for (int64_t i = 0; i < interpret_count(out); i++)
        out->data[i] = op->attrs.f[0];
    for (odometer o = over_tensor(&in[0]); !o.done; next(&o)) {
        int64_t at[GRAPH_MAX_RANK];
        memcpy(at, o.at, sizeof at);
        at[slot] = op->attrs.i[1] + at[slot] * op->attrs.i[3];
        out->data[offset_of(out, at)] = in[0].data[offset_of(&in[0], o.at)];
    }
}

static void run_concat(const graph_op *op, const interpret_tensor *in, const interpret_tensor *out)
{
    int64_t slot = op->attrs.i[0], first = 0;
    for (size_t k = 0; k < op->inputs.count; k++) {
        for (odometer o = over_tensor(&in[k]); !o.done; next(&o)) {
            int64_t at[GRAPH_MAX_RANK];
            memcpy(at, o.at, sizeof at);
            at[slot] += first;
            out->data[offset_of(out, at)] = in[k].data[offset_of(&in[k], o.at)];
        }
        first += in[k].sizes[slot];
    }
}

static int64_t rows_of(const interpret_tensor *table, const int8_t *map)
{
    for (int slot = 0; slot < table->rank; slot++)
        if (map[slot] == NO_INDEX)
            return table->sizes[slot];
    return 0;
}

static void run_gather(const graph_op *op, const interpret_tensor *in, const interpret_tensor *out,
                       int64_t first_row)
{
    int64_t rows = rows_of(&in[0], op->input_map[0]);
    for (odometer o = over_indices(op, in, out); !o.done; next(&o)) {
        int64_t id = (int64_t)*element(&in[1], op->input_map[1], &o, 0) - first_row;
        if (id >= 0 && id < rows)
            *element(out, op->output_map[0], &o, 0) = *element(&in[0], op->input_map[0], &o, id);
    }
}

static void run_scatter(const graph_op *op, const interpret_tensor *in, const interpret_tensor *out,
                        int64_t first_row)
{
    int64_t rows = rows_of(out, op->output_map[0]);
    for (odometer o = over_indices(op, in, out); !o.done; next(&o)) {
        int64_t id = (int64_t)*element(&in[1], op->input_map[1], &o, 0) - first_row;
        if (id >= 0 && id < rows)
            *element(out, op->output_map[0], &o, id) += *element(&in[0], op->input_map[0], &o, 0);
    }
}

static void run_cumsum(const graph_op *op, const interpret_tensor *in, const interpret_tensor *out)
{
    int64_t slot = op->attrs.i[0], size = in[0].sizes[slot];
    int along = op->input_map[0][slot];
    for (odometer o = over_indices(op, in, out); !o.done; next(&o)) {
        double *y = element(out, op->output_map[0], &o, 0);
        odometer there = o;
        bool reverse = op->attrs.i[1];
        for (int64_t i = reverse ? o.at[along] : 0; i < (reverse ? size : o.at[along] + 1); i++) {
            there.at[along] = i;
            *y += *element(&in[0], op->input_map[0], &there, 0);
        }
    }
}

/* A point of a convolution: sample, channels, output position, window position. `spatial` from 4 on. */
typedef struct window_point {
    odometer o; /* n, co, ci of the group, then output positions, then window positions */
    int spatial;
    int64_t x_at[GRAPH_MAX_RANK], w_at[GRAPH_MAX_RANK], y_at[GRAPH_MAX_RANK];
} window_point;

/* Fills in the places in x, w and y; false when the window is over the padding. */
static bool place(window_point *p, const graph_op *op, const interpret_tensor *x,
                  int64_t co_per_group, int64_t ci_per_group)
{
    const int64_t *at = p->o.at;
    p->x_at[0] = p->y_at[0] = at[0];
    p->y_at[1] = p->w_at[0] = at[1];
    p->w_at[1] = at[2];
    p->x_at[1] = at[1] / co_per_group * ci_per_group + at[2];
    for (int k = 0; k < p->spatial; k++) {
        const int64_t *a = &op->attrs.i[2 + 3 * k];
        p->y_at[2 + k] = at[3 + k];
        p->w_at[2 + k] = at[3 + p->spatial + k];
        p->x_at[2 + k] = p->y_at[2 + k] * a[0] - a[1] + p->w_at[2 + k] * a[2];
        if (p->x_at[2 + k] < 0 || p->x_at[2 + k] >= x->sizes[2 + k])
            return false;
    }
    return true;
}

/* conv, conv_data and conv_weight are one sum over the same points, into y, x or w. */
static void run_conv(const graph_op *op, const interpret_tensor *x, const interpret_tensor *w,
                     const interpret_tensor *y)
{
    window_point p = {.spatial = (int)op->attrs.i[0]};
    int64_t groups = op->attrs.i[1];
    p.o.count = 3 + 2 * p.spatial;
    p.o.sizes[0] = x->sizes[0];
    p.o.sizes[1] = w->sizes[0];
    p.o.sizes[2] = w->sizes[1];
    for (int k = 0; k < p.spatial; k++) {
        p.o.sizes[3 + k] = y->sizes[2 + k];
        p.o.sizes[3 + p.spatial + k] = w->sizes[2 + k];
    }
    for (start(&p.o); !p.o.done; next(&p.o)) {
        if (!place(&p, op, x, w->sizes[0] / groups, w->sizes[1]))
            continue;
        double *xe = &x->data[offset_of(x, p.x_at)];
        double *we = &w->data[offset_of(w, p.w_at)];
        double *ye = &y->data[offset_of(y, p.y_at)];
        if (op->kind == OP_conv)
            *ye += *xe * *we;
        else if (op->kind == OP_conv_data)
            *xe += *ye * *we;
        else
            *we += *xe * *ye;
    }
}

/* Pools are over one channel: x and y share slot 1. Calls visit for each output element with its window's elements. */
static void run_pool(const graph_op *op, const interpret_tensor *x, const interpret_tensor *y,
                     const interpret_tensor *dx)
{
    window_point p = {.spatial = (int)op->attrs.i[0]};
    bool max = op->kind == OP_max_pool || op->kind == OP_max_pool_grad;
    for (odometer o = over_tensor(y); !o.done; next(&o)) {
        int64_t best = -1;
        double sum = 0, *out = &y->data[offset_of(y, o.at)];
        p.o.count = p.spatial;
        for (int k = 0; k < p.spatial; k++)
            p.o.sizes[k] = op->attrs.i[11 + k];
        for (start(&p.o); !p.o.done; next(&p.o)) {
            int64_t at[GRAPH_MAX_RANK] = {o.at[0], o.at[1]};
            bool inside = true;
            for (int k = 0; k < p.spatial; k++) {
                const int64_t *a = &op->attrs.i[2 + 3 * k];
                at[2 + k] = o.at[2 + k] * a[0] - a[1] + p.o.at[k] * a[2];
                inside &= at[2 + k] >= 0 && at[2 + k] < x->sizes[2 + k];
            }
            if (!inside)
                continue;
            int64_t here = offset_of(x, at);
            if (op->kind == OP_sum_pool_grad)
                dx->data[here] += *out;
            else
                sum += x->data[here];
            if (max && (best < 0 || x->data[here] > x->data[best]))
                best = here;
        }
        if (op->kind == OP_max_pool)
            *out = best < 0 ? -INFINITY : x->data[best];
        else if (op->kind == OP_sum_pool)
            *out = sum;
        else if (op->kind == OP_max_pool_grad && best >= 0)
            dx->data[best] += *out;
    }
}

/* One query's row: weights of the keys, by a softmax over those that it may see. Returns the log-sum-exp. */
typedef struct attention_row {
    const graph_op *op;
    const interpret_tensor *in;
    odometer o;            /* the operator's indices, at the query */
    int key, depth, value; /* indices */
    double *weights;
} attention_row;

static double score(attention_row *r, int64_t query, int64_t key)
{
    const int64_t *i = r->op->attrs.i;
    if ((i[0] && key > query) || (i[1] && query - key >= i[1]) ||
        (i[1] && !i[0] && key - query >= i[1]))
        return -INFINITY;
    odometer o = r->o;
    o.at[r->key] = key;
    size_t mask = r->op->kind == OP_attention ? 3 : 6;
    if (r->op->inputs.count > mask && *element(&r->in[mask], r->op->input_map[mask], &o, 0) == 0)
        return -INFINITY;
    double sum = 0;
    for (o.at[r->depth] = 0; o.at[r->depth] < o.sizes[r->depth]; o.at[r->depth]++)
        sum += *element(&r->in[0], r->op->input_map[0], &o, 0) *
               *element(&r->in[1], r->op->input_map[1], &o, 0);
    return sum * r->op->attrs.f[0];
}

static double weigh(attention_row *r, int64_t query)
{
    double largest = -INFINITY, sum = 0;
    int64_t keys = r->o.sizes[r->key];
    for (int64_t t = 0; t < keys; t++) {
        r->weights[t] = score(r, query, t);
        largest = fmax(largest, r->weights[t]);
    }
    for (int64_t t = 0; t < keys; t++) {
        r->weights[t] = isinf(largest) ? 0 : exp(r->weights[t] - largest);
        sum += r->weights[t];
    }
    for (int64_t t = 0; t < keys && sum > 0; t++)
        r->weights[t] /= sum;
    return largest + log(sum);
}

static void attend_row(attention_row *r, const interpret_tensor *out)
{
    odometer o = r->o;
    for (int64_t t = 0; t < o.sizes[r->key]; t++)
        for (int64_t e = 0; e < o.sizes[r->value]; e++) {
            o.at[r->key] = t;
            o.at[r->value] = e;
            *element(&out[0], r->op->output_map[0], &o, 0) +=
                r->weights[t] * *element(&r->in[2], r->op->input_map[2], &o, 0);
        }
}

/* dP = do . v, dS = P (dP - sum P dP), and the products behind it. */
static void attend_row_back(attention_row *r, const interpret_tensor *out)
{
    const graph_op *op = r->op;
    odometer o = r->o;
    int64_t keys = o.sizes[r->key];
    double *slopes = calloc((size_t)keys + 1, sizeof *slopes), mean = 0;
    for (int64_t t = 0; t < keys; t++) {
        o.at[r->key] = t;
        for (o.at[r->value] = 0; o.at[r->value] < o.sizes[r->value]; o.at[r->value]++) {
            double d = *element(&r->in[5], op->input_map[5], &o, 0);
            slopes[t] += d * *element(&r->in[2], op->input_map[2], &o, 0);
            *element(&out[2], op->output_map[2], &o, 0) += r->weights[t] * d;
        }
        o.at[r->value] = 0;
        mean += r->weights[t] * slopes[t];
    }
    for (int64_t t = 0; t < keys; t++) {
        double ds = r->weights[t] * (slopes[t] - mean) * op->attrs.f[0];
        o.at[r->key] = t;
        for (o.at[r->depth] = 0; o.at[r->depth] < o.sizes[r->depth]; o.at[r->depth]++) {
            *element(&out[0], op->output_map[0], &o, 0) +=
                ds * *element(&r->in[1], op->input_map[1], &o, 0);
            *element(&out[1], op->output_map[1], &o, 0) +=
                ds * *element(&r->in[0], op->input_map[0], &o, 0);
        }
    }
    free(slopes);
}

static void run_attention(const graph_op *op, const interpret_tensor *in,
                          const interpret_tensor *out)
{
    attention_row r = {.op = op, .in = in};
    int rank = in[0].rank;
    int query = op->input_map[0][rank - 2];
    r.key = op->input_map[1][in[1].rank - 2];
    r.depth = op->input_map[0][rank - 1];
    r.value = op->input_map[2][in[2].rank - 1];
    odometer all = over_indices(op, in, out), rows = all;
    rows.sizes[r.key] = rows.sizes[r.depth] = rows.sizes[r.value] = 1;
    r.weights = calloc((size_t)all.sizes[r.key] + 1, sizeof *r.weights);
    for (start(&rows); !rows.done; next(&rows)) {
        r.o = all;
        memcpy(r.o.at, rows.at, sizeof rows.at);
        double lse = weigh(&r, rows.at[query]);
        if (op->kind == OP_attention) {
            attend_row(&r, out);
            *element(&out[1], op->output_map[1], &r.o, 0) = lse;
        } else {
            attend_row_back(&r, out);
        }
    }
    free(r.weights);
}

void interpret_op(const graph_op *op, const interpret_tensor *in, const interpret_tensor *out,
                  int64_t first_row)
{
    switch (op->kind) {
    case OP_sum:
    case OP_dot:
        run_sum(op, in, out);
        return;
    case OP_reduce_max:
    case OP_reduce_min:
        run_extreme(op, in, out);
        return;
    case OP_argmax:
        run_argmax(op, in, out);
        return;
    case OP_broadcast:
    case OP_transpose:
        run_copy(op, in, out);
        return;
    case OP_reshape:
        memcpy(out->data, in->data, sizeof *out->data * (size_t)interpret_count(out));
        return;
    case OP_slice:
        run_slice(op, in, out);
        return;
    case OP_pad:
        run_pad(op, in, out);
        return;
    case OP_concat:
        run_concat(op, in, out);
        return;
    case OP_gather:
        run_gather(op, in, out, first_row);
        return;
    case OP_scatter_add:
        run_scatter(op, in, out, first_row);
        return;
    case OP_cumsum:
        run_cumsum(op, in, out);
        return;
    case OP_conv:
        run_conv(op, &in[0], &in[1], out);
        return;
    case OP_conv_data:
        run_conv(op, out, &in[1], &in[0]);
        return;
    case OP_conv_weight:
        run_conv(op, &in[0], out, &in[1]);
        return;
    case OP_max_pool:
    case OP_sum_pool:
        run_pool(op, &in[0], out, NULL);
        return;
    case OP_max_pool_grad:
        run_pool(op, &in[0], &in[1], out);
        return;
    case OP_sum_pool_grad:
        run_pool(op, out, &in[0], out);
        return;
    case OP_attention:
    case OP_attention_grad:
        run_attention(op, in, out);
        return;
    default:
        assert_int_equal(op_info_of(op->kind)->class, OP_CLASS_MAP);
        run_map(op, in, out);
    }
}
