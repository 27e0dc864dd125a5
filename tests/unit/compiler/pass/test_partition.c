/* pass/: a simplified and partitioned training computes what the whole one does: losses, metrics and every variable after a step, for meshes of
 * data and tensor splits, by the interpreter, all ranks in lockstep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "graph/op.h"
#include "graph/text_form.h"
#include "graph/verify.h"
#include "pass/partition.h"
#include "pass/simplify.h"
#include "support/interpret.h"
#include "support/sema_run.h"

static const char head[] =
    "use nn, optim\n"
    "cluster box { node host { cpu g[16] { memory 8 GiB }\n link g <-> g: 10 GB/s, 1 us } }\n";

static const char mlp[] =
    "model mlp(H: dim, C: dim) {\n"
    "  input image: f32[B, P]\n  input digit: id[B] below C\n"
    "  h = relu(linear(image, H))\n  h = relu(linear(h, H2 = H / 2))\n  y = linear(h, C)\n"
    "  loss = cross_entropy(y, digit)\n  metric accuracy = top1(y, digit)\n}\n"
    "train t for mlp(H = 8, C = 6) {\n"
    "  data csv(\"digits.csv\", image = 0..3, digit = 4, holdout = 20%)\n  batch 12\n"
    "  optimizer sgd(lr = 0.1, momentum = 0.9, weight_decay = 0.01)\n  epochs 2\n  seed 7\n}\n"
    "plan p for t on box { }\n";

static const char gpt[] =
    "layer block(x: [B, S, D], A: dim) -> [B, S, D] {\n"
    "  attn = self_attention(norm(x), A, causal)\n  h = x + attn\n"
    "  mlp = dropout(linear(gelu(linear(norm(h), F = 2 * D)), D), 0.25)\n  return h + mlp\n}\n"
    "model gpt(V: dim, S: dim, D: dim, A: dim, L: int) {\n"
    "  input text: id[B, S] below V\n  input next: id[B, S] below V\n"
    "  x = dropout(embed(text, V, D) + positions(S, D), 0.2)\n  x = repeat L: block(x, A)\n"
    "  loss = cross_entropy(linear(norm(x), V), next)\n}\n"
    "train t for gpt(V = 12, S = 4, D = 8, A = 2, L = 2) {\n"
    "  data tokens(\"corpus/*.bin\")\n  batch 12\n  optimizer adamw(lr = 0.001)\n  clip 1.0\n"
    "  steps 100\n  seed 42\n}\nplan p for t on box { }\n";

/* Batch norm over images, over channels of its own and frozen; pools, convolutions both ways; ids that do not count. */
static const char convnet[] =
    "model convnet(F: dim, C: dim) {\n"
    "  input image: f32[B, P]\n  input digit: id[B] below C\n"
    "  x = split(image over P, E = 1, H = 4, W = 4)\n"
    "  h = max_pool(relu(batch_norm(conv2d(x, F, padding = 1))), window = 2)\n"
    "  h = relu(batch_norm(conv_transpose2d(h, F2 = 3, window = 2, stride = 2)))\n"
    "  h = relu(group_norm(conv2d(h, F3 = 6, groups = 3, window = (1, 3)), G = 2))\n"
    "  h = average_pool(dropout(h, 0.3), window = (2, 1))\n"
    "  y = linear(batch_norm(flatten(h, K = 24), momentum = 0.3), C)\n"
    "  loss = cross_entropy(y, digit, ignored = 1, smoothing = 0.1)\n"
    "  metric accuracy = topk(y, digit, k = 2)\n}\n"
    "train t for convnet(F = 4, C = 6) {\n"
    "  data csv(\"digits.csv\", image = 0..15, digit = 16, holdout = 20%)\n  batch 12\n"
    "  optimizer sgd(lr = 0.1, momentum = 0.9)\n  epochs 2\n  seed 7\n"
    "  freeze batch_norm_2\n}\nplan p for t on box { }\n";

