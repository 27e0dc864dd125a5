/* cluster/synthesis.h: forests reach the bound exactly, and hold up to forest_check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cluster/bounds.h"
#include "support/link_shapes.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void assert_forest(arena *a, const link_graph *g, const forest *f)
{
    const char *wrong = forest_check(a, g, f);
    if (wrong)
        fail_msg("%s: %s", g->name, wrong);
}

/* All three collectives of a set of ranks at their bounds. Seconds for the all-reduce. */
static double assert_optimal(const link_graph *g, const int *ranks, int count)
{
    arena *a = arena_new();
    double begin = now();
    synthesis both = synthesis_all_reduce(a, g, ranks, count);
    double seconds = now() - begin;
    bound best = bound_all_reduce(a, g, ranks, count);
    assert_int_equal(both.status, SYNTHESIS_OK);
    assert_int_equal(rational_compare(both.rate, best.rate), 0);
    for (int p = 0; p < both.phase_count; p++)
        assert_forest(a, g, &both.phases[p]);
    synthesis gather = synthesis_all_gather(a, g, ranks, count);
    assert_int_equal(rational_compare(gather.rate, bound_all_gather(a, g, ranks, count).rate), 0);
    assert_forest(a, g, &gather.phases[0]);
    synthesis scatter = synthesis_reduce_scatter(a, g, ranks, count);
    bound scattered = bound_reduce_scatter(a, g, ranks, count);
    assert_int_equal(rational_compare(scatter.rate, scattered.rate), 0);
    assert_forest(a, g, &scatter.phases[0]);
    arena_free(a);
    return seconds;
}

static void report(const char *what, const link_graph *g, double seconds)
{
    arena *a = arena_new();
    int count = (int)g->devices.count;
    synthesis s = synthesis_all_reduce(a, g, shape_all(a, g), count);
    const forest *last = &s.phases[s.phase_count - 1];
    printf("    %-34s %4d ranks  %10.3f GB/s  %5d trees  depth %3d  %8.3f s\n", what, count,
           rational_value(s.rate) / 1e9, last->tree_count, forest_depth(last), seconds);
    arena_free(a);
}

static void check_whole(const char *what, const link_graph *g)
{
    arena *a = arena_new();
    report(what, g, assert_optimal(g, shape_all(a, g), (int)g->devices.count));
    arena_free(a);
}

static void check_subsets(link_graph *g)
{
    double slowest = 0;
    int most_trees = 0, most_packed = 0;
    for (unsigned mask = 1; mask < 256; mask++) {
        int ranks[8], count = shape_subset(g, mask, ranks);
        if (!shape_connected(g, ranks, count))
            continue;
        double seconds = assert_optimal(g, ranks, count);
        slowest = seconds > slowest ? seconds : slowest;
        arena *a = arena_new();
        synthesis gather = synthesis_all_gather(a, g, ranks, count);
        synthesis packing = synthesis_packing(a, g, ranks, count);
        most_trees =
            gather.phases[0].tree_count > most_trees ? gather.phases[0].tree_count : most_trees;
        most_packed =
            packing.phases[0].tree_count > most_packed ? packing.phases[0].tree_count : most_packed;
        arena_free(a);
    }
    printf("    %s: slowest subset %.4f s, at most %d packed trees, %d all-gather trees\n", g->name,
           slowest, most_packed, most_trees);
    assert_true(slowest < 1);
}

static void every_dgx1_subset_is_at_its_bound(void **state)
{
    (void)state;
    arena *a = arena_new();
    check_subsets(shape_dgx1p(a));
    check_subsets(shape_dgx1v(a));
    arena_free(a);
}

static void random_graphs_are_at_their_bounds(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 150; seed++) {
        arena *a = arena_new();
        int devices = 2 + (int)(seed % 7);
        link_graph *g = shape_random(a, seed, devices, (int)(seed % 5));
        assert_optimal(g, shape_all(a, g), devices);
        arena_free(a);
    }
}

