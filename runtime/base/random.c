#include "base/random.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 10 };

rt_philox_words rt_philox(const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)b;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return (rt_philox_words){{c0, c1, c2, c3}};
}

rt_philox_words rt_random_block(uint64_t seed, uint64_t stream, uint64_t block)
{
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream,
                                 (uint32_t)(stream >> 32)};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    return rt_philox(counter, key);
}

uint32_t rt_random_bits(uint64_t seed, uint64_t stream, uint64_t index)
{
    return rt_random_block(seed, stream, index / 4).word[index % 4];
}

/* Values are made this many at a time, so that the compiler can use vectors; a multiple of a block's four. */
enum { BATCH = 256 };

/* Makes `count` values, a multiple of four, of as many words. */
typedef void (*make_fn)(const uint32_t *words, float *values, size_t count);

static void make_uniform(const uint32_t *words, float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(words[i] >> 8) * 0x1p-24f;
}

/* The natural logarithm of x in (0, 1): x = m 2^e with m in [2/3, 4/3), and log m = 2 artanh((m - 1) / (m + 1)) by its
 * series, whose first term left out is below 1e-13. Without branches, where the C library's has some. */
static inline double logarithm(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint64_t exponent = (bits - 0x3FE5555555555555u) & 0xFFF0000000000000u; /* less that of 2/3 */
    bits -= exponent;
    /* e as a double without a conversion from 64 bits: put below the mantissa of 1.5 * 2^52. */
    uint64_t biased = ((exponent >> 52) ^ 0x800) + 0x4338000000000000u;
    double m, e;
    memcpy(&m, &bits, sizeof m);
    memcpy(&e, &biased, sizeof e);
    double s = (m - 1) / (m + 1), z = s * s;
    double series = 1.0 / 17;
    series = series * z + 1.0 / 15;
    series = series * z + 1.0 / 13;
    series = series * z + 1.0 / 11;
    series = series * z + 1.0 / 9;
    series = series * z + 1.0 / 7;
    series = series * z + 1.0 / 5;
    series = series * z + 1.0 / 3;
    series = series * z + 1.0;
    return (e - (0x1.8p52 + 2048)) * 0.693147180559945309417 + 2 * s * series;
}

/* Sine and cosine for |x| <= pi / 4 by their series. */
static inline double sine(double x, double z)
{
    double t = 1 - z * (1.0 / 210);
    t = 1 - z * (1.0 / 156) * t;
    t = 1 - z * (1.0 / 110) * t;
    t = 1 - z * (1.0 / 72) * t;
    t = 1 - z * (1.0 / 42) * t;
    t = 1 - z * (1.0 / 20) * t;
    return x * (1 - z * (1.0 / 6) * t);
}

static inline double cosine(double z)
{
    double t = 1 - z * (1.0 / 182);
    t = 1 - z * (1.0 / 132) * t;
    t = 1 - z * (1.0 / 90) * t;
    t = 1 - z * (1.0 / 56) * t;
    t = 1 - z * (1.0 / 30) * t;
    t = 1 - z * (1.0 / 12) * t;
    return 1 - z * (1.0 / 2) * t;
}

static void make_normal(const uint32_t *words, float *values, size_t count)
{
    for (size_t i = 0; i < count; i += 2) {
        /* Unsigned by way of signed, the only conversion that baseline processors have; half a step away from 0, so
         * that the logarithm is finite. */
        double uniform = ((double)(int32_t)(words[i] ^ 0x80000000u) + (0x1p31 + 0.5)) * 0x1p-32;
        double radius = sqrt(-2.0 * logarithm(uniform));
        /* A quarter of the angle, then the angle doubled twice. */
        double x = (double)(int32_t)words[i + 1] * (0x1p-34 * 6.283185307179586476925), z = x * x;
        double s = sine(x, z), s2 = 2 * s * cosine(z), c2 = 1 - 2 * s * s;
        values[i] = (float)(radius * (1 - 2 * s2 * s2));
        values[i + 1] = (float)(radius * (2 * s2 * c2));
    }
}

typedef struct stream_range {
    uint64_t seed, stream, first;
    size_t count;
} stream_range;

/* Whole blocks are made; of the first and the last some values may not be wanted. */
static void fill(stream_range r, make_fn make, float *values)
{
    uint32_t words[BATCH];
    float batch[BATCH];
    while (r.count) {
        size_t skip = (size_t)(r.first % 4), made = (skip + r.count + 3) / 4 * 4;
        if (made > BATCH)
            made = BATCH;
        for (size_t i = 0; i < made; i += 4) {
            rt_philox_words block = rt_random_block(r.seed, r.stream, r.first / 4 + i / 4);
            memcpy(words + i, block.word, sizeof block.word);
        }
        make(words, batch, made);
        size_t take = made - skip < r.count ? made - skip : r.count;
        memcpy(values, batch + skip, take * sizeof *values);
        values += take;
        r.first += take;
        r.count -= take;
    }
}

void rt_random_uniform(uint64_t seed, uint64_t stream, uint64_t first, float *values, size_t count)
{
    fill((stream_range){seed, stream, first, count}, make_uniform, values);
}

void rt_random_normal(uint64_t seed, uint64_t stream, uint64_t first, float *values, size_t count)
{
    fill((stream_range){seed, stream, first, count}, make_normal, values);
}

uint64_t rt_mix64(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

uint64_t rt_hash_bytes(const void *bytes, size_t length)
{
    const unsigned char *b = bytes;
    uint64_t hash = 0xCBF29CE484222325u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ b[i]) * 0x100000001B3u;
    return rt_mix64(hash);
}

uint64_t rt_hash_text(const char *text)
{
    return rt_hash_bytes(text, strlen(text));
}
