/* cluster/bounds.h against every partition and every cut, one by one, and the published figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cluster/bounds.h"
#include "support/link_shapes.h"

#define GBS(n) rational_of((n)*SHAPE_GB, 1)

static int64_t capacity_between(const link_graph *g, const int *ranks, const int *part, int count)
{
    int64_t sum = 0;
    for (int i = 0; i < count; i++)
        for (int j = i + 1; j < count; j++) {
            int arc = link_graph_find_arc(g, ranks[i], ranks[j]);
            if (arc >= 0 && part[i] != part[j])
                sum += g->arcs.items[arc].bytes_per_second;
        }
    return sum;
}

/* Every partition, as restricted growth strings. */
static void try_partitions(const link_graph *g, const int *ranks, int *part, int at, int count,
                           int parts, rational *least)
{
    if (at == count) {
        if (parts < 2)
            return;
        rational ratio = rational_of(capacity_between(g, ranks, part, count), parts - 1);
        if (rational_compare(ratio, *least) < 0)
            *least = ratio;
        return;
    }
    for (part[at] = 0; part[at] <= parts; part[at]++)
        try_partitions(g, ranks, part, at + 1, count, parts + (part[at] == parts), least);
}

static rational packing_by_enumeration(const link_graph *g, const int *ranks, int count)
{
    int part[16];
    rational least = RATIONAL_UNBOUNDED;
    try_partitions(g, ranks, part, 0, count, 0, &least);
    return least;
}

/* Every set of ranks and switches that leaves a rank out. */
static rational gather_by_enumeration(const link_graph *g, const int *ranks, int count)
{
    int node_of[24], nodes = 0;
    for (; nodes < count; nodes++)
        node_of[nodes] = ranks[nodes];
    for (size_t i = 0; i < g->nodes.count; i++)
        if (g->nodes.items[i].kind == LINK_SWITCH)
            node_of[nodes++] = (int)i;
    rational least = RATIONAL_UNBOUNDED;
    for (unsigned inside = 1; inside < 1u << nodes; inside++) {
        int held = __builtin_popcount(inside & ((1u << count) - 1));
        if (held == 0 || held == count)
            continue;
        int64_t out = 0;
        for (int i = 0; i < nodes; i++)
            for (int j = 0; j < nodes; j++) {
                if (!(inside >> i & 1) || (inside >> j & 1))
                    continue;
                int arc = link_graph_find_arc(g, node_of[i], node_of[j]);
                out += arc < 0 ? 0 : g->arcs.items[arc].bytes_per_second;
            }
        rational ratio = rational_of(out, held);
        if (rational_compare(ratio, least) < 0)
            least = ratio;
    }
    return rational_multiply(least, rational_of(count, 1));
}

static void assert_same(rational got, rational wanted)
{
    assert_int_equal(got.numerator, wanted.numerator);
    assert_int_equal(got.denominator, wanted.denominator);
}

/* The proof that comes with a bound is counted again from the graph. */
static void assert_proved(const link_graph *g, const bound *b)
{
    int64_t capacity = 0;
    for (size_t i = 0; i < g->arcs.count; i++) {
        int from = b->part_of[g->arcs.items[i].from], to = b->part_of[g->arcs.items[i].to];
        if (from < 0 || to < 0)
            continue;
        bool counts = b->kind == BOUND_PARTITION ? from < to
                      : b->into                  ? to == 1 && from == 0
                                                 : from == 1 && to == 0;
        capacity += counts ? g->arcs.items[i].bytes_per_second : 0;
    }
    if (b->kind ==
        BOUND_PARTITION) { /* symmetric: the arcs from lower to higher parts are half of all */
        int64_t back = 0;
        for (size_t i = 0; i < g->arcs.count; i++) {
            int from = b->part_of[g->arcs.items[i].from], to = b->part_of[g->arcs.items[i].to];
            back += from >= 0 && to >= 0 && from > to ? g->arcs.items[i].bytes_per_second : 0;
        }
        assert_int_equal(capacity, back);
    }
    assert_int_equal(capacity, b->capacity);
    assert_same(b->rate, rational_multiply(b->factor, rational_of(b->capacity, b->divisor)));
}

