#include "driver/forms.h"

#include "ast/ast.h"
#include "coll/text_form.h"
#include "graph/text_form.h"
#include "graph/verify.h"

#include <errno.h>
#include <string.h>

typedef bool print_fn(compilation *c, FILE *out);
typedef bool read_fn(session *s, const char *path, const char *bytes, size_t length);

static bool print_ast(compilation *c, FILE *out)
{
    ast_print(c->file, c->session->sources, out);
    return true;
}

static bool print_graph(compilation *c, FILE *out)
{
    fputs(graph_print(c->graph, c->session->memory), out);
    return true;
}

static bool print_schedule(compilation *c, FILE *out)
{
    text t = text_in(c->session->memory);
    schedule_print(c->schedule, &t);
    fputs(text_done(&t), out);
    return true;
}

static bool print_collectives(compilation *c, FILE *out)
{
    text t = text_in(c->session->memory);
    for (size_t i = 0; i < c->schedule->collectives.count; i++)
        coll_print(c->schedule->collectives.items[i].program, &t);
    fputs(text_done(&t), out);
    return true;
}

static bool read_graph(session *s, const char *path, const char *bytes, size_t length)
{
    (void)length;
    graph_parse_error error = {0};
    graph *g = graph_parse(s->memory, s->atoms, s->sources, bytes, &error);
    if (!g)
        return session_refuse(s, "%s:%d: %s", path, error.line, error.text);
    const char *wrong = graph_verify(g, s->memory);
    if (wrong)
        return session_refuse(s, "%s: %s", path, wrong);
    fputs(graph_print(g, s->memory), stdout);
    return true;
}

static bool read_schedule(session *s, const char *path, const char *bytes, size_t length)
{
    const char *problem = NULL;
    schedule *read = schedule_parse(bytes, length, s->memory, &problem);
    if (!read)
        return session_refuse(s, "%s: %s", path, problem);
    if ((problem = schedule_verify(read, s->memory)) != NULL)
        return session_refuse(s, "%s: %s", path, problem);
    text t = text_in(s->memory);
    schedule_print(read, &t);
    fputs(text_done(&t), stdout);
    return true;
}

static bool read_collectives(session *s, const char *path, const char *bytes, size_t length)
{
    coll_programs programs = {0};
    int file = source_add(s->sources, path, bytes, length);
    if (!coll_read(s->sources, file, &programs, s->diags, s->memory))
        return false;
    text t = text_in(s->memory);
    for (size_t i = 0; i < programs.count; i++)
        coll_print(programs.items[i], &t);
    fputs(text_done(&t), stdout);
    return true;
}

/* What codegen prints by itself: `code` is used where `print` is NULL. */
static const struct form_row {
    const char *name;
    pass_id after;
    print_fn *print;
    read_fn *read; /* NULL: not read back */
    codegen_form code;
} forms[] = {
    {"ast", PASS_PARSE, print_ast, NULL, 0},
    {"graph", PASS_DIFFERENTIATE, print_graph, read_graph, 0},
    {"spmd", PASS_PARTITION, print_graph, read_graph, 0},
    {"schedule", PASS_PLACE, print_schedule, read_schedule, 0},
    {"collective", PASS_SCHEDULE, print_collectives, read_collectives, 0},
    {"llvm", PASS_GENERATE, NULL, NULL, CODEGEN_LLVM},
    {"asm", PASS_GENERATE, NULL, NULL, CODEGEN_ASM},
    {"obj", PASS_GENERATE, NULL, NULL, CODEGEN_OBJECT},
};

const char *form_name(int i, bool read_back)
{
    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
        if ((!read_back || forms[k].read) && i-- == 0)
            return forms[k].name;
    }
    return NULL;
}

static const struct form_row *find_form(session *s, const char *name)
{
    text known = text_in(s->memory);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (strcmp(forms[i].name, name) == 0)
            return &forms[i];
        text_add(&known, "%s%s", i ? ", " : "", forms[i].name);
    }
    session_misuse(s, "no such form: '%s'; there are %s", name, text_done(&known));
    return NULL;
}

static bool print_form(compilation *c, const struct form_row *form, const char *path)
{
    session *s = c->session;
    if (!form->print)
        return codegen_emit(c->module, form->code, path ? path : "-", s->diags);
    FILE *out = session_open(s, path);
    return out && form->print(c, out) && session_close(s, out, path);
}

bool form_emit(session *s, const char *operand, const char *name)
{
    const struct form_row *form = find_form(s, name);
    compilation c = {0};
    if (options_has(s->options, OPTION_STOP_AFTER))
        return session_misuse(s, "say either --emit or --stop-after");
    bool fine = form && compile_plan(s, operand, form->after, &c) &&
                print_form(&c, form, s->options->value[OPTION_OUTPUT]);
    compile_clean_up(&c);
    return fine;
}

bool form_read_back(session *s, const char *name, const char *path)
{
    const struct form_row *form = find_form(s, name);
    if (!form)
        return false;
    if (!form->read)
        return session_misuse(s, "the form '%s' is not read back", name);
    int file = source_read(s->sources, path);
    if (file < 0)
        return session_refuse(s, "cannot read '%s': %s", path, strerror(errno));
    size_t length;
    const char *bytes = source_bytes(s->sources, file, &length);
    return form->read(s, path, bytes, length);
}
