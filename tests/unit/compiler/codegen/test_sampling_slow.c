/* Ids given one by one, or a chunk at a time, to the compiled functions `prefill` and `decode`: after each the scores are those
 * that the interpreter gives, in f64, for that position of the whole sequence, from the function `eval` that the pass over
 * positions never sees. */
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
#include "graph/verify.h"
#include "parse/parse.h"
#include "pass/partition.h"
#include "pass/simplify.h"
#include "sema/sema.h"
#include "support/interpret.h"

/* In each, `y` is the scores, over [B, S, V] in some order, and the ids are `text`. */
typedef struct sampled_model {
    const char *name;
    const char *layers, *body; /* of a model(V: dim, S: dim, D: dim …) */
    const char *head, *sizes;  /* its further parameters, and their sizes */
} sampled_model;

static const sampled_model models[] = {
    {"gpt", "",
     "  x = embed(text, V, D) + positions(S, D)\n"
     "  x = repeat L: gpt_block(x, A)\n"
     "  y = linear(layer_norm(x), V)\n",
     ", A: dim, L: int", ", A = 4, L = 3"},
    {"llama", /* rotary positions, heads that share keys, a window */
     "layer piece(x: [.., S, D], A: dim) -> [.., S, D] {\n"
     "  h = x + self_attention(rms_norm(x), A, G = A / 2, causal, rotate, bias = no, window = 7)\n"
     "  return h + swiglu(rms_norm(h), F = 3 * D)\n"
     "}\n",
     "  x = embed(text, V, D)\n"
     "  x = repeat L: piece(x, A)\n"
     "  y = linear(rms_norm(x), V, bias = no)\n",
     ", A: dim, L: int", ", A = 4, L = 3"},
    {"sums", /* running sums, positions by number, a parameter for each position and layer */
     "layer piece(x: [.., S, D]) -> [.., S, D] {\n"
     "  param shift: [S, D] init normal(0, 1)\n"
     "  mean = cumsum(x over S) / number(index(S) + 1)\n"
     "  return x + tanh(linear(mean + shift, D))\n"
     "}\n",
     "  x = embed(text, V, D)\n"
     "  x = repeat L: piece(x)\n"
     "  y = linear(x + sin(cumsum(x over S)), V)\n",
     ", L: int", ", L = 3"},
    {"names", /* positions under other names, rows of a table by number, sequences and positions as one */
     "layer table(S: dim, D: dim) -> [S, D] {\n"
     "  param w: [S, D] init normal(0, 1)\n"
     "  return gather(w over S, index(S))\n"
     "}\n",
     "  x = embed(text, V, D) + table(S, D)\n"
     "  n = merge(x over B, S, N = 2 * S)\n"
     "  n = linear(gelu(n), E = 2 * D)\n"
     "  m = split(n over N, B, S)\n"
     "  m = merge(m over S, B, W = 2 * S)\n"
     "  t = linear(layer_norm(x), E = 2 * D) + split(linear(n, E) over N, B, S)\n"
     "  u = rename(t over S, T = S)\n"
     "  u = u + number(index(T)) / S + cumsum(u over T) / S\n"
     "  y = linear(rename(u over T, S), V)\n",
     "", ""},
    {"rows", /* the position before, a causal convolution in two ways, one of them in two steps */
     "layer piece(x: [B, S, D]) -> [B, S, D] {\n"
     "  early = slice(x over S, T = 0 ..< S - 1)\n"
     "  late = pad(early over T, S, before = 1, value = 0.5)\n"
     "  longer = pad(x - late over S, U = S + 6, before = 6)\n"
     "  short = conv1d(longer + number(index(U)) / S over B, D, U, F = D, window = 3, dilation = "
     "2)\n"
     "  short = rename(short over P, R = S + 2)\n"
     "  even = conv1d(short over B, F, R, H = D, window = 3)\n"
     "  even = rename(rename(even over P, S) over H, D)\n"
     "  twice = conv1d(x over B, D, S, G = D, window = 4, padding = 3)\n"
     "  cut = slice(twice over P, Q = 0 ..< S)\n"
     "  return x + tanh(even) + rename(rename(cut over G, D) over Q, S)\n"
     "}\n",
     "  x = embed(text, V, D)\n"
     "  x = repeat L: piece(x)\n"
     "  y = linear(piece(x), V)\n",
     ", L: int", ", L = 3"},
    {"nested", /* a repeat in a repeat: keys, values and sums of both counts of layers */
     "layer inner(x: [.., S, D], A: dim) -> [.., S, D] {\n"
     "  z = cumsum(x over S) / number(index(S) + 1)\n"
     "  return x + self_attention(layer_norm(x + z), A, causal)\n"
     "}\n"
     "layer outer(x: [.., S, D], A: dim, M: int) -> [.., S, D] {\n"
     "  x = repeat M: inner(x, A)\n"
     "  return x + feed_forward(layer_norm(x), F = 2 * D)\n"
     "}\n",
     "  x = embed(text, V, D) + positions(S, D)\n"
     "  x = repeat L: outer(x, A, M = 3)\n"
     "  y = linear(layer_norm(x), V)\n",
     ", A: dim, L: int", ", A = 2, L = 2"},
    {"mask", /* keys that are not seen, by their ids */
     "layer piece(x: [B, S, D], seen: [B, S], A: dim) -> [B, S, D] {\n"
     "  return x + self_attention(layer_norm(x), A, causal, keys = seen)\n"
     "}\n",
     "  seen = text != 3\n"
     "  x = embed(text, V, D) + positions(S, D)\n"
     "  x = repeat L: piece(x, seen, A)\n"
     "  y = linear(layer_norm(x), V)\n",
     ", A: dim, L: int", ", A = 4, L = 3"},
};

