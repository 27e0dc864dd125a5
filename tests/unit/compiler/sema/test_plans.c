/* Whole plans: language.md's example of digits and what a reader would guess from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "graph/verify.h"
#include "support/sema_run.h"

#include <string.h>

static graph_variable *variable_find(const graph *g, const char *path)
{
    for (size_t i = 0; i < g->variables.count; i++)
        if (!strcmp(g->variables.items[i].path, path))
            return &g->variables.items[i];
    return NULL;
}

static int64_t size_of(const graph *g, const graph_variable *v, int slot)
{
    return g->dims.items[v->type.dims[slot]].size;
}

static void test_digits(void **state)
{
    (void)state;
    sema_run r = sema_run_file(TEST_SOURCE_DIR "/examples/digits/digits.plan", "ring4");
    assert_string_equal(sema_run_words(&r), "");
    assert_true(r.fine);
    const graph *g = r.out.graph;
    assert_null(graph_verify(g, r.memory));
    const graph_variable *w = variable_find(g, "linear_2.w");
    assert_non_null(w);
    assert_int_equal(size_of(g, w, 0), 128);
    assert_int_equal(size_of(g, w, 1), 64);
    assert_non_null(variable_find(g, "linear_3.b/v"));
    const training *t = r.out.training;
    assert_int_equal(t->batch, 64);
    assert_true(t->epochs == 20);
    assert_int_equal(t->seed, 7);
    assert_int_equal(t->mesh.count, 1);
    assert_int_equal(t->mesh.items[0].size, 4);
    assert_int_equal(t->reduces.count, 1);
    assert_non_null(t->reduces.items[0].program);
    assert_int_equal(t->data.fields.count, 2);
    assert_int_equal(t->data.fields.items[0].last_column, 63);
    assert_true(t->data.fields.items[0].scale == 1.0 / 16);
    assert_int_equal(t->data.fields.items[1].below, 10);
    assert_true(t->data.holdout_share > 0.199 && t->data.holdout_share < 0.201);
    assert_int_equal(t->memory_limit, (int64_t)1 << 30);
    sema_run_free(&r);
}

static void test_alone_has_no_mesh(void **state)
{
    (void)state;
    sema_run r = sema_run_file(TEST_SOURCE_DIR "/examples/digits/digits.plan", "alone");
    assert_true(r.fine);
    assert_int_equal(r.out.training->mesh.count, 0);
    assert_int_equal(r.out.training->reduces.count, 0);
    sema_run_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digits),
        cmocka_unit_test(test_alone_has_no_mesh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