/* Grouped heads, rotary positions, a window, keys that are not seen, attention to something else. */
static const char llama[] =
    "layer block(x: [B, S, D], seen: [B, S], A: dim, G: dim) -> [B, S, D] {\n"
    "  h = x + self_attention(rms_norm(x), A, G, causal, rotate, bias = no, window = 3)\n"
    "  h = h + self_attention(rms_norm(h), A, keys = seen)\n"
    "  h = h + cross_attention(rms_norm(h), x, A, G)\n"
    "  return h + swiglu(rms_norm(h), F = 2 * D)\n}\n"
    "model llama(V: dim, S: dim, D: dim, A: dim, G: dim) {\n"
    "  input text: id[B, S] below V\n  input next: id[B, S] below V\n"
    "  x = block(embed(text, V, D), text != 3, A, G)\n"
    "  loss = cross_entropy(linear(rms_norm(x), V), next, ignored = 0)\n}\n"
    "train t for llama(V = 12, S = 4, D = 16, A = 4, G = 2) {\n"
    "  data tokens(\"corpus/*.bin\")\n  batch 12\n  optimizer sgd(lr = 0.1)\n"
    "  steps 100\n  seed 42\n}\nplan p for t on box { }\n";

typedef struct mesh_case {
    const char *model;
    const char *axes;   /* "dp=2 tp=2" */
    const char *splits; /* "B:dp F:tp" */
    double tolerance;
} mesh_case;

static const mesh_case cases[] = {
    {mlp, "dp=1", "B:dp", 1e-9},
    {mlp, "dp=2", "B:dp", 1e-9},
    {mlp, "dp=3", "B:dp", 1e-9},
    {mlp, "dp=4", "B:dp", 1e-9},
    {mlp, "tp=2", "H:tp", 1e-9},
    {mlp, "tp=4", "H:tp", 1e-9},
    {mlp, "tp=2", "H2:tp", 1e-9},
    {mlp, "tp=2", "P:tp", 1e-9},
    {mlp, "tp=3", "C:tp", 1e-9},
    {mlp, "dp=2 tp=2", "B:dp H:tp C:tp", 1e-9},
    {mlp, "dp=3 tp=2", "B:dp P:tp H2:tp", 1e-9},
    {mlp, "a=2 b=3", "H:a C:b", 1e-9},
    {gpt, "dp=2", "B:dp", 1e-9},
    {gpt, "dp=3", "B:dp", 1e-9},
    {gpt, "dp=4", "B:dp", 1e-9},
    {gpt, "tp=2", "F:tp", 1e-9},
    {gpt, "tp=2", "V:tp", 1e-9},
    {gpt, "tp=2", "A:tp", 1e-9},
    {gpt, "tp=2", "D:tp", 1e-9},
    {gpt, "sp=2", "S:sp", 1e-9},
    {gpt, "dp=2 tp=2", "B:dp A:tp F:tp V:tp", 1e-9},
    {gpt, "dp=2 sp=2 tp=2", "B:dp S:sp A:tp F:tp V:tp", 1e-9},
    {convnet, "dp=2", "B:dp", 1e-9},
    {convnet, "dp=3", "B:dp", 1e-9},
    {convnet, "dp=4", "B:dp", 1e-9},
    {convnet, "dp=2 tp=2", "B:dp F:tp", 1e-9},
    {llama, "dp=2", "B:dp", 1e-9},
    {llama, "dp=4", "B:dp", 1e-9},
    {llama, "tp=2", "A:tp G:tp", 1e-9},
    {llama, "tp=2", "A:tp", 1e-9},
    {llama, "dp=2 tp=2", "B:dp A:tp F:tp V:tp", 1e-9},
    {llama, "sp=2", "S:sp", 1e-9},
};

enum { CASES = sizeof cases / sizeof *cases };

/* The mesh and splits of the case in place of the plan's. */
static void lay_out(sema_run *r, const mesh_case *c)
{
    training *t = r->out.training;
    arena *a = r->memory;
    char name[8];
    int size, n;
    t->mesh.count = t->splits.count = t->reduces.count = 0;
    for (const char *at = c->axes; sscanf(at, " %7[a-z]=%d%n", name, &size, &n) == 2; at += n)
        vec_push(
            a, &t->mesh,
            (graph_axis){.name = atom_of(r->atoms, name), .size = size, .declared = t->plan_at});
    for (const char *at = c->splits; *at;) {
        char dim[8], axis[8];
        assert_int_equal(sscanf(at, " %7[A-Z0-9]:%7[a-z]%n", dim, axis, &n), 2);
        at += n;
        for (size_t i = 0; i < t->mesh.count; i++)
            if (t->mesh.items[i].name == atom_of(r->atoms, axis)) {
                vec_push(a, &t->splits,
                         (training_split){atom_of(r->atoms, dim), (int)i, t->plan_at});
            }
    }
}