static void check_subsets(link_graph *g)
{
    for (unsigned mask = 1; mask < 256; mask++) {
        arena *a = arena_new();
        int ranks[8], count = shape_subset(g, mask, ranks);
        bound packing = bound_packing(a, g, ranks, count);
        bound gather = bound_all_gather(a, g, ranks, count);
        if (count == 1) {
            assert_true(rational_is_unbounded(packing.rate));
            assert_true(rational_is_unbounded(gather.rate));
        } else if (!shape_connected(g, ranks, count)) {
            assert_int_equal(packing.status, SYNTHESIS_DISCONNECTED);
            assert_int_equal(gather.status, SYNTHESIS_DISCONNECTED);
            assert_int_equal(bound_all_reduce(a, g, ranks, count).rate.numerator, 0);
        } else {
            assert_same(packing.rate, packing_by_enumeration(g, ranks, count));
            assert_same(gather.rate, gather_by_enumeration(g, ranks, count));
            assert_proved(g, &packing);
            assert_proved(g, &gather);
        }
        arena_free(a);
    }
}

static void dgx1_bounds_are_those_of_enumeration(void **state)
{
    (void)state;
    arena *a = arena_new();
    check_subsets(shape_dgx1p(a));
    check_subsets(shape_dgx1v(a));
    arena_free(a);
}

static void random_bounds_are_those_of_enumeration(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 120; seed++) {
        arena *a = arena_new();
        int devices = 2 + (int)(seed % 6), switches = (int)(seed % 4);
        link_graph *g = shape_random(a, seed, devices, switches);
        int *ranks = shape_all(a, g);
        bound gather = bound_all_gather(a, g, ranks, devices);
        assert_int_equal(gather.status, SYNTHESIS_OK);
        assert_same(gather.rate, gather_by_enumeration(g, ranks, devices));
        assert_proved(g, &gather);
        bound packing = bound_packing(a, g, ranks, devices);
        if (shape_connected(g, ranks, devices)) {
            assert_same(packing.rate, packing_by_enumeration(g, ranks, devices));
            assert_proved(g, &packing);
        } else {
            assert_int_equal(packing.status, SYNTHESIS_DISCONNECTED);
        }
        arena_free(a);
    }
}

typedef struct known_bound {
    bool volta;
    unsigned mask;
    rational packing; /* in links */
    rational gather;
} known_bound;

static void the_published_table_holds(void **state)
{
    (void)state;
    static const known_bound table[] = {
        {true, 0x13, {2, 1}, {3, 2}},  {true, 0x0f, {3, 1}, {8, 3}},
        {true, 0x3f, {5, 2}, {9, 5}},  {true, 0xff, {24, 7}, {24, 7}},
        {false, 0x7f, {2, 1}, {7, 4}}, {false, 0xff, {16, 7}, {16, 7}}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        arena *a = arena_new();
        link_graph *g = table[i].volta ? shape_dgx1v(a) : shape_dgx1p(a);
        rational link = GBS(table[i].volta ? 25 : 20);
        int ranks[8], count = shape_subset(g, table[i].mask, ranks);
        bound packing = bound_packing(a, g, ranks, count);
        bound gather = bound_all_gather(a, g, ranks, count);
        assert_same(packing.rate, rational_multiply(table[i].packing, link));
        assert_same(rational_multiply(gather.rate, rational_of(1, 2)),
                    rational_multiply(table[i].gather, link));
        assert_same(bound_all_reduce(a, g, ranks, count).rate, packing.rate);
        arena_free(a);
    }
    arena *a = arena_new();
    link_graph *g = shape_plain_boxes(a, 2, 8, 300 * SHAPE_GB, 25 * SHAPE_GB);
    bound both = bound_all_reduce(a, g, shape_all(a, g), 16);
    assert_same(both.rate, rational_of(520 * SHAPE_GB, 3));
    assert_proved(g, &both);
    arena_free(a);
}

