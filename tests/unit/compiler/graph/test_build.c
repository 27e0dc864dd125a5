/* graph/: the builder's shape rules, the text form and the verifier. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "graph/build.h"
#include "graph/text_form.h"
#include "graph/verify.h"
#include "support/interpret.h"

typedef struct fixture {
    arena *memory;
    atom_table *atoms;
    source_set *sources;
    graph *g;
    graph_function *step;
    build b;
    dim_id B, D, H;
    atom b_, d_, h_;
} fixture;

static int set_up(void **state)
{
    arena *a = arena_new();
    fixture *f = arena_make(a, fixture);
    f->memory = a;
    f->atoms = atom_table_new(a);
    f->sources = source_set_new(a);
    static const char text[] = "model mlp\n  h = linear(x)\n";
    int file = source_add(f->sources, "digits.plan", text, sizeof text - 1);
    f->g = graph_new(a, f->atoms, f->sources);
    f->step = graph_function_add(f->g, "step");
    f->b_ = atom_of(f->atoms, "B");
    f->d_ = atom_of(f->atoms, "D");
    f->h_ = atom_of(f->atoms, "H");
    span at = {file, 12, 25};
    f->B = graph_dim_add(f->g, f->b_, 6, at);
    f->D = graph_dim_add(f->g, f->d_, 10, at);
    f->H = graph_dim_add(f->g, f->h_, 4, at);
    f->b = build_at(f->g, &f->step->region, at);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    arena_free(((fixture *)*state)->memory);
    return 0;
}

static build_operand input(fixture *f, const char *name, build_dims dims)
{
    return build_input(&f->b, atom_of(f->atoms, name), DTYPE_F32, &dims);
}

static build_operand input_bd(fixture *f)
{
    return input(f, "x", (build_dims){2, {f->B, f->D}, {f->b_, f->d_}});
}

static build_operand input_dh(fixture *f)
{
    return input(f, "w", (build_dims){2, {f->D, f->H}, {f->d_, f->h_}});
}

static void assert_labels(build_operand x, int rank, atom first, atom second)
{
    assert_non_null(x.value);
    assert_int_equal(x.value->type.rank, rank);
    if (rank > 0)
        assert_ptr_equal(x.labels[0], first);
    if (rank > 1)
        assert_ptr_equal(x.labels[1], second);
}

static void dot_sums_over_what_it_names(void **state)
{
    fixture *f = *state;
    build_operand y = build_dot(&f->b, input_bd(f), input_dh(f), &f->d_, 1);
    assert_labels(y, 2, f->b_, f->h_);
    assert_int_equal(y.value->type.dims[1], f->H);
    assert_int_equal(y.value->producer->index_count, 3);
    assert_null(graph_verify(f->g, f->memory));
}

static void map_broadcasts_by_label(void **state)
{
    fixture *f = *state;
    build_operand bias = input(f, "b", (build_dims){1, {f->D}, {f->d_}});
    build_operand y = build_binary(&f->b, OP_add, bias, input_bd(f));
    assert_labels(y, 2, f->d_, f->b_);
    y = build_binary(&f->b, OP_mul, input_bd(f), bias);
    assert_labels(y, 2, f->b_, f->d_);
    assert_null(graph_verify(f->g, f->memory));
}

static void sizes_under_one_label_must_agree(void **state)
{
    fixture *f = *state;
    build_operand y = input(f, "y", (build_dims){1, {f->H}, {f->d_}});
    size_t before = f->step->region.ops.count;
    build_operand x = input_bd(f);
    build_operand sum = build_binary(&f->b, OP_add, x, y);
    assert_null(sum.value);
    assert_int_equal(f->b.error.problem, BUILD_SIZES);
    assert_ptr_equal(f->b.error.label, f->d_);
    assert_int_equal(f->b.error.dims[0], f->D);
    assert_int_equal(f->b.error.dims[1], f->H);
    assert_int_equal(f->b.error.operands[0], 0);
    assert_int_equal(f->b.error.operands[1], 1);
    assert_string_equal(f->b.error.text,
                        "dimension 'D' has size 10 in one operand and 4 in another");
    assert_int_equal(f->step->region.ops.count, before + 1);
    sum = build_binary(&f->b, OP_add, sum, y);
    assert_int_equal(f->b.error.problem, BUILD_POISONED);
}

static void what_is_not_there_is_named(void **state)
{
    fixture *f = *state;
    assert_null(build_reduce(&f->b, OP_sum, input_bd(f), &f->h_, 1).value);
    assert_int_equal(f->b.error.problem, BUILD_NO_LABEL);
    assert_null(build_dot(&f->b, input_bd(f), input_dh(f), &f->b_, 1).value);
    assert_int_equal(f->b.error.problem, BUILD_NO_LABEL);
    assert_int_equal(f->b.error.operands[0], 1);
    build_slicing how = {.label = f->d_, .first = 7, .stride = 1, .dim = f->H, .now = f->h_};
    assert_null(build_slice(&f->b, input_bd(f), &how).value);
    assert_int_equal(f->b.error.problem, BUILD_RANGE);
    build_dims other = {1, {f->H}, {f->h_}};
    assert_null(build_reshape(&f->b, input_bd(f), &other).value);
    assert_int_equal(f->b.error.problem, BUILD_COUNT);
    build_operand i = build_index(&f->b, f->B, f->b_);
    assert_null(build_binary(&f->b, OP_add, i, input_bd(f)).value);
    assert_int_equal(f->b.error.problem, BUILD_TYPES);
    assert_string_equal(f->b.error.text, "'add' does not take i32 with f32");
}

static void gather_puts_the_ids_first(void **state)
{
    fixture *f = *state;
    build_operand ids = build_index(&f->b, f->B, f->b_);
    build_operand rows = build_gather(&f->b, input_dh(f), f->d_, ids);
    assert_labels(rows, 2, f->b_, f->h_);
    build_operand picked = build_gather(&f->b, input_bd(f), f->d_, ids);
    assert_labels(picked, 1, f->b_, NULL);
    assert_null(graph_verify(f->g, f->memory));
}

/* context: number of calls, largest element, sum of elements. */
static double note_element(void *context, const char *name, double step, int64_t element)
{
    int64_t *seen = context;
    (void)name;
    (void)step;
    seen[0]++;
    seen[1] = element > seen[1] ? element : seen[1];
    seen[2] += element;
    return 0;
}

