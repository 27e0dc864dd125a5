/* codegen/: every layer of stdlib/nn.plan compiled to machine code and run in f32: its result, its states and its
 * gradients beside PyTorch's (tests/reference/layers/values.txt). Prints the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codegen/codegen.h"
#include "exec/context.h"
#include "graph/build.h"
#include "pass/partition.h"
#include "pass/simplify.h"
#include "support/layer_cases.h"

typedef struct trial {
    layer_case *c;
    graph *g;
    schedule *s;
    int kept
        [64]; /* for each line of numbers: the variable where the step leaves what it is about, or -1 */
} trial;

/* The value goes into a state of its own, which can be read behind the step. */
static int keep(trial *t, graph_value *v, size_t number)
{
    graph_function *step = graph_function_find(t->g, "step");
    build b = build_at(t->g, &step->region, SPAN_NONE);
    int8_t map[GRAPH_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
    const char *path = arena_format(t->c->run.memory, "kept%zu", number);
    int variable = graph_variable_add(t->g, (graph_variable){.path = atom_of(t->g->atoms, path),
                                                             .kind = VARIABLE_STATE,
                                                             .type = v->type,
                                                             .of = -1,
                                                             .at = SPAN_NONE});
    graph_variable *made = &t->g->variables.items[variable];
    made->init = atom_of(t->g->atoms, "zeros");
    for (int i = 0; i < GRAPH_MAX_RANK; i++)
        made->layout.axis[i] = NO_AXIS;
    build_assign(&b, variable, build_by_index(&b, v, map));
    return variable;
}

static void keep_all(trial *t)
{
    assert_true(t->c->numbers.count <= 64);
    for (size_t i = 0; i < t->c->numbers.count; i++) {
        const layer_numbers *n = &t->c->numbers.items[i];
        t->kept[i] = -1;
        if (strcmp(n->kind, "result") == 0)
            t->kept[i] = keep(t, layer_out(t->c, "step"), i);
        else if (strcmp(n->kind, "gradient") == 0)
            t->kept[i] = keep(t, layer_gradient(t->c, layer_variable(t->c, n->name)), i);
        else if (strcmp(n->kind, "after") == 0)
            t->kept[i] = layer_variable(t->c, n->name);
    }
}

static void compile(trial *t, const char *path)
{
    codegen_options how = {.cpu = "native"};
    codegen_link_options link = {
        .output = path, .runtime = TEST_BUILD_DIR "/libespalier_rt.a", .shared = true};
    diag_sink *sink = t->c->run.diags;
    struct training *plan = t->c->run.out.training;
    pass_simplify(t->g);
    t->s = pass_partition(t->g, plan, sink) ? pass_schedule(t->g, plan, sink) : NULL;
    codegen_module *m = NULL;
    if (t->s) {
        pass_fuse(t->s);
        pass_place(t->s);
        const char *wrong = schedule_verify(t->s, t->c->run.memory);
        if (wrong)
            fail_msg("%s: %s", t->c->name, wrong);
        m = codegen_module_new(t->s, plan, &how, sink);
    }
    bool fine = m && codegen_link(m, &link, sink);
    codegen_module_free(m);
    if (!fine)
        fail_msg("%s: %s", t->c->name, sema_run_words(&t->c->run));
}

static void put(const trial *t, char *memory, int buffer, const layer_numbers *n)
{
    const schedule_buffer *b = &t->s->buffers.items[buffer];
    for (int64_t i = 0; i < n->count; i++) {
        char *at = memory + b->offset + i * (int64_t)dtype_bytes(b->type);
        if (b->type == DTYPE_F64)
            *(double *)at = n->at[i];
        else if (b->type == DTYPE_F32)
            *(float *)at = (float)n->at[i];
        else
            *(int32_t *)at = (int32_t)n->at[i];
    }
}

static void fill(const trial *t, char *memory)
{
    for (size_t i = 0; i < t->c->numbers.count; i++) {
        const layer_numbers *n = &t->c->numbers.items[i];
        if (strcmp(n->kind, "value") == 0)
            put(t, memory, t->s->variable_buffers.items[layer_variable(t->c, n->name)], n);
        for (size_t k = 0; strcmp(n->kind, "input") == 0 && k < t->s->inputs.count; k++)
            if (strcmp(t->s->inputs.items[k].name, n->name) == 0)
                put(t, memory, t->s->inputs.items[k].buffer, n);
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

static double compare(const trial *t, const char *memory)
{
    double most = 0;
    for (size_t i = 0; i < t->c->numbers.count; i++) {
        if (t->kept[i] < 0)
            continue;
        const schedule_buffer *b = &t->s->buffers.items[t->s->variable_buffers.items[t->kept[i]]];
        double *got = arena_array(t->c->run.memory, double, b->count + 1);
        for (int64_t k = 0; k < b->count; k++) {
            const char *at = memory + b->offset + k * (int64_t)dtype_bytes(b->type);
            got[k] = b->type == DTYPE_F64 ? *(const double *)at : (double)*(const float *)at;
        }
        double off = layer_difference(got, b->count, &t->c->numbers.items[i]);
        most = off <= most ? most : off;
    }
    return most;
}

static double difference_of(layer_case *c)
{
    trial t = {.c = c, .g = c->run.out.graph};
    const char *path =
        arena_format(c->run.memory, "%s/tests/layers.%ld.so", TEST_BUILD_DIR, (long)getpid());
    keep_all(&t);
    compile(&t, path);
    char *memory = aligned_alloc(64, ((size_t)t.s->arena_bytes + 127) & ~(size_t)63);
    assert_non_null(memory);
    memset(memory, 0, (size_t)t.s->arena_bytes + 64);
    fill(&t, memory);
    run(path, memory);
    double most = compare(&t, memory);
    free(memory);
    return most;
}

/* Names are "LAYER: SIZES". */
static bool same_layer(const char *a, const char *b)
{
    size_t length = strcspn(a, ":");
    return *a && strcspn(b, ":") == length && strncmp(a, b, length) == 0;
}

static void layers_in_f32_are_near_pytorchs(void **state)
{
    (void)state;
    arena *a = arena_new();
    layer_reader r = layer_reader_new(a, "f32");
    layer_case c;
    int count = 0, failed = 0;
    const char *before = "";
    while (layer_case_next(&r, &c)) {
        if (same_layer(before, c.name)) { /* one size of each: a compilation takes its time */
            layer_case_free(&c);
            continue;
        }
        before = c.name;
        count++;
        double most = difference_of(&c);
        bool fine = most <= 1e-5;
        printf("  f32 %-60s %.1e%s\n", c.name, most, fine ? "" : "  too far");
        failed += !fine;
        layer_case_free(&c);
    }
    assert_int_equal(failed, 0);
    assert_true(count > 20);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_in_f32_are_near_pytorchs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
