#include "kernel/gemm.h"

#include <stddef.h>

#include "kernel/gemm_tiles.h"
#include "kernel/onednn.h"
#include "topo/cpu.h"

enum {
    /* Multiply-adds below which a call of oneDNN costs more than its faster loops save, and those for which a second
     * thread is worth waking: from tests/bench/gemm. */
    TILED_BELOW = 150 * 1000,
    THREAD_WORTH = 200 * 1000
};

gemm_tiles_fn *gemm_tiles_f32(void)
{
#if defined(__x86_64__)
    if (rt_cpu_level() == RT_CPU_V4)
        return gemm_f32_avx512;
    if (rt_cpu_level() == RT_CPU_V3)
        return gemm_f32_avx2;
#endif
    return gemm_f32_base;
}

gemm_tiles_fn *gemm_tiles_f64(void)
{
#if defined(__x86_64__)
    if (rt_cpu_level() == RT_CPU_V4)
        return gemm_f64_avx512;
    if (rt_cpu_level() == RT_CPU_V3)
        return gemm_f64_avx2;
#endif
    return gemm_f64_base;
}

/* Product number `i` of the batch, its operands at a, b, c with elements of `width` bytes. */
static gemm_call call_of(const esp_gemm *s, int64_t i, size_t width, const void *operands[3])
{
    size_t a = (size_t)(i * s->stride_a) * width, b = (size_t)(i * s->stride_b) * width;
    size_t c = (size_t)(i * s->stride_c) * width;
    return (gemm_call){.m = s->m,
                       .n = s->n,
                       .k = s->k,
                       .a = (const char *)operands[0] + a,
                       .b = (const char *)operands[1] + b,
                       .c = (char *)(size_t)operands[2] + c,
                       .a_row = s->transpose_a ? 1 : s->lda,
                       .a_column = s->transpose_a ? s->lda : 1,
                       .b_row = s->transpose_b ? 1 : s->ldb,
                       .b_column = s->transpose_b ? s->ldb : 1,
                       .c_row = s->ldc,
                       .alpha = s->alpha,
                       .beta = s->beta};
}

/* Rows first..last of a product. */
static gemm_call rows_of(gemm_call call, int64_t first, int64_t last, size_t width)
{
    call.a = (const char *)call.a + (size_t)(first * call.a_row) * width;
    call.c = (char *)call.c + (size_t)(first * call.c_row) * width;
    call.m = last - first;
    return call;
}

static void run(const esp_gemm *s, int threads, gemm_tiles_fn *tiles, size_t width,
                const void *operands[3])
{
    int64_t work = s->m * s->n * s->k * s->batch;
    int64_t batch = s->batch;
    if (threads <= 1 || work < THREAD_WORTH) {
        for (int64_t i = 0; i < batch; i++) {
            gemm_call call = call_of(s, i, width, operands);
            tiles(&call);
        }
        return;
    }
    int64_t parts = batch >= threads ? 1 : threads; /* of the rows of each product */
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t task = 0; task < batch * parts; task++) {
        int64_t part = task % parts;
        gemm_call call = call_of(s, task / parts, width, operands);
        call = rows_of(call, s->m * part / parts, s->m * (part + 1) / parts, width);
        tiles(&call);
    }
}

void rt_gemm_f32_tiled(const esp_gemm *shape, int threads, const float *a, const float *b, float *c)
{
    run(shape, threads, gemm_tiles_f32(), sizeof(float), (const void *[]){a, b, c});
}

void rt_gemm_f32_onednn(const esp_gemm *s, int threads, const float *a, const float *b, float *c)
{
    (void)threads; /* oneDNN asks OpenMP, which the rank has told */
    for (int64_t i = 0; i < s->batch; i++)
        rt_onednn_sgemm(s, a + i * s->stride_a, b + i * s->stride_b, c + i * s->stride_c);
}

void rt_gemm_f32(const esp_gemm *s, int threads, const float *a, const float *b, float *c)
{
    if (s->m * s->n * s->k < TILED_BELOW)
        rt_gemm_f32_tiled(s, threads, a, b, c);
    else
        rt_gemm_f32_onednn(s, threads, a, b, c);
}

void rt_gemm_f64(const esp_gemm *shape, int threads, const double *a, const double *b, double *c)
{
    run(shape, threads, gemm_tiles_f64(), sizeof(double), (const void *[]){a, b, c});
}
