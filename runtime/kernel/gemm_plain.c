/* Products by the definition, for tests. */
#include "kernel/gemm.h"

#define PLAIN(name, T)                                                                             \
    static void name##_one(const esp_gemm *s, const T *a, const T *b, T *c)                        \
    {                                                                                              \
        for (int64_t i = 0; i < s->m; i++)                                                         \
            for (int64_t j = 0; j < s->n; j++) {                                                   \
                double sum = 0;                                                                    \
                for (int64_t p = 0; p < s->k; p++)                                                 \
                    sum += (double)a[s->transpose_a ? p * s->lda + i : i * s->lda + p] *           \
                           (double)b[s->transpose_b ? j * s->ldb + p : p * s->ldb + j];            \
                T *out = &c[i * s->ldc + j];                                                       \
                *out = (T)(s->alpha * sum + (s->beta == 0 ? 0 : s->beta * (double)*out));          \
            }                                                                                      \
    }                                                                                              \
    void name(const esp_gemm *s, const T *a, const T *b, T *c)                                     \
    {                                                                                              \
        for (int64_t i = 0; i < s->batch; i++)                                                     \
            name##_one(s, a + i * s->stride_a, b + i * s->stride_b, c + i * s->stride_c);          \
    }

PLAIN(rt_gemm_f32_plain, float)
PLAIN(rt_gemm_f64_plain, double)
