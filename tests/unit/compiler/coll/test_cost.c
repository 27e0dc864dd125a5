/* coll/cost.h against the simulator, and what `auto` takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "coll/cost.h"
#include "coll/fit.h"
#include "coll/forest.h"
#include "coll/simulate.h"
#include "support/blocks.h"
#include "support/graphs.h"

static const char *const names[] = {"ring", "tree", "double_tree", "halving", "direct", "server"};

static coll_routes *routes_of(arena *a, const link_graph *g, int ranks)
{
    int *nodes = arena_array(a, int, ranks);
    for (int i = 0; i < ranks; i++)
        nodes[i] = i;
    return coll_routes_new(g, nodes, ranks, a);
}

/* The model is the simulator's time for one piece, and near it for many. */
static void the_model_follows_the_simulator(void **state)
{
    (void)state;
    for (int ranks = 2; ranks <= 12; ranks++) {
        blocks t = blocks_stdlib();
        const link_graph *graphs[] = {
            graph_complete(t.memory, ranks, (link_rate){10000000000, 2e-6, 1}),
            graph_star(t.memory, ranks, (link_rate){10000000000, 2e-6, 1})};
        for (int k = 0; k < 2; k++) {
            coll_routes *routes = routes_of(t.memory, graphs[k], ranks);
            for (int i = 0; i < 6; i++) {
                coll_program *p = blocks_evaluate(&t, names[i], ranks, 0);
                coll_cost cost = coll_cost_of(p, routes, t.memory);
                for (double bytes = 64; bytes < 1e10; bytes *= 64) {
                    int pieces = 0;
                    double seconds = coll_cost_seconds(&cost, bytes, &pieces);
                    if (pieces > 256)
                        continue;
                    double simulated =
                        coll_simulate(p, routes, (coll_load){.bytes = bytes, .pieces = pieces})
                            .seconds;
                    if (seconds < simulated * 0.6 || seconds > simulated * 1.6)
                        fail_msg("%s, %d ranks, %g bytes, %d pieces: %g, simulated %g", names[i],
                                 ranks, bytes, pieces, seconds, simulated);
                }
            }
        }
        arena_free(t.memory);
    }
}

static void little_data_takes_few_steps_and_much_the_rate(void **state)
{
    (void)state;
    blocks t = blocks_stdlib();
    coll_routes *routes =
        routes_of(t.memory, graph_star(t.memory, 16, (link_rate){10000000000, 2e-6, 1}), 16);
    coll_cost costs[6];
    for (int i = 0; i < 6; i++)
        costs[i] = coll_cost_of(blocks_evaluate(&t, names[i], 16, 0), routes, t.memory);
    assert_int_equal(coll_cheapest(costs, 6, 1), 4); /* direct: two steps, all links at once */
    assert_int_equal(coll_cheapest(costs, 3, 1),
                     2); /* of ring and trees: as few steps as tree, half the bytes */
    coll_crossovers over = coll_crossovers_of(costs, 3, 1, 1e11, t.memory);
    assert_true(over.count >= 2);
    assert_int_equal(over.items[0].cheapest, 2);
    for (size_t i = 1; i < over.count; i++) {
        assert_true(over.items[i].bytes > over.items[i - 1].bytes);
        assert_int_not_equal(over.items[i].cheapest, over.items[i - 1].cheapest);
        assert_int_equal(coll_cheapest(costs, 3, over.items[i].bytes * 1.0001),
                         over.items[i].cheapest);
        assert_int_equal(coll_cheapest(costs, 3, over.items[i].bytes * 0.998),
                         over.items[i - 1].cheapest);
    }
    arena_free(t.memory);
}

/* On a part of a DGX-1 without a good ring, trees win where there is much data. */
static void trees_win_where_rings_waste_links(void **state)
{
    (void)state;
    blocks t = blocks_stdlib();
    const link_graph *g = graph_dgx1(t.memory, true);
    const int nodes[] = {0, 1, 2, 3, 4, 5};
    coll_routes *routes = coll_routes_new(g, nodes, 6, t.memory);
    synthesis s = synthesis_all_reduce(t.memory, g, nodes, 6);
    coll_program *trees = coll_program_of_synthesis(&s, COLL_ALL_REDUCE, g, t.memory);
    coll_program *ring = coll_fit(blocks_evaluate(&t, "ring", 6, 0), routes, t.memory);
    coll_cost costs[] = {coll_cost_of(ring, routes, t.memory),
                         coll_cost_of(trees, routes, t.memory)};
    assert_int_equal(coll_cheapest(costs, 2, 1e9), 1);
    double gain =
        coll_cost_seconds(&costs[0], 1e12, NULL) / coll_cost_seconds(&costs[1], 1e12, NULL);
    assert_true(fabs(gain / (2.5 / 1.2) - 1) < 0.02); /* design.md: 2.5 against 1.2 links */
    arena_free(t.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_model_follows_the_simulator),
        cmocka_unit_test(little_data_takes_few_steps_and_much_the_rate),
        cmocka_unit_test(trees_win_where_rings_waste_links),
    };
    return cmocka_run_group_tests_name("coll cost", tests, NULL, NULL);
}
