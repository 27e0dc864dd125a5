/* data_option.c: what a data format takes beside paths, fields and factors. */
#include "sema/clause.h"

#include <string.h>

/* Each option and what it may be said to be; the runtime's formats know the same (runtime/data/). */
static const struct {
    const char *format, *name;
    const char *values[8]; /* none: any one character, or 'tab' */
    const char *example;
} options[] = {
    {"csv", "delimiter", {NULL}, "delimiter = \";\", or \"tab\""},
    {"csv", "header", {"auto", "yes", "no"}, "header = yes, no or auto"},
    {"tokens", "type", {"uint16", "uint32"}, "type = uint16 or uint32"},
    {"tokens", "header", {"auto", "yes", "no"}, "header = yes, no or auto"},
};
enum { OPTION_COUNT = sizeof options / sizeof *options };

static bool fits(int option, const char *said)
{
    if (!options[option].values[0])
        return strlen(said) == 1 ? !strchr("\"\r\n0123456789+-.", *said) : !strcmp(said, "tab");
    for (const char *const *known = options[option].values; *known; known++)
        if (!strcmp(*known, said))
            return true;
    return false;
}

static void read_option(setup *u, const ast_node *arg, int option)
{
    const ast_node *x = arg->children[0];
    bool is_word = x->kind == AST_STRING || x->kind == AST_NAME;
    if (is_word && fits(option, x->name)) {
        training_option made = {arg->name, x->name};
        vec_push(u->sema->memory, &u->out->data.options, made);
        return;
    }
    diag *d = sema_report(u->sema, E0225, x->at, "'%s' of '%s' is not said so", arg->name,
                          u->out->data.format);
    diag_fix(d, "%s", options[option].example);
    u->poisoned = true;
}

/* npy and idx have a file for each field, so their held-out samples do too. */
static bool is_holdout_call(const setup *u, const ast_node *arg)
{
    return arg->kind == AST_CALL && arg->children[0]->kind == AST_NAME &&
           arg->children[0]->name == u->sema->words.w_holdout;
}

bool data_option_read(setup *u, const ast_node *arg)
{
    if (is_holdout_call(u, arg)) {
        u->holdout = arg;
        return true;
    }
    for (int i = 0; arg->kind == AST_NAMED && i < OPTION_COUNT; i++)
        if (!strcmp(options[i].format, u->out->data.format) &&
            !strcmp(options[i].name, arg->name)) {
            read_option(u, arg, i);
            return true;
        }
    return false;
}

static void refuse_holdout(setup *u, span at, const char *why)
{
    diag *d = sema_report(u->sema, E0225, at, "the held-out samples %s", why);
    diag_fix(d, "holdout(image = \"test_x.npy\", digit = \"test_y.npy\") with npy and idx, a share "
                "or a path with "
                "the others");
    u->poisoned = true;
}

void data_holdout_finish(setup *u)
{
    const training_data *data = &u->out->data;
    bool file_per_field = !strcmp(data->format, "npy") || !strcmp(data->format, "idx");
    if (file_per_field && data->holdout_paths.count)
        refuse_holdout(u, u->data->at, "want a file for each field");
    if (!u->holdout)
        return;
    if (!file_per_field || data->holdout_share > 0) {
        refuse_holdout(u, u->holdout->at,
                       file_per_field ? "are a share or files, not both" : "are not given so here");
        return;
    }
    for (size_t i = 1; i < u->holdout->count; i++) {
        const ast_node *arg = u->holdout->children[i];
        data_field *f = arg->kind == AST_NAMED ? data_field_find(u, arg->name) : NULL;
        if (!f || f->holdout || arg->children[0]->kind != AST_STRING) {
            refuse_holdout(u, arg->at, "want one file for each field by its name");
            return;
        }
        f->holdout = arg->children[0]->name;
    }
    for (size_t i = 0; i < u->fields.count; i++)
        if (!u->fields.items[i].holdout)
            refuse_holdout(u, u->holdout->at, "want a file for every field");
}
