#include "coll/combine.h"

#include <assert.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "topo/cpu.h"

typedef void add_fn(void *own, const void *received, int64_t count);

/* One loop, compiled for each instruction set; the build's own flags are the baseline of x86-64. */
#define ADD_LOOP(T)                                                                                \
    T *restrict a = own;                                                                           \
    const T *restrict b = received;                                                                \
    for (int64_t i = 0; i < count; i++)                                                            \
        a[i] += b[i];

#define ADD_FUNCTION(name, T, attributes)                                                          \
    attributes static void name(void *own, const void *received, int64_t count)                    \
    {                                                                                              \
        ADD_LOOP(T)                                                                                \
    }

ADD_FUNCTION(add_f32, float, )
ADD_FUNCTION(add_f64, double, )
ADD_FUNCTION(add_i32, uint32_t, ) /* wraps, as the hardware does */
#if defined(__x86_64__)
ADD_FUNCTION(add_f32_avx2, float, __attribute__((target("avx2"))))
ADD_FUNCTION(add_f64_avx2, double, __attribute__((target("avx2"))))
ADD_FUNCTION(add_i32_avx2, uint32_t, __attribute__((target("avx2"))))
#endif

static float widened(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

static uint16_t narrowed(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7fffffff) > 0x7f800000) /* rounding could carry a NaN into infinity */
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static void add_bf16(void *own, const void *received, int64_t count)
{
    uint16_t *a = own;
    const uint16_t *b = received;
    for (int64_t i = 0; i < count; i++)
        a[i] = narrowed(widened(a[i]) + widened(b[i]));
}

static add_fn *const plain[RT_TYPE_COUNT] = {[RT_TYPE_F32] = add_f32,
                                             [RT_TYPE_F64] = add_f64,
                                             [RT_TYPE_BF16] = add_bf16,
                                             [RT_TYPE_I32] = add_i32};
#if defined(__x86_64__)
static add_fn *const wide[RT_TYPE_COUNT] = {[RT_TYPE_F32] = add_f32_avx2,
                                            [RT_TYPE_F64] = add_f64_avx2,
                                            [RT_TYPE_BF16] = add_bf16,
                                            [RT_TYPE_I32] = add_i32_avx2};
#else
#define wide plain
#endif

bool rt_combine_can_add(rt_type type)
{
    return plain[type] != NULL;
}

void rt_combine_add(rt_type type, void *own, const void *received, int64_t count)
{
    add_fn *add = rt_cpu_level() >= RT_CPU_V3 ? wide[type] : plain[type];
    assert(add);
    add(own, received, count);
}

#if defined(__x86_64__)
/* Stores past the caches: what is written is not read again soon, and need not be fetched to be overwritten. */
__attribute__((target("avx2"))) static void copy_past_caches(char *own, const char *received,
                                                             size_t bytes)
{
    size_t head = (size_t)(-(uintptr_t)own) % sizeof(__m256i);
    if (head > bytes)
        head = bytes;
    memcpy(own, received, head);
    size_t at = head;
    for (; at + sizeof(__m256i) <= bytes; at += sizeof(__m256i))
        _mm256_stream_si256((__m256i *)(void *)(own + at),
                            _mm256_loadu_si256((const __m256i *)(const void *)(received + at)));
    memcpy(own + at, received + at, bytes - at);
    _mm_sfence(); /* the message that says so must not overtake them */
}
#endif

void rt_combine_copy(rt_type type, void *own, const void *received, int64_t count, bool large)
{
    size_t bytes = (size_t)count * rt_type_bytes(type);
    if (bytes == 0)
        return;
#if defined(__x86_64__)
    if (large && rt_cpu_level() >= RT_CPU_V3) {
        copy_past_caches(own, received, bytes);
        return;
    }
#endif
    memcpy(own, received, bytes);
}
