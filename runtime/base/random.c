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

typedef void (*block_fn)(const rt_philox_words *words, float values[4]);

static void uniform_block(const rt_philox_words *words, float values[4])
{
    for (int i = 0; i < 4; i++)
        values[i] = (float)(words->word[i] >> 8) * 0x1p-24f;
}

static void normal_block(const rt_philox_words *words, float values[4])
{
    for (int i = 0; i < 4; i += 2) {
        /* Half a step away from 0, so that the logarithm is finite. */
        double radius = sqrt(-2.0 * log(((double)words->word[i] + 0.5) * 0x1p-32));
        double angle = (double)words->word[i + 1] * (0x1p-32 * 6.283185307179586476925);
        values[i] = (float)(radius * cos(angle));
        values[i + 1] = (float)(radius * sin(angle));
    }
}

typedef struct stream_range {
    uint64_t seed, stream, first;
    size_t count;
} stream_range;

/* Whole blocks where the range covers them; the first and last may be cut. */
static void fill(stream_range r, block_fn make, float *values)
{
    for (size_t done = 0; done < r.count;) {
        uint64_t index = r.first + done;
        size_t skip = (size_t)(index % 4), take = 4 - skip;
        if (take > r.count - done)
            take = r.count - done;
        float block[4];
        rt_philox_words words = rt_random_block(r.seed, r.stream, index / 4);
        make(&words, block);
        memcpy(values + done, block + skip, take * sizeof *values);
        done += take;
    }
}

void rt_random_uniform(uint64_t seed, uint64_t stream, uint64_t first, float *values, size_t count)
{
    fill((stream_range){seed, stream, first, count}, uniform_block, values);
}

void rt_random_normal(uint64_t seed, uint64_t stream, uint64_t first, float *values, size_t count)
{
    fill((stream_range){seed, stream, first, count}, normal_block, values);
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
