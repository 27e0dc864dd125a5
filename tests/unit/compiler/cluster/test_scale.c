/* cluster/synthesis.h on large machines: at the bound, and how long it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cluster/bounds.h"
#include "support/link_shapes.h"
#include "support/scale.h"

static void in_gpus_of_16_boxes(void **state)
{
    (void)state;
    const int64_t unequal[8] = {50 * SHAPE_GB, 0, 25 * SHAPE_GB, 0, 50 * SHAPE_GB, 0, 0,
                                25 * SHAPE_GB};
    const int64_t plain[8] = {25 * SHAPE_GB, 25 * SHAPE_GB, 25 * SHAPE_GB, 25 * SHAPE_GB,
                              25 * SHAPE_GB, 25 * SHAPE_GB, 25 * SHAPE_GB, 25 * SHAPE_GB};
    const int slower[16] = {1, 1, 2, 1, 1, 2, 1, 1, 2, 5, 1, 2, 1, 1, 2, 1};
    arena *a = arena_new();
    scale_check("16 boxes of 8 A100", a,
                shape_plain_boxes(a, 16, 8, 300 * SHAPE_GB, 25 * SHAPE_GB));
    scale_check("16 boxes of 8 H100", a,
                shape_plain_boxes(a, 16, 8, 450 * SHAPE_GB, 50 * SHAPE_GB));
    scale_check("16 boxes, fat NICs", a,
                shape_plain_boxes(a, 16, 8, 300 * SHAPE_GB, 100 * SHAPE_GB));
    scale_check("16 boxes, unequal NICs", a,
                shape_of_boxes(a, &(shape_boxes){16, 8, 300 * SHAPE_GB, unequal, NULL}));
    scale_check("16 boxes, slower boxes", a,
                shape_of_boxes(a, &(shape_boxes){16, 8, 300 * SHAPE_GB, plain, slower}));
    scale_check("16 MI250 boxes", a, shape_mi250(a, 16));
    scale_check("8x4x4 torus", a, shape_torus(a, 8, 4, 4, 50 * SHAPE_GB));
    scale_check("fat tree 16x8, 4:1", a,
                shape_of_fat_tree(a, &(shape_fat_tree){16, 8, 2, 50 * SHAPE_GB, 50 * SHAPE_GB}));
    arena_free(a);
}

static void in_1024_gpus(void **state)
{
    (void)state;
    arena *a = arena_new();
    scale_check("128 boxes of 8 A100", a,
                shape_plain_boxes(a, 128, 8, 300 * SHAPE_GB, 25 * SHAPE_GB));
    arena_free(a);
    a = arena_new();
    scale_check("128 boxes of 8 H100", a,
                shape_plain_boxes(a, 128, 8, 450 * SHAPE_GB, 50 * SHAPE_GB));
    arena_free(a);
    a = arena_new();
    scale_check("one switch", a, shape_plain_boxes(a, 1, 1024, 50 * SHAPE_GB, 0));
    arena_free(a);
}

/* Of the same links everywhere a rank has a direct way to each other: N / 2 times one link. */
static void everything_linked_to_everything(void **state)
{
    (void)state;
    for (int ranks = 128; ranks <= 512; ranks *= 2) {
        arena *a = arena_new();
        link_graph *g = shape_complete(a, ranks, 10 * SHAPE_GB);
        scale_check(arena_format(a, "%d all to all", ranks), a, g);
        rational rate = bound_all_reduce(a, g, shape_all(a, g), ranks).rate;
        assert_int_equal(rational_compare(rate, rational_of(ranks / 2 * 10 * SHAPE_GB, 1)), 0);
        arena_free(a);
    }
}

static void long_lines_of_devices(void **state)
{
    (void)state;
    const int64_t next_only[256] = {10 * SHAPE_GB};
    arena *a = arena_new();
    scale_check("circle of 512", a, shape_circle(a, 512, next_only));
    link_graph *chain = link_graph_new(a, "chain");
    for (int i = 0; i < 512; i++)
        link_graph_add_device(chain, arena_format(a, "g[%d]", i), SPAN_NONE);
    for (int i = 0; i + 1 < 512; i++)
        link_graph_add_link(chain, i, i + 1, (link_rate){(7 + i % 3) * SHAPE_GB, 1e-6, 1},
                            SPAN_NONE);
    scale_check("chain of 512", a, chain);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_gpus_of_16_boxes),
        cmocka_unit_test(in_1024_gpus),
        cmocka_unit_test(everything_linked_to_everything),
        cmocka_unit_test(long_lines_of_devices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
