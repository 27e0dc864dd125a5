/* Synthesised programs on machines of many kinds: proved, on links that exist, at the promised rate; and, with much data,
 * in the simulator within 2 % of what the bound says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "coll/forest.h"
#include "coll/simulate.h"
#include "support/graphs.h"

static const link_rate hop = {50000000000, 1e-6, 1};

static link_graph *with_devices(arena *a, const char *name, int devices)
{
    link_graph *g = link_graph_new(a, name);
    for (int i = 0; i < devices; i++)
        link_graph_add_device(g, arena_format(a, "g[%d]", i), SPAN_NONE);
    return g;
}

static void add_switch(arena *a, link_graph *g, int first, int count, link_rate rate)
{
    int *nodes = arena_array(a, int, count);
    for (int i = 0; i < count; i++)
        nodes[i] = first + i;
    link_graph_add_switch_over(g, arena_format(a, "s%zu", g->nodes.count), nodes, count, rate);
}

/* A torus of x * y * z devices; a length of 2 has one link, not two. */
static link_graph *torus(arena *a, int x, int y, int z)
{
    link_graph *g = with_devices(a, arena_format(a, "torus %dx%dx%d", x, y, z), x * y * z);
    int size[3] = {x, y, z}, stride[3] = {1, x, x * y};
    for (int i = 0; i < x * y * z; i++)
        for (int d = 0; d < 3; d++) {
            int at = i / stride[d] % size[d], next = (at + 1) % size[d];
            if (next != at && !(size[d] == 2 && at == 1))
                link_graph_add_link(g, i, i + (next - at) * stride[d], hop, SPAN_NONE);
        }
    return g;
}

/* Two boxes of 8; the second's NICs are twice as fast. */
static link_graph *unequal_nics(arena *a)
{
    link_graph *g = with_devices(a, "unequal nics", 16);
    add_switch(a, g, 0, 8, (link_rate){450000000000, 1e-6, 1});
    add_switch(a, g, 8, 8, (link_rate){450000000000, 1e-6, 1});
    int hub = link_graph_add_switch(g, "ib", SPAN_NONE);
    for (int i = 0; i < 16; i++)
        link_graph_add_port(g, hub, i, (link_rate){i < 8 ? 25000000000 : 50000000000, 5e-6, 1},
                            SPAN_NONE);
    return g;
}

/* Four packages of two dies: four links inside, one or two between. */
static link_graph *mi250(arena *a)
{
    static const int links[][3] = {{0, 1, 4}, {2, 3, 4}, {4, 5, 4}, {6, 7, 4},
                                   {0, 2, 1}, {1, 3, 2}, {0, 6, 2}, {1, 5, 1},
                                   {2, 4, 2}, {3, 7, 1}, {4, 6, 1}, {5, 7, 2}};
    link_graph *g = with_devices(a, "mi250", 8);
    for (int i = 0; i < 12; i++)
        link_graph_add_link(g, links[i][0], links[i][1],
                            (link_rate){50000000000, 1e-6, links[i][2]}, SPAN_NONE);
    return g;
}

/* Four leaves of 4 devices under two spines, with half of the leaves' bandwidth upwards. */
static link_graph *fat_tree(arena *a)
{
    link_graph *g = with_devices(a, "fat tree", 16);
    int leaves[4], spines[2];
    for (int i = 0; i < 4; i++)
        leaves[i] = link_graph_add_switch(g, arena_format(a, "leaf%d", i), SPAN_NONE);
    for (int i = 0; i < 2; i++)
        spines[i] = link_graph_add_switch(g, arena_format(a, "spine%d", i), SPAN_NONE);
    for (int i = 0; i < 16; i++)
        link_graph_add_port(g, leaves[i / 4], i, (link_rate){100000000000, 1e-6, 1}, SPAN_NONE);
    for (int leaf = 0; leaf < 4; leaf++)
        for (int spine = 0; spine < 2; spine++)
            link_graph_add_port(g, spines[spine], leaves[leaf], (link_rate){100000000000, 1e-6, 1},
                                SPAN_NONE);
    return g;
}

static synthesis synthesise(arena *a, const link_graph *g, const int *nodes, int count,
                            coll_kind kind)
{
    return kind == COLL_ALL_REDUCE   ? synthesis_all_reduce(a, g, nodes, count)
           : kind == COLL_ALL_GATHER ? synthesis_all_gather(a, g, nodes, count)
                                     : synthesis_reduce_scatter(a, g, nodes, count);
}

static void check(arena *a, const link_graph *g, coll_kind kind, int pieces)
{
    coll_fault fault;
    int count = (int)g->devices.count;
    synthesis s = synthesise(a, g, g->devices.items, count, kind);
    assert_int_equal(s.status, SYNTHESIS_OK);
    coll_program *p = coll_program_of_synthesis(&s, kind, g, a);
    coll_routes *routes = coll_routes_new(g, g->devices.items, count, a);
    assert_non_null(p);
    if (!coll_prove(p, &fault, a) || !coll_prove_links(p, routes, &fault, a))
        fail_msg("%s: %s", g->name, fault.message);
    double promised = rational_value(s.rate), bytes = 1e13;
    assert_true(coll_rate(p, routes) >= promised * (1 - 1e-9));
    if (pieces == 0)
        return;
    double seconds =
        coll_simulate(p, routes, (coll_load){.bytes = bytes, .pieces = pieces}).seconds;
    printf("%s, %d ranks, %s: %.4f of the bound\n", g->name, count, coll_kind_name(kind),
           bytes / promised / seconds);
    assert_true(bytes / promised < seconds * 1.02);
}

static void machines(void **state)
{
    (void)state;
    arena *a = arena_new();
    const struct {
        link_graph *graph;
        int pieces;
    } rows[] = {{graph_a100(a, 2), 256}, {graph_a100(a, 4), 0},    {unequal_nics(a), 256},
                {mi250(a), 512},         {torus(a, 4, 4, 1), 512}, {torus(a, 3, 5, 1), 0},
                {torus(a, 3, 3, 3), 0},  {torus(a, 2, 2, 3), 512}, {fat_tree(a), 256}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (coll_kind kind = COLL_ALL_REDUCE; kind <= COLL_ALL_GATHER; kind++)
            check(a, rows[i].graph, kind, kind == COLL_ALL_REDUCE ? rows[i].pieces : 0);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(machines)};
    return cmocka_run_group_tests_name("coll machines", tests, NULL, NULL);
}
