/* data/order.h: permutations for every count, and no favourites among them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/order.h"

static void assert_permutation(uint64_t count, uint64_t key)
{
    static unsigned char seen[1 << 17];
    memset(seen, 0, (size_t)count);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t j = order_permute(count, key, i);
        assert_true(j < count);
        assert_int_equal(seen[j], 0);
        seen[j] = 1;
    }
}

static void every_count_gives_a_permutation(void **state)
{
    (void)state;
    for (uint64_t count = 1; count <= 2100; count++)
        assert_permutation(count, count * 31);
    static const uint64_t counts[] = {4095, 4096, 4097, 50000, 60000, 65535, 65536, 65537, 99991};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (uint64_t key = 0; key < 3; key++)
            assert_permutation(counts[i], key);
}

static void huge_counts_stay_in_range(void **state)
{
    (void)state;
    static const uint64_t counts[] = {UINT64_C(1) << 33, (UINT64_C(1) << 40) + 1,
                                      UINT64_C(1) << 62};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (uint64_t i = 0; i < 2000; i++) {
            assert_true(order_permute(counts[c], 5, i) < counts[c]);
            assert_true(order_permute(counts[c], 5, counts[c] - 1 - i) < counts[c]);
        }
}

/* Over many epochs each sample takes each position equally often: chi squared over count x count cells, within six
 * standard deviations of its mean. */
static void positions_are_balanced(void **state)
{
    (void)state;
    static const uint64_t counts[] = {2, 3, 4, 5, 6, 7, 8, 12, 16, 31};
    enum { EPOCHS = 10000 };
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        uint64_t n = counts[c];
        static double cells[32 * 32];
        memset(cells, 0, sizeof cells);
        for (uint64_t k = 0; k < n * EPOCHS; k++)
            cells[order_sample(42, n, k) * n + k % n]++;
        double expected = (double)EPOCHS / (double)n, chi = 0;
        for (uint64_t i = 0; i < n * n; i++)
            chi += (cells[i] - expected) * (cells[i] - expected) / expected;
        double freedom = (double)((n - 1) * (n - 1));
        assert_true(fabs(chi - freedom) < 6 * sqrt(2 * freedom));
    }
}

/* Neighbours in the order are no neighbours in the file: the mean distance of a random pair is count / 3. */
static void neighbours_are_scattered(void **state)
{
    (void)state;
    static const uint64_t counts[] = {100, 1797, 60000};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        uint64_t n = counts[c];
        double sum = 0;
        for (uint64_t k = 0; k + 1 < n; k++)
            sum += fabs((double)order_sample(1, n, k) - (double)order_sample(1, n, k + 1));
        double mean = sum / (double)(n - 1), third = (double)n / 3;
        assert_true(fabs(mean - third) < 6 * (double)n / sqrt(18.0 * (double)n));
    }
}

static void the_stream_drops_no_sample_across_epochs(void **state)
{
    (void)state;
    enum { COUNT = 10, EPOCHS = 7 };
    int uses[COUNT] = {0}, moved = 0;
    for (uint64_t k = 0; k < COUNT * EPOCHS; k++) {
        uses[order_sample(3, COUNT, k)]++;
        moved += order_sample(3, COUNT, k) != order_sample(3, COUNT, k % COUNT);
    }
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(uses[i], EPOCHS);
    assert_true(moved > COUNT); /* epochs differ */
    int same = 0;
    for (uint64_t k = 0; k < 100; k++)
        same += order_sample(3, 100, k) == order_sample(4, 100, k);
    assert_true(same < 20); /* seeds differ */
}

static void the_hold_out_is_one_set(void **state)
{
    (void)state;
    int uses[1797] = {0};
    for (uint64_t k = 0; k < 1797; k++)
        uses[order_held_out(7, 1797, k)]++;
    for (int i = 0; i < 1797; i++)
        assert_int_equal(uses[i], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_count_gives_a_permutation),
        cmocka_unit_test(huge_counts_stay_in_range),
        cmocka_unit_test(positions_are_balanced),
        cmocka_unit_test(neighbours_are_scattered),
        cmocka_unit_test(the_stream_drops_no_sample_across_epochs),
        cmocka_unit_test(the_hold_out_is_one_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
