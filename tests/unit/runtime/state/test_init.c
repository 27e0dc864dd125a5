/* base/slice.h and state/init.h: a slice walks what it should, and no layout changes a bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "state/init.h"

enum { A = 5, B = 7, C = 6 };

/* Each value of a slice, by the definition. */
static void assert_walk(const rt_slice *slice)
{
    uint64_t expected_local = 0, index[3];
    rt_slice_walk walk = rt_slice_walk_of(slice);
    rt_slice_run run = {0};
    for (index[0] = 0; index[0] < slice->size[0]; index[0]++)
        for (index[1] = 0; index[1] < slice->size[1]; index[1]++)
            for (index[2] = 0; index[2] < slice->size[2]; index[2]++) {
                if (expected_local == run.local + run.count)
                    assert_true(rt_slice_next(&walk, &run));
                uint64_t logical =
                    ((slice->begin[0] + index[0]) * B + slice->begin[1] + index[1]) * C +
                    slice->begin[2] + index[2];
                assert_true(run.logical + (expected_local - run.local) == logical);
                expected_local++;
            }
    assert_true(expected_local == rt_slice_count(slice));
    assert_false(rt_slice_next(&walk, &run));
}

static void a_walk_visits_each_value_once(void **state)
{
    (void)state;
    uint32_t bits = 1;
    for (int i = 0; i < 3000; i++) {
        rt_slice slice = {.rank = 3, .shape = {A, B, C}};
        for (int d = 0; d < 3; d++) {
            bits = bits * 1664525u + 1013904223u;
            slice.begin[d] = (bits >> 24) % (slice.shape[d] + 1);
            slice.size[d] = (bits >> 16 & 255) % (slice.shape[d] - slice.begin[d] + 1);
            if (bits >> 8 & 1) {
                slice.begin[d] = 0;
                slice.size[d] = slice.shape[d];
            }
        }
        assert_int_equal(rt_slice_check(&slice, NULL), RT_OK);
        assert_walk(&slice);
    }
}

static void slices_outside_are_refused(void **state)
{
    (void)state;
    rt_slice beyond = {.rank = 1, .shape = {4}, .begin = {3}, .size = {2}};
    assert_int_equal(rt_slice_check(&beyond, NULL), RT_INVALID);
    rt_slice wraps = {.rank = 1, .shape = {4}, .begin = {3}, .size = {UINT64_MAX}};
    assert_int_equal(rt_slice_check(&wraps, NULL), RT_INVALID);
    rt_slice overflows = {.rank = 2, .shape = {UINT64_C(1) << 40, UINT64_C(1) << 40}};
    assert_int_equal(rt_slice_check(&overflows, NULL), RT_INVALID);
    rt_slice deep = {.rank = 9};
    assert_int_equal(rt_slice_check(&deep, NULL), RT_INVALID);
    rt_slice scalar = {.rank = 0};
    assert_int_equal(rt_slice_check(&scalar, NULL), RT_OK);
    assert_true(rt_slice_count(&scalar) == 1);
    rt_slice_walk walk = rt_slice_walk_of(&scalar);
    rt_slice_run run;
    assert_true(rt_slice_next(&walk, &run));
    assert_true(run.count == 1);
    assert_false(rt_slice_next(&walk, &run));
}

static const init_spec specs[] = {{INIT_CONSTANT, 1, 0},
                                  {INIT_NORMAL, 0.5, 0.02},
                                  {INIT_UNIFORM, -0.25, 0.75},
                                  {INIT_TRUNCATED_NORMAL, 1, 3}};

static void no_layout_changes_a_bit(void **state)
{
    (void)state;
    const uint64_t shape[] = {A, B, C};
    float whole[A * B * C], part[A * B * C];
    rt_slice all = rt_slice_whole(3, shape);
    for (size_t s = 0; s < sizeof specs / sizeof *specs; s++) {
        assert_int_equal(init_fill(&specs[s], &(init_target){"w", 9, &all}, whole, NULL), RT_OK);
        for (int dimension = 0; dimension < 3; dimension++)
            for (uint64_t begin = 0; begin < shape[dimension]; begin++)
                for (uint64_t size = 1; begin + size <= shape[dimension]; size++) {
                    rt_slice slice = all;
                    slice.begin[dimension] = begin;
                    slice.size[dimension] = size;
                    assert_int_equal(
                        init_fill(&specs[s], &(init_target){"w", 9, &slice}, part, NULL), RT_OK);
                    rt_slice_walk walk = rt_slice_walk_of(&slice);
                    for (rt_slice_run run; rt_slice_next(&walk, &run);)
                        assert_memory_equal(part + run.local, whole + run.logical,
                                            run.count * sizeof *part);
                }
    }
}

/* Bounds are six standard errors; the truncated normal's deviation is 0.8796 of the whole one's. */
static void values_follow_their_distribution(void **state)
{
    (void)state;
    enum { COUNT = 1 << 17 };
    static float values[COUNT];
    static const double means[] = {1, 0.5, 0.25, 1},
                        deviations[] = {0, 0.02, 0.288675, 3 * 0.879626};
    rt_slice slice = rt_slice_whole(1, (const uint64_t[]){COUNT});
    for (size_t s = 0; s < sizeof specs / sizeof *specs; s++) {
        assert_int_equal(init_fill(&specs[s], &(init_target){"p.q", 1, &slice}, values, NULL),
                         RT_OK);
        double sum = 0, squares = 0;
        for (int i = 0; i < COUNT; i++) {
            double x = (double)values[i];
            sum += x - means[s];
            squares += (x - means[s]) * (x - means[s]);
            if (specs[s].kind == INIT_UNIFORM)
                assert_true(x >= -0.25 && x <= 0.75);
            if (specs[s].kind == INIT_TRUNCATED_NORMAL)
                assert_true(fabs(x - 1) <= 6);
        }
        double error = 6 * deviations[s] / sqrt((double)COUNT);
        assert_true(fabs(sum / COUNT) <= error);
        assert_true(fabs(sqrt(squares / COUNT) - deviations[s]) <= error);
    }
}

static void paths_and_seeds_differ(void **state)
{
    (void)state;
    float a[8], b[8], c[8];
    rt_slice slice = rt_slice_whole(1, (const uint64_t[]){8});
    init_fill(&specs[1], &(init_target){"a", 1, &slice}, a, NULL);
    init_fill(&specs[1], &(init_target){"b", 1, &slice}, b, NULL);
    init_fill(&specs[1], &(init_target){"a", 2, &slice}, c, NULL);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    float value;
    rt_slice slice = rt_slice_whole(1, (const uint64_t[]){1});
    static const init_spec wrong[] = {{INIT_NORMAL, 0, -1},
                                      {INIT_UNIFORM, 1, 0},
                                      {INIT_CONSTANT, 1e39, 0},
                                      {INIT_NORMAL, NAN, 1},
                                      {INIT_KIND_COUNT, 0, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        rt_error error;
        assert_int_equal(
            init_fill(&wrong[i], &(init_target){"the.path", 1, &slice}, &value, &error),
            RT_INVALID);
        assert_non_null(strstr(error.text, "'the.path'"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_walk_visits_each_value_once),
        cmocka_unit_test(slices_outside_are_refused),
        cmocka_unit_test(no_layout_changes_a_bit),
        cmocka_unit_test(values_follow_their_distribution),
        cmocka_unit_test(paths_and_seeds_differ),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
