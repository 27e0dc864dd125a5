/* How fast memory is read: the best of some passes over more than any cache holds. What decoding one id after another is
 * measured against, since each reads every parameter once (tests/bench/sample.sh).
 *
 *     bench_read [THREADS]          prints GB/s
 */
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { PASSES = 7 };

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    int64_t count = (int64_t)1 << 27;
    float *data = malloc((size_t)count * sizeof *data), total = 0;
    double best = 0;
    if (!data || threads < 1)
        return 1;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < count; i++)
        data[i] = (float)(i & 7);
    for (int pass = 0; pass < PASSES; pass++) {
        float sum = 0;
        double begin = omp_get_wtime();
#pragma omp parallel for simd num_threads(threads) schedule(static) reduction(+ : sum)
        for (int64_t i = 0; i < count; i++)
            sum += data[i];
        double rate = (double)count * sizeof *data / (omp_get_wtime() - begin) * 1e-9;
        best = rate > best ? rate : best;
        total += sum;
    }
    free(data);
    printf("%.2f\n", best);
    return total < 0;
}
