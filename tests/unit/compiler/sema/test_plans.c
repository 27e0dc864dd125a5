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

static void test_settings(void **state)
{
    (void)state;
    sema_run r = sema_run_file(TEST_SOURCE_DIR "/examples/digits/digits.plan", "");
    sema_run_set(&r, "ring4", "H", "32");
    assert_true(r.fine);
    assert_int_equal(size_of(r.out.graph, variable_find(r.out.graph, "linear_2.w"), 1), 16);
    sema_run_set(&r, "ring4", "batch", "128");
    assert_true(r.fine);
    assert_int_equal(r.out.training->batch, 128);
    sema_run_set(&r, "ring4", "steps", "10");
    assert_true(r.fine);
    assert_int_equal(r.out.training->steps, 10);
    assert_true(r.out.training->epochs == 0);
    sema_run_set(&r, "ring4", "W", "10");
    assert_false(r.fine);
    assert_non_null(strstr(sema_run_words(&r), "'W' is neither a parameter of model 'mlp'"));
    sema_run_free(&r);
}

static dtype real_of(const sema_run *r)
{
    return r->out.graph->variables.items[0].type.dtype;
}

/* Expressions, what the optimizer takes, a clause of the plan; what is no number of that kind. */
static void test_settings_of_every_sort(void **state)
{
    static const char *const wrong[][3] = {
        {"bach", "64",
         "'bach' is neither a parameter of model 'mlp' or its optimizer nor a clause"},
        {"momentm", "0.5", "'momentm' is neither"},
        {"split", "2", "'split' is neither"},
        {"batch", "3 GiB", "the batch is a whole number"},
        {"batch", "64 / 5", "the batch is a whole number"},
        {"batch", "66", "axis 'dp' of 4 does not divide dimension 'B' of 66"},
        {"H", "9", "H / 2 is 4.5"},
        {"precision", "f23", "'f23' is no precision"},
        {"optimizer", "sdg(lr = 0.1)", "no optimizer is called 'sdg'"},
    };
    (void)state;
    sema_run r = sema_run_file(TEST_SOURCE_DIR "/examples/digits/digits.plan", "");
    sema_run_set(&r, "ring4", "batch", "2^5 * 3");
    assert_true(r.fine);
    assert_int_equal(r.out.training->batch, 96);
    sema_run_set(&r, "ring4", "epochs", "1 / 2");
    assert_true(r.fine && r.out.training->epochs == 0.5);
    sema_run_set(&r, "ring4", "seed", "3");
    assert_true(r.fine && r.out.training->seed == 3);
    sema_run_set(&r, "ring4", "clip", "0.5");
    assert_true(r.fine && r.out.training->clip == 0.5);
    sema_run_set(&r, "ring4", "precision", "f64");
    assert_true(r.fine && real_of(&r) == DTYPE_F64);
    sema_run_set(&r, "ring4", "momentum", "0.5");
    assert_true(r.fine && real_of(&r) == DTYPE_F32);
    sema_run_set(&r, "ring4", "lr", "cosine(0.1, warmup = 5)");
    assert_true(r.fine);
    sema_run_set(&r, "ring4", "optimizer", "adamw(lr = 0.01)");
    assert_true(r.fine);
    assert_non_null(variable_find(r.out.graph, "linear.w/m"));
    sema_run_free(&r);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        r = sema_run_file(TEST_SOURCE_DIR "/examples/digits/digits.plan", "");
        sema_run_set(&r, "ring4", wrong[i][0], wrong[i][1]);
        assert_false(r.fine);
        assert_int_equal(diag_error_count(r.diags), 1);
        assert_non_null(strstr(sema_run_words(&r), wrong[i][2]));
        sema_run_free(&r);
    }
}

/* A parameter of the model goes before a clause of the same name. */
static void test_setting_of_a_parameter_called_as_a_clause(void **state)
{
    (void)state;
    sema_run r =
        sema_run_text("use nn, optim\n"
                      "cluster c { node n { cpu w[2] { memory 1 GiB } } }\n"
                      "model m(batch: dim, C: dim) {\n"
                      "  input x: f32[B, P]\n"
                      "  input y: id[B] below C\n"
                      "  loss = cross_entropy(linear(linear(x, batch), C), y)\n"
                      "}\n"
                      "train t for m(batch = 5, C = 3) {\n"
                      "  data csv(\"x.csv\", x = 0..3, y = 4); batch 4; optimizer sgd(lr = 0.1)\n"
                      "  steps 3\n"
                      "}\n"
                      "plan a for t on c { }\n",
                      "");
    sema_run_set(&r, "a", "batch", "7");
    assert_true(r.fine);
    assert_int_equal(r.out.training->batch, 4);
    assert_int_equal(size_of(r.out.graph, variable_find(r.out.graph, "linear.w"), 1), 7);
    sema_run_free(&r);
}

