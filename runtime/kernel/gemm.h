/* gemm.h: products of matrices, row-major: c[m, n] = alpha * op(a)[m, k] . op(b)[k, n] + beta * c.
 *
 * op(a) is a, stored m by lda, or its transpose, stored k by lda. With beta 0, c is not read. A batch is a number of such
 * products at fixed distances. Empty products are legal: with k = 0, c becomes beta * c.
 *
 * f32 products go to oneDNN unless they are so small that the call costs more than the sums; f64 products, which oneDNN
 * does not have, are always computed here. Which of the two takes a shape depends on the shape and the processor alone,
 * so that a plan gives the same bits in every run.
 */
#ifndef ESPALIER_RUNTIME_KERNEL_GEMM_H
#define ESPALIER_RUNTIME_KERNEL_GEMM_H

#include <stdbool.h>

#include "espalier/abi.h"

void rt_gemm_f32(const esp_gemm *shape, int threads, const float *a, const float *b, float *c);
void rt_gemm_f64(const esp_gemm *shape, int threads, const double *a, const double *b, double *c);

/* The two ways of an f32 product, for tests and timing. */
void rt_gemm_f32_tiled(const esp_gemm *shape, int threads, const float *a, const float *b,
                       float *c);
void rt_gemm_f32_onednn(const esp_gemm *shape, int threads, const float *a, const float *b,
                        float *c);

/* The plain loops that tests compare with. */
void rt_gemm_f32_plain(const esp_gemm *shape, const float *a, const float *b, float *c);
void rt_gemm_f64_plain(const esp_gemm *shape, const double *a, const double *b, double *c);

#endif