static sema_run elaborate(const char *model)
{
    arena *a = arena_new();
    sema_run r = sema_run_text(arena_format(a, "%s%s", head, model), "p");
    if (!r.fine)
        fail_msg("%s", sema_run_words(&r));
    arena_free(a);
    return r;
}

/* The same pseudorandom numbers for the same name, whatever the graph. */
static void fill(double *data, int64_t count, const char *name, double low, double high)
{
    uint64_t state = 88172645463325252u;
    for (; *name; name++)
        state = (state ^ (unsigned char)*name) * 1099511628211u;
    for (int64_t i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        data[i] = low + (high - low) * (double)(state >> 11) / 9007199254740992.0;
    }
}

static interpreter *prepared(const graph *g, arena *a)
{
    interpreter *it = interpret_new(g, a);
    for (size_t v = 0; v < g->variables.count; v++) {
        const graph_variable *x = &g->variables.items[v];
        double low = x->kind == VARIABLE_PARAMETER ? -0.5 : 0.01; /* moments, variances */
        fill(interpret_variable(it, (int)v), graph_type_count(g, &x->type), x->path, low, 0.6);
    }
    for (size_t f = 0; f < g->functions.count; f++)
        for (size_t i = 0; i < g->functions.items[f]->region.ops.count; i++) {
            const graph_op *op = g->functions.items[f]->region.ops.items[i];
            if (op->kind != OP_input)
                continue;
            const graph_type *t = &op->outputs.items[0]->type;
            int64_t count = graph_type_count(g, t);
            double *data = arena_array(a, double, count);
            fill(data, count, op->attrs.name, 0, t->dtype == DTYPE_I32 ? 6 : 1);
            for (int64_t e = 0; t->dtype == DTYPE_I32 && e < count; e++)
                data[e] = floor(data[e]);
            interpret_input(it, op->attrs.name, data);
        }
    interpret_clock(it, 3, 100, 10);
    return it;
}

static void must_verify(const graph *g, arena *a, const mesh_case *c)
{
    const char *wrong = graph_verify(g, a);
    if (wrong)
        fail_msg("%s over %s: %s", c->splits, c->axes, wrong);
}

static void assert_close(double whole, double parts, const mesh_case *c, const char *what)
{
    if (!(fabs(whole - parts) <= c->tolerance * (1 + fabs(whole))))
        fail_msg("%s over %s: %s is %.17g whole and %.17g in parts", c->splits, c->axes, what,
                 whole, parts);
}

static void compare(sema_run *whole, sema_run *parts, const char *function, const mesh_case *c)
{
    const graph *g = whole->out.graph, *h = parts->out.graph;
    interpreter *a = prepared(g, whole->memory), *b = prepared(h, parts->memory);
    const graph_function *f = graph_function_find(g, function);
    interpret_run(a, f);
    interpret_run(b, graph_function_find(h, function));
    for (size_t i = 0; i < f->results.count; i++)
        assert_close(interpret_result(a, f->results.items[i].name),
                     interpret_result(b, f->results.items[i].name), c, f->results.items[i].name);
    for (size_t v = 0; v < g->variables.count; v++)
        for (int64_t i = 0; i < graph_type_count(g, &g->variables.items[v].type); i++)
            assert_close(interpret_variable(a, (int)v)[i], interpret_variable(b, (int)v)[i], c,
                         g->variables.items[v].path);
}

static int count_ops(const graph_region *r, op_kind kind)
{
    int count = 0;
    for (size_t i = 0; i < r->ops.count; i++) {
        count += r->ops.items[i]->kind == kind;
        if (r->ops.items[i]->body)
            count += count_ops(r->ops.items[i]->body, kind);
    }
    return count;
}

