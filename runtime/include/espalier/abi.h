/* abi.h: what generated code and the runtime agree on; the one header of runtime/ that compiler/codegen includes.
 *
 * An executable holds generated functions, and the plan image: a JSON text that describes the rest (ranks, mesh, arena,
 * variables, inputs, data, collectives, places; docs/internals/plan-image.md). Its main is
 *
 *     int main(int argc, char **argv) { return esp_main(argc, argv, &image); }
 *
 * Every byte that a step touches lies in the rank's arena, at offsets fixed at compile time.
 */
#ifndef ESPALIER_ABI_H
#define ESPALIER_ABI_H

#include <stdint.h>

enum { ESP_ABI_VERSION = 1 };

typedef struct esp_context esp_context; /* a rank at run time; opaque to generated code */

/* Computes rows begin..end of a fused kernel. */
typedef void esp_kernel_fn(char *arena, esp_context *context, int64_t begin, int64_t end);

/* A whole function of the plan (`step`, `eval`) on one rank. */
typedef void esp_function_fn(char *arena, esp_context *context);

typedef struct esp_gemm {
    int64_t m, n, k;
    int64_t lda, ldb, ldc;
    int64_t batch; /* products; at least 1 */
    int64_t stride_a, stride_b, stride_c; /* between products, in elements; 0 repeats the operand */
    int32_t transpose_a, transpose_b;
    double alpha, beta;
    int32_t site;
} esp_gemm;

typedef struct esp_image {
    int32_t abi_version;
    int32_t function_count;
    const char *json;
    int64_t json_bytes;
    esp_function_fn *const *functions; /* in the order of the image's `functions` */
} esp_image;

#define ABI(result, name, parameters, llvm) result name parameters;
#include "espalier/abi.def"
#undef ABI

int esp_main(int argc, char **argv, const esp_image *image);

#endif
