#include "driver/compile.h"

#include "driver/checkpoint_source.h"
#include "driver/paths.h"
#include "graph/verify.h"
#include "parse/parse.h"
#include "pass/bound.h"
#include "pass/partition.h"
#include "pass/simplify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool run_parse(compilation *c)
{
    session *s = c->session;
    int file = source_read(s->sources, c->path);
    if (file < 0)
        return session_refuse(s, "cannot read '%s': %s", c->path, strerror(errno));
    parse_context context = {s->memory, s->atoms, s->sources, s->diags};
    c->file = parse_file(&context, file);
    return true;
}

static const char *verify_tree(compilation *c)
{
    return ast_check(c->file, c->session->memory);
}

static bool run_resolve(compilation *c)
{
    session *s = c->session;
    const char *said = s->options->value[OPTION_STDLIB];
    const char *library = source_is_overlaid(s->sources) ? "stdlib" : paths_stdlib(s->memory, said);
    if (!library)
        return session_refuse(s, "no standard library in '%s'; --stdlib names its folder",
                              said ? said : "the usual places");
    sema_context context = {s->memory, s->atoms, s->sources, s->diags, library};
    c->meaning = sema_new(&context, c->file);
    if (options_has(s->options, OPTION_AS))
        sema_publish(c->meaning, s->options->value[OPTION_AS]);
    return true;
}

/* The whole file for `check`; to run a plan, what it uses must be right. */
static bool run_shape(compilation *c)
{
    const options *o = c->session->options;
    if (o->command == COMMAND_CHECK && !c->plan && !o->set_count)
        sema_read_files(c->meaning);
    return c->one ? sema_check_plan(c->meaning, c->plan) : sema_check(c->meaning);
}

/* The settings of the command line, each parsed from a source of its own, so that a mistake in it has a place. */
static bool read_settings(compilation *c, sema_setting *settings)
{
    session *s = c->session;
    parse_context context = {s->memory, s->atoms, s->sources, s->diags};
    for (int i = 0; i < s->options->set_count; i++) {
        const char *said = s->options->sets[i];
        const char *equals = strchr(said, '=');
        settings[i].name = atom_intern(s->atoms, said, (size_t)(equals - said));
        int file = source_add(s->sources, arena_format(s->memory, "--set %s", settings[i].name),
                              equals + 1, strlen(equals + 1));
        settings[i].value = parse_expression(&context, file);
        if (!settings[i].value)
            return false;
    }
    return true;
}

static bool run_differentiate(compilation *c)
{
    sema_setting settings[OPTIONS_MOST_SETS];
    sema_output out = {0};
    const options *o = c->session->options;
    if (o->command == COMMAND_CHECK || o->command == COMMAND_BUILD || o->command == COMMAND_RUN)
        sema_read_files(c->meaning);
    bool sampling = o->command == COMMAND_SAMPLE;
    if (!read_settings(c, settings) || !(sampling ? sema_elaborate_sampling : sema_elaborate)(
                                           c->meaning, c->plan, settings, o->set_count, &out))
        return false;
    pass_simplify(out.graph);
    c->graph = out.graph;
    c->training = out.training;
    return true;
}

static const char *verify_graph(compilation *c)
{
    return graph_verify(c->graph, c->session->memory);
}

static bool run_partition(compilation *c)
{
    return pass_partition(c->graph, c->training, c->session->diags);
}

static bool run_schedule(compilation *c)
{
    c->schedule = pass_schedule(c->graph, c->training, c->session->diags);
    if (c->schedule)
        pass_fuse(c->schedule);
    return c->schedule != NULL;
}

static const char *verify_schedule(compilation *c)
{
    return schedule_verify(c->schedule, c->session->memory);
}

static bool run_place(compilation *c)
{
    pass_place(c->schedule);
    return pass_bound(c->training, c->schedule->arena_bytes, "in all", c->session->diags);
}

static bool run_generate(compilation *c)
{
    codegen_options how = {.cpu = c->session->options->value[OPTION_CPU]};
    if (how.cpu && !codegen_cpu_known(how.cpu))
        return session_misuse(c->session,
                              "no such CPU: '%s'; there are native, x86-64-v3, x86-64-v4", how.cpu);
    c->training->source = checkpoint_source_text(c);
    c->module = codegen_module_new(c->schedule, c->training, &how, c->session->diags);
    return c->module != NULL;
}

typedef bool run_fn(compilation *c);
typedef const char *verify_fn(compilation *c);

/* The compiler, pass by pass. A file's mistakes are reported together: reading goes on to `shape`, whatever was found. */
static const struct {
    run_fn *run;
    verify_fn *verify; /* NULL, or words that say what is broken */
} steps[PASS_COUNT] = {
    [PASS_PARSE] = {run_parse, verify_tree},
    [PASS_RESOLVE] = {run_resolve, NULL},
    [PASS_SHAPE] = {run_shape, NULL},
    [PASS_DIFFERENTIATE] = {run_differentiate, verify_graph},
    [PASS_PARTITION] = {run_partition, verify_graph},
    [PASS_SCHEDULE] = {run_schedule, verify_schedule},
    [PASS_PLACE] = {run_place, verify_schedule},
    [PASS_GENERATE] = {run_generate, NULL},
};

static const char *const names[PASS_COUNT] = {
#define PASS(id, name) name,
#include "driver/passes.def"
#undef PASS
};

const char *compile_pass_name(pass_id id)
{
    return names[id];
}

int compile_find_pass(const char *name)
{
    for (int i = 0; i < PASS_COUNT; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

const char *compile_pass_names(arena *a)
{
    text t = text_in(a);
    for (int i = 0; i < PASS_COUNT; i++)
        text_add(&t, "%s%s", i ? ", " : "", names[i]);
    return text_done(&t);
}

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static bool run_step(compilation *c, pass_id id)
{
    const options *o = c->session->options;
    double begin = milliseconds();
    bool fine = steps[id].run(c);
    if (options_has(o, OPTION_TIME_PASSES))
        fprintf(stderr, "%-14s %9.3f ms\n", names[id], milliseconds() - begin);
    if (!fine || !steps[id].verify || !options_has(o, OPTION_VERIFY_EACH))
        return fine;
    const char *wrong = steps[id].verify(c);
    if (wrong) {
        fprintf(stderr, "espalier: bug: the form after '%s' is broken: %s\n", names[id], wrong);
        abort();
    }
    return true;
}

bool compile_plan(session *s, const char *operand, pass_id last, compilation *c)
{
    *c = (compilation){.session = s};
    session_split_operand(s, operand, &c->path, &c->plan);
    const char *stop = s->options->value[OPTION_STOP_AFTER];
    int stop_at = stop ? compile_find_pass(stop) : PASS_COUNT;
    c->one = s->options->command != COMMAND_CHECK && last > PASS_SHAPE;
    if (stop_at < 0)
        return session_misuse(s, "no such pass: '%s'; there are %s", stop,
                              compile_pass_names(s->memory));
    for (int i = 0; i <= (int)last && i <= stop_at; i++) {
        if (!run_step(c, (pass_id)i) || (i >= PASS_SHAPE && diag_error_count(s->diags) > 0))
            return false;
    }
    return diag_error_count(s->diags) == 0;
}

void compile_clean_up(compilation *c)
{
    if (c->module)
        codegen_module_free(c->module);
    c->module = NULL;
}