/* To run a plan, what it uses must be right; the file's other plans, trains and clusters may be wrong. */
static void test_a_plan_beside_wrong_ones(void **state)
{
    (void)state;
    static const char bytes[] =
        "use nn, optim\n"
        "cluster c { node n { cpu w[2] { memory 1 GiB } } }\n"
        "cluster d { }\n"
        "model m(C: dim) {\n"
        "  input x: f32[B, P]\n"
        "  input y: id[B] below C\n"
        "  loss = cross_entropy(linear(x, C), y)\n"
        "}\n"
        "train t for m(C = 3) {\n"
        "  data csv(\"x.csv\", x = 0..3, y = 4); batch 4; optimizer sgd(lr = 0.1); steps 3\n"
        "}\n"
        "train u for m(C = 3) { batch 4 }\n"
        "plan a for t on c { mesh dp = 2; split B over dp }\n"
        "plan b for t on c { mesh dp = 3; split B over dp }\n"
        "plan e for u on c { }\n";
    sema_run whole = sema_run_text(bytes, NULL);
    assert_int_equal(diag_error_count(whole.diags), 3);
    sema_run_free(&whole);
    for (int i = 0; i < 2; i++) {
        sema_run r = sema_run_unchecked(bytes);
        assert_true(sema_check_plan(r.sema, i ? "b" : "a") == (i == 0));
        assert_int_equal(diag_error_count(r.diags), i);
        if (i == 0)
            assert_true(sema_elaborate(r.sema, "a", NULL, 0, &r.out));
        sema_run_free(&r);
    }
}

static void test_no_such_plan(void **state)
{
    (void)state;
    sema_run r = sema_run_file(TEST_SOURCE_DIR "/examples/digits/digits.plan", "ring5");
    assert_false(r.fine);
    assert_non_null(strstr(sema_run_words(&r), "the file has no plan 'ring5' [E0240]"));
    sema_run_free(&r);
}

/* language.md's GPT on one kind of device, its repeat one loop with stacked parameters. */
static const char *gpt =
    "use nn, optim\n"
    "cluster duo { node host { cpu g[4] { memory 80 GiB } } }\n"
    "layer block(x: [B, S, D], A: dim) -> [B, S, D] {\n"
    "  attn = self_attention(norm(x), A, causal)\n"
    "  h    = x + attn\n"
    "  mlp  = linear(gelu(linear(norm(h), F = 4 * D)), D)\n"
    "  return h + mlp\n"
    "}\n"
    "model gpt(V: dim, S: dim, D: dim, A: dim, L: int) {\n"
    "  input text: id[B, S] below V\n"
    "  input next: id[B, S] below V\n"
    "  x    = embed(text, V, D) + positions(S, D)\n"
    "  x    = repeat L: block(x, A)\n"
    "  loss = cross_entropy(linear(norm(x), V), next)\n"
    "}\n"
    "train pretrain for gpt(V = 256, S = 64, D = 32, A = 4, L = 3) {\n"
    "  data      tokens(\"corpus/*.bin\")\n"
    "  batch     16\n"
    "  optimizer adamw(lr = cosine(3e-4, warmup = 20), betas = (0.9, 0.95), weight_decay = 0.1)\n"
    "  clip      1.0\n"
    "  steps     100_000\n"
    "}\n"
    "plan p for pretrain on duo { mesh dp = 4; split B over dp; reduce grad over dp by tree }\n";

static void test_gpt(void **state)
{
    (void)state;
    sema_run r = sema_run_text(gpt, NULL);
    assert_string_equal(sema_run_words(&r), "");
    assert_true(r.fine);
    assert_null(graph_verify(r.out.graph, r.memory));
    const graph_variable *w = variable_find(r.out.graph, "block.linear.w");
    assert_non_null(w);
    assert_true(w->stacked);
    assert_int_equal(w->type.rank, 3);
    assert_int_equal(size_of(r.out.graph, w, 0), 3);
    assert_int_equal(size_of(r.out.graph, w, 1), 32);
    assert_int_equal(size_of(r.out.graph, w, 2), 128);
    assert_non_null(variable_find(r.out.graph, "block.self_attention.linear_4.b/m"));
    assert_int_equal(r.out.training->data.fields.items[0].first_column, 0);
    assert_int_equal(r.out.training->data.fields.items[1].first_column, 1);
    assert_true(r.out.training->clip == 1.0);
    sema_run_free(&r);
}

/* The second of two equal mistakes is one of its own; the same mistake met by two plans is one. */
static void test_one_mistake_one_error(void **state)
{
    (void)state;
    sema_run r = sema_run_text(
        "use nn, optim\n"
        "cluster c { node n { cpu w[2] { memory 1 GiB } } }\n"
        "model m(C: dim) {\n"
        "  input x: f32[B, P]\n"
        "  input y: id[B] below C\n"
        "  loss = cross_entropy(linaer(x, C), y)\n"
        "}\n"
        "train t for m(C = 3) {\n"
        "  data csv(\"x.csv\", x = 0..3, y = 4); batch 4; optimizer sgd(lr = 0.1); steps 3\n"
        "}\n"
        "plan a for t on c { }\n"
        "plan b for t on c { mesh dp = 2; split B over dp }\n",
        NULL);
    assert_int_equal(diag_error_count(r.diags), 1);
    sema_run_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digits),
        cmocka_unit_test(test_alone_has_no_mesh),
        cmocka_unit_test(test_settings_of_every_sort),
        cmocka_unit_test(test_setting_of_a_parameter_called_as_a_clause),
        cmocka_unit_test(test_a_plan_beside_wrong_ones),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_no_such_plan),
        cmocka_unit_test(test_gpt),
        cmocka_unit_test(test_one_mistake_one_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
