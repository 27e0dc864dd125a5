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
    int64_t batch;                        /* products; at least 1 */
    int64_t stride_a, stride_b, stride_c; /* between products, in elements; 0 repeats the operand */
    int32_t transpose_a, transpose_b;
    double alpha, beta;
    int32_t site;
} esp_gemm;

/* Convolutions and pools over up to three spatial dimensions, last ones used: with `spatial` 2, size[0] is the height and
 * size[1] the width. x is [batch, in, size...], w [out, in / groups, window...], y [batch, out, result...], row-major and
 * dense; an output position o and a window position k meet at the input position o * stride - pad + k * dilation. */
typedef enum esp_window_op {
    ESP_CONV,        /* a = x, b = w, c = y */
    ESP_CONV_DATA,   /* a = dy, b = w, c = dx */
    ESP_CONV_WEIGHT, /* a = x, b = dy, c = dw */
    ESP_MAX_POOL, /* a = x, c = y; b is not read, and `out` is not used; -inf where a window sees no input */
    ESP_MAX_POOL_GRAD, /* a = x, b = dy, c = dx; the first of equal elements has it all */
    ESP_SUM_POOL,      /* as ESP_MAX_POOL */
    ESP_SUM_POOL_GRAD  /* a is not read, b = dy, c = dx */
} esp_window_op;

typedef struct esp_window {
    int32_t op; /* esp_window_op */
    int32_t spatial;
    int64_t batch, in, out, groups;
    int64_t size[3], result[3], window[3], stride[3], pad[3], dilation[3];
    int32_t site;
} esp_window;

/* Attention: o = softmax(scale * q . k^T) . v over the keys that a query sees, and lse = log sum exp of the scaled scores
 * (-inf, and o = 0, where it sees none). q is [batch, heads, s, e], k [batch, kv_heads, t, e], v [batch, kv_heads, t, ev],
 * o [batch, heads, s, ev], each by its strides with dense features; lse is [batch, heads, s], dense; heads / kv_heads
 * queries' heads share one of the keys'. Query i sees key j unless causal and j > i, or window > 0 and |i - j| >= window, or
 * the mask [batch, t] (bytes; 0: not seen) says so. do has o's strides, dq, dk, dv those of q, k, v.
 * `positioned`: query 0 stands at position p of the keys, so query i is p + i above, and keys from p + s on, which nobody has
 * written yet, are not seen. */
enum { ESP_STRIDE_BATCH, ESP_STRIDE_HEAD, ESP_STRIDE_ROW, ESP_STRIDES };

typedef struct esp_attention {
    int64_t batch, heads, kv_heads, s, t, e, ev;
    int64_t q_stride[ESP_STRIDES], k_stride[ESP_STRIDES]; /* in elements */
    int64_t v_stride[ESP_STRIDES], o_stride[ESP_STRIDES];
    int64_t mask_stride; /* from one batch's mask to the next; 0: all have the same */
    int64_t window;      /* 0: none */
    double scale;
    int32_t causal;
    int32_t positioned;
    int32_t site;
} esp_attention;

/* The operands of esp_attention_*, in this order; the forward pass has the first six. */
enum {
    ESP_Q,
    ESP_K,
    ESP_V,
    ESP_MASK, /* NULL: every key is seen */
    ESP_O,
    ESP_LSE,
    ESP_DO,
    ESP_DQ,
    ESP_DK,
    ESP_DV,
    ESP_ATTENTION_OPERANDS,
    ESP_POSITION = ESP_DO /* forward alone: p, an int32_t; read when `positioned` */
};

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
