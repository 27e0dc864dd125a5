/* Constants, their units, and the names that are nearest to a misspelt one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sema/table.h"
#include "support/sema_run.h"

#include <string.h>

static const char *plan_with(arena *a, const char *clause)
{
    return arena_format(
        a,
        "use nn, optim\n"
        "cluster c { node n { cpu w[2] { memory 1 GiB } } }\n"
        "model m(C: dim) {\n"
        "  input x: f32[B, P]\n"
        "  input y: id[B] below C\n"
        "  loss = cross_entropy(linear(x, C), y)\n"
        "}\n"
        "train t for m(C = 3) {\n"
        "  data csv(\"x.csv\", x = 0..3, y = 4); batch 4; optimizer sgd(lr = 0.1); steps 3\n"
        "}\n"
        "plan p for t on c { %s }\n",
        clause);
}

static int64_t required(const char *limit)
{
    arena *a = arena_new();
    sema_run r = sema_run_text(plan_with(a, arena_format(a, "require memory <= %s", limit)), NULL);
    int64_t bytes = r.fine ? r.out.training->required_memory : -1;
    sema_run_free(&r);
    arena_free(a);
    return bytes;
}

static void test_units(void **state)
{
    (void)state;
    assert_int_equal(required("1 KiB"), 1024);
    assert_int_equal(required("1 KB"), 1000);
    assert_int_equal(required("2 * 3 MiB"), 6 * 1024 * 1024);
    assert_int_equal(required("1 GiB - 1 MiB"), 1023 * 1024 * 1024);
    assert_int_equal(required("10 GB/s * 2 s"), 20000000000);
    assert_int_equal(required("(1 GiB / 1 MiB) * 1 KiB"), 1024 * 1024);
    assert_int_equal(required("1024"), -1);
    assert_int_equal(required("1 GB/s"), -1);
    assert_int_equal(required("1 GiB + 1 us"), -1);
    assert_int_equal(required("1 GiB + 1"), -1);
    assert_int_equal(required("1 GiB / 0"), -1);
}

static const char *meant(const char *wanted, const char *const *names)
{
    nearest n = nearest_to(wanted);
    for (; *names; names++)
        nearest_offer(&n, *names);
    return nearest_found(&n);
}

static void test_nearest(void **state)
{
    (void)state;
    const char *const layers[] = {"linear", "relu", "gelu", "layer_norm", NULL};
    assert_string_equal(meant("linaer", layers), "linear");
    assert_string_equal(meant("rleu", layers), "relu");
    assert_string_equal(meant("layernorm", layers), "layer_norm");
    assert_null(meant("attention", layers));
    assert_null(meant("x", layers));
    const char *const close[] = {"dq", "dp", NULL};
    assert_string_equal(meant("dr", close),
                        "dp"); /* of equals the first by name, in any order of offering */
}

static void test_table(void **state)
{
    (void)state;
    arena *a = arena_new();
    atom_table *atoms = atom_table_new(a);
    table t = table_in(a);
    int items[300];
    assert_null(table_get(&t, atom_of(atoms, "n0"), 0));
    for (int i = 0; i < 300; i++)
        table_set(&t, atom_of(atoms, arena_format(a, "n%d", i)), i % 3, &items[i]);
    for (int i = 0; i < 300; i++) {
        atom name = atom_of(atoms, arena_format(a, "n%d", i));
        assert_ptr_equal(table_get(&t, name, i % 3), &items[i]);
        assert_null(table_get(&t, name, (i + 1) % 3));
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