/* repeat L: repeat L: x = x + random, the innermost's own in each of the nine rounds. */
static void each_iteration_has_its_own_random_numbers(void **state)
{
    fixture *f = *state;
    dim_id L = graph_dim_add(f->g, atom_of(f->atoms, "L"), 3, SPAN_NONE);
    atom l_ = atom_of(f->atoms, "L"), name = atom_of(f->atoms, "drop");
    build_operand x = input_bd(f), middle, inner, results[1];
    build outer, body;
    build_scan scan = {.dim = L, .label = l_, .carried = &x, .count = 1};
    build_repeat_begin(&f->b, &outer, &scan, &middle);
    scan.carried = &middle;
    build_repeat_begin(&outer, &body, &scan, &inner);
    build_dims dims = {2, {f->B, f->D}, {f->b_, f->d_}};
    build_operand noise = build_random(&body, name, DTYPE_F32, &dims);
    build_operand y = build_binary(&body, OP_add, inner, noise);
    assert_true(build_repeat_end(&body, &y, NULL, 0, results));
    assert_true(build_repeat_end(&outer, results, NULL, 0, results));
    assert_null(graph_verify(f->g, f->memory));
    double *zeros = arena_array(f->memory, double, 60);
    interpreter *it = interpret_new(f->g, f->memory);
    interpret_input(it, "x", zeros);
    int64_t seen[3] = {0};
    interpret_random(it, note_element, seen);
    interpret_run(it, f->step);
    assert_int_equal(seen[0], 9 * 60);
    assert_int_equal(seen[1], 9 * 60 - 1);
    assert_int_equal(seen[2], (9 * 60 - 1) * (9 * 60) / 2);
}

/* x = repeat L: tanh(x . w), with w stacked. */
static build_operand repeat_of_dots(fixture *f)
{
    dim_id L = graph_dim_add(f->g, atom_of(f->atoms, "L"), 3, SPAN_NONE);
    atom l_ = atom_of(f->atoms, "L"), e_ = atom_of(f->atoms, "E");
    graph_variable w = {.path = atom_of(f->atoms, "block.w"), .of = -1, .stacked = true};
    w.type = (graph_type){DTYPE_F32, 3, {L, f->D, f->D}};
    w.init = atom_of(f->atoms, "normal");
    w.init_args[1] = 0.125;
    int variable = graph_variable_add(f->g, w);
    build_operand x = input_bd(f), inside, results[1];
    build body;
    build_scan scan = {.dim = L, .label = l_, .carried = &x, .count = 1};
    build_repeat_begin(&f->b, &body, &scan, &inside);
    build_operand stack = build_variable(body.outer, variable, (atom[]){l_, f->d_, e_});
    build_operand slice = build_repeat_stacked(&body, stack);
    build_operand y = build_dot(&body, inside, slice, &f->d_, 1);
    y = build_unary(&body, OP_tanh, y);
    y.labels[1] = f->d_;
    assert_true(build_repeat_end(&body, &y, NULL, 0, results));
    return results[0];
}

