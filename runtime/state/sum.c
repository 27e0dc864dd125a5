/* The checksum of a tensor, as a sum over parts. */
#include <string.h>

#include "base/random.h"
#include "state/safetensors.h"

/* A word that is written in parts must give the same sum as the whole: each byte counts by itself. So the sum is over
 * bytes in effect, but eight at once: of byte b at place p the term is b * key(p / 8) << 8 (p % 8), and a whole word w
 * gives w * key(p / 8), which is the sum of its bytes' terms modulo 2^64. The key is odd, so that a change of any one bit
 * changes the sum. */
static uint64_t key_of(uint64_t word)
{
    return rt_mix64(word + 0x9E3779B97F4A7C15u) | 1;
}

static uint64_t part_of_word(const uint8_t *bytes, uint64_t place, uint64_t count)
{
    uint64_t value = 0;
    for (uint64_t i = 0; i < count; i++)
        value |= (uint64_t)bytes[i] << (8 * ((place + i) % 8));
    return value * key_of(place / 8);
}

uint64_t safetensors_sum(const uint8_t *bytes, uint64_t offset, uint64_t size)
{
    uint64_t sum = 0, done = 0;
    if (offset % 8 && size) {
        done = 8 - offset % 8 < size ? 8 - offset % 8 : size;
        sum = part_of_word(bytes, offset, done);
    }
    for (; size - done >= 8; done += 8) {
        uint64_t word;
        memcpy(&word, bytes + done, 8); /* hosts are little endian, as the files are */
        sum += word * key_of((offset + done) / 8);
    }
    return done < size ? sum + part_of_word(bytes + done, offset + done, size - done) : sum;
}
