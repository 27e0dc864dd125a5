/* Attention and its gradient against the definition, in double: causal, windows, shared heads, masks, sizes beyond a block. */
#include <setjmp.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/attention.h"

typedef struct row {
    int64_t batch, heads, kv_heads, s, t, e, ev, window;
    int causal, masked;
} row;

static const row rows[] = {
    {1, 1, 1, 1, 1, 1, 1, 0, 0, 0},
    {2, 3, 3, 5, 5, 4, 4, 0, 1, 0},
    {1, 4, 2, 70, 70, 8, 8, 0, 1, 0},
    {2, 2, 1, 33, 130, 5, 7, 0, 0, 1},
    {1, 2, 2, 150, 150, 16, 16, 9, 1, 0},
    {1, 2, 2, 100, 90, 3, 2, 20, 0, 0},
    {2, 2, 2, 65, 64, 8, 8, 0, 1, 1},
    {1, 1, 1, 40, 10, 4, 4, 3, 1, 0}, /* late queries see nothing */
    {2, 1, 1, 3, 6, 2, 2, 0, 0, 2},   /* all keys masked */
};
enum { ROWS = sizeof rows / sizeof *rows };

static double number(int64_t i)
{
    return (double)((uint32_t)i * 2654435761u >> 12) / (1 << 19) - 1;
}

/* Rows of heads lie between each other, as they do in [batch, row, head, feature], with a gap behind each feature row. */
static esp_attention shape_of(const row *r)
{
    esp_attention a = {.batch = r->batch,
                       .heads = r->heads,
                       .kv_heads = r->kv_heads,
                       .s = r->s,
                       .t = r->t,
                       .e = r->e,
                       .ev = r->ev,
                       .window = r->window,
                       .scale = 0.7,
                       .causal = r->causal,
                       .mask_stride = r->t};
    int64_t wide = r->e + 1, wide_v = r->ev + 2;
    int64_t q[] = {r->s * r->heads * wide, wide, r->heads * wide};
    int64_t k[] = {r->t * r->kv_heads * wide, wide, r->kv_heads * wide};
    int64_t v[] = {r->t * r->kv_heads * wide_v, wide_v, r->kv_heads * wide_v};
    int64_t o[] = {r->s * r->heads * wide_v, wide_v, r->heads * wide_v};
    memcpy(a.q_stride, q, sizeof q);
    memcpy(a.k_stride, k, sizeof k);
    memcpy(a.v_stride, v, sizeof v);
    memcpy(a.o_stride, o, sizeof o);
    return a;
}

/* All operands in double, and how many elements each has. */
typedef struct operands {
    double *at[ESP_ATTENTION_OPERANDS];
    int64_t count[ESP_ATTENTION_OPERANDS];
    unsigned char *mask;
} operands;

static operands make_operands(const esp_attention *a, int masked)
{
    operands x = {0};
    int64_t q = a->batch * a->q_stride[0], k = a->batch * a->k_stride[0];
    int64_t v = a->batch * a->v_stride[0], o = a->batch * a->o_stride[0];
    int64_t counts[] = {q, k, v, 0, o, a->batch * a->heads * a->s, o, q, k, v};
    for (int i = 0; i < ESP_ATTENTION_OPERANDS; i++) {
        x.count[i] = counts[i];
        x.at[i] = calloc((size_t)counts[i] + 1, sizeof(double));
        for (int64_t j = 0; j < counts[i]; j++)
            x.at[i][j] = (double)(float)number(j * 7 + i);
    }
    x.mask = calloc((size_t)(a->batch * a->t) + 1, 1);
    for (int64_t j = 0; j < a->batch * a->t; j++)
        x.mask[j] = masked == 0 || (masked == 1 && j % 3 != 1);
    return x;
}

static void free_operands(operands *x)
{
    for (int i = 0; i < ESP_ATTENTION_OPERANDS; i++)
        free(x->at[i]);
    free(x->mask);
}

