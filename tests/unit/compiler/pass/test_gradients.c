/* pass/: every operator's gradient against central differences in f64, over a grid of shapes with odd sizes, size 1 and, where
 * legal, size 0; and scans, captures, shared parameters. Then values and gradients against PyTorch's, which
 * tests/reference/operators.py writes. Prints both tables, with the largest relative difference of each case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/build.h"
#include "graph/text_form.h"
#include "graph/verify.h"
#include "pass/differentiate.h"
#include "support/interpret.h"
#include "support/operator_cases.h"

enum { CASES = sizeof cases / sizeof *cases, MAX_VARIABLES = 4 };

typedef struct trial {
    arena *memory;
    graph *g;
    graph_function *f;
    graph_value *loss;
    graph_value **gradients;
    interpreter *it;
    double *weight; /* of the result's elements in the loss */
    double *ids;
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

/* "x[A B] w[B C]" as variable lines, and as operators %0, %1, … that read them. */
static char *variables_text(arena *a, const char *variables, char **reads)
{
    char *lines = arena_format(a, "%s", "");
    int count = 0;
    *reads = lines;
    for (const char *at = variables; *at; count++) {
        const char *open = strchr(at, '['), *close = strchr(at, ']');
        char dims[64] = "", letters[64] = "";
        for (const char *d = open + 1; d < close; d += 2) {
            char *end = dims + strlen(dims);
            sprintf(end, "%s%c", *dims ? ", " : "", *d);
            sprintf(letters + strlen(letters), "%s%c", *letters ? " " : "",
                    'a' + (int)((d - open) / 2));
        }
        char *name = arena_copy_text(a, at, (size_t)(open - at));
        lines = arena_format(a, "%svariable %s : f64[%s] parameter @ -\n", lines, name, dims);
        *reads = arena_format(a, "%s%%%d = variable variable=%s -> [%s] : f64[%s] @ -\n", *reads,
                              count, name, letters, dims);
        at = close + 1;
        at += *at == ' ';
    }
    return lines;
}

/* Each operator line of the case gets its place. */
static char *with_places(arena *a, const char *lines)
{
    char *out = arena_format(a, "%s", "");
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        const char *line = arena_copy_text(a, lines, length);
        bool op = strstr(line, " = ") != NULL;
        out = arena_format(a, "%s%s%s\n", out, line, op ? " @ -" : "");
        lines += length + (lines[length] == '\n');
    }
    return out;
}

