#include "kernel/onednn.h"

#include <assert.h>
#include <dnnl.h>

void rt_onednn_sgemm(const esp_gemm *s, const float *a, const float *b, float *c)
{
    dnnl_status_t status =
        dnnl_sgemm(s->transpose_a ? 'T' : 'N', s->transpose_b ? 'T' : 'N', s->m, s->n, s->k,
                   (float)s->alpha, a, s->lda, b, s->ldb, (float)s->beta, c, s->ldc);
    assert(status == dnnl_success); /* the compiler gives legal shapes alone */
    (void)status;
}