enum { V = 11, S = 45, BATCH = 2 };

typedef struct trial {
    arena *memory;
    source_set *sources;
    diag_sink *sink;
    graph *g;
    training *t;
    schedule *s;
    interpreter *it;
    graph_function *eval;
    const graph_value *scores; /* of eval */
    int ids[BATCH][S];
    char *arena;
    void *library;
    esp_function_fn *functions[2]; /* prefill, decode */
    uint64_t random;
} trial;

static double draw(trial *t)
{
    t->random = t->random * 6364136223846793005u + 1442695040888963407u;
    return (double)(t->random >> 11) / 9007199254740992.0;
}

static const char *plan_text(arena *a, const sampled_model *m, const char *precision)
{
    return arena_format(a,
                        "use nn, optim\n"
                        "cluster one { node box { cpu worker[1] { memory 1 GiB } } }\n"
                        "%smodel m(V: dim, S: dim, D: dim%s) {\n"
                        "  input text: id[B, S] below V\n"
                        "  input next: id[B, S] below V\n"
                        "%s"
                        "  loss = cross_entropy(y, next)\n"
                        "}\n"
                        "train t for m(V = %d, S = %d, D = 8%s) {\n"
                        "  data tokens(\"none.bin\", holdout = 10%%)\n"
                        "  batch %d\n  optimizer sgd(lr = 0.1)\n  steps 1\n"
                        "  sample ids \"1 2\" length 3\n"
                        "}\n"
                        "plan alone for t on one { precision %s }\n",
                        m->layers, m->head, m->body, V, S, m->sizes, BATCH, precision);
}

static void fail_with(const trial *t)
{
    diag_print(t->sink, stdout, false);
    fail();
}

static void elaborate(trial *t, const char *plan)
{
    atom_table *atoms = atom_table_new(t->memory);
    t->sources = source_set_new(t->memory);
    t->sink = diag_sink_new(t->memory, t->sources);
    parse_context parsing = {t->memory, atoms, t->sources, t->sink};
    ast_node *file = parse_file(&parsing, source_add(t->sources, "a.plan", plan, strlen(plan)));
    sema_context context = {t->memory, atoms, t->sources, t->sink, TEST_SOURCE_DIR "/stdlib"};
    sema *s = sema_new(&context, file);
    sema_output out = {.graph = NULL};
    if (!sema_check(s) || !sema_elaborate(s, NULL, NULL, 0, &out))
        fail_with(t);
    t->g = out.graph;
    t->t = out.training;
}

