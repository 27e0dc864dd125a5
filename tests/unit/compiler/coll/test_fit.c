/* coll/fit.h: topologies laid onto links, against design.md's table and by counting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "coll/fit.h"
#include "support/blocks.h"
#include "support/coll_oracle.h"
#include "support/graphs.h"

/* The best rate of a topology over some devices; 0: the links cannot carry it. What comes out is proved. */
static double fitted(const blocks *t, const char *name, const link_graph *g, const int *nodes,
                     int count)
{
    coll_fault fault;
    int per_node = coll_ranks_per_node(g, nodes, count);
    coll_routes *routes = coll_routes_new(g, nodes, count, t->memory);
    coll_program *p = coll_fit(blocks_evaluate(t, name, count, per_node), routes, t->memory);
    if (!p)
        return 0;
    if (!coll_prove(p, &fault, t->memory))
        fail_msg("%s", fault.message);
    assert_true(coll_prove_links(p, routes, &fault, t->memory));
    if (count <= 8)
        assert_true(oracle_ranks_are_right(p, 1, 3));
    return coll_rate(p, routes);
}

static void assert_rate(double rate, double expected)
{
    if (fabs(rate - expected) > 1e-6 * expected)
        fail_msg("%.6g instead of %.6g", rate, expected);
}

static void rings_of_the_table(void **state)
{
    (void)state;
    static const struct {
        bool volta;
        unsigned set;
        double links; /* design.md */
    } rows[] = {{true, 0x13, 0},
                {true, 0x0f, 8.0 / 3},
                {true, 0x3f, 1.2},
                {true, 0xff, 24.0 / 7},
                {false, 0x7f, 7.0 / 6}};
    for (int i = 0; i < 5; i++) {
        blocks t = blocks_stdlib();
        int nodes[32], count;
        const link_graph *g = graph_dgx1(t.memory, rows[i].volta);
        assert_true(graph_connected(g, rows[i].set, nodes, &count));
        assert_rate(fitted(&t, "ring", g, nodes, count), rows[i].links * 25e9);
        arena_free(t.memory);
    }
}

static void subsets_without_a_ring(void **state)
{
    (void)state;
    for (int volta = 0; volta < 2; volta++) {
        int without = 0;
        for (unsigned set = 1; set < 256; set++) {
            blocks t = blocks_stdlib();
            int nodes[32], count;
            const link_graph *g = graph_dgx1(t.memory, volta);
            if (graph_connected(g, set, nodes, &count) && count >= 3)
                without += fitted(&t, "ring", g, nodes, count) == 0;
            arena_free(t.memory);
        }
        assert_int_equal(without, 104); /* design.md */
    }
}

static void other_topologies_are_renamed(void **state)
{
    (void)state;
    blocks t = blocks_stdlib();
    const link_graph *g = graph_dgx1(t.memory, true);
    const int all[] = {0, 1, 2, 3, 4, 5, 6, 7};
    assert_true(fitted(&t, "tree", g, all, 8) > 0);
    assert_true(fitted(&t, "halving", g, all, 8) > 0); /* a cube lies in the links */
    assert_rate(fitted(&t, "direct", g, all, 8), 0);
    assert_rate(fitted(&t, "server", g, all, 8), 0);
    assert_true(fitted(&t, "ring_all_gather", g, all, 8) > fitted(&t, "ring", g, all, 8) * 1.99);
    assert_rate(fitted(&t, "direct", g, all, 4),
                25e9 * 2); /* four GPUs are all linked, 0-2 by one link */
    arena_free(t.memory);
}

/* Devices named as clusters name them, so that nodes are known. */
static link_graph *two_hosts(arena *a)
{
    link_graph *g = link_graph_new(a, "two");
    int hosts[2][8], all[16];
    for (int h = 0; h < 2; h++)
        for (int i = 0; i < 8; i++)
            all[h * 8 + i] = hosts[h][i] =
                link_graph_add_device(g, arena_format(a, "host[%d].g[%d]", h, i), SPAN_NONE);
    for (int h = 0; h < 2; h++)
        link_graph_add_switch_over(g, arena_format(a, "host[%d].nvs", h), hosts[h], 8,
                                   (link_rate){300000000000, 1e-6, 1});
    link_graph_add_switch_over(g, "ib", all, 16, (link_rate){25000000000, 5e-6, 1});
    return g;
}

static void rings_use_every_nic(void **state)
{
    (void)state;
    blocks t = blocks_stdlib();
    const link_graph *g = two_hosts(t.memory);
    int nodes[16];
    for (int i = 0; i < 16; i++)
        nodes[i] = i;
    assert_int_equal(coll_ranks_per_node(g, nodes, 16), 8);
    assert_int_equal(coll_ranks_per_node(g, nodes, 12), 0);
    assert_int_equal(coll_ranks_per_node(g, nodes + 4, 8), 4);
    /* Eight rings, each over its own NIC: 8 * 25 GB/s, and 2 * 15/16 of the data crosses. */
    assert_rate(fitted(&t, "ring", g, nodes, 16), 200e9 * 16 / 30);
    /* Between nodes each GPU's eighth makes a ring of two: 25 GB/s carry 1/8 of the data. */
    assert_rate(fitted(&t, "hierarchical", g, nodes, 16), fmin(25e9 * 8, 300e9 * 8 / 14));
    arena_free(t.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rings_of_the_table),
        cmocka_unit_test(subsets_without_a_ring),
        cmocka_unit_test(other_topologies_are_renamed),
        cmocka_unit_test(rings_use_every_nic),
    };
    return cmocka_run_group_tests_name("coll fit", tests, NULL, NULL);
}
