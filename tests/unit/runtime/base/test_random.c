/* base/random.h: the generator against its authors' vectors, and what a stream promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/random.h"

/* The "philox4x32 10" lines of kat_vectors in the Random123 distribution. */
static void philox_gives_the_published_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], answer[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rt_philox_words words = rt_philox(cases[i].counter, cases[i].key);
        assert_memory_equal(words.word, cases[i].answer, sizeof words.word);
    }
}

static void a_stream_starts_anywhere(void **state)
{
    (void)state;
    enum { COUNT = 257 };
    float uniform[COUNT], normal[COUNT], part[COUNT];
    rt_random_uniform(7, 11, 0, uniform, COUNT);
    rt_random_normal(7, 11, 0, normal, COUNT);
    for (size_t first = 0; first < COUNT; first++)
        for (size_t count = 0; first + count <= COUNT; count += 1 + first % 3) {
            rt_random_uniform(7, 11, first, part, count);
            assert_memory_equal(part, uniform + first, count * sizeof *part);
            rt_random_normal(7, 11, first, part, count);
            assert_memory_equal(part, normal + first, count * sizeof *part);
        }
    for (uint64_t i = 0; i < COUNT; i++)
        assert_true(uniform[i] == (float)(rt_random_bits(7, 11, i) >> 8) * 0x1p-24f);
}

static void seeds_and_streams_differ(void **state)
{
    (void)state;
    float a[64], b[64], c[64];
    rt_random_uniform(1, 2, 0, a, 64);
    rt_random_uniform(2, 2, 0, b, 64);
    rt_random_uniform(1, 3, 0, c, 64);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
}

/* Bounds are five standard errors of a mean over COUNT values. */
static void moments_are_those_of_the_distributions(void **state)
{
    (void)state;
    enum { COUNT = 1 << 18 };
    static float values[COUNT];
    double sum = 0, squares = 0, fourth = 0;
    rt_random_normal(42, rt_hash_text("w"), 0, values, COUNT);
    for (int i = 0; i < COUNT; i++) {
        double x = (double)values[i];
        assert_true(fabs(x) < 6.67);
        sum += x;
        squares += x * x;
        fourth += x * x * x * x;
    }
    double error = 5 / sqrt((double)COUNT);
    assert_true(fabs(sum / COUNT) < error);
    assert_true(fabs(squares / COUNT - 1) < error * sqrt(2));
    assert_true(fabs(fourth / COUNT - 3) < error * sqrt(96));
    sum = 0;
    rt_random_uniform(42, rt_hash_text("w"), 0, values, COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_true(values[i] >= 0 && values[i] < 1);
        sum += (double)values[i];
    }
    assert_true(fabs(sum / COUNT - 0.5) < error * sqrt(1.0 / 12));
}

/* The definition, with the C library's functions: Box and Muller on words 2 i and 2 i + 1. */
static void normals_are_box_and_muller(void **state)
{
    (void)state;
    enum { COUNT = 1 << 16 };
    static float values[COUNT];
    rt_random_normal(3, 4, 0, values, COUNT);
    for (uint64_t i = 0; i < COUNT; i += 2) {
        double u = ((double)rt_random_bits(3, 4, i) + 0.5) * 0x1p-32;
        double radius = sqrt(-2 * log(u)),
               angle = (double)rt_random_bits(3, 4, i + 1) * (0x1p-32 * 6.283185307179586476925);
        double x = radius * cos(angle), y = radius * sin(angle);
        assert_true(fabs((double)values[i] - x) <=
                    6.1e-8 * fabs(x) + 1e-12); /* half a step of a float */
        assert_true(fabs((double)values[i + 1] - y) <= 6.1e-8 * fabs(y) + 1e-12);
    }
}

static void hashes_spread(void **state)
{
    (void)state;
    uint64_t hash[1000];
    for (int i = 0; i < 1000; i++) {
        char text[3] = {(char)('a' + i / 100), (char)('a' + i / 10 % 10), (char)('a' + i % 10)};
        hash[i] = rt_hash_bytes(text, 3);
        for (int j = 0; j < i; j++)
            assert_true(hash[i] != hash[j]);
    }
    assert_true(rt_hash_text("abc") == rt_hash_bytes("abc", 3));
    int flipped = __builtin_popcountll(rt_hash_text("layer.1.w") ^ rt_hash_text("layer.2.w"));
    assert_in_range(flipped, 12, 52);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_answers),
        cmocka_unit_test(a_stream_starts_anywhere),
        cmocka_unit_test(seeds_and_streams_differ),
        cmocka_unit_test(moments_are_those_of_the_distributions),
        cmocka_unit_test(normals_are_box_and_muller),
        cmocka_unit_test(hashes_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