static void a_repeat_keeps_its_carried_type(void **state)
{
    fixture *f = *state;
    build_operand y = repeat_of_dots(f);
    assert_labels(y, 2, f->b_, f->d_);
    assert_int_equal(y.value->producer->attrs.i[0], 3);
    assert_null(graph_verify(f->g, f->memory));
}

static void assert_reads_back(fixture *f)
{
    const char *text = graph_print(f->g, f->memory);
    graph_parse_error error;
    graph *again = graph_parse(f->memory, f->atoms, f->sources, text, &error);
    if (!again)
        fail_msg("line %d: %s\n%s", error.line, error.text, text);
    assert_null(graph_verify(again, f->memory));
    assert_string_equal(graph_print(again, f->memory), text);
    source_set *elsewhere = source_set_new(f->memory);
    again = graph_parse(f->memory, f->atoms, elsewhere, text, &error);
    assert_non_null(again);
    assert_string_equal(graph_print(again, f->memory), text);
}

static void the_text_form_reads_back(void **state)
{
    fixture *f = *state;
    build_operand x = repeat_of_dots(f), w = input_dh(f);
    build_operand y = build_dot(&f->b, x, w, &f->d_, 1);
    y.value->name = atom_of(f->atoms, "y");
    f->b.path = atom_of(f->atoms, "head");
    vec_push(f->memory, &f->b.trail, f->b.at);
    build_operand total = build_reduce(&f->b, OP_sum, y, (atom[]){f->b_, f->h_}, 2);
    graph_dim_add(f->g, f->h_, 9, SPAN_NONE);
    vec_push(f->memory, &f->step->results,
             (graph_result){atom_of(f->atoms, "loss"), RESULT_LOSS, total.value});
    assert_reads_back(f);
    const char *text = graph_print(f->g, f->memory);
    assert_non_null(strstr(text, "dim H'2 = 9 @ -\n"));
    assert_non_null(
        strstr(text, " = dot %6[b d], %7[d h] -> [b h] : f32[B, H] as y @ digits.plan:2\n"));
    assert_non_null(strstr(text, " path head from \"digits.plan:2\" @ digits.plan:2\n"));
}

static void a_damaged_text_is_an_error_with_its_line(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *text;
        int line;
    } cases[] = {
        {"", 0},
        {"grph\n", 1},
        {"graph\ndim B = x @ -\n", 2},
        {"graph\ndim B = 2 @ -\nfunction step\n  %1 = neg %0[b] -> [b] : f32[B] @ -\nend\n", 4},
        {"graph\nfunction step\n  %1 = nag -> [] : f32 @ -\nend\n", 3},
        {"graph\nfunction step\n  %1 = constant value=1 -> [] : f32[B] @ -\nend\n", 3},
        {"graph\nfunction step\n  %1 = constant value=1 -> [] : f32 @ -\n", 3},
        {"graph\nfunction step\n  %1 = constant value=1 -> [] : f32 at -\nend\n", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        graph_parse_error error = {0};
        assert_null(graph_parse(f->memory, f->atoms, f->sources, cases[i].text, &error));
        assert_non_null(error.text);
        assert_int_equal(error.line, cases[i].line);
    }
}

