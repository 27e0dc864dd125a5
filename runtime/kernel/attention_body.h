/* attention_body.h: attention for one element type, included once for each.
 *
 * Before including: T the element type, NAME(x) the names to give, TILES() the product of that type, EXP(x) for x <= 0 or a
 * little above, which gives 0 for minus infinity.
 */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "kernel/attention.h"
#include "kernel/gemm_tiles.h"

enum { QUERIES = 64, KEYS = 64 };

/* One head of one sample, and a block of its scores. */
typedef struct head {
    const esp_attention *s;
    const T *q, *k, *v;
    const uint8_t *mask;
    int64_t position; /* of query 0 among the keys */
    int64_t keys;     /* that there are */
    T *o, *lse;
    T *d_o, *dq, *dk, *dv; /* gradient alone */
} head;

typedef struct score_block {
    int64_t q, queries; /* first, count */
    int64_t k, keys;
    T score[QUERIES * KEYS]; /* [queries][keys] */
} score_block;

static T *place(void *const *operands, int which, const int64_t *stride, int64_t sample, int64_t at)
{
    T *base = operands[which];
    return base ? base + sample * stride[ESP_STRIDE_BATCH] + at * stride[ESP_STRIDE_HEAD] : NULL;
}

static head head_of(const esp_attention *s, void *const *operands, bool gradient, int64_t number)
{
    int64_t sample = number / s->heads, h = number % s->heads;
    int64_t kv = h / (s->heads / s->kv_heads);
    const uint8_t *mask = operands[ESP_MASK];
    head made = {.s = s,
                 .q = place(operands, ESP_Q, s->q_stride, sample, h),
                 .k = place(operands, ESP_K, s->k_stride, sample, kv),
                 .v = place(operands, ESP_V, s->v_stride, sample, kv),
                 .mask = mask ? mask + sample * s->mask_stride : NULL,
                 .keys = s->t,
                 .o = place(operands, ESP_O, s->o_stride, sample, h),
                 .lse = (T *)operands[ESP_LSE] + number * s->s};
    if (s->positioned) {
        made.position = *(const int32_t *)operands[ESP_POSITION];
        made.keys = made.position + s->s < s->t ? made.position + s->s : s->t;
    }
    if (gradient) {
        made.d_o = place(operands, ESP_DO, s->o_stride, sample, h);
        made.dq = place(operands, ESP_DQ, s->q_stride, sample, h);
        made.dk = place(operands, ESP_DK, s->k_stride, sample, kv);
        made.dv = place(operands, ESP_DV, s->v_stride, sample, kv);
    }
    return made;
}

/* Keys that query i may see, the mask aside: begin <= j < end. */
static int64_t keys_begin(const head *h, int64_t i)
{
    const esp_attention *s = h->s;
    i += h->position;
    return s->window > 0 && i - s->window + 1 > 0 ? i - s->window + 1 : 0;
}

static int64_t keys_end(const head *h, int64_t i)
{
    const esp_attention *s = h->s;
    int64_t end = h->keys;
    i += h->position;
    if (s->causal && i + 1 < end)
        end = i + 1;
    if (s->window > 0 && i + s->window < end)
        end = i + s->window;
    return end;
}

/* The scaled scores of a block, minus infinity where a query does not see a key. */
static void make_scores(const head *h, score_block *b)
{
    const esp_attention *s = h->s;
    int64_t q_row = s->q_stride[ESP_STRIDE_ROW], k_row = s->k_stride[ESP_STRIDE_ROW];
    TILES()
    (&(gemm_call){.m = b->queries,
                  .n = b->keys,
                  .k = s->e,
                  .a = h->q + b->q * q_row,
                  .a_row = q_row,
                  .a_column = 1,
                  .b = h->k + b->k * k_row,
                  .b_row = 1,
                  .b_column = k_row,
                  .c = b->score,
                  .c_row = KEYS,
                  .alpha = s->scale,
                  .beta = 0});
    for (int64_t i = 0; i < b->queries; i++) {
        int64_t begin = keys_begin(h, b->q + i) - b->k, end = keys_end(h, b->q + i) - b->k;
        T *row = b->score + i * KEYS;
        for (int64_t j = 0; j < b->keys; j++)
            if (j < begin || j >= end || (h->mask && !h->mask[b->k + j]))
                row[j] = (T)-INFINITY;
    }
}

