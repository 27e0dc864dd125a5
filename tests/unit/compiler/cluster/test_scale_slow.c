/* cluster/synthesis.h on the largest machines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/link_shapes.h"
#include "support/scale.h"

static void unequal_1024_gpus(void **state)
{
    (void)state;
    const int64_t unequal[8] = {50 * SHAPE_GB, 0, 25 * SHAPE_GB, 0, 50 * SHAPE_GB, 0, 0,
                                25 * SHAPE_GB};
    const int64_t plain[8] = {25 * SHAPE_GB, 25 * SHAPE_GB, 25 * SHAPE_GB, 25 * SHAPE_GB,
                              25 * SHAPE_GB, 25 * SHAPE_GB, 25 * SHAPE_GB, 25 * SHAPE_GB};
    int slower[128];
    for (int box = 0; box < 128; box++)
        slower[box] = box % 3 == 2 ? 2 : 1;
    arena *a = arena_new();
    scale_check("128 boxes, unequal NICs", a,
                shape_of_boxes(a, &(shape_boxes){128, 8, 300 * SHAPE_GB, unequal, NULL}));
    arena_free(a);
    a = arena_new();
    scale_check("128 boxes, slower boxes", a,
                shape_of_boxes(a, &(shape_boxes){128, 8, 300 * SHAPE_GB, plain, slower}));
    arena_free(a);
    a = arena_new();
    scale_check("128 MI250 boxes", a, shape_mi250(a, 128));
    arena_free(a);
}

static void tori_of_1024(void **state)
{
    (void)state;
    arena *a = arena_new();
    scale_check("16x8x8 torus", a, shape_torus(a, 16, 8, 8, 50 * SHAPE_GB));
    scale_check("32x32 torus", a, shape_torus(a, 32, 32, 1, 50 * SHAPE_GB));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unequal_1024_gpus),
        cmocka_unit_test(tori_of_1024),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
