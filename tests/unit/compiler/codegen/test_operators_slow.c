/* codegen/: every operator and its gradient, compiled to machine code and run, against the interpreter in f64: values of the
 * result and of each gradient, in f64 and in f32, over a grid of shapes with odd sizes, size 1 and size 0. All cases of a
 * shape are one plan. Prints the table of operators with the largest difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codegen/codegen.h"
#include "exec/context.h"
#include "graph/build.h"
#include "graph/text_form.h"
#include "graph/verify.h"
#include "pass/differentiate.h"
#include "support/interpret.h"
#include "support/operator_cases.h"

enum { CASES = sizeof cases / sizeof *cases, STRIDE = 1000 };

typedef struct trial {
    arena *memory;
    graph *g;
    graph_function *f;
    source_set *sources;
    schedule *s;
    diag_sink *sink;
    interpreter *it;
    graph_value *results[CASES]; /* NULL: the case is not in this plan */
    VEC(graph_value *) checked;  /* what is compared */
    VEC(int) case_of;
    VEC(int) kept_in; /* the variable that each is assigned to */
    double *ids;
    const int *abc;
    bool empty, wide;
    uint64_t random;
} trial;

static double draw(trial *t)
{
    t->random = t->random * 6364136223846793005u + 1442695040888963407u;
    return (double)(t->random >> 11) / 9007199254740992.0;
}

static char *dims_text(arena *a, const int *abc)
{
    long A = abc[0], B = abc[1], C = abc[2], X = 3 + 2 * A;
    return arena_format(a,
                        "dim A = %ld @ -\ndim B = %ld @ -\ndim C = %ld @ -\ndim M = %ld @ -\n"
                        "dim N = %ld @ -\ndim P = %ld @ -\ndim S = %ld @ -\ndim X = %ld @ -\n"
                        "dim Y = %ld @ -\ndim W = 3 @ -\ndim G = %ld @ -\ndim L = 3 @ -\n",
                        A, B, C, A * B, A + B, 3 + (A ? 2 * A - 1 : 0), A / 2, X,
                        (X + 2 - 3) / 2 + 1, 2 * B);
}

/* "x[A B] w[B C]" as variable lines, and as operators that read them; names and numbers are the case's own. */
static char *variables_text(arena *a, const char *variables, int number, char **reads)
{
    char *lines = arena_format(a, "%s", "");
    int count = 0;
    *reads = lines;
    for (const char *at = variables; *at; count++) {
        const char *open = strchr(at, '['), *close = strchr(at, ']');
        char dims[64] = "", letters[64] = "";
        for (const char *d = open + 1; d < close; d += 2) {
            sprintf(dims + strlen(dims), "%s%c", *dims ? ", " : "", *d);
            sprintf(letters + strlen(letters), "%s%c", *letters ? " " : "",
                    'a' + (int)((d - open) / 2));
        }
        char *name = arena_format(a, "c%d.%.*s", number, (int)(open - at), at);
        lines = arena_format(a, "%svariable %s : f64[%s] parameter @ -\n", lines, name, dims);
        *reads = arena_format(a, "%s%%%d = variable variable=%s -> [%s] : f64[%s]\n", *reads, count,
                              name, letters, dims);
        at = close + 1;
        at += *at == ' ';
    }
    return lines;
}

/* A place behind each operator; values numbered from number * STRIDE; f32 for f64 where the plan is narrow. */
static void add_lines(text *out, const trial *t, const char *lines, int number)
{
    bool op = false;
    for (const char *at = lines; *at; at++) {
        op = op || strncmp(at, " = ", 3) == 0;
        if (*at == '\n') {
            text_add(out, "%s\n", op ? " @ -" : "");
            op = false;
        } else if (*at == '%') {
            text_add(out, "%%%ld", strtol(at + 1, (char **)&at, 10) + number * STRIDE);
            at--;
        } else if (!t->wide && strncmp(at, "f64", 3) == 0) {
            text_add(out, "f32");
            at += 2;
        } else {
            text_add_bytes(out, at, 1);
        }
    }
    text_add(out, "%s", op ? " @ -\n" : "");
}

static bool taken(const trial *t, const gradient_case *c)
{
    return !t->empty || c->empty;
}

static const char *plan_text(trial *t)
{
    text variables = text_in(t->memory), body = text_in(t->memory);
    for (int i = 0; i < CASES; i++) {
        char *reads;
        if (!taken(t, &cases[i]))
            continue;
        char *own = variables_text(t->memory, cases[i].variables, i, &reads);
        add_lines(&variables, t, own, 0);
        add_lines(&body, t, reads, i);
        add_lines(&body, t, cases[i].lines, i);
        if (body.bytes[body.length - 1] != '\n')
            text_add(&body, "\n");
    }
    return arena_format(t->memory, "graph\n%s%sfunction step\n%send\n",
                        dims_text(t->memory, t->abc), text_done(&variables), text_done(&body));
}

