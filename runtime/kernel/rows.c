#include "kernel/rows.h"

void rt_rows_run(const rt_rows *r, int threads)
{
    int64_t grain = r->grain > 0 ? r->grain : 1;
    int64_t grains = (r->rows + grain - 1) / grain;
    if (grains < threads)
        threads = (int)grains;
    if (threads <= 1) {
        if (r->rows > 0)
            r->kernel(r->arena, r->context, 0, r->rows);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int t = 0; t < threads; t++) {
        int64_t begin = grains * t / threads * grain, end = grains * (t + 1) / threads * grain;
        r->kernel(r->arena, r->context, begin, end < r->rows ? end : r->rows);
    }
}