/* The value `y` of eval: the interpreter has every position's scores there. */
static const graph_value *scores_of(const graph *g, const graph_function *eval)
{
    const graph_region *r = &eval->region;
    for (size_t i = r->ops.count; i-- > 0;) {
        const graph_value *x =
            r->ops.items[i]->outputs.count ? r->ops.items[i]->outputs.items[0] : NULL;
        if (x && x->type.rank == 3 && x->name && !strcmp(x->name, "y") &&
            graph_type_count(g, &x->type) == BATCH * S * V)
            return x;
    }
    fail_msg("no scores in eval");
    return NULL;
}

/* `step` and `eval` are not compiled. */
static void keep_sampling(graph *g)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->functions.count; i++) {
        const char *name = g->functions.items[i]->name;
        if (!strcmp(name, "prefill") || !strcmp(name, "decode"))
            g->functions.items[kept++] = g->functions.items[i];
    }
    g->functions.count = kept;
}

static void compile(trial *t, const char *path)
{
    codegen_options how = {.cpu = "native"};
    codegen_link_options link = {
        .output = path, .runtime = TEST_BUILD_DIR "/libespalier_rt.a", .shared = true};
    pass_simplify(t->g);
    assert_null(graph_verify(t->g, t->memory));
    t->eval = graph_function_find(t->g, "eval");
    t->scores = scores_of(t->g, t->eval);
    keep_sampling(t->g);
    t->it = interpret_new(t->g, t->memory);
    t->s = pass_partition(t->g, t->t, t->sink) ? pass_schedule(t->g, t->t, t->sink) : NULL;
    if (!t->s)
        fail_with(t);
    pass_fuse(t->s);
    pass_place(t->s);
    const char *wrong = schedule_verify(t->s, t->memory);
    if (wrong)
        fail_msg("%s", wrong);
    codegen_module *m = codegen_module_new(t->s, t->t, &how, t->sink);
    if (!m || !codegen_link(m, &link, t->sink))
        fail_with(t);
    codegen_module_free(m);
}

static void put(const trial *t, int buffer, int64_t i, double x)
{
    const schedule_buffer *b = &t->s->buffers.items[buffer];
    char *at = t->arena + b->offset + i * (int64_t)dtype_bytes(b->type);
    if (b->type == DTYPE_F64)
        *(double *)(void *)at = x;
    else if (b->type == DTYPE_F32)
        *(float *)(void *)at = (float)x;
    else
        *(int32_t *)(void *)at = (int32_t)x;
}

static double get(const trial *t, int buffer, int64_t i)
{
    const schedule_buffer *b = &t->s->buffers.items[buffer];
    const char *at = t->arena + b->offset + i * (int64_t)dtype_bytes(b->type);
    return b->type == DTYPE_F64 ? *(const double *)(const void *)at
                                : (double)*(const float *)(const void *)at;
}

/* Parameters and ids at random; caches hold what would be seen if a position that was never given were read. */
static void fill(trial *t)
{
    double *given = arena_array(t->memory, double, BATCH *S);
    t->arena = aligned_alloc(64, (size_t)t->s->arena_bytes + 64);
    assert_non_null(t->arena);
    memset(t->arena, 0, (size_t)t->s->arena_bytes);
    for (size_t v = 0; v < t->g->variables.count; v++) {
        const graph_variable *x = &t->g->variables.items[v];
        for (int64_t i = 0; i < graph_type_count(t->g, &x->type); i++) {
            double value = x->kind == VARIABLE_CACHE ? (double)NAN : (double)(float)(draw(t) - 0.5);
            interpret_variable(t->it, (int)v)[i] = value;
            put(t, t->s->variable_buffers.items[v], i, value);
        }
    }
    for (int b = 0; b < BATCH; b++)
        for (int i = 0; i < S; i++)
            given[b * S + i] = t->ids[b][i] = (int)(draw(t) * V);
    interpret_input(t->it, "text", given);
    interpret_input(t->it, "next", given);
    interpret_clock(t->it, 0, 1, BATCH);
}

