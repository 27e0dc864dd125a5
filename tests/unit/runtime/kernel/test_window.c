/* Convolutions, pools and their gradients against the definition: strides, padding, dilation, groups, one to three spatial
 * dimensions, one and several threads. Values are small whole numbers, so that every sum is exact in any order. */
#include <setjmp.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/window.h"

/* spatial, batch, in, out, groups, then for each dimension size, window, stride, pad, dilation */
typedef struct row {
    int spatial;
    int64_t batch, in, out, groups;
    int64_t dims[3][5];
} row;

static const row rows[] = {
    {2, 2, 3, 4, 1, {{8, 3, 1, 1, 1}, {8, 3, 1, 1, 1}}},
    {2, 1, 1, 1, 1, {{1, 1, 1, 0, 1}, {1, 1, 1, 0, 1}}},
    {2, 3, 4, 6, 2, {{7, 3, 2, 1, 1}, {9, 2, 3, 0, 1}}},
    {2, 2, 6, 6, 6, {{6, 3, 1, 2, 1}, {5, 3, 1, 1, 2}}},
    {2, 1, 2, 3, 1, {{5, 5, 1, 4, 1}, {4, 3, 2, 2, 2}}},
    {1, 2, 5, 7, 1, {{33, 4, 1, 3, 2}}},
    {1, 2, 70, 3, 1, {{40, 9, 2, 4, 1}}}, /* deeper than one block */
    {1, 1, 4, 2, 2, {{3, 5, 1, 1, 1}}},
    {3, 1, 2, 3, 1, {{4, 2, 1, 0, 1}, {5, 3, 2, 1, 1}, {6, 3, 1, 1, 2}}},
    {2, 1, 1, 2, 1, {{64, 3, 1, 1, 1}, {80, 3, 1, 1, 1}}}, /* more positions than one block */
    {2, 0, 3, 2, 1, {{4, 3, 1, 1, 1}, {4, 3, 1, 1, 1}}},
    {2, 2, 3, 3, 1, {{2, 2, 3, 2, 1}, {2, 2, 3, 2, 1}}}, /* windows that see padding alone */
};
enum { ROWS = sizeof rows / sizeof *rows };

static esp_window shape_of(const row *r, esp_window_op op)
{
    esp_window s = {.op = (int32_t)op,
                    .spatial = r->spatial,
                    .batch = r->batch,
                    .in = r->in,
                    .out = op < ESP_MAX_POOL ? r->out : r->in,
                    .groups = r->groups};
    for (int d = 0; d < r->spatial; d++) {
        const int64_t *v = r->dims[d];
        s.size[d] = v[0];
        s.window[d] = v[1];
        s.stride[d] = v[2];
        s.pad[d] = v[3];
        s.dilation[d] = v[4];
        int64_t room = v[0] + 2 * v[3] - v[4] * (v[1] - 1) - 1;
        s.result[d] = room < 0 ? 0 : room / v[2] + 1;
    }
    return s;
}

static int64_t volume(const esp_window *s, const int64_t *sizes)
{
    int64_t n = 1;
    for (int d = 0; d < s->spatial; d++)
        n *= sizes[d];
    return n;
}

static int number(int64_t i)
{
    return (int)((uint32_t)i * 2654435761u >> 20) % 7 - 3;
}

#define CHECK(name, T, OURS, PLAIN)                                                                \
    static T *name##_filled(int64_t count, int seed)                                               \
    {                                                                                              \
        T *values = malloc(sizeof(T) * (size_t)(count + 1));                                       \
        for (int64_t i = 0; i <= count; i++)                                                       \
            values[i] = (T)number(i * 3 + seed);                                                   \
        return values;                                                                             \
    }                                                                                              \
    static void name(const esp_window *s, int threads)                                             \
    {                                                                                              \
        int64_t x = s->batch * s->in * volume(s, s->size);                                         \
        int64_t y = s->batch * s->out * volume(s, s->result);                                      \
        int64_t w = s->out * (s->in / s->groups) * volume(s, s->window);                           \
        int64_t most = (x > y ? x : y) + w;                                                        \
        T *a = name##_filled(most, 1), *b = name##_filled(most, 2);                                \
        T *c = name##_filled(most, 3), *wanted = name##_filled(most, 3);                           \
        OURS(s, threads, a, b, c);                                                                 \
        PLAIN(s, a, b, wanted);                                                                    \
        for (int64_t i = 0; i <= most; i++)                                                        \
            assert_true(c[i] == wanted[i]);                                                        \
        free(a);                                                                                   \
        free(b);                                                                                   \
        free(c);                                                                                   \
        free(wanted);                                                                              \
    }

CHECK(check_f32, float, rt_window_f32, rt_window_f32_plain)
CHECK(check_f64, double, rt_window_f64, rt_window_f64_plain)

static void each_operator_is_right(void **state)
{
    (void)state;
    for (int i = 0; i < ROWS; i++)
        for (int op = ESP_CONV; op <= ESP_SUM_POOL_GRAD; op++)
            for (int threads = 1; threads <= 3; threads += 2) {
                esp_window s = shape_of(&rows[i], (esp_window_op)op);
                check_f32(&s, threads);
                check_f64(&s, threads);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_operator_is_right)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