/* Turns a row of scores into weights relative to the largest so far; scales what the row has summed before. */
static void soften_row(T *row, int64_t keys, T *largest, T *sum, T *o, int64_t ev)
{
    T most = *largest;
    for (int64_t j = 0; j < keys; j++)
        most = row[j] > most ? row[j] : most;
    if (most == (T)-INFINITY) {
        memset(row, 0, (size_t)keys * sizeof(T));
        return;
    }
    T before = EXP(*largest - most), here = 0;
    for (int64_t j = 0; j < keys; j++)
        row[j] = EXP(row[j] - most);
    for (int64_t j = 0; j < keys; j++)
        here += row[j];
    for (int64_t j = 0; j < ev && before != 1; j++)
        o[j] *= before;
    *sum = *sum * before + here;
    *largest = most;
}

static void begin_queries(const head *h, score_block *b, int64_t q)
{
    b->q = q;
    b->queries = h->s->s - q < QUERIES ? h->s->s - q : QUERIES;
}

static void begin_keys(const head *h, score_block *b, int64_t k, int64_t end)
{
    (void)h;
    b->k = k;
    b->keys = end - k < KEYS ? end - k : KEYS;
}

static void zero_rows(T *rows, int64_t count, int64_t stride, int64_t width)
{
    for (int64_t i = 0; i < count; i++)
        memset(rows + i * stride, 0, (size_t)width * sizeof(T));
}

/* o and lse of a block of queries. */
static void attend_block(const head *h, score_block *b)
{
    const esp_attention *s = h->s;
    int64_t o_row = s->o_stride[ESP_STRIDE_ROW], v_row = s->v_stride[ESP_STRIDE_ROW];
    T largest[QUERIES], sum[QUERIES], *o = h->o + b->q * o_row;
    for (int64_t i = 0; i < b->queries; i++) {
        largest[i] = (T)-INFINITY;
        sum[i] = 0;
    }
    zero_rows(o, b->queries, o_row, s->ev);
    int64_t end = keys_end(h, b->q + b->queries - 1);
    for (int64_t k = keys_begin(h, b->q); k < end; k += KEYS) {
        begin_keys(h, b, k, end);
        make_scores(h, b);
        for (int64_t i = 0; i < b->queries; i++)
            soften_row(b->score + i * KEYS, b->keys, &largest[i], &sum[i], o + i * o_row, s->ev);
        TILES()
        (&(gemm_call){.m = b->queries,
                      .n = s->ev,
                      .k = b->keys,
                      .a = b->score,
                      .a_row = KEYS,
                      .a_column = 1,
                      .b = h->v + k * v_row,
                      .b_row = v_row,
                      .b_column = 1,
                      .c = o,
                      .c_row = o_row,
                      .alpha = 1,
                      .beta = 1});
    }
    for (int64_t i = 0; i < b->queries; i++) {
        h->lse[b->q + i] = sum[i] > 0 ? largest[i] + (T)log((double)sum[i]) : (T)-INFINITY;
        for (int64_t j = 0; j < s->ev && sum[i] > 0; j++)
            o[i * o_row + j] /= sum[i];
    }
}

void NAME(rt_attention)(const esp_attention *s, int threads, void *const *operands)
{
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t number = 0; number < s->batch * s->heads; number++) {
        head h = head_of(s, operands, false, number);
        score_block block;
        for (int64_t q = 0; q < s->s; q += QUERIES) {
            begin_queries(&h, &block, q);
            attend_block(&h, &block);
        }
    }
}

/* Scores to weights, by the row's log-sum-exp. */
static void make_weights(const head *h, score_block *b)
{
    make_scores(h, b);
    for (int64_t i = 0; i < b->queries; i++) {
        T *row = b->score + i * KEYS, lse = h->lse[b->q + i];
        if (lse == (T)-INFINITY)
            memset(row, 0, (size_t)b->keys * sizeof(T));
        else
            for (int64_t j = 0; j < b->keys; j++)
                row[j] = EXP(row[j] - lse);
    }
}