/* loss = sum(result * input weight), behind the case's operators. */
static void add_loss(trial *t, graph_value *result)
{
    build b = build_at(t->g, &t->f->region, SPAN_NONE);
    int8_t map[GRAPH_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
    build_operand y = build_by_index(&b, result, map);
    build_dims dims = {.rank = result->type.rank};
    memcpy(dims.dims, result->type.dims, sizeof dims.dims);
    memcpy(dims.labels, y.labels, sizeof dims.labels);
    build_operand w = build_input(&b, atom_of(t->g->atoms, "weight"), DTYPE_F64, &dims);
    build_operand product = build_binary(&b, OP_mul, y, w);
    t->loss = build_reduce(&b, OP_sum, product, dims.labels, dims.rank).value;
    vec_push(t->memory, &t->f->results,
             (graph_result){atom_of(t->g->atoms, "loss"), RESULT_LOSS, t->loss});
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

static void must_verify(trial *t, const char *name)
{
    const char *wrong = graph_verify(t->g, t->memory);
    if (wrong)
        fail_msg("%s: %s\n%s", name, wrong, graph_print(t->g, t->memory));
}

static void make(trial *t, const gradient_case *c, const int *abc)
{
    atom_table *atoms = atom_table_new(t->memory);
    source_set *sources = source_set_new(t->memory);
    graph_parse_error error;
    char *reads, *variables = variables_text(t->memory, c->variables, &reads);
    const char *text =
        arena_format(t->memory, "graph\n%s%sfunction step\n%s%send\n", dims_text(t->memory, abc),
                     variables, reads, with_places(t->memory, c->lines));
    t->g = graph_parse(t->memory, atoms, sources, text, &error);
    if (!t->g)
        fail_msg("%s: line %d: %s\n%s", c->name, error.line, error.text, text);
    t->f = graph_function_find(t->g, "step");
    graph_value *result = value_of(t, abs(c->result));
    add_loss(t, result);
    must_verify(t, c->name);
    t->gradients = arena_array(t->memory, graph_value *, t->g->variables.count);
    pass_differentiate(t->g, t->f, t->loss, t->gradients);
    must_verify(t, c->name);
    int64_t count = graph_type_count(t->g, &result->type);
    t->weight = arena_array(t->memory, double, count + 1);
    for (int64_t i = 0; i < count; i++)
        t->weight[i] = draw(t) - 0.4;
    t->ids = arena_array(t->memory, double, abc[2] + 1);
    for (int i = 0; i < abc[2]; i++)
        t->ids[i] = floor(draw(t) * abc[0]);
}

static void fill(trial *t, const gradient_case *c)
{
    t->it = interpret_new(t->g, t->memory);
    interpret_input(t->it, "weight", t->weight);
    interpret_input(t->it, "ids", t->ids);
    for (size_t v = 0; v < t->g->variables.count; v++)
        for (int64_t i = 0; i < graph_type_count(t->g, &t->g->variables.items[v].type); i++)
            interpret_variable(t->it, (int)v)[i] =
                c->range == POSITIVE ? 0.2 + draw(t) : 2 * draw(t) - 1;
}

static double loss_at(trial *t, double *x, double value)
{
    double before = *x;
    *x = value;
    interpret_run(t->it, t->f);
    double loss = interpret_result(t->it, "loss");
    *x = before;
    return loss;
}

/* The largest difference of a gradient's element from (loss(x + h) - loss(x - h)) / 2h. */
static double worst(trial *t, const gradient_case *c)
{
    double most = 0;
    fill(t, c);
    interpret_run(t->it, t->f);
    size_t variables = t->g->variables.count;
    double *found[MAX_VARIABLES];
    for (size_t v = 0; v < variables; v++) {
        assert_non_null(t->gradients[v]);
        found[v] = interpret_value(t->it, t->gradients[v]);
    }
    for (size_t v = 0; v < variables; v++)
        for (int64_t i = 0; i < graph_type_count(t->g, &t->g->variables.items[v].type); i++) {
            double *x = &interpret_variable(t->it, (int)v)[i], h = 1e-5;
            double slope = (loss_at(t, x, *x + h) - loss_at(t, x, *x - h)) / (2 * h);
            if (c->result < 0)
                slope /= 2; /* detach: one of two equal ways counts */
            most = fmax(most, fabs(slope - found[v][i]) / (1 + fabs(slope)));
        }
    return most;
}

static double worst_over(const gradient_case *c, const int (*shapes)[3], size_t count)
{
    double most = 0;
    for (size_t s = 0; s < count; s++) {
        trial t = {.memory = arena_new(), .random = 7 + s};
        make(&t, c, shapes[s]);
        most = fmax(most, worst(&t, c));
        arena_free(t.memory);
    }
    return most;
}

static void every_gradient_is_the_slope(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        double most = worst_over(&cases[i], grid, sizeof grid / sizeof *grid);
        if (cases[i].empty)
            most = fmax(most,
                        worst_over(&cases[i], empty_grid, sizeof empty_grid / sizeof *empty_grid));
        printf("  %-34s %.1e\n", cases[i].name, most);
        if (!(most < 2e-7))
            fail_msg("%s: a gradient is off by %g", cases[i].name, most);
    }
}

/* A block of tests/reference/operators/values.txt, as far as it is read. */
typedef struct reference {
    char *at;
    char *line; /* the current one, cut at its end */
} reference;

static bool next_line(reference *r)
{
    if (!*r->at)
        return false;
    r->line = r->at;
    r->at += strcspn(r->at, "\n");
    if (*r->at)
        *r->at++ = '\0';
    return true;
}

static char *read_reference(arena *a)
{
    FILE *file = fopen(TEST_SOURCE_DIR "/tests/reference/operators/values.txt", "rb");
    assert_non_null(file);
    char *bytes = arena_alloc(a, 1 << 20);
    size_t length = fread(bytes, 1, (1 << 20) - 1, file);
    fclose(file);
    bytes[length] = '\0';
    return bytes;
}

static const gradient_case *case_named(const char *name)
{
    for (int i = 0; i < CASES; i++)
        if (strcmp(cases[i].name, name) == 0)
            return &cases[i];
    fail_msg("no case '%s'", name);
    return NULL;
}

static int64_t read_numbers(const char *text, double *to, int64_t room)
{
    int64_t count = 0;
    for (char *end; count <= room; count++, text = end) {
        double value = strtod(text, &end);
        if (end == text)
            break;
        assert_true(count < room);
        to[count] = value;
    }
    return count;
}

static int variable_named(const trial *t, const char *name)
{
    for (size_t v = 0; v < t->g->variables.count; v++)
        if (strcmp(t->g->variables.items[v].path, name) == 0)
            return (int)v;
    return -1;
}

/* `value NAME numbers…` */
static void take_value(trial *t, const char *line)
{
    char name[16];
    int used;
    assert_int_equal(sscanf(line, "value %15s%n", name, &used), 1);
    int v = variable_named(t, name);
    double *to = v >= 0                     ? interpret_variable(t->it, v)
                 : strcmp(name, "ids") == 0 ? t->ids
                                            : t->weight;
    read_numbers(line + used, to,
                 v >= 0 ? graph_type_count(t->g, &t->g->variables.items[v].type) : 1000);
}

static double difference(const double *got, const char *wanted, int64_t count, arena *a)
{
    double most = 0, *w = arena_array(a, double, count + 1);
    assert_int_equal(read_numbers(wanted, w, count), count);
    for (int64_t i = 0; i < count; i++)
        most = fmax(most, fabs(got[i] - w[i]) / (1 + fabs(w[i])));
    return most;
}

/* Compares `result numbers…` and `gradient NAME numbers…` after a run. */
static double compare_line(trial *t, const gradient_case *c, const char *line)
{
    char name[16];
    int used;
    const graph_value *x = value_of(t, abs(c->result));
    if (sscanf(line, "gradient %15s%n", name, &used) == 1) {
        int v = variable_named(t, name);
        assert_true(v >= 0);
        x = t->gradients[v];
        line += used;
    } else {
        line += strlen("result");
    }
    int64_t count = graph_type_count(t->g, &x->type);
    return difference(interpret_value(t->it, x), line, count, t->memory);
}

static void values_and_gradients_are_pytorchs(void **state)
{
    (void)state;
    arena *a = arena_new();
    reference r = {.at = read_reference(a)};
    int blocks = 0, abc[3];
    trial t = {.memory = NULL};
    const gradient_case *c = NULL;
    double most = 0;
    bool ran = false;
    while (next_line(&r)) {
        if (strncmp(r.line, "case ", 5) == 0) {
            if (c)
                printf("  %-34s %.1e\n", c->name, most);
            c = case_named(r.line + 5);
            most = 0;
            ran = false;
            blocks++;
        } else if (sscanf(r.line, "dims %d %d %d", &abc[0], &abc[1], &abc[2]) == 3) {
            arena_free(t.memory);
            t = (trial){.memory = arena_new()};
            make(&t, c, abc);
            t.weight = arena_array(t.memory, double, 1001);
            t.ids = arena_array(t.memory, double, 1001);
            fill(&t, c);
        } else if (strncmp(r.line, "value ", 6) == 0) {
            take_value(&t, r.line);
        } else {
            if (!ran)
                interpret_run(t.it, t.f);
            ran = true;
            most = fmax(most, compare_line(&t, c, r.line));
            if (!(most < 1e-12))
                fail_msg("%s: off by %g", c->name, most);
        }
    }
    printf("  %-34s %.1e\n", c->name, most);
    assert_true(blocks > 45);
    arena_free(t.memory);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_gradient_is_the_slope),
        cmocka_unit_test(values_and_gradients_are_pytorchs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
