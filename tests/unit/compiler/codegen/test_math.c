/* codegen/math: the generated transcendental functions against the C library's in long double, over their whole range: normal
 * and subnormal numbers of either sign, dense around 0 and 1, zeros, infinities, NaN. The bounds are those at the head of
 * compiler/codegen/math.c. Prints the largest error of each, in units of the last place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codegen/codegen.h"
#include "exec/context.h"
#include "graph/build.h"

enum { N = 4096, ROUNDS = 60 };

typedef long double exact_fn(long double x, long double y);

static long double exact_rsqrt(long double x, long double y)
{
    (void)y;
    return 1 / sqrtl(x);
}

static long double exact_sigmoid(long double x, long double y)
{
    (void)y;
    return 1 / (1 + expl(-x));
}

#define EXACT(name)                                                                                \
    static long double exact_##name(long double x, long double y)                                  \
    {                                                                                              \
        (void)y;                                                                                   \
        return name##l(x);                                                                         \
    }
EXACT(exp)
EXACT(log)
EXACT(log1p)
EXACT(sqrt)
EXACT(sin)
EXACT(cos)
EXACT(tanh)
EXACT(erf)

typedef struct function {
    op_kind kind;
    exact_fn *exact;
    double narrow, wide; /* bounds in f32 and f64, ulp */
    double reach;        /* holds for |x| up to that; 0: everywhere */
    double absolute;     /* f64: within that as well will do */
} function;

