/* bench_gemm: GFLOP/s of the two ways of an f32 product, own tiles and oneDNN, and of f64, over shapes. One thread unless
 * told otherwise: bench_gemm [THREADS]. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/gemm.h"
#include "transport/transport.h"

typedef void gemm_fn(const esp_gemm *s, int threads, const float *a, const float *b, float *c);

static double gflops(gemm_fn *gemm, const esp_gemm *s, int threads, float **room)
{
    double best = 0;
    for (int round = 0; round < 5; round++) {
        int64_t begin = rt_nanoseconds(), now = begin;
        int calls = 0;
        for (; now - begin < 20000000; now = rt_nanoseconds(), calls += 8)
            for (int i = 0; i < 8; i++)
                gemm(s, threads, room[0], room[1], room[2]);
        double rate = 2.0 * (double)(s->m * s->n * s->k) * calls / (double)(now - begin);
        best = rate > best ? rate : best;
    }
    return best;
}

static void f64(const esp_gemm *s, int threads, const float *a, const float *b, float *c)
{
    rt_gemm_f64(s, threads, (const double *)(const void *)a, (const double *)(const void *)b,
                (double *)(void *)c);
}

int main(int argc, char **argv)
{
    static const int64_t shapes[][4] = {
        {16, 128, 64, 0},   {64, 128, 16, 1},   {16, 64, 128, 2},   {16, 10, 64, 0},
        {64, 10, 16, 1},    {32, 32, 32, 0},    {64, 64, 64, 0},    {64, 128, 64, 0},
        {64, 64, 128, 2},   {96, 96, 96, 0},    {128, 128, 128, 0}, {128, 128, 128, 2},
        {128, 128, 128, 1}, {256, 256, 256, 0}, {512, 512, 512, 0}, {1024, 1024, 1024, 0}};
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    omp_set_num_threads(threads);
    float *room[3];
    for (int i = 0; i < 3; i++)
        room[i] = calloc(1024 * 1024 * 2, sizeof(float));
    printf("%16s %4s %10s %8s %8s %8s\n", "m n k", "op", "mul-adds", "tiled", "onednn", "f64");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int64_t *d = shapes[i];
        esp_gemm s = {.m = d[0], .n = d[1], .k = d[2], .batch = 1, .alpha = 1};
        s.transpose_a = d[3] & 1;
        s.transpose_b = d[3] >> 1 & 1;
        s.lda = s.transpose_a ? s.m : s.k;
        s.ldb = s.transpose_b ? s.k : s.n;
        s.ldc = s.n;
        printf("%5ld %5ld %4ld %c%c   %10ld %8.1f %8.1f %8.1f\n", (long)s.m, (long)s.n, (long)s.k,
               s.transpose_a ? 'T' : 'N', s.transpose_b ? 'T' : 'N', (long)(s.m * s.n * s.k),
               gflops(rt_gemm_f32_tiled, &s, threads, room),
               gflops(rt_gemm_f32_onednn, &s, threads, room), gflops(f64, &s, threads, room));
    }
    for (int i = 0; i < 3; i++)
        free(room[i]);
    return 0;
}
