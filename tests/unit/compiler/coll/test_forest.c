/* Programs of synthesised trees: proved, run on numbers, timed against the bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "coll/forest.h"
#include "coll/simulate.h"
#include "support/coll_oracle.h"
#include "support/graphs.h"

static synthesis synthesise(arena *a, const link_graph *g, const int *nodes, int count,
                            coll_kind kind)
{
    switch (kind) {
    case COLL_ALL_REDUCE:
        return synthesis_all_reduce(a, g, nodes, count);
    case COLL_ALL_GATHER:
        return synthesis_all_gather(a, g, nodes, count);
    default:
        return synthesis_reduce_scatter(a, g, nodes, count);
    }
}

/* Proved, right on numbers, on links that exist, and at the rate that the synthesis promised. */
static void check_program(const link_graph *g, const int *nodes, int count, coll_kind kind)
{
    arena *a = arena_new();
    coll_fault fault;
    synthesis s = synthesise(a, g, nodes, count, kind);
    assert_int_equal(s.status, SYNTHESIS_OK);
    coll_program *p = coll_program_of_synthesis(&s, kind, g, a);
    coll_routes *routes = coll_routes_new(g, nodes, count, a);
    assert_non_null(p);
    assert_true(coll_prove(p, &fault, a));
    assert_true(coll_prove_links(p, routes, &fault, a));
    assert_true(oracle_steps_are_right(p, (uint64_t)count));
    assert_true(oracle_ranks_are_right(p, 2, (uint64_t)count));
    double promised = rational_value(s.rate), rate = coll_rate(p, routes);
    /* Two phases in turn share no time: together they load an arc by both. */
    assert_true(fabs(rate / promised - 1) < 1e-9 || (s.phase_count == 2 && rate > promised));
    arena_free(a);
}

static void connected_subsets_of_dgx1(void **state)
{
    (void)state;
    arena *a = arena_new();
    for (int volta = 0; volta < 2; volta++) {
        const link_graph *g = graph_dgx1(a, volta);
        int subsets = 0;
        for (unsigned set = 1; set < 256; set++) {
            int nodes[32], count;
            if (!graph_connected(g, set, nodes, &count) || count < 2)
                continue;
            subsets += count >= 3;
            for (coll_kind kind = COLL_ALL_REDUCE; kind <= COLL_ALL_GATHER; kind++)
                check_program(g, nodes, count, kind);
        }
        assert_int_equal(subsets, 181); /* design.md */
    }
    arena_free(a);
}

static void boxes_with_switches(void **state)
{
    (void)state;
    arena *a = arena_new();
    int nodes[32];
    for (int i = 0; i < 32; i++)
        nodes[i] = i;
    for (int boxes = 1; boxes <= 4; boxes *= 2)
        for (coll_kind kind = COLL_ALL_REDUCE; kind <= COLL_ALL_GATHER; kind++)
            check_program(graph_a100(a, boxes), nodes, boxes * 8, kind);
    arena_free(a);
}

/* With much data and many pieces the simulated time comes within 2 % of data size over the bound. */
static void check_time(const link_graph *g, const int *nodes, int count, coll_kind kind, int pieces)
{
    arena *a = arena_new();
    synthesis s = synthesise(a, g, nodes, count, kind);
    coll_program *p = coll_program_of_synthesis(&s, kind, g, a);
    coll_routes *routes = coll_routes_new(g, nodes, count, a);
    double bytes = 1e12, least = bytes / rational_value(s.rate);
    double seconds =
        coll_simulate(p, routes, (coll_load){.bytes = bytes, .pieces = pieces}).seconds;
    assert_true(seconds > least * (1 - 1e-9));
    assert_true(seconds < least * 1.02);
    arena_free(a);
}

static void much_data_takes_what_the_bound_says(void **state)
{
    (void)state;
    arena *a = arena_new();
    static const unsigned sets[] = {0x13, 0x0f, 0x3f, 0x7f, 0xff, 0x5d, 0xb7};
    for (int volta = 0; volta < 2; volta++) {
        const link_graph *g = graph_dgx1(a, volta);
        for (int i = 0; i < 7; i++) {
            int nodes[32], count;
            if (!graph_connected(g, sets[i], nodes, &count))
                continue;
            for (coll_kind kind = COLL_ALL_REDUCE; kind <= COLL_ALL_GATHER; kind++)
                check_time(g, nodes, count, kind, 512);
        }
    }
    int nodes[32];
    for (int i = 0; i < 32; i++)
        nodes[i] = i;
    check_time(graph_a100(a, 1), nodes, 8, COLL_ALL_REDUCE, 256);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connected_subsets_of_dgx1),
        cmocka_unit_test(boxes_with_switches),
        cmocka_unit_test(much_data_takes_what_the_bound_says),
    };
    return cmocka_run_group_tests_name("coll forest", tests, NULL, NULL);
}