static const function functions[] = {
    {OP_exp, exact_exp, 2, 4, 0, 0},
    {OP_log, exact_log, 2, 4, 0, 0},
    {OP_log1p, exact_log1p, 2, 4, 0, 0},
    {OP_sqrt, exact_sqrt, 2, 4, 0, 0},
    {OP_rsqrt, exact_rsqrt, 2, 4, 0, 0},
    {OP_tanh, exact_tanh, 3, 4, 0, 0},
    {OP_sigmoid, exact_sigmoid, 3, 4, 0, 0},
    {OP_sin, exact_sin, 1, 4, 1048576, 0x4p-53},
    {OP_cos, exact_cos, 1, 4, 1048576, 0x4p-53},
    {OP_erf, exact_erf, 3, 4, 0, 0},
    {OP_pow, powl, 1, 2, 0, 0}, /* in f64 for each unit of 1 + |y ln x| */
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

typedef struct trial {
    bool wide;
    arena *memory;
    graph *g;
    schedule *s;
    int kept[FUNCTIONS];
    esp_function_fn *step;
    char *bytes; /* of the plan's arena */
    double x[N], y[N];
    uint64_t random;
    double worst[FUNCTIONS], worst_at[FUNCTIONS][2];
} trial;

static uint64_t draw(trial *t)
{
    t->random = t->random * 6364136223846793005u + 1442695040888963407u;
    return t->random >> 11;
}

static int variable(trial *t, const char *path, variable_kind kind, dim_id dim)
{
    graph_variable v = {
        .path = atom_of(t->g->atoms, path), .kind = kind, .of = -1, .at = SPAN_NONE};
    v.type = (graph_type){.dtype = t->wide ? DTYPE_F64 : DTYPE_F32, .rank = 1, .dims = {dim}};
    v.init = atom_of(t->g->atoms, "zeros");
    for (int i = 0; i < GRAPH_MAX_RANK; i++)
        v.layout.axis[i] = NO_AXIS;
    return graph_variable_add(t->g, v);
}

static void make_graph(trial *t)
{
    atom_table *atoms = atom_table_new(t->memory);
    t->g = graph_new(t->memory, atoms, source_set_new(t->memory));
    graph_function *f = graph_function_add(t->g, atom_of(atoms, "step"));
    dim_id dim = graph_dim_add(t->g, atom_of(atoms, "N"), N, SPAN_NONE);
    build b = build_at(t->g, &f->region, SPAN_NONE);
    atom labels[1] = {atom_of(atoms, "n")};
    build_operand in[2];
    in[0] = build_variable(&b, variable(t, "x", VARIABLE_PARAMETER, dim), labels);
    in[1] = build_variable(&b, variable(t, "y", VARIABLE_PARAMETER, dim), labels);
    for (int i = 0; i < FUNCTIONS; i++) {
        build_operand z = build_map(&b, functions[i].kind, in, functions[i].kind == OP_pow ? 2 : 1);
        t->kept[i] = variable(t, arena_format(t->memory, "kept%d", i), VARIABLE_STATE, dim);
        build_assign(&b, t->kept[i], z);
    }
}

static void compile(trial *t)
{
    const char *path = arena_format(t->memory, "%s/tests/math%d.%ld.so", TEST_BUILD_DIR,
                                    t->wide ? 64 : 32, (long)getpid());
    codegen_options how = {.cpu = "native"};
    codegen_link_options link = {
        .output = path, .runtime = TEST_BUILD_DIR "/libespalier_rt.a", .shared = true};
    diag_sink *sink = diag_sink_new(t->memory, t->g->sources);
    t->s = pass_schedule(t->g, NULL, sink);
    assert_non_null(t->s);
    pass_fuse(t->s);
    pass_place(t->s);
    codegen_module *m = codegen_module_new(t->s, NULL, &how, sink);
    assert_non_null(m);
    assert_true(codegen_link(m, &link, sink));
    codegen_module_free(m);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    *(void **)&t->step = dlsym(library, "plan_step");
    assert_non_null(t->step);
    unlink(path);
    t->bytes = aligned_alloc(64, ((size_t)t->s->arena_bytes + 127) & ~(size_t)63);
    assert_non_null(t->bytes);
}

static char *cell(const trial *t, int variable, int i)
{
    const schedule_buffer *b = &t->s->buffers.items[t->s->variable_buffers.items[variable]];
    return t->bytes + b->offset + i * (t->wide ? 8 : 4);
}

static void put(const trial *t, int variable, int i, double x)
{
    if (t->wide)
        *(double *)cell(t, variable, i) = x;
    else
        *(float *)cell(t, variable, i) = (float)x;
}

static double get(const trial *t, int variable, int i)
{
    return t->wide ? *(double *)cell(t, variable, i) : (double)*(float *)cell(t, variable, i);
}

/* A number of any exponent. */
static double any_number(trial *t)
{
    double x;
    uint64_t bits = draw(t) << 11 ^ draw(t);
    uint32_t low = (uint32_t)(bits >> 32);
    float narrow;
    memcpy(&x, &bits, sizeof x);
    memcpy(&narrow, &low, sizeof narrow);
    return t->wide ? x : (double)narrow;
}

static double within(trial *t, double low, double high)
{
    double x = low + (high - low) * ((double)draw(t) / 9007199254740992.0);
    return t->wide ? x : (double)(float)x;
}

static const double specials[] = {
    0,          -0.0,       INFINITY,  -INFINITY,  NAN,        1,          -1,         0x1p-149,
    -0x1p-149,  0x1p-126,   -0x1p-126, 0x1p-1074,  -0x1p-1074, 0x1p-1022,  -0x1p-1022, FLT_MAX,
    -FLT_MAX,   DBL_MAX,    -DBL_MAX,  0x1p-24,    0x1p-53,    -0x1p-24,   -0x1p-53,   2,
    0.5,        -0.5,       88.72283,  88.72284,   -87.33655,  -103.97208, -104,       709.78,
    709.79,     -708.39,    -745.13,   -745.14,    0.875,      0.84375,    6,          -6,
    1.41421356, 0.70710678, -0.29289,  0.41421356, 3,          -3,         20,         -20};

static void fill(trial *t, int round)
{
    static const double ranges[][2] = {{-1, 1},     {0.5, 2},      {-10, 10},  {-110, 110},
                                       {-750, 750}, {-1e-3, 1e-3}, {-1e6, 1e6}};
    enum { RANGES = sizeof ranges / sizeof *ranges, SPECIALS = sizeof specials / sizeof *specials };
    for (int i = 0; i < N; i++) {
        int way = round % (RANGES + 2);
        bool any = way >= RANGES;
        t->x[i] = any ? any_number(t) : within(t, ranges[way][0], ranges[way][1]);
        t->y[i] = i % 2 ? within(t, -30, 30) : floor(within(t, -20, 20));
        if (round == 0 && i < SPECIALS * SPECIALS) {
            t->x[i] = specials[i / SPECIALS];
            t->y[i] = specials[i % SPECIALS];
        }
        if (!t->wide) {
            t->x[i] = (double)(float)t->x[i];
            t->y[i] = (double)(float)t->y[i];
        }
        put(t, 0, i, t->x[i]);
        put(t, 1, i, t->y[i]);
    }
}

/* The distance of neighbours around x. */
static double place(const trial *t, long double x)
{
    int e, least = t->wide ? -1074 : -149, digits = t->wide ? 53 : 24;
    frexpl(fabsl(x) > 0 ? x : 0x1p-1100L, &e);
    return ldexp(1, e - digits > least ? e - digits : least);
}

/* How far a result is off, in places; infinite for a wrong NaN, infinity or sign of zero. */
static double error_of(const trial *t, const function *f, double got, int i)
{
    long double wanted = f->exact(t->x[i], t->y[i]);
    long double limit = t->wide ? 0x1p1024L : 0x1p128L;
    if (isnan(wanted) || isnan(got))
        return isnan(wanted) && isnan(got) ? 0 : INFINITY;
    if (wanted == 0 || got == 0) {
        bool same = !signbit(wanted) == !signbit(got);
        return same ? (double)(fabsl(wanted - got) / place(t, wanted)) : INFINITY;
    }
    if (isinf(wanted))
        return isinf(got) && (got > 0) == (wanted > 0) ? 0 : INFINITY;
    long double g = isinf(got) ? copysignl(limit, got) : (long double)got;
    if (fabsl(wanted) > limit)
        wanted = copysignl(limit, wanted);
    if (f->absolute > 0 && t->wide && fabsl(g - wanted) <= f->absolute)
        return 0;
    return (double)(fabsl(g - wanted) / place(t, wanted));
}

static bool in_reach(const trial *t, const function *f, int i)
{
    return f->reach <= 0 || !isfinite(t->x[i]) || fabs(t->x[i]) <= f->reach;
}

static void compare(trial *t)
{
    for (int k = 0; k < FUNCTIONS; k++)
        for (int i = 0; i < N; i++) {
            if (!in_reach(t, &functions[k], i))
                continue;
            double off = error_of(t, &functions[k], get(t, t->kept[k], i), i);
            if (functions[k].kind == OP_pow && t->wide) {
                double allowed = fabs(t->y[i] * log(fabs(t->x[i])));
                off /= 1 + (isfinite(allowed) ? allowed : 0);
            }
            if (!(off <= t->worst[k])) {
                t->worst[k] = off;
                t->worst_at[k][0] = t->x[i];
                t->worst_at[k][1] = t->y[i];
            }
        }
}

static void try_type(bool wide)
{
    static struct esp_context context = {.threads = 1};
    static trial t;
    t = (trial){.wide = wide, .memory = arena_new(), .random = 5};
    make_graph(&t);
    compile(&t);
    for (int round = 0; round < ROUNDS; round++) {
        fill(&t, round);
        t.step(t.bytes, &context);
        compare(&t);
    }
    int failed = 0;
    for (int k = 0; k < FUNCTIONS; k++) {
        double bound = wide ? functions[k].wide : functions[k].narrow;
        bool fine = t.worst[k] <= bound;
        printf("  %s %-8s %6.3f of %g ulp, at %.17g", wide ? "f64" : "f32",
               op_info_of(functions[k].kind)->name, t.worst[k], bound, t.worst_at[k][0]);
        if (functions[k].kind == OP_pow)
            printf(" ^ %.17g", t.worst_at[k][1]);
        printf("%s\n", fine ? "" : "  too far");
        failed += !fine;
    }
    free(t.bytes);
    arena_free(t.memory);
    assert_int_equal(failed, 0);
}

static void functions_in_f32_are_within_their_bounds(void **state)
{
    (void)state;
    try_type(false);
}

static void functions_in_f64_are_within_their_bounds(void **state)
{
    (void)state;
    try_type(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_in_f32_are_within_their_bounds),
        cmocka_unit_test(functions_in_f64_are_within_their_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
