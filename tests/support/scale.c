#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <time.h>

#include "cluster/bounds.h"
#include "support/link_shapes.h"
#include "support/scale.h"

/* Processor time of this thread: the machine may have other work. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void scale_check(const char *what, arena *a, const link_graph *g)
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
}
