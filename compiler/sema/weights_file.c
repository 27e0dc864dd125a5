/* weights_file.c: a train's model beside the file of weights that it begins from, if the file is there at compile time.
 * The comparison is the runtime's own (state/published.h). */
#include "sema/train.h"
#include "state/published.h"

#include <string.h>
#include <unistd.h>

enum { MOST_PROBLEMS = 200 };

static published_variable *variables_of(const setup *u)
{
    const graph *g = u->graph;
    published_variable *all =
        arena_array(u->sema->memory, published_variable, g->variables.count + 1);
    for (size_t i = 0; i < g->variables.count; i++) {
        const graph_variable *v = &g->variables.items[i];
        all[i] = (published_variable){.path = v->path,
                                      .rank = (size_t)v->type.rank,
                                      .fresh = !graph_variable_is_model(v),
                                      .optional = v->kind == VARIABLE_STATE};
        for (int k = 0; k < v->type.rank; k++)
            all[i].shape[k] = (uint64_t)graph_type_size(g, &v->type, k);
    }
    for (size_t i = 0; i < u->out->begin.fresh.count; i++)
        all[u->out->begin.fresh.items[i]].fresh = true;
    return all;
}

static const published_form *form_of(const setup *u)
{
    const training_weights *w = u->out->weights;
    if (!w)
        return NULL;
    arena *a = u->sema->memory;
    published_form *form = arena_make(a, published_form);
    published_tensor *rows = arena_array(a, published_tensor, w->tensors.count + 1);
    for (size_t i = 0; i < w->tensors.count; i++) {
        const training_tensor *t = &w->tensors.items[i];
        rows[i] = (published_tensor){t->name, t->parts.items, t->parts.count, t->turned, t->tied};
    }
    *form = (published_form){w->form,          w->prefix,        rows,
                             w->tensors.count, w->ignored.items, w->ignored.count};
    return form;
}

typedef struct telling {
    diag *report;
    span at;
    size_t count;
} telling;

static void tell(void *user, const char *words)
{
    telling *t = user;
    if (t->count++ < MOST_PROBLEMS)
        diag_note(t->report, t->at, "%s", words);
}

static void report(setup *u, diag_code code, const char *path, const published_model *model,
                   const safetensors *file, const rt_error *error)
{
    telling t = {.at = u->out->begin.at};
    t.report = file ? sema_report(u->sema, code, t.at, "'%s': %s", path, error->text)
                    : sema_report(u->sema, code, t.at, "%s", error->text);
    rt_error again;
    if (file)
        published_match(model, file, tell, &t, &again);
    if (t.count > MOST_PROBLEMS)
        diag_note(t.report, t.at, "and %zu more", t.count - MOST_PROBLEMS);
    u->poisoned = true;
}

static void say_nothing(void *user, const char *words)
{
    (void)user;
    (void)words;
}

/* What is absent now may be there when the training starts, which compares once more. */
void weights_compare(setup *u)
{
    const training_begin *begin = &u->out->begin;
    bool absolute = begin->path[0] == '/';
    const char *path =
        absolute ? begin->path : arena_format(u->sema->memory, "%s/%s", begin->base, begin->path);
    if (access(path, F_OK) != 0)
        return;
    published_model model = {variables_of(u), u->graph->variables.count, form_of(u)};
    safetensors *file;
    rt_error error;
    if (safetensors_open(path, &file, &error) != RT_OK) {
        report(u, E0405, path, &model, NULL, &error);
        return;
    }
    if (published_match(&model, file, say_nothing, NULL, &error) != RT_OK)
        report(u, E0404, begin->path, &model, file, &error);
    safetensors_close(file);
}
