/* window_body.h: convolutions and pools for one element type, included once for each.
 *
 * Before including: T the element type, NAME(x) the names to give, TILES() the product of that type.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "kernel/gemm_tiles.h"
#include "kernel/window.h"
#include "kernel/window_places.h"

enum {
    BLOCK = 32768,     /* elements of the matrix of inputs that are made at a time */
    BLOCK_DEPTH = 512, /* rows of it, at most */
    TASK_DEPTH = 64,   /* rows of it whose weights' gradients one thread sums */
    POSITIONS = 256    /* outputs of a pool at a time */
};

/* Rows first_row.. of the matrix of inputs, columns (output positions) first.. of it. */
typedef struct block {
    int64_t row, rows, first, count;
} block;

/* The first row from b->row on that is of the tap; the next is p->taps further. */
static int64_t first_row(const window_places *p, const block *b, int64_t tap)
{
    return b->row + (tap + p->taps - b->row % p->taps) % p->taps;
}

static void copy_run(const window_run *run, const T *from, T *to)
{
    for (int64_t i = 0; i < run->first; i++)
        to[i] = 0;
    if (run->step == 1)
        for (int64_t i = run->first; i < run->last; i++)
            to[i] = from[i - run->first];
    else
        for (int64_t i = run->first; i < run->last; i++)
            to[i] = from[(i - run->first) * run->step];
    for (int64_t i = run->last; i < run->count; i++)
        to[i] = 0;
}

/* Where a run lies is the same for all channels, so it is found once for them. */
static void gather(const window_places *p, const T *x, const block *b, T *matrix)
{
    for (int64_t tap = 0; tap < p->taps; tap++)
        for (int64_t done = 0; done < b->count;) {
            window_run run = window_run_of(p, tap, b->first + done, b->count - done);
            for (int64_t r = first_row(p, b, tap); r < b->row + b->rows; r += p->taps)
                copy_run(&run, x + r / p->taps * p->inputs + run.input,
                         matrix + (r - b->row) * b->count + done);
            done += run.count;
        }
}

static void scatter(const window_places *p, const T *matrix, const block *b, T *dx)
{
    for (int64_t tap = 0; tap < p->taps; tap++)
        for (int64_t done = 0; done < b->count;) {
            window_run run = window_run_of(p, tap, b->first + done, b->count - done);
            for (int64_t r = first_row(p, b, tap); r < b->row + b->rows; r += p->taps) {
                T *to = dx + r / p->taps * p->inputs + run.input;
                const T *from = matrix + (r - b->row) * b->count + done;
                for (int64_t i = run.first; i < run.last; i++)
                    to[(i - run.first) * run.step] += from[i];
            }
            done += run.count;
        }
}

static block block_at(const window_places *p, int64_t row, int64_t rows, int64_t first)
{
    block b = {.row = row, .first = first};
    b.rows = p->depth - row < rows ? p->depth - row : rows;
    int64_t most = BLOCK / (b.rows > 0 ? b.rows : 1);
    b.count = p->results - first < most ? p->results - first : most;
    return b;
}

/* y = w . inputs, one group of one sample. */
static void forward(const window_places *p, const T *x, const T *w, T *y)
{
    T matrix[BLOCK];
    for (int64_t row = 0; row < p->depth; row += BLOCK_DEPTH)
        for (block b = block_at(p, row, BLOCK_DEPTH, 0); b.first < p->results;
             b = block_at(p, row, BLOCK_DEPTH, b.first + b.count)) {
            gather(p, x, &b, matrix);
            TILES()
            (&(gemm_call){.m = p->out_group,
                          .n = b.count,
                          .k = b.rows,
                          .a = w + row,
                          .a_row = p->depth,
                          .a_column = 1,
                          .b = matrix,
                          .b_row = b.count,
                          .b_column = 1,
                          .c = y + b.first,
                          .c_row = p->results,
                          .alpha = 1,
                          .beta = row > 0});
        }
    if (p->depth == 0)
        memset(y, 0, (size_t)(p->out_group * p->results) * sizeof(T));
}

/* dx = the places of w^T . dy, one group of one sample. */
static void backward_data(const window_places *p, const T *dy, const T *w, T *dx)
{
    T matrix[BLOCK];
    memset(dx, 0, (size_t)(p->in_group * p->inputs) * sizeof(T));
    for (int64_t row = 0; row < p->depth; row += BLOCK_DEPTH)
        for (block b = block_at(p, row, BLOCK_DEPTH, 0); b.first < p->results;
             b = block_at(p, row, BLOCK_DEPTH, b.first + b.count)) {
            TILES()
            (&(gemm_call){.m = b.rows,
                          .n = b.count,
                          .k = p->out_group,
                          .a = w + row,
                          .a_row = 1,
                          .a_column = p->depth,
                          .b = dy + b.first,
                          .b_row = p->results,
                          .b_column = 1,
                          .c = matrix,
                          .c_row = b.count,
                          .alpha = 1,
                          .beta = 0});
            scatter(p, matrix, &b, dx);
        }
}

