/* order.h: which sample stands at which position of the training stream, by arithmetic alone.
 *
 * The stream runs on across epochs: position k belongs to epoch k / N, and each epoch is a permutation of the N
 * samples keyed by (seed, epoch). Nothing is stored and nothing depends on the layout: a rank that owns rows
 * first .. first + count - 1 of the global batch of step s asks for positions s * batch + first and on, so that a batch
 * that straddles two epochs is no special case and no sample is dropped.
 *
 * The permutation is a generalised Feistel network on Z_a x Z_b with a * b just above N, walked until it falls below N
 * (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002): a bijection for any N, in O(1) memory.
 */
#ifndef ESPALIER_RUNTIME_ORDER_H
#define ESPALIER_RUNTIME_ORDER_H

#include <stdint.h>

/* Where `position` goes under the permutation of 0 .. count - 1 that the key names. Needs position < count and
 * count <= 2^62. */
uint64_t order_permute(uint64_t count, uint64_t key, uint64_t position);

/* The sample at a position of the stream over `count` > 0 samples. */
uint64_t order_sample(uint64_t seed, uint64_t count, uint64_t position);

/* A hold-out by share: samples 0 .. held - 1 of this permutation of all samples are held out, the rest train. It is a
 * function of the seed and the number of samples alone, so it is the same in every epoch, layout and run. */
uint64_t order_held_out(uint64_t seed, uint64_t count, uint64_t position);

#endif
