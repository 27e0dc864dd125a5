/* Products against the definition: each transposition, odd sizes, leading dimensions, batches, alpha and beta. */
#include <setjmp.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/gemm.h"

enum { ROOM = 1 << 17 };

static const int64_t sizes[][3] = {{1, 1, 1},     {1, 1, 0},     {0, 5, 3},    {3, 0, 2},
                                   {2, 3, 4},     {5, 7, 3},     {6, 16, 9},   {7, 17, 33},
                                   {13, 31, 64},  {16, 128, 64}, {16, 10, 64}, {64, 10, 16},
                                   {128, 64, 16}, {1, 40, 300},  {250, 3, 7},  {33, 65, 520}};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Of no pattern, between -1 and 1, exact in f32. */
static double values(int64_t i)
{
    return (double)((uint32_t)i * 2654435761u >> 12) / (1 << 19) - 1;
}

static int64_t stored(int64_t rows, int64_t lead)
{
    return rows * lead;
}

static esp_gemm shape_of(const int64_t *size, int transposed, int gap, int batch)
{
    esp_gemm s = {.m = size[0], .n = size[1], .k = size[2], .batch = batch};
    s.transpose_a = transposed & 1;
    s.transpose_b = transposed >> 1;
    s.lda = (s.transpose_a ? s.m : s.k) + gap;
    s.ldb = (s.transpose_b ? s.k : s.n) + gap;
    s.ldc = s.n + gap;
    s.lda += s.lda == 0;
    s.ldb += s.ldb == 0;
    s.ldc += s.ldc == 0;
    s.stride_a = stored(s.transpose_a ? s.k : s.m, s.lda);
    s.stride_b = gap ? 0 : stored(s.transpose_b ? s.n : s.k, s.ldb);
    s.stride_c = stored(s.m, s.ldc);
    s.alpha = gap ? 0.5 : 1;
    s.beta = gap ? 0.25 : 0;
    return s;
}

/* c holds values where beta reads them, and NaN where it must not. */
#define CHECK(NAME, T, GEMM, PLAIN, TOLERANCE)                                                     \
    static void NAME(const esp_gemm *s, T *a, T *b, T *c, T *wanted)                               \
    {                                                                                              \
        int64_t count = s->stride_c * s->batch;                                                    \
        for (int64_t i = 0; i < ROOM; i++) {                                                       \
            a[i] = (T)values(i);                                                                   \
            b[i] = (T)values(i + 77);                                                              \
        }                                                                                          \
        for (int64_t i = 0; i < count + 1; i++)                                                    \
            c[i] = wanted[i] = s->beta == 0 ? (T)NAN : (T)values(i + 5);                           \
        GEMM;                                                                                      \
        PLAIN(s, a, b, wanted);                                                                    \
        for (int64_t i = 0; i < count + 1; i++)                                                    \
            if (!(isnan(c[i]) && isnan(wanted[i])))                                                \
                assert_true(fabs((double)(c[i] - wanted[i])) <= (TOLERANCE) * (4 + (double)s->k)); \
    }

static int threads = 1;
CHECK(check_tiled, float, rt_gemm_f32_tiled(s, threads, a, b, c), rt_gemm_f32_plain, 2e-6)
CHECK(check_onednn, float, rt_gemm_f32_onednn(s, threads, a, b, c), rt_gemm_f32_plain, 2e-6)
CHECK(check_double, double, rt_gemm_f64(s, threads, a, b, c), rt_gemm_f64_plain, 4e-15)

static void f32_is_right(void **state)
{
    (void)state;
    float *room[4];
    for (int i = 0; i < 4; i++)
        room[i] = malloc(sizeof(float) * ROOM);
    for (threads = 1; threads <= 3; threads += 2)
        for (int i = 0; i < SIZES; i++)
            for (int v = 0; v < 8; v++) {
                esp_gemm s = shape_of(sizes[i], v & 3, v & 4 ? 3 : 0, v & 4 ? 3 : 1);
                check_tiled(&s, room[0], room[1], room[2], room[3]);
                if (s.m > 0 && s.n > 0 && s.k > 0 && threads == 1)
                    check_onednn(&s, room[0], room[1], room[2], room[3]);
            }
    for (int i = 0; i < 4; i++)
        free(room[i]);
}

static void f64_is_right(void **state)
{
    (void)state;
    double *room[4];
    for (int i = 0; i < 4; i++)
        room[i] = malloc(sizeof(double) * ROOM);
    for (threads = 1; threads <= 3; threads += 2)
        for (int i = 0; i < SIZES; i++)
            for (int v = 0; v < 8; v++) {
                esp_gemm s = shape_of(sizes[i], v & 3, v & 4 ? 3 : 0, v & 4 ? 3 : 1);
                check_double(&s, room[0], room[1], room[2], room[3]);
            }
    for (int i = 0; i < 4; i++)
        free(room[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f32_is_right),
        cmocka_unit_test(f64_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
