/* coll/simulate.h against closed forms on uniform graphs, and rates of topologies against design.md's table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "coll/sharing.h"
#include "coll/simulate.h"
#include "support/blocks.h"
#include "support/graphs.h"

static const double alpha = 2e-6, bandwidth = 10e9;

static coll_routes *routes_of(arena *a, const link_graph *g, int ranks)
{
    int *nodes = arena_array(a, int, ranks);
    for (int i = 0; i < ranks; i++)
        nodes[i] = i;
    return coll_routes_new(g, nodes, ranks, a);
}

static double time_of(const blocks *t, const char *name, int ranks, double bytes, int pieces)
{
    link_rate rate = {10000000000, alpha, 1};
    coll_program *p = blocks_evaluate(t, name, ranks, 0);
    coll_routes *routes = routes_of(t->memory, graph_complete(t->memory, ranks, rate), ranks);
    return coll_simulate(p, routes, (coll_load){.bytes = bytes, .pieces = pieces}).seconds;
}

static void assert_near(double value, double expected)
{
    if (fabs(value - expected) > 1e-9 * fabs(expected))
        fail_msg("%.12g instead of %.12g", value, expected);
}

static void one_piece_takes_the_closed_form(void **state)
{
    (void)state;
    for (int n = 2; n <= 64; n = n < 17 ? n + 1 : n * 2 - 2) {
        blocks t = blocks_stdlib();
        int levels = 31 - __builtin_clz((unsigned)n);
        for (double bytes = 0; bytes < 1e10; bytes = bytes * 1000 + 1000) {
            double beta = bytes / bandwidth;
            assert_near(time_of(&t, "ring", n, bytes, 1), 2 * (n - 1) * (alpha + beta / n));
            assert_near(time_of(&t, "tree", n, bytes, 1), 2 * levels * (alpha + beta));
            assert_near(time_of(&t, "direct", n, bytes, 1), 2 * (alpha + beta / n));
            assert_near(time_of(&t, "server", n, bytes, 1), 2 * (alpha + beta));
            assert_near(time_of(&t, "ring_all_gather", n, bytes, 1), (n - 1) * (alpha + beta / n));
            if (n == 1 << levels)
                assert_near(time_of(&t, "halving", n, bytes, 1),
                            2 * levels * alpha + 2 * beta * (n - 1) / n);
        }
        arena_free(t.memory);
    }
}

/* A chain of n-1 links and P pieces: the last piece starts after P-1 others and passes all links. */
static void pieces_follow_one_another(void **state)
{
    (void)state;
    blocks t = blocks_stdlib();
    for (int n = 2; n <= 12; n++) {
        for (int pieces = 1; pieces <= 200; pieces = pieces * 3 + 1) {
            double piece = alpha + 1e9 / bandwidth / pieces;
            assert_near(time_of(&t, "ring_broadcast", n, 1e9, pieces), (n - 2 + pieces) * piece);
        }
    }
    arena_free(t.memory);
}

/* The root's port of a switch carries the data of n-1 ranks one way, then the other. */
static void a_port_is_shared(void **state)
{
    (void)state;
    blocks t = blocks_stdlib();
    for (int n = 2; n <= 16; n++) {
        const link_graph *g = graph_star(t.memory, n, (link_rate){10000000000, alpha, 1});
        coll_routes *routes = routes_of(t.memory, g, n);
        coll_program *server = blocks_evaluate(&t, "server", n, 0),
                     *direct = blocks_evaluate(&t, "direct", n, 0);
        coll_load load = {.bytes = 1e9, .pieces = 1};
        assert_near(coll_simulate(server, routes, load).seconds,
                    2 * (alpha + (n - 1) * 1e9 / bandwidth));
        assert_near(coll_simulate(direct, routes, load).seconds,
                    2 * (alpha + (n - 1) * 1e9 / n / bandwidth));
        assert_near(coll_rate(server, routes), bandwidth / (n - 1));
        assert_near(coll_rate(direct, routes), bandwidth / 2 * n / (n - 1));
        assert_near(coll_rate(blocks_evaluate(&t, "ring", n, 0), routes),
                    bandwidth / 2 * n / (n - 1));
    }
    arena_free(t.memory);
}

/* Two flows share arc 0, one of them arc 1 with a third: 2/3 of arc 1's 3 stay for it when arc 0 is the tighter. */
static void shares_are_fair(void **state)
{
    (void)state;
    arena *a = arena_new();
    const double capacities[] = {2, 3};
    const int32_t both[] = {0, 1}, first[] = {0}, second[] = {1};
    sharing *s = sharing_new(a, capacities, 2);
    int x = sharing_add_flow(s, both, 2), y = sharing_add_flow(s, first, 1),
        z = sharing_add_flow(s, second, 1);
    sharing_start(s, x, 4);
    sharing_start(s, y, 1);
    sharing_start(s, z, 2);
    assert_near(sharing_settle(s), 1); /* x and y at 1 each, z at 2: y and z end */
    sharing_advance(s, 1);
    int done = sharing_next_done(s) + sharing_next_done(s);
    assert_int_equal(done, y + z);
    assert_int_equal(sharing_next_done(s), -1);
    assert_near(sharing_settle(s), 2.5); /* x alone at 2 */
    sharing_advance(s, 2.5);
    assert_int_equal(sharing_next_done(s), x);
    assert_true(isinf(sharing_settle(s)));
    arena_free(a);
}

static void big_programs_are_timed_quickly(void **state)
{
    (void)state;
    blocks t = blocks_stdlib();
    const link_graph *g = graph_a100(t.memory, 8);
    coll_routes *routes = routes_of(t.memory, g, 64);
    static const char *const names[] = {"ring", "tree", "double_tree", "halving", "server"};
    for (int i = 0; i < 5; i++) {
        coll_program *p = blocks_evaluate(&t, names[i], 64, 0);
        coll_fault fault;
        assert_true(coll_prove_links(p, routes, &fault, t.memory));
        double seconds = coll_simulate(p, routes, (coll_load){.bytes = 1e9, .pieces = 4}).seconds;
        assert_true(seconds >= 1e9 / coll_rate(p, routes) * (1 - 1e-9));
    }
    arena_free(t.memory);
}

static void what_links_do_not_join_is_refused(void **state)
{
    (void)state;
    blocks t = blocks_stdlib();
    const link_graph *g = graph_dgx1(t.memory, true);
    coll_fault fault;
    coll_program *ring = blocks_evaluate(&t, "ring", 8, 0);
    assert_false(coll_prove_links(ring, routes_of(t.memory, g, 8), &fault, t.memory));
    assert_int_equal(fault.code, E0341);
    assert_non_null(strstr(fault.message, "from 'g[3]' to 'g[4]'"));
    const int round[] = {
        0, 1, 2, 3, 7, 6, 5, 4}; /* a ring that the links form: 1 of them between 0-4, 1-2, 2-3.. */
    coll_routes *routes = coll_routes_new(g, round, 8, t.memory);
    assert_true(coll_prove_links(ring, routes, &fault, t.memory));
    assert_near(coll_rate(ring, routes), 25e9 * 8 / 14);
    arena_free(t.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_piece_takes_the_closed_form),
        cmocka_unit_test(pieces_follow_one_another),
        cmocka_unit_test(a_port_is_shared),
        cmocka_unit_test(shares_are_fair),
        cmocka_unit_test(big_programs_are_timed_quickly),
        cmocka_unit_test(what_links_do_not_join_is_refused),
    };
    return cmocka_run_group_tests_name("coll simulate", tests, NULL, NULL);
}
