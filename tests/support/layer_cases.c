#include "support/layer_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 4 << 20 };

layer_reader layer_reader_new(arena *a, const char *precision)
{
    FILE *file = fopen(TEST_SOURCE_DIR "/tests/reference/layers/values.txt", "rb");
    assert_non_null(file);
    char *bytes = arena_alloc(a, MOST_BYTES);
    size_t length = fread(bytes, 1, MOST_BYTES - 1, file);
    assert_true(feof(file));
    fclose(file);
    bytes[length] = '\0';
    return (layer_reader){a, precision, bytes};
}

/* The line at the reader's place, cut at its end. */
static char *take_line(layer_reader *r)
{
    char *line = r->at;
    r->at += strcspn(line, "\n");
    if (*r->at)
        *r->at++ = '\0';
    return line;
}

static bool starts(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

/* `kind [name] numbers…` */
static layer_numbers read_numbers(arena *a, char *line)
{
    layer_numbers n = {.kind = line};
    char *space = strchr(line, ' ');
    assert_non_null(space);
    *space = '\0';
    line = space + 1;
    if (strcmp(n.kind, "result") != 0 && strcmp(n.kind, "eval") != 0) {
        n.name = line;
        line += strcspn(line, " ");
        if (*line)
            *line++ = '\0';
    }
    n.at = arena_array(a, double, strlen(line) / 2 + 2);
    for (char *end; *line; line = end) {
        double x = strtod(line, &end);
        if (end == line)
            break;
        n.at[n.count++] = x;
    }
    return n;
}

static const char *whole_plan(const layer_reader *r, const char *body, char *data)
{
    arena *a = r->memory;
    char *fields;
    long batch = strtol(data + strlen("data "), &fields, 10);
    return arena_format(a,
                        "use nn, optim\nmodel m() {\n%s}\ntrain t for m() {\n"
                        "  data csv(\"samples.csv\",%s)\n  batch %ld\n"
                        "  optimizer sgd(lr = 0)\n  steps 1\n}\n"
                        "cluster one { node box { cpu worker[4] { memory 1 GiB } } }\n"
                        "plan p for t on one { precision %s }\n",
                        body, fields, batch, r->precision);
}

bool layer_case_next(layer_reader *r, layer_case *c)
{
    arena *a = r->memory;
    text body = text_in(a);
    *c = (layer_case){.name = NULL};
    while (*r->at && !(c->name && starts(r->at, "case "))) {
        char *line = take_line(r);
        if (starts(line, "case "))
            c->name = line + strlen("case ");
        else if (*line == '|')
            text_add(&body, "%s\n", line + 1);
        else if (starts(line, "data "))
            c->plan = whole_plan(r, text_done(&body), line);
        else
            vec_push(a, &c->numbers, read_numbers(a, line));
    }
    if (!c->name)
        return false;
    assert_non_null(c->plan);
    c->run = sema_run_text(c->plan, "p");
    if (!c->run.fine)
        fail_msg("%s: %s\n%s", c->name, sema_run_words(&c->run), c->plan);
    return true;
}

void layer_case_free(layer_case *c)
{
    sema_run_free(&c->run);
}

int layer_variable(const layer_case *c, const char *path)
{
    const graph *g = c->run.out.graph;
    for (size_t v = 0; v < g->variables.count; v++)
        if (strcmp(g->variables.items[v].path, path) == 0)
            return (int)v;
    fail_msg("%s: no variable '%s'", c->name, path);
    return -1;
}

graph_value *layer_out(const layer_case *c, const char *function)
{
    const graph_function *f = graph_function_find(c->run.out.graph, function);
    for (size_t i = 0; i < f->region.ops.count; i++) {
        const graph_op *op = f->region.ops.items[i];
        for (size_t k = 0; k < op->outputs.count; k++) {
            graph_value *v = op->outputs.items[k];
            if (v->name && strcmp(v->name, "out") == 0)
                return v;
        }
    }
    fail_msg("%s: nothing is called 'out'", c->name);
    return NULL;
}

graph_value *layer_gradient(const layer_case *c, int variable)
{
    const graph_function *f = graph_function_find(c->run.out.graph, "step");
    for (size_t i = 0; i < f->gradients.count; i++)
        if (f->gradients.items[i].variable == variable)
            return f->gradients.items[i].value;
    return NULL;
}

void layer_fill(const layer_case *c, interpreter *it)
{
    const graph *g = c->run.out.graph;
    static double anchor[1];
    interpret_clock(it, 0, 1, 1);
    interpret_input(it, "anchor", anchor);
    for (size_t i = 0; i < c->numbers.count; i++) {
        const layer_numbers *n = &c->numbers.items[i];
        if (strcmp(n->kind, "input") == 0) {
            interpret_input(it, n->name, n->at);
        } else if (strcmp(n->kind, "value") == 0) {
            int v = layer_variable(c, n->name);
            int64_t count = graph_type_count(g, &g->variables.items[v].type);
            if (count != n->count)
                fail_msg("%s: '%s' has %lld elements, not %lld", c->name, n->name, (long long)count,
                         (long long)n->count);
            memcpy(interpret_variable(it, v), n->at, (size_t)count * sizeof(double));
        }
    }
}

double layer_difference(const double *got, int64_t count, const layer_numbers *wanted)
{
    double most = count == wanted->count ? 0 : INFINITY;
    for (int64_t i = 0; i < count && i < wanted->count; i++) {
        double off = fabs(got[i] - wanted->at[i]) / (1 + fabs(wanted->at[i]));
        if (!(off <= most))
            most = isnan(off) ? INFINITY : off;
    }
    return most;
}