static void load(trial *t, const char *path)
{
    void *library = t->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        fail_msg("%s", dlerror());
    *(void **)&t->functions[0] = dlsym(library, "plan_prefill");
    *(void **)&t->functions[1] = dlsym(library, "plan_decode");
    assert_non_null(t->functions[0]);
    assert_non_null(t->functions[1]);
    unlink(path);
}

static int input_buffer(const trial *t, atom name)
{
    for (size_t i = 0; i < t->s->inputs.count; i++)
        if (t->s->inputs.items[i].name == name)
            return t->s->inputs.items[i].buffer;
    fail_msg("no input %s", name);
    return -1;
}

/* One call for ids [position, position + count) of a sequence; the buffer of its scores. */
static int give(trial *t, int sequence, int position, int count)
{
    static struct esp_context context = {.threads = 1};
    bool chunk = count > 1;
    const char *name = chunk ? "prefill" : "decode";
    int buffer = input_buffer(t, chunk ? t->t->sampling.prefill : t->t->sampling.decode);
    for (int i = 0; i < count; i++)
        put(t, buffer, i, t->ids[sequence][position + i]);
    put(t, t->s->clock[CLOCK_POSITION], 0, position);
    t->functions[!chunk](t->arena, &context);
    for (size_t i = 0; i < t->s->functions.count; i++)
        if (!strcmp(t->s->functions.items[i]->name, name))
            return t->s->functions.items[i]->results.items[0].buffer;
    return -1;
}

/* Element of the scores by sequence, position and id, whatever the order of their dimensions. */
static double expected_at(const trial *t, const double *all, int sequence, int position, int id)
{
    const graph_type *type = &t->scores->type;
    int64_t at = 0;
    for (int slot = 0; slot < 3; slot++) {
        const graph_dim *d = &t->g->dims.items[type->dims[slot]];
        at = at * d->size + (d->batch ? sequence : d->size == S ? position : id);
    }
    return all[at];
}

static double farthest(const trial *t, const double *all, int sequence, int position, int buffer)
{
    double worst = 0;
    for (int id = 0; id < V; id++) {
        double expected = expected_at(t, all, sequence, position, id);
        double off = fabs(get(t, buffer, id) - expected) / (1 + fabs(expected));
        worst = off <= worst ? worst : off; /* NaN is the worst */
    }
    return worst;
}

/* The whole sequence, `singles` ids one by one and then chunks while they fit; the largest difference. */
static double follow(trial *t, const double *all, int sequence, int singles)
{
    int chunk = (int)t->t->sampling.chunk;
    double worst = 0;
    for (int position = 0; position < S;) {
        int count = position >= singles && position + chunk <= S ? chunk : 1;
        int buffer = give(t, sequence, position, count);
        position += count;
        double off = farthest(t, all, sequence, position - 1, buffer);
        worst = off <= worst ? worst : off;
    }
    return worst;
}

static void try_model(const sampled_model *m, const char *precision, double bound)
{
    trial t = {.memory = arena_new(), .random = 5};
    const char *path =
        arena_format(t.memory, "%s/tests/sampling.%ld.so", TEST_BUILD_DIR, (long)getpid());
    elaborate(&t, plan_text(t.memory, m, precision));
    assert_int_equal(t.t->sampling.chunk, 32);
    compile(&t, path);
    fill(&t);
    load(&t, path);
    interpret_run(t.it, t.eval);
    const double *all = interpret_value(t.it, t.scores);
    for (int sequence = 0; sequence < BATCH; sequence++)
        for (int singles = 0; singles <= S; singles += singles ? S - 4 : 4) {
            double off = follow(&t, all, sequence, singles);
            printf("  %s %-6s %2d ids one by one first: %.1e\n", precision, m->name,
                   singles < S ? singles : S, off);
            assert_true(off <= bound);
        }
    dlclose(t.library);
    free(t.arena);
    arena_free(t.memory);
}

static void scores_in_f64_are_those_of_the_whole_sequence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        try_model(&models[i], "f64", 1e-12);
}

static void scores_in_f32_are_near_those_of_the_whole_sequence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        try_model(&models[i], "f32", 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_in_f64_are_those_of_the_whole_sequence),
        cmocka_unit_test(scores_in_f32_are_near_those_of_the_whole_sequence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
