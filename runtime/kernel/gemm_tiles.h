/* gemm_tiles.h: the inner loops of a product, one function for each element type and instruction set.
 *
 * Each computes c = alpha * a . b + beta * c of one product on the calling thread; any strides in elements.
 */
#ifndef ESPALIER_RUNTIME_KERNEL_GEMM_TILES_H
#define ESPALIER_RUNTIME_KERNEL_GEMM_TILES_H

#include <stdint.h>

typedef struct gemm_call {
    int64_t m, n, k;
    const void *a, *b;
    void *c;
    int64_t a_row, a_column, b_row, b_column, c_row;
    double alpha, beta;
} gemm_call;

typedef void gemm_tiles_fn(const gemm_call *call);

/* The ones for this processor. */
gemm_tiles_fn *gemm_tiles_f32(void);
gemm_tiles_fn *gemm_tiles_f64(void);

gemm_tiles_fn gemm_f32_base, gemm_f32_avx2, gemm_f32_avx512;
gemm_tiles_fn gemm_f64_base, gemm_f64_avx2, gemm_f64_avx512;

#endif