static void asymmetric_graphs_have_two_phases(void **state)
{
    (void)state;
    arena *a = arena_new();
    link_graph *g = link_graph_new(a, "lopsided");
    for (int i = 0; i < 3; i++)
        link_graph_add_device(g, arena_format(a, "g[%d]", i), SPAN_NONE);
    for (int i = 0; i < 3; i++) { /* a one-way ring of 6, 4, 6, and one arc back */
        link_rate rate = {i == 1 ? 4 : 6, 1e-6, 1};
        link_graph_add_arc(g, i, (i + 1) % 3, rate, SPAN_NONE);
    }
    link_graph_add_arc(g, 0, 2, (link_rate){2, 1e-6, 1}, SPAN_NONE);
    int *ranks = shape_all(a, g);
    bound gather = bound_all_gather(a, g, ranks, 3), scatter = bound_reduce_scatter(a, g, ranks, 3);
    assert_same(gather.rate, gather_by_enumeration(g, ranks, 3));
    assert_same(scatter.rate, gather_by_enumeration(link_graph_reverse(g, a), ranks, 3));
    assert_int_not_equal(rational_compare(gather.rate, scatter.rate), 0);
    assert_proved(g, &gather);
    assert_proved(g, &scatter);
    assert_int_equal(bound_packing(a, g, ranks, 3).status, SYNTHESIS_ASYMMETRIC);
    bound both = bound_all_reduce(a, g, ranks, 3);
    assert_same(both.rate, rational_in_turn(scatter.rate, gather.rate));
    assert_proved(g, &both);
    arena_free(a);
}

static void bandwidths_may_be_huge_tiny_or_too_unlike(void **state)
{
    (void)state;
    arena *a = arena_new();
    link_graph *g = link_graph_new(a, "pair");
    int first = link_graph_add_device(g, "a", SPAN_NONE),
        second = link_graph_add_device(g, "b", SPAN_NONE);
    link_graph_add_link(g, first, second, (link_rate){9999999999999, 1e-6, 3}, SPAN_NONE);
    assert_same(bound_all_reduce(a, g, shape_all(a, g), 2).rate, rational_of(29999999999997, 1));
    int third = link_graph_add_device(g, "c", SPAN_NONE);
    link_graph_add_link(g, second, third, (link_rate){1, 1e-6, 1}, SPAN_NONE);
    assert_same(bound_packing(a, g, shape_all(a, g), 3).rate, rational_of(1, 1));
    link_graph *wide = shape_torus(a, 30, 1, 1, INT64_C(1) << 53);
    link_graph_add_link(wide, 0, 2, (link_rate){1, 1e-6, 1}, SPAN_NONE);
    assert_int_equal(bound_all_gather(a, wide, shape_all(a, wide), 30).status, SYNTHESIS_RANGE);
    assert_int_equal(link_bytes_per_second(3.35e12), INT64_C(3350000000000));
    assert_int_equal(link_bytes_per_second(0.2), 0);
    assert_int_equal(link_bytes_per_second(1e300), 0);
    arena_free(a);
}

/* Turning such a circle leaves it as it is, whatever the widths: bounds come from one rank, parts are its turns. */
static void circles_are_as_even_as_they_look(void **state)
{
    (void)state;
    unsigned seed = 7;
    for (int round = 0; round < 200; round++) {
        arena *a = arena_new();
        int count = 4 + round % 5;
        int64_t width[4];
        for (int k = 0; k < 4; k++) {
            seed = seed * 1103515245u + 12345u;
            width[k] = (seed >> 16) % 3 == 0 ? 0 : 1 + (int64_t)((seed >> 18) % 40);
        }
        link_graph *g = shape_circle(a, count, width);
        const int *ranks = shape_all(a, g);
        bound packing = bound_packing(a, g, ranks, count);
        if (packing.status == SYNTHESIS_OK) {
            bound gather = bound_all_gather(a, g, ranks, count);
            assert_same(packing.rate, packing_by_enumeration(g, ranks, count));
            assert_same(gather.rate, gather_by_enumeration(g, ranks, count));
            assert_proved(g, &packing);
            assert_proved(g, &gather);
        }
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(circles_are_as_even_as_they_look),
        cmocka_unit_test(dgx1_bounds_are_those_of_enumeration),
        cmocka_unit_test(random_bounds_are_those_of_enumeration),
        cmocka_unit_test(the_published_table_holds),
        cmocka_unit_test(asymmetric_graphs_have_two_phases),
        cmocka_unit_test(bandwidths_may_be_huge_tiny_or_too_unlike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
