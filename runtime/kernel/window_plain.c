/* Convolutions and pools by the definition, for tests: every output position with every tap, one after another. */
#include <math.h>
#include <string.h>

#include "kernel/window.h"

/* A place: sample, group, channels in the group, output position and tap; and the elements that meet there. */
typedef struct place {
    int64_t x, w, y; /* x: -1 in the padding */
} place;

/* Input index within a channel; -1 in the padding. */
static int64_t input_at(const esp_window *s, int64_t position, int64_t tap)
{
    int64_t index = 0, unit = 1;
    for (int d = s->spatial - 1; d >= 0; d--) {
        int64_t o = position % s->result[d], k = tap % s->window[d];
        int64_t i = o * s->stride[d] - s->pad[d] + k * s->dilation[d];
        if (i < 0 || i >= s->size[d])
            return -1;
        index += i * unit;
        unit *= s->size[d];
        position /= s->result[d];
        tap /= s->window[d];
    }
    return index;
}

static int64_t product(const esp_window *s, const int64_t *sizes)
{
    int64_t n = 1;
    for (int d = 0; d < s->spatial; d++)
        n *= sizes[d];
    return n;
}

static place place_of(const esp_window *s, int64_t number)
{
    int64_t taps = product(s, s->window), results = product(s, s->result);
    int64_t ci = s->in / s->groups, co = s->out / s->groups;
    int64_t tap = number % taps, i = number / taps % ci, at = number / taps / ci % results;
    int64_t o = number / taps / ci / results % s->out, n = number / taps / ci / results / s->out;
    int64_t input = input_at(s, at, tap);
    return (place){
        .x = input < 0 ? -1 : (n * s->in + o / co * ci + i) * product(s, s->size) + input,
        .w = (o * ci + i) * taps + tap,
        .y = (n * s->out + o) * results + at,
    };
}

#define PLAIN(name, T)                                                                             \
    static void name##_conv(const esp_window *s, const T *a, const T *b, T *c)                     \
    {                                                                                              \
        int64_t y = s->batch * s->out * product(s, s->result);                                     \
        int64_t x = s->batch * s->in * product(s, s->size);                                        \
        int64_t w = s->out * (s->in / s->groups) * product(s, s->window);                          \
        int64_t depth = s->in / s->groups * product(s, s->window);                                 \
        int64_t written = s->op == ESP_CONV ? y : s->op == ESP_CONV_DATA ? x : w;                  \
        memset(c, 0, sizeof(T) * (size_t)written);                                                 \
        for (int64_t i = 0; i < y * depth; i++) {                                                  \
            place p = place_of(s, i);                                                              \
            if (p.x < 0)                                                                           \
                continue;                                                                          \
            if (s->op == ESP_CONV)                                                                 \
                c[p.y] += a[p.x] * b[p.w];                                                         \
            else if (s->op == ESP_CONV_DATA)                                                       \
                c[p.x] += a[p.y] * b[p.w];                                                         \
            else                                                                                   \
                c[p.w] += a[p.x] * b[p.y];                                                         \
        }                                                                                          \
    }                                                                                              \
    static void name##_pool(const esp_window *s, const T *x, const T *dy, T *out)                  \
    {                                                                                              \
        int64_t results = product(s, s->result), inputs = product(s, s->size);                     \
        int max = s->op == ESP_MAX_POOL || s->op == ESP_MAX_POOL_GRAD;                             \
        int gradient = s->op == ESP_MAX_POOL_GRAD || s->op == ESP_SUM_POOL_GRAD;                   \
        memset(out, 0, sizeof(T) * (size_t)(s->batch * s->in * (gradient ? inputs : results)));    \
        for (int64_t at = 0; at < s->batch * s->in * results; at++) {                              \
            int64_t best = -1;                                                                     \
            for (int64_t tap = 0; tap < product(s, s->window); tap++) {                            \
                int64_t input = input_at(s, at % results, tap);                                    \
                if (input < 0)                                                                     \
                    continue;                                                                      \
                input += at / results * inputs;                                                    \
                if (max && (best < 0 || x[input] > x[best]))                                       \
                    best = input;                                                                  \
                if (s->op == ESP_SUM_POOL)                                                         \
                    out[at] += x[input];                                                           \
                if (s->op == ESP_SUM_POOL_GRAD)                                                    \
                    out[input] += dy[at];                                                          \
            }                                                                                      \
            if (s->op == ESP_MAX_POOL)                                                             \
                out[at] = best < 0 ? (T)-INFINITY : x[best];                                       \
            if (s->op == ESP_MAX_POOL_GRAD && best >= 0)                                           \
                out[best] += dy[at];                                                               \
        }                                                                                          \
    }                                                                                              \
    void name(const esp_window *s, const T *a, const T *b, T *c)                                   \
    {                                                                                              \
        if (s->op <= ESP_CONV_WEIGHT)                                                              \
            name##_conv(s, a, b, c);                                                               \
        else                                                                                       \
            name##_pool(s, a, b, c);                                                               \
    }

PLAIN(rt_window_f32_plain, float)
PLAIN(rt_window_f64_plain, double)
