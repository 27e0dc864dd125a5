/* cluster/synthesis.h on the largest machines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <time.h>

#include "cluster/bounds.h"
#include "support/link_shapes.h"

/* Processor time of this thread: the machine may have other work. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(const char *what, arena *a, const link_graph *g, double limit)
{
    int count = (int)g->devices.count, *ranks = shape_all(a, g);
    double begin = now();
    bound best = bound_all_reduce(a, g, ranks, count);
    synthesis s = synthesis_all_reduce(a, g, ranks, count);
    double seconds = now() - begin;
    const forest *last = &s.phases[s.phase_count - 1];
    printf("    %-36s %4d ranks  %9.3f GB/s  %5d trees  depth %3d  %7.3f s\n", what, count,
           rational_value(s.rate) / 1e9, last->tree_count, forest_depth(last), seconds);
    assert_int_equal(s.status, SYNTHESIS_OK);
    assert_int_equal(rational_compare(s.rate, best.rate), 0);
    for (int p = 0; p < s.phase_count; p++)
        assert_null(forest_check(a, g, &s.phases[p]));
    assert_true(seconds < limit);
}

static void unequal_1024_gpus(void **state)
{
    (void)state;
    const int64_t unequal[8] = {50 * SHAPE_GB, 0, 25 * SHAPE_GB, 0, 50 * SHAPE_GB, 0, 0,
                                25 * SHAPE_GB};
    const int64_t plain[8] = {25 * SHAPE_GB, 25 * SHAPE_GB, 25 * SHAPE_GB, 25 * SHAPE_GB,
                              25 * SHAPE_GB, 25 * SHAPE_GB, 25 * SHAPE_GB, 25 * SHAPE_GB};
    int slower[128];
    for (int box = 0; box < 128; box++)
        slower[box] = box % 3 == 2 ? 2 : 1;
    arena *a = arena_new();
    check("128 boxes, unequal NICs", a,
          shape_of_boxes(a, &(shape_boxes){128, 8, 300 * SHAPE_GB, unequal, NULL}), 20);
    arena_free(a);
    a = arena_new();
    check("128 boxes, slower boxes", a,
          shape_of_boxes(a, &(shape_boxes){128, 8, 300 * SHAPE_GB, plain, slower}), 20);
    arena_free(a);
    a = arena_new();
    check("128 MI250 boxes", a, shape_mi250(a, 128), 20);
    arena_free(a);
}

static void tori_of_1024(void **state)
{
    (void)state;
    arena *a = arena_new();
    check("16x8x8 torus", a, shape_torus(a, 16, 8, 8, 50 * SHAPE_GB), 20);
    check("32x32 torus", a, shape_torus(a, 32, 32, 1, 50 * SHAPE_GB), 20);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unequal_1024_gpus),
        cmocka_unit_test(tori_of_1024),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
