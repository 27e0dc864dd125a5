/* Attention in f32. */
#include <stdint.h>
#include <string.h>

/* exp(x) for x up to 80, within 2 units in the last place; 0 below -87. 2^n by the exponent's bits, e^r for |r| <= ln(2)/2 by
 * its Taylor polynomial of degree 7, whose next term is below 6e-9. No branch and no call, so that loops vectorise. */
static inline float exp_f32(float x)
{
    x = x > -88.0f ? x : -88.0f;
    float n = x * 1.44269504f + 12582912.0f; /* rounds to an integer in the low bits */
    int32_t bits;
    memcpy(&bits, &n, sizeof bits);
    n -= 12582912.0f;
    float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    int32_t power = (int32_t)((uint32_t)(bits + 127) << 23);
    float scale;
    memcpy(&scale, &power, sizeof scale);
    return x > -87.0f ? p * scale : 0.0f;
}

#define T float
#define NAME(x) x##_f32
#define TILES() gemm_tiles_f32()
#define EXP(x) exp_f32(x)

#include "kernel/attention_body.h"