/* Each text parses, and breaks one invariant. */
static void the_verifier_sees_each_mistake(void **state)
{
    fixture *f = *state;
    static const char head[] = "graph\ndim B = 6 @ -\ndim D = 4 @ -\nfunction step\n"
                               "  %0 = input name=\"x\" -> [b d] : f32[B, D] @ -\n"
                               "  %1 = input name=\"y\" -> [d] : f32[B] @ -\n"
                               "  %2 = input name=\"i\" -> [b] : i32[B] @ -\n";
    static const struct {
        const char *line, *wrong;
    } cases[] = {
        {"%3 = add %0[b d], %1[d] -> [b d] : f32[B, D] @ -", "sizes 4 and 6 under one index"},
        {"%3 = add %0[b d], %1[b] -> [b] : f32[B] @ -", "the result has not the operands' indices"},
        {"%3 = add %0[b d], %2[b] -> [b d] : f32[B, D] @ -", "element types that do not fit"},
        {"%3 = lt %1[b], %1[b] -> [b] : f32[B] @ -", "the result has another element type"},
        {"%3 = neg %0[b d], %0[b d] -> [b d] : f32[B, D] @ -", "another number of operands"},
        {"%3 = sum %0[b b] -> [b] : f32[B] @ -", "an index stands twice in one operand"},
        {"%3 = sum %1[b] -> [b d] : f32[B, D] @ -",
         "the result's indices are some of the operand's"},
        {"%3 = reshape %0[_ _] -> [_] : f32[B] @ -", "another number of elements"},
        {"%3 = slice %0[b _] slot=1 first=2 stride=1 -> [b _] : f32[B, D] @ -",
         "reaches past the end"},
        {"%3 = gather %0[_ d], %1[b] -> [b d] : f32[B, D] @ -",
         "ids are i32, and the result has the table's type"},
        {"%3 = all_reduce %1[b] -> [b] : f32[B] @ -", "a collective before partition"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        graph_parse_error error = {0};
        const char *text = arena_format(f->memory, "%s  %s\nend\n", head, cases[i].line);
        graph *g = graph_parse(f->memory, f->atoms, f->sources, text, &error);
        if (!g)
            fail_msg("line %d: %s", error.line, error.text);
        const char *wrong = graph_verify(g, f->memory);
        assert_non_null(wrong);
        if (!strstr(wrong, cases[i].wrong))
            fail_msg("expected '%s', and it said '%s'", cases[i].wrong, wrong);
    }
}

/* Layout mistakes of the spmd form. */
static void the_verifier_follows_layouts(void **state)
{
    fixture *f = *state;
    static const char head[] =
        "spmd\nmesh dp = 2 @ -\nmesh tp = 2 @ -\ndim B = 6 @ -\ndim D = 4 @ -\ndim O = 3 @ -\n"
        "function step\n"
        "  %0 = input name=\"x\" -> [b d] : f32[B@dp, D] @ -\n"
        "  %1 = input name=\"w\" -> [d] : f32[D@tp] @ -\n"
        "  %2 = input name=\"v\" -> [d] : f32[D] @ -\n";
    static const struct {
        const char *line, *wrong;
    } cases[] = {
        {"%3 = sum %0[b d] -> [d] : f32[D]{+dp} @ -", NULL},
        {"%3 = sum %0[b d] -> [d] : f32[D] @ -", "the result is not yet summed over other axes"},
        {"%3 = add %0[b d], %1[d] -> [b d] : f32[B@dp, D] @ -", "one index is split in two ways"},
        {"%3 = input name=\"o\" -> [o] : f32[O@dp] @ -", "the axis does not divide the dimension"},
        {"%3 = input name=\"o\" -> [b d] : f32[B@dp, D@dp] @ -",
         "one axis splits two dimensions, or splits one and is not yet summed"},
        {"%3 = sum %0[b d] -> [d] : f32[D]{+dp} @ -\n  %4 = exp %3[d] -> [d] : f32[D]{+dp} @ -",
         "an operand that is not yet summed"},
        {"%3 = sum %0[b d] -> [d] : f32[D]{+dp} @ -\n"
         "  %4 = mul %3[d], %2[d] -> [d] : f32[D]{+dp} @ -\n"
         "  %5 = all_reduce %4[d] name=\"ring\" -> [d] : f32[D] @ -",
         NULL},
        {"%3 = sum %0[b d] -> [d] : f32[D]{+dp} @ -\n"
         "  %4 = add %3[d], %2[d] -> [d] : f32[D]{+dp} @ -",
         "operands that are not yet summed over different axes"},
        {"%3 = reduce_max %0[b d] -> [d] : f32[D]{+dp} @ -\n"
         "  %4 = all_reduce %3[d] -> [d] : f32[D] @ -",
         "a maximum is folded by maximum, and a sum by sum"},
        {"%3 = all_gather %1[d] axis=1 -> [d] : f32[D] @ -", NULL},
        {"%3 = all_gather %1[d] -> [d] : f32[D] @ -", "the slot is not split as it should be"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        graph_parse_error error = {0};
        const char *text = arena_format(f->memory, "%s  %s\nend\n", head, cases[i].line);
        graph *g = graph_parse(f->memory, f->atoms, f->sources, text, &error);
        if (!g)
            fail_msg("line %d: %s", error.line, error.text);
        const char *wrong = graph_verify(g, f->memory);
        if (!cases[i].wrong && wrong)
            fail_msg("%s", wrong);
        if (cases[i].wrong && (!wrong || !strstr(wrong, cases[i].wrong)))
            fail_msg("expected '%s', and it said '%s'", cases[i].wrong, wrong ? wrong : "nothing");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(dot_sums_over_what_it_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(map_broadcasts_by_label, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sizes_under_one_label_must_agree, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gather_puts_the_ids_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_repeat_keeps_its_carried_type, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_iteration_has_its_own_random_numbers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_text_form_reads_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_text_is_an_error_with_its_line, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_verifier_sees_each_mistake, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_verifier_follows_layouts, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
