/* cluster/flow.h: its two algorithms against each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cluster/flow.h"

static unsigned next(unsigned *seed, unsigned below)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) % below;
}

/* Nodes in a line with some arcs across, all of them fed from node 0, as the bounds ask. */
static flow_net *fed_net(arena *a, unsigned seed, int nodes)
{
    flow_net *f = flow_net_new(a, nodes, NULL);
    for (int node = 1; node < nodes; node++)
        if (next(&seed, 4) > 0)
            flow_add(f, 0, node, 1 + next(&seed, 6));
    for (int node = 1; node + 1 < nodes; node++) {
        int other = 1 + (int)next(&seed, (unsigned)nodes - 1);
        flow_add_both(f, node, node + 1, 1 + next(&seed, 30));
        if (other != node && next(&seed, 3) == 0)
            flow_add(f, node, other, next(&seed, 20));
    }
    return f;
}

static void both_ways_find_the_same_value_and_cut(void **state)
{
    (void)state;
    int cuts = 0;
    for (unsigned seed = 0; seed < 3000; seed++) {
        arena *a = arena_new();
        int nodes = 3 + (int)(seed % 40), sink = 1 + (int)(seed % 7) % (nodes - 1);
        flow_net *f = fed_net(a, seed, nodes), *same = fed_net(a, seed, nodes);
        int64_t limit = seed % 3 == 0 ? FLOW_INFINITE : seed % 50;
        for (int again = 0; again < 2; again++) {
            int64_t value = flow_value(f, 0, sink, limit);
            assert_int_equal(value, flow_maximum(same, 0, sink, limit));
            for (int node = 0; node < nodes && value < limit; node++, cuts++)
                assert_int_equal(flow_on_source_side(f, node), flow_on_source_side(same, node));
            flow_reset(f);
            flow_reset(same);
        }
        arena_free(a);
    }
    assert_true(cuts > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_find_the_same_value_and_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
