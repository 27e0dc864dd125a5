/* cluster/rings.h: the rings of DGX-1 subsets, and of boxes on switches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cluster/rings.h"
#include "support/link_shapes.h"

static void assert_rate(const link_graph *g, unsigned mask, int64_t link, rational in_links)
{
    arena *a = arena_new();
    int ranks[8], count = shape_subset(g, mask, ranks);
    ring_set s = rings_of(a, g, ranks, count);
    rational wanted = rational_multiply(in_links, rational_of(link, 1));
    assert_int_equal(rational_compare(s.rate, wanted), 0);
    assert_true(s.sure);
    arena_free(a);
}

static void the_ring_column_of_the_table(void **state)
{
    (void)state;
    arena *a = arena_new();
    link_graph *v = shape_dgx1v(a), *p = shape_dgx1p(a);
    assert_rate(v, 0x13, 25 * SHAPE_GB, rational_of(0, 1));
    assert_rate(v, 0x0f, 25 * SHAPE_GB, rational_of(8, 3));
    assert_rate(v, 0x3f, 25 * SHAPE_GB, rational_of(6, 5));
    assert_rate(v, 0xff, 25 * SHAPE_GB, rational_of(24, 7));
    assert_rate(p, 0x7f, 20 * SHAPE_GB, rational_of(7, 6));
    assert_rate(p, 0xff, 20 * SHAPE_GB, rational_of(16, 7));
    assert_rate(v, 0x03, 25 * SHAPE_GB, rational_of(2, 1));
    arena_free(a);
}

/* Whether a path from ranks[0] over the ranks of `left` can come back: by trying all. */
static bool closes(const link_graph *g, const int *ranks, int count, int at, unsigned left)
{
    if (left == 0)
        return link_graph_find_arc(g, ranks[at], ranks[0]) >= 0;
    for (int next = 1; next < count; next++)
        if ((left >> next & 1) && link_graph_find_arc(g, ranks[at], ranks[next]) >= 0 &&
            closes(g, ranks, count, next, left & ~(1u << next)))
            return true;
    return false;
}

static void most_subsets_have_no_ring(const link_graph *g)
{
    int connected = 0, without = 0;
    for (unsigned mask = 1; mask < 256; mask++) {
        int ranks[8], count = shape_subset(g, mask, ranks);
        if (count < 3 || !shape_connected(g, ranks, count))
            continue;
        arena *a = arena_new();
        ring_set s = rings_of(a, g, ranks, count);
        assert_int_equal(s.count > 0, closes(g, ranks, count, 0, ((1u << count) - 1) & ~1u));
        assert_true(s.sure);
        connected++;
        without += s.count == 0;
        arena_free(a);
    }
    assert_int_equal(connected, 181);
    assert_int_equal(without, 104);
}

static void of_181_subsets_104_have_none(void **state)
{
    (void)state;
    arena *a = arena_new();
    most_subsets_have_no_ring(shape_dgx1p(a));
    most_subsets_have_no_ring(shape_dgx1v(a));
    arena_free(a);
}

/* 8 rings, each over its own NIC of each box, bound by the NICs: 8 * 25 * 16 / 30. */
static void boxes_have_a_ring_for_each_nic(void **state)
{
    (void)state;
    arena *a = arena_new();
    link_graph *g = shape_plain_boxes(a, 2, 8, 300 * SHAPE_GB, 25 * SHAPE_GB);
    ring_set s = rings_of(a, g, shape_all(a, g), 16);
    assert_int_equal(s.count, 8);
    assert_int_equal(rational_compare(s.rate, rational_of(320 * SHAPE_GB, 3)), 0);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ring_column_of_the_table),
        cmocka_unit_test(of_181_subsets_104_have_none),
        cmocka_unit_test(boxes_have_a_ring_for_each_nic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
