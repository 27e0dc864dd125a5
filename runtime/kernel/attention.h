/* attention.h: attention and its gradient (abi.h has the shapes and what each operand is).
 *
 * Scores are made a block of queries by a block of keys at a time, on the stack of the thread that needs them, so memory
 * does not grow with s x t; blocks that no query of the block sees are passed over. The forward pass is the running softmax of
 * Milakov and Gimelshein (2018); the gradient makes the weights again from lse (Dao et al., "FlashAttention", 2022). Sums run
 * in a fixed order whatever the number of threads.
 */
#ifndef ESPALIER_RUNTIME_KERNEL_ATTENTION_H
#define ESPALIER_RUNTIME_KERNEL_ATTENTION_H

#include "espalier/abi.h"

typedef void rt_attention_fn(const esp_attention *shape, int threads, void *const *operands);

rt_attention_fn rt_attention_f32, rt_attention_f64, rt_attention_grad_f32, rt_attention_grad_f64;

#endif
