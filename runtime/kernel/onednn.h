/* onednn.h: what is taken from oneDNN; onednn.c alone includes its header and knows 2.x from 3.x. */
#ifndef ESPALIER_RUNTIME_KERNEL_ONEDNN_H
#define ESPALIER_RUNTIME_KERNEL_ONEDNN_H

#include "espalier/abi.h"

/* One product, by as many threads as OpenMP gives this thread. */
void rt_onednn_sgemm(const esp_gemm *shape, const float *a, const float *b, float *c);

#endif
