/* window.h: convolutions and pools and their gradients (abi.h says which operands each has).
 *
 * A convolution is a product with the matrix of the inputs under each output position (im2col), of which a block at a
 * time is made, in a buffer that fits the second-level cache; nothing else is allocated. Sums run in a fixed order for each
 * number of threads: forward and data by sample, weights by blocks of the window.
 */
#ifndef ESPALIER_RUNTIME_KERNEL_WINDOW_H
#define ESPALIER_RUNTIME_KERNEL_WINDOW_H

#include "espalier/abi.h"

void rt_window_f32(const esp_window *shape, int threads, const float *a, const float *b, float *c);
void rt_window_f64(const esp_window *shape, int threads, const double *a, const double *b,
                   double *c);

/* By the definition, for tests. */
void rt_window_f32_plain(const esp_window *shape, const float *a, const float *b, float *c);
void rt_window_f64_plain(const esp_window *shape, const double *a, const double *b, double *c);

#endif