/* The slope of the loss for the scores: weight * (do . v - do . o) * scale. */
static void make_slopes(const head *h, const score_block *b, const T *dot, T *slope)
{
    const esp_attention *s = h->s;
    int64_t o_row = s->o_stride[ESP_STRIDE_ROW], v_row = s->v_stride[ESP_STRIDE_ROW];
    TILES()
    (&(gemm_call){.m = b->queries,
                  .n = b->keys,
                  .k = s->ev,
                  .a = h->d_o + b->q * o_row,
                  .a_row = o_row,
                  .a_column = 1,
                  .b = h->v + b->k * v_row,
                  .b_row = 1,
                  .b_column = v_row,
                  .c = slope,
                  .c_row = KEYS,
                  .alpha = 1,
                  .beta = 0});
    for (int64_t i = 0; i < b->queries; i++)
        for (int64_t j = 0; j < b->keys; j++) {
            T *at = slope + i * KEYS + j;
            *at = b->score[i * KEYS + j] * (*at - dot[i]) * (T)s->scale;
        }
}

/* What a block of weights and slopes adds to dq, dk and dv. */
static void add_slopes(const head *h, const score_block *b, const T *slope)
{
    const esp_attention *s = h->s;
    int64_t q_row = s->q_stride[ESP_STRIDE_ROW], k_row = s->k_stride[ESP_STRIDE_ROW];
    int64_t o_row = s->o_stride[ESP_STRIDE_ROW], v_row = s->v_stride[ESP_STRIDE_ROW];
    gemm_call dv = {.m = b->keys,
                    .n = s->ev,
                    .k = b->queries,
                    .a = b->score,
                    .a_row = 1,
                    .a_column = KEYS,
                    .b = h->d_o + b->q * o_row,
                    .b_row = o_row,
                    .b_column = 1,
                    .c = h->dv + b->k * v_row,
                    .c_row = v_row,
                    .alpha = 1,
                    .beta = 1};
    gemm_call dk = {.m = b->keys,
                    .n = s->e,
                    .k = b->queries,
                    .a = slope,
                    .a_row = 1,
                    .a_column = KEYS,
                    .b = h->q + b->q * q_row,
                    .b_row = q_row,
                    .b_column = 1,
                    .c = h->dk + b->k * k_row,
                    .c_row = k_row,
                    .alpha = 1,
                    .beta = 1};
    gemm_call dq = {.m = b->queries,
                    .n = s->e,
                    .k = b->keys,
                    .a = slope,
                    .a_row = KEYS,
                    .a_column = 1,
                    .b = h->k + b->k * k_row,
                    .b_row = k_row,
                    .b_column = 1,
                    .c = h->dq + b->q * q_row,
                    .c_row = q_row,
                    .alpha = 1,
                    .beta = 1};
    TILES()(&dv);
    TILES()(&dk);
    TILES()(&dq);
}

static void attend_back(const head *h, score_block *b)
{
    const esp_attention *s = h->s;
    int64_t o_row = s->o_stride[ESP_STRIDE_ROW];
    T dot[QUERIES], slope[QUERIES * KEYS];
    for (int64_t i = 0; i < b->queries; i++) {
        dot[i] = 0;
        for (int64_t j = 0; j < s->ev; j++)
            dot[i] += h->d_o[(b->q + i) * o_row + j] * h->o[(b->q + i) * o_row + j];
    }
    int64_t end = keys_end(h, b->q + b->queries - 1);
    for (int64_t k = keys_begin(h, b->q); k < end; k += KEYS) {
        begin_keys(h, b, k, end);
        make_weights(h, b);
        make_slopes(h, b, dot, slope);
        add_slopes(h, b, slope);
    }
}

void NAME(rt_attention_grad)(const esp_attention *s, int threads, void *const *operands)
{
    int64_t shared =
        s->heads / s->kv_heads; /* heads that add to the same dk and dv: one thread's */
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t group = 0; group < s->batch * s->kv_heads; group++) {
        score_block block;
        for (int64_t i = 0; i < shared; i++) {
            head h = head_of(s, operands, true, group * shared + i);
            if (i == 0) {
                zero_rows(h.dk, s->t, s->k_stride[ESP_STRIDE_ROW], s->e);
                zero_rows(h.dv, s->t, s->v_stride[ESP_STRIDE_ROW], s->ev);
            }
            zero_rows(h.dq, s->s, s->q_stride[ESP_STRIDE_ROW], s->e);
            for (int64_t q = 0; q < s->s; q += QUERIES) {
                begin_queries(&h, &block, q);
                attend_back(&h, &block);
            }
        }
    }
}
