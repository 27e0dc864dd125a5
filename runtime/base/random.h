/* random.h: random numbers by counter: value i of a stream is a function of (seed, stream, i) alone.
 *
 * So any rank can make any part of a tensor, in any order, and gets the bits that one rank alone would get.
 * The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011)
 * with the seed as key, and the counter made of the stream (its high half) and index / 4 (its low half): a block of
 * four words gives four values. Stream identifiers come from paths by rt_hash_text.
 *
 *     uint64_t stream = rt_hash_text("blocks.3.attn.w");
 *     rt_random_normal(seed, stream, first, values, count);   # values first .. first + count - 1
 */
#ifndef ESPALIER_RUNTIME_RANDOM_H
#define ESPALIER_RUNTIME_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct rt_philox_words {
    uint32_t word[4];
} rt_philox_words;

/* The bare generator: ten rounds on a counter with a key, words in the order of the paper. */
rt_philox_words rt_philox(const uint32_t counter[4], const uint32_t key[2]);

/* The block of four words of a stream. */
rt_philox_words rt_random_block(uint64_t seed, uint64_t stream, uint64_t block);

/* 32 random bits, value `index` of the stream. */
uint32_t rt_random_bits(uint64_t seed, uint64_t stream, uint64_t index);

/* Values first .. first + count - 1 of a stream, uniform in [0, 1), multiples of 2^-24. */
void rt_random_uniform(uint64_t seed, uint64_t stream, uint64_t first, float *values, size_t count);

/* Values of a stream from the standard normal distribution (Box and Muller 1958, in double, rounded once). No value
 * lies beyond 6.67, since a word has 32 bits. */
void rt_random_normal(uint64_t seed, uint64_t stream, uint64_t first, float *values, size_t count);

/* 64 bits of a text or of bytes: FNV-1a, then a finaliser so that texts that differ in one letter differ everywhere. */
uint64_t rt_hash_bytes(const void *bytes, size_t length);
uint64_t rt_hash_text(const char *text);

/* A bijection of 64 bits that mixes each input bit into each output bit (splitmix64's finaliser). */
uint64_t rt_mix64(uint64_t x);

#endif