static double *row_of(double *base, const int64_t *stride, int64_t b, int64_t h, int64_t i)
{
    return base + b * stride[0] + h * stride[1] + i * stride[2];
}

static int sees(const esp_attention *a, const operands *x, int64_t b, int64_t i, int64_t j)
{
    int64_t far = i > j ? i - j : j - i;
    return !(a->causal && j > i) && !(a->window && far >= a->window) && x->mask[b * a->t + j];
}

/* Weights of one query; returns the log-sum-exp. */
static double weigh(const esp_attention *a, const operands *x, const int64_t at[3], double *weight)
{
    int64_t kv = at[1] / (a->heads / a->kv_heads);
    const double *q = row_of(x->at[ESP_Q], a->q_stride, at[0], at[1], at[2]);
    double sum = 0;
    for (int64_t j = 0; j < a->t; j++) {
        const double *k = row_of(x->at[ESP_K], a->k_stride, at[0], kv, j);
        double score = 0;
        for (int64_t e = 0; e < a->e; e++)
            score += q[e] * k[e] * a->scale;
        weight[j] = sees(a, x, at[0], at[2], j) ? exp(score) : 0;
        sum += weight[j];
    }
    for (int64_t j = 0; j < a->t && sum > 0; j++)
        weight[j] /= sum;
    return log(sum);
}

static void plain_forward(const esp_attention *a, const operands *x, const int64_t at[3],
                          const double *weight)
{
    int64_t kv = at[1] / (a->heads / a->kv_heads);
    double *o = row_of(x->at[ESP_O], a->o_stride, at[0], at[1], at[2]);
    for (int64_t f = 0; f < a->ev; f++) {
        o[f] = 0;
        for (int64_t j = 0; j < a->t; j++)
            o[f] += weight[j] * row_of(x->at[ESP_V], a->v_stride, at[0], kv, j)[f];
    }
}

static void plain_backward(const esp_attention *a, const operands *x, const int64_t at[3],
                           const double *weight)
{
    int64_t kv = at[1] / (a->heads / a->kv_heads);
    const double *d = row_of(x->at[ESP_DO], a->o_stride, at[0], at[1], at[2]);
    const double *o = row_of(x->at[ESP_O], a->o_stride, at[0], at[1], at[2]);
    for (int64_t j = 0; j < a->t; j++) {
        double slope = 0;
        for (int64_t f = 0; f < a->ev; f++) {
            slope += d[f] * (row_of(x->at[ESP_V], a->v_stride, at[0], kv, j)[f] - o[f]);
            row_of(x->at[ESP_DV], a->v_stride, at[0], kv, j)[f] += weight[j] * d[f];
        }
        slope *= weight[j] * a->scale;
        for (int64_t e = 0; e < a->e; e++) {
            row_of(x->at[ESP_DQ], a->q_stride, at[0], at[1], at[2])[e] +=
                slope * row_of(x->at[ESP_K], a->k_stride, at[0], kv, j)[e];
            row_of(x->at[ESP_DK], a->k_stride, at[0], kv, j)[e] +=
                slope * row_of(x->at[ESP_Q], a->q_stride, at[0], at[1], at[2])[e];
        }
    }
}

/* The gradient is summed, so its rows begin with zeros; the gaps between rows stay as they are. */
static void zero_gradients(const esp_attention *a, const operands *x)
{
    for (int64_t b = 0; b < a->batch; b++) {
        for (int64_t h = 0; h < a->heads; h++)
            for (int64_t i = 0; i < a->s; i++)
                memset(row_of(x->at[ESP_DQ], a->q_stride, b, h, i), 0,
                       sizeof(double) * (size_t)a->e);
        for (int64_t h = 0; h < a->kv_heads; h++)
            for (int64_t j = 0; j < a->t; j++) {
                memset(row_of(x->at[ESP_DK], a->k_stride, b, h, j), 0,
                       sizeof(double) * (size_t)a->e);
                memset(row_of(x->at[ESP_DV], a->v_stride, b, h, j), 0,
                       sizeof(double) * (size_t)a->ev);
            }
    }
}

