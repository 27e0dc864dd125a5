/* sema/data_option.c and the data clause: what each format is told, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "support/sema_run.h"

static sema_run run_data(const char *data)
{
    static char plan[2000];
    snprintf(plan, sizeof plan,
             "use nn, optim\n"
             "model m() {\n"
             "  input image: f32[B, P = 4]\n"
             "  input digit: id[B] below 10\n"
             "  loss = cross_entropy(linear(image, C = 10), digit)\n"
             "}\n"
             "train t for m() {\n"
             "  data %s\n"
             "  batch 2\n  optimizer sgd(lr = 0.1)\n  steps 3\n  seed 1\n"
             "}\n"
             "cluster c { node n { cpu w { memory 1 GiB } } }\n"
             "plan p for t on c { }\n",
             data);
    return sema_run_text(plan, "p");
}

static void assert_refused(const char *data, const char *code)
{
    sema_run r = run_data(data);
    if (r.fine || !strstr(sema_run_words(&r), code))
        fail_msg("%s: '%s'", data, sema_run_words(&r));
    sema_run_free(&r);
}

static sema_run assert_taken(const char *data)
{
    sema_run r = run_data(data);
    if (!r.fine)
        fail_msg("%s: %s", data, sema_run_words(&r));
    return r;
}

static void test_csv_is_told_its_dialect(void **state)
{
    (void)state;
    sema_run r = assert_taken(
        "csv(\"a.csv\", image = 0..3, digit = \"label\", delimiter = \"tab\", header = yes, "
        "scale = 1/16, shift = 2, mean = 0.5, std = 4, holdout = \"b.csv\")");
    const training_data *d = &r.out.training->data;
    assert_int_equal(d->options.count, 2);
    assert_string_equal(d->options.items[0].name, "delimiter");
    assert_string_equal(d->options.items[0].value, "tab");
    assert_string_equal(d->options.items[1].value, "yes");
    assert_int_equal(d->fields.items[0].last_column, 3);
    assert_true(d->fields.items[0].scale == 1.0 / 16 && d->fields.items[0].shift == 2);
    assert_true(d->fields.items[0].mean == 0.5 && d->fields.items[0].deviation == 4);
    assert_string_equal(d->fields.items[1].array, "label");
    assert_true(d->fields.items[1].scale == 1 &&
                d->fields.items[1].deviation == 1); /* an id stays what it is */
    assert_int_equal(d->holdout_paths.count, 1);
    sema_run_free(&r);
}

static void test_files_hold_out_files(void **state)
{
    (void)state;
    sema_run r =
        assert_taken("idx(image = \"a\", digit = \"b\", holdout(digit = \"d\", image = \"c\"))");
    const training_data *d = &r.out.training->data;
    assert_string_equal(d->fields.items[0].array, "a");
    assert_string_equal(d->fields.items[0].holdout_array, "c");
    assert_string_equal(d->fields.items[1].holdout_array, "d");
    assert_int_equal(d->fields.items[0].first_column, -1);
    sema_run_free(&r);
    r = assert_taken("npy(image = \"a.npy\", digit = \"b.npy\", holdout = 20%)");
    assert_null(r.out.training->data.fields.items[0].holdout_array);
    sema_run_free(&r);
}

static void test_what_no_format_takes_is_refused(void **state)
{
    (void)state;
    assert_refused("csv(\"a.csv\", image = 0..3, digit = 4, delimiter = \"ab\")", "E0225");
    assert_refused("csv(\"a.csv\", image = 0..3, digit = 4, delimiter = 3)", "E0225");
    assert_refused("csv(\"a.csv\", image = 0..3, digit = 4, header = maybe)", "E0225");
    assert_refused("npz(\"a.npz\", image = \"x\", digit = \"y\", delimiter = \";\")", "E0227");
    assert_refused("csv(\"a.csv\", image = 0..3, digit = 4, std = 0)", "E0236");
    assert_refused("csv(\"a.csv\", image = 0..3, digit = 4, std = -1)", "E0236");
    assert_refused("csv(\"a.csv\", image = 0..3, digit = 4, holdout(image = \"x\"))", "E0225");
    assert_refused("idx(image = \"a\", digit = \"b\", holdout = \"c\")", "E0225");
    assert_refused("idx(image = \"a\", digit = \"b\", holdout(image = \"c\"))", "E0225");
    assert_refused("idx(image = \"a\", digit = \"b\", holdout(image = \"c\", other = \"d\"))",
                   "E0225");
    assert_refused(
        "idx(image = \"a\", digit = \"b\", holdout = 10%, holdout(image = \"c\", digit = \"d\"))",
        "E0225");
}

/* S stands nowhere but in the inputs' types, and that is a use. */
static void test_an_input_uses_the_parameters_of_its_type(void **state)
{
    (void)state;
    sema_run r =
        sema_run_text("use nn, optim\n"
                      "model m(V: dim, S: dim, D: dim) {\n"
                      "  input text: id[B, S] below V\n"
                      "  input next: id[B, S] below V\n"
                      "  loss = cross_entropy(linear(embed(text, V, D), V), next)\n"
                      "}\n"
                      "train t for m(V = 256, S = 8, D = 4) {\n"
                      "  data bytes(\"*.txt\")\n  batch 2\n  optimizer sgd(lr = 0.1)\n  steps 3\n"
                      "}\n"
                      "cluster c { node n { cpu w { memory 1 GiB } } }\n"
                      "plan p for t on c { }\n",
                      "p");
    assert_string_equal(sema_run_words(&r), "");
    assert_true(r.fine);
    const training_data *d = &r.out.training->data;
    assert_int_equal(d->fields.items[1].first_column, 1); /* the second input is one byte later */
    assert_int_equal(d->fields.items[1].last_column, 1);
    sema_run_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv_is_told_its_dialect),
        cmocka_unit_test(test_files_hold_out_files),
        cmocka_unit_test(test_what_no_format_takes_is_refused),
        cmocka_unit_test(test_an_input_uses_the_parameters_of_its_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