static void machines_are_at_their_bounds(void **state)
{
    (void)state;
    arena *a = arena_new();
    const int64_t unequal[8] = {50 * SHAPE_GB, 0, 25 * SHAPE_GB, 0, 50 * SHAPE_GB, 0, 0,
                                25 * SHAPE_GB};
    const int slower[4] = {1, 2, 1, 5};
    check_whole("DGX-1P", shape_dgx1p(a));
    check_whole("DGX-1V", shape_dgx1v(a));
    check_whole("2 boxes of 8 A100", shape_plain_boxes(a, 2, 8, 300 * SHAPE_GB, 25 * SHAPE_GB));
    check_whole("4 boxes of 8 A100", shape_plain_boxes(a, 4, 8, 300 * SHAPE_GB, 25 * SHAPE_GB));
    check_whole("2 boxes of 8 H100", shape_plain_boxes(a, 2, 8, 450 * SHAPE_GB, 50 * SHAPE_GB));
    check_whole("4 boxes of 8 H100", shape_plain_boxes(a, 4, 8, 450 * SHAPE_GB, 50 * SHAPE_GB));
    check_whole("2 boxes, unequal NICs",
                shape_of_boxes(a, &(shape_boxes){2, 8, 300 * SHAPE_GB, unequal, NULL}));
    check_whole("4 boxes, unequal NICs, slow boxes",
                shape_of_boxes(a, &(shape_boxes){4, 8, 300 * SHAPE_GB, unequal, slower}));
    check_whole("MI250", shape_mi250(a, 1));
    check_whole("2 MI250 boxes", shape_mi250(a, 2));
    check_whole("4x4 torus", shape_torus(a, 4, 4, 1, 50 * SHAPE_GB));
    check_whole("3x5 torus", shape_torus(a, 3, 5, 1, 50 * SHAPE_GB));
    check_whole("3x3x3 torus", shape_torus(a, 3, 3, 3, 50 * SHAPE_GB));
    check_whole("fat tree 4x4, 2 spines, 2:1",
                shape_of_fat_tree(a, &(shape_fat_tree){4, 4, 2, 10 * SHAPE_GB, 10 * SHAPE_GB}));
    check_whole("fat tree 4x8, 2 spines, 4:1",
                shape_of_fat_tree(a, &(shape_fat_tree){4, 8, 2, 10 * SHAPE_GB, 10 * SHAPE_GB}));
    arena_free(a);
}

/* DGX-1V boxes whose GPUs share a PCIe switch and a NIC by twos: links, passages and a core at once. */
static link_graph *dgx1v_boxes(arena *a, int boxes)
{
    link_graph *one = shape_dgx1v(a), *g = link_graph_new(a, "dgx1v boxes");
    for (int i = 0; i < 8 * boxes; i++)
        link_graph_add_device(g, arena_format(a, "host[%d].g[%d]", i / 8, i % 8), SPAN_NONE);
    int core = link_graph_add_switch(g, "ib", SPAN_NONE);
    for (int first = 0; first < 8 * boxes; first += 8) {
        for (size_t i = 0; i < one->arcs.count; i++) {
            const link_arc *arc = &one->arcs.items[i];
            link_rate rate = {arc->bytes_per_second / arc->lanes, arc->seconds, arc->lanes};
            link_graph_add_arc(g, first + arc->from, first + arc->to, rate, SPAN_NONE);
        }
        for (int gpu = 0; gpu < 8; gpu += 2) {
            const int pair[2] = {first + gpu, first + gpu + 1};
            int bus =
                link_graph_add_switch_over(g, "pci", pair, 2, (link_rate){16 * SHAPE_GB, 1e-6, 1});
            link_graph_add_port(g, core, bus, (link_rate){12500000000, 2e-6, 1}, SPAN_NONE);
        }
    }
    return g;
}

static void any_subset_of_mixed_machines_is_at_its_bound(void **state)
{
    (void)state;
    arena *a = arena_new();
    check_whole("2 DGX-1V over PCIe and NICs", dgx1v_boxes(a, 2));
    check_whole("8 DGX-1V over PCIe and NICs", dgx1v_boxes(a, 8));
    link_graph *const machines[] = {dgx1v_boxes(a, 3), shape_mi250(a, 3),
                                    shape_torus(a, 4, 3, 2, SHAPE_GB),
                                    shape_plain_boxes(a, 4, 8, 300 * SHAPE_GB, 50 * SHAPE_GB),
                                    shape_of_fat_tree(a, &(shape_fat_tree){4, 6, 3, 9, 5})};
    unsigned state_of_random = 1;
    for (int round = 0; round < 40; round++) {
        const link_graph *g = machines[round % 5];
        int ranks[64], count = 0;
        for (size_t i = 0; i < g->devices.count; i++) {
            state_of_random = state_of_random * 1664525u + 1013904223u;
            if (state_of_random >> 16 & 1)
                ranks[count++] = g->devices.items[i];
        }
        arena *b = arena_new();
        synthesis s = synthesis_all_reduce(b, g, ranks, count);
        if (s.status == SYNTHESIS_DISCONNECTED)
            assert_int_equal(bound_all_reduce(b, g, ranks, count).status, SYNTHESIS_DISCONNECTED);
        else
            assert_optimal(g, ranks, count);
        arena_free(b);
    }
    arena_free(a);
}