static void plain(const esp_attention *a, const operands *x)
{
    double *weight = calloc((size_t)a->t + 1, sizeof *weight);
    zero_gradients(a, x);
    int64_t at[3];
    for (at[0] = 0; at[0] < a->batch; at[0]++)
        for (at[1] = 0; at[1] < a->heads; at[1]++)
            for (at[2] = 0; at[2] < a->s; at[2]++) {
                x->at[ESP_LSE][(at[0] * a->heads + at[1]) * a->s + at[2]] = weigh(a, x, at, weight);
                plain_forward(a, x, at, weight);
                plain_backward(a, x, at, weight);
            }
    free(weight);
}

static void assert_near(const esp_attention *a, const operands *wanted, const operands *got,
                        double tolerance)
{
    (void)a;
    for (int i = ESP_O; i < ESP_ATTENTION_OPERANDS; i++)
        for (int64_t j = 0; j < wanted->count[i]; j++) {
            double w = wanted->at[i][j], g = got->at[i][j];
            if (w != g && !(fabs(w - g) <= tolerance * (1 + fabs(w))))
                fail_msg("operand %d, element %ld: %g, not %g", i, (long)j, g, w);
        }
}

static void run_f64(const esp_attention *a, operands *x, int threads)
{
    void *at[ESP_ATTENTION_OPERANDS];
    for (int i = 0; i < ESP_ATTENTION_OPERANDS; i++)
        at[i] = i == ESP_MASK ? (void *)x->mask : (void *)x->at[i];
    rt_attention_f64(a, threads, at);
    rt_attention_grad_f64(a, threads, at);
}

/* The same in f32: in and out of doubles that are floats. */
static void run_f32(const esp_attention *a, operands *x, int threads)
{
    void *at[ESP_ATTENTION_OPERANDS];
    for (int i = 0; i < ESP_ATTENTION_OPERANDS; i++) {
        float *narrow = calloc((size_t)x->count[i] + 1, sizeof *narrow);
        for (int64_t j = 0; j < x->count[i]; j++)
            narrow[j] = (float)x->at[i][j];
        at[i] = narrow;
    }
    void *unused = at[ESP_MASK];
    at[ESP_MASK] = x->mask;
    rt_attention_f32(a, threads, at);
    rt_attention_grad_f32(a, threads, at);
    at[ESP_MASK] = unused;
    for (int i = 0; i < ESP_ATTENTION_OPERANDS; i++) {
        for (int64_t j = 0; j < x->count[i]; j++)
            x->at[i][j] = (double)((float *)at[i])[j];
        free(at[i]);
    }
}

static void check(const row *r, int threads)
{
    esp_attention a = shape_of(r);
    operands wanted = make_operands(&a, r->masked);
    operands wide = make_operands(&a, r->masked), narrow = make_operands(&a, r->masked);
    plain(&a, &wanted);
    run_f64(&a, &wide, threads);
    assert_near(&a, &wanted, &wide, 1e-12);
    run_f32(&a, &narrow, threads);
    assert_near(&a, &wanted, &narrow, 1e-5);
    free_operands(&wanted);
    free_operands(&wide);
    free_operands(&narrow);
}

static void attention_is_right(void **state)
{
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        check(&rows[i], 1);
        check(&rows[i], 2);
    }
}

static void no_mask_is_a_mask_of_ones(void **state)
{
    (void)state;
    esp_attention a = shape_of(&rows[1]);
    operands with = make_operands(&a, 0), without = make_operands(&a, 0);
    run_f64(&a, &with, 1);
    free(without.mask);
    without.mask = NULL;
    run_f64(&a, &without, 1);
    assert_near(&a, &with, &without, 0);
    free_operands(&with);
    free_operands(&without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_is_right),
        cmocka_unit_test(no_mask_is_a_mask_of_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