static void parts_compute_the_whole(void **state)
{
    (void)state;
    printf("  %-22s %-22s reduce gather  cut (collectives of a step)\n", "split", "mesh");
    for (int i = 0; i < CASES; i++) {
        const mesh_case *c = &cases[i];
        sema_run whole = elaborate(c->model), parts = elaborate(c->model);
        lay_out(&parts, c);
        pass_simplify(whole.out.graph);
        pass_simplify(parts.out.graph);
        must_verify(parts.out.graph, parts.memory, c);
        assert_true(pass_partition(parts.out.graph, parts.out.training, parts.diags));
        must_verify(parts.out.graph, parts.memory, c);
        const graph_region *step = &graph_function_find(parts.out.graph, "step")->region;
        int gathers = count_ops(step, OP_all_gather), cuts = count_ops(step, OP_shard);
        printf("  %-22s %-22s %6d %6d %4d\n", c->splits, c->axes, count_ops(step, OP_all_reduce),
               gathers, cuts);
        if (!strstr(c->splits, "S:") && gathers + cuts) /* heads, widths, classes: by sums alone */
            fail_msg("%s over %s moves what it need not", c->splits, c->axes);
        compare(&whole, &parts, "step", c);
        compare(&whole, &parts, "eval", c);
        sema_run_free(&whole);
        sema_run_free(&parts);
    }
}

/* Folded scalars are rounded to f32, which the interpreter does not do by itself. */
static void a_simpler_graph_computes_the_same(void **state)
{
    (void)state;
    const char *models[] = {mlp, gpt};
    for (int i = 0; i < 2; i++) {
        mesh_case c = {models[i], "", "simplified", 1e-6};
        sema_run whole = elaborate(c.model), simple = elaborate(c.model);
        size_t before = simple.out.graph->functions.items[0]->region.ops.count;
        pass_simplify(simple.out.graph);
        must_verify(simple.out.graph, simple.memory, &c);
        assert_true(simple.out.graph->functions.items[0]->region.ops.count < before);
        compare(&whole, &simple, "step", &c);
        compare(&whole, &simple, "eval", &c);
        sema_run_free(&whole);
        sema_run_free(&simple);
    }
}

static void the_spmd_form_reads_back(void **state)
{
    (void)state;
    sema_run r = elaborate(gpt);
    lay_out(&r, &(mesh_case){gpt, "dp=2 tp=2", "B:dp A:tp F:tp V:tp", 1e-9});
    assert_true(pass_partition(r.out.graph, r.out.training, r.diags));
    const char *printed = graph_print(r.out.graph, r.memory);
    graph_parse_error error;
    graph *again = graph_parse(r.memory, r.atoms, r.sources, printed, &error);
    if (!again)
        fail_msg("line %d: %s", error.line, error.text);
    assert_null(graph_verify(again, r.memory));
    assert_string_equal(graph_print(again, r.memory), printed);
    sema_run_free(&r);
}

static void an_axis_that_does_not_divide_is_an_error(void **state)
{
    (void)state;
    sema_run r = elaborate(mlp);
    lay_out(&r, &(mesh_case){mlp, "dp=5", "B:dp", 1e-9});
    assert_false(pass_partition(r.out.graph, r.out.training, r.diags));
    assert_non_null(
        strstr(sema_run_words(&r), "axis 'dp' of 5 does not divide dimension 'B' of 12"));
    sema_run_free(&r);
}

static void an_axis_splits_one_dimension_of_a_tensor(void **state)
{
    (void)state;
    sema_run r = elaborate(mlp);
    lay_out(&r, &(mesh_case){mlp, "tp=2", "H:tp H2:tp", 1e-9});
    assert_false(pass_partition(r.out.graph, r.out.training, r.diags));
    assert_non_null(
        strstr(sema_run_words(&r), "axis 'tp' would split both 'H' and 'H2' of 'linear_2.w'"));
    sema_run_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_compute_the_whole),
        cmocka_unit_test(a_simpler_graph_computes_the_same),
        cmocka_unit_test(the_spmd_form_reads_back),
        cmocka_unit_test(an_axis_that_does_not_divide_is_an_error),
        cmocka_unit_test(an_axis_splits_one_dimension_of_a_tensor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
