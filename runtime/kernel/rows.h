/* rows.h: row kernels on a rank's threads. */
#ifndef ESPALIER_RUNTIME_KERNEL_ROWS_H
#define ESPALIER_RUNTIME_KERNEL_ROWS_H

#include "espalier/abi.h"

/* A fused kernel and what it is called with. */
typedef struct rt_rows {
    esp_kernel_fn *kernel;
    char *arena;
    esp_context *context;
    int64_t rows, grain; /* pieces begin at multiples of `grain` */
} rt_rows;

/* Runs kernel(begin, end) over all rows, cut into one piece a thread; with one thread it is a plain call. */
void rt_rows_run(const rt_rows *rows, int threads);

#endif