static void assert_same_forest(const forest *x, const forest *y)
{
    assert_int_equal(x->tree_count, y->tree_count);
    assert_int_equal(x->route_count, y->route_count);
    for (int t = 0; t < x->tree_count; t++) {
        assert_int_equal(x->trees[t].root, y->trees[t].root);
        assert_int_equal(x->trees[t].weight, y->trees[t].weight);
        assert_memory_equal(x->trees[t].edges, y->trees[t].edges,
                            sizeof(tree_edge) * (size_t)(x->rank_count - 1));
    }
}

static void the_same_cluster_gives_the_same_trees(void **state)
{
    (void)state;
    arena *a = arena_new();
    const link_graph *const machines[] = {
        shape_dgx1v(a), shape_mi250(a, 8), dgx1v_boxes(a, 2),
        shape_plain_boxes(a, 4, 8, 450 * SHAPE_GB, 50 * SHAPE_GB)};
    for (int i = 0; i < 4; i++) {
        const link_graph *g = machines[i];
        arena *b = arena_new(), *c = arena_new();
        arena_alloc(c, 12345); /* other addresses */
        int count = (int)g->devices.count;
        synthesis x = synthesis_all_reduce(b, g, shape_all(a, g), count);
        synthesis y = synthesis_all_reduce(c, g, shape_all(a, g), count);
        for (int p = 0; p < x.phase_count; p++)
            assert_same_forest(&x.phases[p], &y.phases[p]);
        arena_free(b);
        arena_free(c);
    }
    arena_free(a);
}

static void one_rank_and_two_are_no_special_case(void **state)
{
    (void)state;
    arena *a = arena_new();
    link_graph *g = shape_dgx1v(a);
    const int alone = 5, apart[2] = {1, 4}, none_linked = 0;
    synthesis s = synthesis_all_reduce(a, g, &alone, 1);
    assert_int_equal(s.status, SYNTHESIS_OK);
    assert_true(rational_is_unbounded(s.rate));
    assert_int_equal(s.phases[0].tree_count, 0);
    assert_null(forest_check(a, g, &s.phases[0]));
    s = synthesis_all_reduce(a, g, apart, 2);
    assert_int_equal(s.status, SYNTHESIS_DISCONNECTED);
    assert_int_equal(s.unreached, 1);
    link_graph *bare = link_graph_new(a, "bare");
    link_graph_add_device(bare, "g", SPAN_NONE);
    assert_int_equal(synthesis_all_gather(a, bare, &none_linked, 1).status, SYNTHESIS_OK);
    arena_free(a);
}

/* Whatever the budget, the answer is the right one or none. */
static void work_ends_where_its_budget_does(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 60; seed++) {
        for (int64_t budget = 10; budget < 1000000; budget = budget * 2 + seed) {
            arena *a = arena_new();
            link_graph *g = shape_random(a, seed, 3 + (int)(seed % 9), (int)(seed % 4));
            int count = (int)g->devices.count;
            const int *ranks = shape_all(a, g);
            rational best = synthesis_all_reduce(a, g, ranks, count).rate;
            effort work = {.left = budget, .edges = INT64_MAX};
            g->work = &work;
            synthesis s = synthesis_all_reduce(a, g, ranks, count);
            assert_true(s.status == SYNTHESIS_OK || s.status == SYNTHESIS_EFFORT);
            if (s.status == SYNTHESIS_OK)
                assert_int_equal(rational_compare(s.rate, best), 0);
            arena_free(a);
        }
    }
}

static void trees_that_are_too_many_are_none(void **state)
{
    (void)state;
    arena *a = arena_new();
    effort work = {.left = INT64_MAX, .edges = 31 * 32};
    link_graph *g = shape_plain_boxes(a, 4, 8, 300 * SHAPE_GB, 25 * SHAPE_GB);
    g->work = &work;
    assert_int_equal(synthesis_all_reduce(a, g, shape_all(a, g), 32).status, SYNTHESIS_OK);
    work.edges--;
    assert_int_equal(synthesis_all_reduce(a, g, shape_all(a, g), 32).status, SYNTHESIS_LARGE);
    link_graph *v = shape_dgx1v(a);
    v->work = &work;
    work.edges = 8 * 7;
    assert_int_equal(synthesis_all_reduce(a, v, shape_all(a, v), 8).status, SYNTHESIS_OK);
    work.edges = 5 * 7;
    assert_int_equal(synthesis_all_reduce(a, v, shape_all(a, v), 8).status, SYNTHESIS_LARGE);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dgx1_subset_is_at_its_bound),
        cmocka_unit_test(random_graphs_are_at_their_bounds),
        cmocka_unit_test(machines_are_at_their_bounds),
        cmocka_unit_test(any_subset_of_mixed_machines_is_at_its_bound),
        cmocka_unit_test(the_same_cluster_gives_the_same_trees),
        cmocka_unit_test(one_rank_and_two_are_no_special_case),
        cmocka_unit_test(work_ends_where_its_budget_does),
        cmocka_unit_test(trees_that_are_too_many_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