/* Rows row.. of dw += dy . inputs^T, one group of one sample. */
static void backward_weight(const window_places *p, const T *x, const T *dy, int64_t row, T *dw)
{
    T matrix[BLOCK];
    for (block b = block_at(p, row, TASK_DEPTH, 0); b.first < p->results;
         b = block_at(p, row, TASK_DEPTH, b.first + b.count)) {
        gather(p, x, &b, matrix);
        TILES()
        (&(gemm_call){.m = p->out_group,
                      .n = b.rows,
                      .k = b.count,
                      .a = dy + b.first,
                      .a_row = p->results,
                      .a_column = 1,
                      .b = matrix,
                      .b_row = 1,
                      .b_column = b.count,
                      .c = dw + row,
                      .c_row = p->depth,
                      .alpha = 1,
                      .beta = 1});
    }
}

static void convolve(const esp_window *s, int threads, const T *a, const T *b, T *c)
{
    window_places p = window_places_of(s);
    int64_t x_group = p.in_group * p.inputs, y_group = p.out_group * p.results;
    int64_t w_group = p.out_group * p.depth, tasks = s->batch * s->groups;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t task = 0; task < tasks; task++) {
        int64_t group = task % s->groups;
        if (s->op == ESP_CONV)
            forward(&p, a + task * x_group, b + group * w_group, c + task * y_group);
        else
            backward_data(&p, a + task * y_group, b + group * w_group, c + task * x_group);
    }
}

static void convolve_weight(const esp_window *s, int threads, const T *x, const T *dy, T *dw)
{
    window_places p = window_places_of(s);
    int64_t x_group = p.in_group * p.inputs, y_group = p.out_group * p.results;
    int64_t w_group = p.out_group * p.depth, blocks = (p.depth + TASK_DEPTH - 1) / TASK_DEPTH;
    memset(dw, 0, (size_t)(s->groups * w_group) * sizeof(T));
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t task = 0; task < s->groups * blocks; task++) {
        int64_t group = task % s->groups, row = task / s->groups * TASK_DEPTH;
        for (int64_t n = 0; n < s->batch; n++) {
            int64_t at = n * s->groups + group;
            backward_weight(&p, x + at * x_group, dy + at * y_group, row, dw + group * w_group);
        }
    }
}

/* The input's index with the largest value, the first of equals, for `count` outputs of a channel; -1: none. */
static void find_best(const window_places *p, const T *x, int64_t at, int64_t count, int64_t *best)
{
    for (int64_t i = 0; i < count; i++)
        best[i] = -1;
    for (int64_t tap = 0; tap < p->taps; tap++)
        for (int64_t done = 0; done < count;) {
            window_run run = window_run_of(p, tap, at + done, count - done);
            for (int64_t i = run.first; i < run.last; i++) {
                int64_t input = run.input + (i - run.first) * run.step;
                if (best[done + i] < 0 || x[input] > x[best[done + i]])
                    best[done + i] = input;
            }
            done += run.count;
        }
}

/* One channel of one sample. */
static void pool_max(const window_places *p, const T *x, const T *dy, T *out)
{
    int64_t best[POSITIONS];
    for (int64_t at = 0; at < p->results; at += POSITIONS) {
        int64_t count = p->results - at < POSITIONS ? p->results - at : POSITIONS;
        find_best(p, x, at, count, best);
        for (int64_t i = 0; i < count; i++)
            if (!dy)
                out[at + i] = best[i] < 0 ? (T)-INFINITY : x[best[i]];
            else if (best[i] >= 0)
                out[best[i]] += dy[at + i];
    }
}

static void pool_sum(const window_places *p, const T *x, const T *dy, T *out)
{
    for (int64_t tap = 0; tap < p->taps; tap++)
        for (int64_t at = 0; at < p->results;) {
            window_run run = window_run_of(p, tap, at, p->results - at);
            for (int64_t i = run.first; i < run.last; i++) {
                int64_t input = run.input + (i - run.first) * run.step;
                if (dy)
                    out[input] += dy[at + i];
                else
                    out[at + i] += x[input];
            }
            at += run.count;
        }
}

static void pool(const esp_window *s, int threads, const T *x, const T *dy, T *out)
{
    window_places p = window_places_of(s);
    bool gradient = s->op == ESP_MAX_POOL_GRAD || s->op == ESP_SUM_POOL_GRAD;
    bool max = s->op == ESP_MAX_POOL || s->op == ESP_MAX_POOL_GRAD;
    int64_t written = gradient ? p.inputs : p.results;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t channel = 0; channel < s->batch * s->in; channel++) {
        const T *from = x ? x + channel * p.inputs : NULL;
        const T *slope = gradient ? dy + channel * p.results : NULL;
        T *to = out + channel * written;
        memset(to, 0, (size_t)written * sizeof(T));
        (max ? pool_max : pool_sum)(&p, from, slope, to);
    }
}

void NAME(rt_window)(const esp_window *s, int threads, const T *a, const T *b, T *c)
{
    switch ((esp_window_op)s->op) {
    case ESP_CONV:
    case ESP_CONV_DATA:
        convolve(s, threads, a, b, c);
        break;
    case ESP_CONV_WEIGHT:
        convolve_weight(s, threads, a, b, c);
        break;
    default:
        pool(s, threads, a, b, c);
    }
}