static graph_value *value_of(trial *t, int id)
{
    for (size_t i = 0; i < t->f->region.ops.count; i++)
        for (size_t k = 0; k < t->f->region.ops.items[i]->outputs.count; k++)
            if (t->f->region.ops.items[i]->outputs.items[k]->id == id)
                return t->f->region.ops.items[i]->outputs.items[k];
    fail_msg("no value %d", id);
    return NULL;
}

static dtype width(const trial *t)
{
    return t->wide ? DTYPE_F64 : DTYPE_F32;
}

/* sum(result * weight), the weights from an input of the case. */
static build_operand case_loss(trial *t, build *b, int number)
{
    graph_value *result = t->results[number];
    int8_t map[GRAPH_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
    build_operand y = build_by_index(b, result, map);
    build_dims dims = {.rank = result->type.rank};
    memcpy(dims.dims, result->type.dims, sizeof dims.dims);
    memcpy(dims.labels, y.labels, sizeof dims.labels);
    atom name = atom_of(t->g->atoms, arena_format(t->memory, "weight%d", number));
    build_operand w = build_input(b, name, width(t), &dims);
    return build_reduce(b, OP_sum, build_binary(b, OP_mul, y, w), dims.labels, dims.rank);
}

static graph_value *losses(trial *t)
{
    build b = build_at(t->g, &t->f->region, SPAN_NONE);
    build_operand sum = {0};
    for (int i = 0; i < CASES; i++) {
        if (!taken(t, &cases[i]))
            continue;
        t->results[i] = value_of(t, i * STRIDE + abs(cases[i].result));
        build_operand own = case_loss(t, &b, i);
        sum = sum.value ? build_binary(&b, OP_add, sum, own) : own;
    }
    vec_push(t->memory, &t->f->results,
             (graph_result){atom_of(t->g->atoms, "loss"), RESULT_LOSS, sum.value});
    return sum.value;
}

/* Kept in a variable of its own, so that it can be read after the run. */
static void check_value(trial *t, graph_value *v, int number)
{
    build b = build_at(t->g, &t->f->region, SPAN_NONE);
    int8_t map[GRAPH_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
    char *path = arena_format(t->memory, "kept%zu", t->checked.count);
    int variable = graph_variable_add(t->g, (graph_variable){.path = atom_of(t->g->atoms, path),
                                                             .kind = VARIABLE_STATE,
                                                             .type = v->type,
                                                             .of = -1,
                                                             .at = SPAN_NONE});
    build_assign(&b, variable, build_by_index(&b, v, map));
    vec_push(t->memory, &t->checked, v);
    vec_push(t->memory, &t->case_of, number);
    vec_push(t->memory, &t->kept_in, variable);
}

static void make(trial *t)
{
    atom_table *atoms = atom_table_new(t->memory);
    graph_parse_error error;
    t->sources = source_set_new(t->memory);
    const char *plan = plan_text(t);
    t->g = graph_parse(t->memory, atoms, t->sources, plan, &error);
    if (!t->g)
        fail_msg("line %d: %s\n%s", error.line, error.text, plan);
    t->f = graph_function_find(t->g, "step");
    graph_value *loss = losses(t);
    size_t variables = t->g->variables.count;
    graph_value **gradients = arena_array(t->memory, graph_value *, variables);
    pass_differentiate(t->g, t->f, loss, gradients);
    for (size_t v = 0; v < variables; v++)
        if (gradients[v])
            check_value(t, gradients[v], atoi(t->g->variables.items[v].path + 1));
    for (int i = 0; i < CASES; i++)
        if (t->results[i])
            check_value(t, t->results[i], i);
    const char *wrong = graph_verify(t->g, t->memory);
    if (wrong)
        fail_msg("%s", wrong);
}

static void compile(trial *t, const char *path)
{
    codegen_options how = {.cpu = "native"};
    codegen_link_options link = {
        .output = path, .runtime = TEST_BUILD_DIR "/libespalier_rt.a", .shared = true};
    t->sink = diag_sink_new(t->memory, t->sources);
    t->s = pass_schedule(t->g, NULL, t->sink);
    codegen_module *m = NULL;
    if (t->s) {
        const char *wrong = schedule_verify(t->s, t->memory);
        pass_fuse(t->s);
        wrong = wrong ? wrong : schedule_verify(t->s, t->memory);
        pass_place(t->s);
        wrong = wrong ? wrong : schedule_verify(t->s, t->memory);
        if (wrong)
            fail_msg("%s", wrong);
        m = codegen_module_new(t->s, NULL, &how, t->sink);
    }
    bool fine = m && codegen_link(m, &link, t->sink);
    codegen_module_free(m);
    if (!fine)
        diag_print(t->sink, stdout, false);
    assert_true(fine);
}

static void put(const trial *t, char *memory, int buffer, int64_t i, double x)
{
    const schedule_buffer *b = &t->s->buffers.items[buffer];
    char *at = memory + b->offset + i * (int64_t)dtype_bytes(b->type);
    if (b->type == DTYPE_F64)
        *(double *)at = x;
    else if (b->type == DTYPE_F32)
        *(float *)at = (float)x;
    else
        *(int32_t *)at = (int32_t)x;
}

static double get(const trial *t, const char *memory, int buffer, int64_t i)
{
    const schedule_buffer *b = &t->s->buffers.items[buffer];
    const char *at = memory + b->offset + i * (int64_t)dtype_bytes(b->type);
    return b->type == DTYPE_F64 ? *(const double *)at : (double)*(const float *)at;
}

static double narrow(const trial *t, double x)
{
    return t->wide ? x : (double)(float)x;
}

static void fill(trial *t, char *memory)
{
    t->it = interpret_new(t->g, t->memory);
    for (size_t v = 0; v < t->g->variables.count; v++) {
        const graph_variable *x = &t->g->variables.items[v];
        bool positive = x->kind == VARIABLE_PARAMETER && cases[atoi(x->path + 1)].range == POSITIVE;
        for (int64_t i = 0; i < graph_type_count(t->g, &x->type); i++) {
            double value = narrow(t, positive ? 0.2 + draw(t) : 2 * draw(t) - 1);
            interpret_variable(t->it, (int)v)[i] = value;
            put(t, memory, t->s->variable_buffers.items[v], i, value);
        }
    }
    for (size_t k = 0; k < t->s->inputs.count; k++) {
        const schedule_input *in = &t->s->inputs.items[k];
        int64_t count = graph_type_count(t->g, &in->type);
        double *data = arena_array(t->memory, double, count + 1);
        for (int64_t i = 0; i < count; i++) {
            data[i] =
                in->type.dtype == DTYPE_I32 ? floor(draw(t) * t->abc[0]) : narrow(t, draw(t) - 0.4);
            put(t, memory, in->buffer, i, data[i]);
        }
        interpret_input(t->it, in->name, data);
    }
}

static void run(const char *path, char *memory)
{
    static struct esp_context context = {.threads = 1};
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        fail_msg("%s", dlerror());
    esp_function_fn *step;
    *(void **)&step = dlsym(library, "plan_step");
    assert_non_null(step);
    step(memory, &context);
    dlclose(library);
    unlink(path);
}

static void compare(trial *t, const char *memory, double *worst)
{
    interpret_run(t->it, t->f);
    for (size_t k = 0; k < t->checked.count; k++) {
        const graph_value *v = t->checked.items[k];
        double *expected = interpret_value(t->it, v);
        int buffer = t->s->variable_buffers.items[t->kept_in.items[k]];
        for (int64_t i = 0; i < graph_type_count(t->g, &v->type); i++) {
            double found = get(t, memory, buffer, i);
            double off = fabs(found - expected[i]) / (1 + fabs(expected[i]));
            double *most = &worst[t->case_of.items[k]];
            if (!(off <= *most))
                *most = off;
        }
    }
}

static void try_shape(const int *abc, bool empty, bool wide, double *worst)
{
    trial t = {.memory = arena_new(), .abc = abc, .empty = empty, .wide = wide, .random = 11};
    const char *path =
        arena_format(t.memory, "%s/tests/operators.%ld.so", TEST_BUILD_DIR, (long)getpid());
    make(&t);
    compile(&t, path);
    char *memory = aligned_alloc(64, (size_t)t.s->arena_bytes + 64);
    assert_non_null(memory);
    memset(memory, 0, (size_t)t.s->arena_bytes + 64);
    fill(&t, memory);
    run(path, memory);
    compare(&t, memory, worst);
    free(memory);
    arena_free(t.memory);
}

static void try_all(bool wide, double bound)
{
    static double worst[CASES];
    memset(worst, 0, sizeof worst);
    for (size_t s = 0; s < sizeof grid / sizeof *grid; s++)
        try_shape(grid[s], false, wide, worst);
    for (size_t s = 0; s < sizeof empty_grid / sizeof *empty_grid; s++)
        try_shape(empty_grid[s], true, wide, worst);
    int failed = 0;
    for (int i = 0; i < CASES; i++) {
        bool fine = worst[i] <= bound;
        printf("  %s %-34s %.1e%s\n", wide ? "f64" : "f32", cases[i].name, worst[i],
               fine ? "" : "  too far");
        failed += !fine;
    }
    assert_int_equal(failed, 0);
}

static void operators_in_f64_are_the_interpreters(void **state)
{
    (void)state;
    try_all(true, 1e-13);
}

static void operators_in_f32_are_near_the_interpreters(void **state)
{
    (void)state;
    try_all(false, 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_in_f64_are_the_interpreters),
        cmocka_unit_test(operators_in_f32_are_near_the_interpreters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
