/* clause_train.c: the clauses of a train. */
#include "sema/clause.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t LARGEST = (int64_t)1 << 53;

/* The value that --set gives the clause, or what it says. */
static const ast_node *said(setup *u, const ast_node *clause, const char *example)
{
    const ast_node *set = clause_setting(u, clause->name);
    return set ? set : clause_only(u, clause, example);
}

void clause_batch(setup *u, const ast_node *clause)
{
    const ast_node *x = said(u, clause, "batch 64");
    if (!x || !constant_whole(u->sema, x, (whole_range){"the batch", 1, INT32_MAX}, &u->out->batch))
        u->poisoned = true;
}

void clause_microbatches(setup *u, const ast_node *clause)
{
    const ast_node *x = said(u, clause, "microbatches 4");
    whole_range range = {"the number of microbatches", 1, INT32_MAX};
    if (!x || !constant_whole(u->sema, x, range, &u->out->microbatches))
        u->poisoned = true;
    u->microbatches = x;
}

void clause_seed(setup *u, const ast_node *clause)
{
    const ast_node *x = said(u, clause, "seed 7");
    int64_t seed = 0;
    if (!x || !constant_whole(u->sema, x, (whole_range){"the seed", 0, LARGEST}, &seed))
        u->poisoned = true;
    u->out->seed = (uint64_t)seed;
}

static void contradicts(setup *u, const ast_node *clause, const char *other)
{
    const ast_node *before =
        table_get(&u->clauses, atom_of(u->sema->atoms, other), (int)CLAUSE_TRAIN);
    if (!before)
        return;
    diag *d = sema_report(u->sema, E0235, clause->at, "'epochs' and 'steps' both say how long");
    diag_note(d, before->at, "the other one");
    u->poisoned = true;
}

void clause_epochs(setup *u, const ast_node *clause)
{
    contradicts(u, clause, "steps");
    const ast_node *x = said(u, clause, "epochs 20");
    value v = x ? constant_of(u->sema, x) : value_poison();
    if (v.kind == VALUE_NUMBER && v.quantity == BARE && v.number > 0 && v.number < 1e9)
        u->out->epochs = v.number;
    else {
        if (v.kind != VALUE_POISON)
            sema_report(u->sema, E0236, x->at, "the epochs are a number above 0, not %s",
                        v.kind == VALUE_NUMBER && v.quantity == BARE
                            ? number_words(v.number, u->sema->memory)
                            : value_words(&v, u->sema->memory));
        u->poisoned = true;
    }
}

void clause_steps(setup *u, const ast_node *clause)
{
    contradicts(u, clause, "epochs");
    const ast_node *x = said(u, clause, "steps 1000");
    if (!x || !constant_whole(u->sema, x, (whole_range){"the number of steps", 1, LARGEST},
                              &u->out->steps))
        u->poisoned = true;
}

/* `clip 1.0` by norm; `clip value 0.5` by value. */
void clause_clip(setup *u, const ast_node *clause)
{
    const ast_node *x = NULL, *phrase = clause->count ? clause->children[0] : NULL;
    bool by_value = phrase && phrase->kind == AST_PHRASE && phrase->count == 2 &&
                    phrase->children[0]->kind == AST_NAME;
    if (by_value &&
        (!strcmp(phrase->children[0]->name, "value") || !strcmp(phrase->children[0]->name, "norm")))
        x = phrase->children[1];
    by_value = by_value && !strcmp(phrase->children[0]->name, "value");
    if (!x)
        x = said(u, clause, "clip 1.0, or clip value 0.5");
    value v = x ? constant_of(u->sema, x) : value_poison();
    if (v.kind == VALUE_NUMBER && v.quantity == BARE && v.number > 0) {
        u->out->clip = by_value ? 0 : v.number;
        u->clip_value = by_value ? x : NULL;
        return;
    }
    if (v.kind != VALUE_POISON)
        sema_report(u->sema, E0236, x->at, "what gradients are clipped at is a number above 0");
    u->poisoned = true;
}

void clause_freeze(setup *u, const ast_node *clause)
{
    if (!clause->count)
        clause_malformed(u, clause->at, clause, "freeze block.linear, embed");
    for (size_t i = 0; i < clause->count; i++) {
        const ast_node *phrase = clause->children[i];
        if (phrase->kind != AST_PHRASE || phrase->count != 1) {
            clause_malformed(u, clause->at, clause, "freeze block.linear, embed");
            return;
        }
        vec_push(u->sema->memory, &u->frozen, phrase->children[0]);
    }
}

typedef enum data_shape { COLUMNS, ARRAYS, FILES, STREAM } data_shape;

static const struct {
    const char *name;
    data_shape shape;
    const char *example;
} formats[] = {
    {"csv", COLUMNS, "csv(\"digits.csv\", image = 0..63, digit = 64)"},
    {"npz", ARRAYS, "npz(\"digits.npz\", image = \"x\", digit = \"y\")"},
    {"safetensors", ARRAYS, "safetensors(\"digits.safetensors\", image = \"x\", digit = \"y\")"},
    {"npy", FILES, "npy(image = \"x.npy\", digit = \"y.npy\")"},
    {"idx", FILES, "idx(image = \"images.idx3-ubyte\", digit = \"labels.idx1-ubyte\")"},
    {"bytes", STREAM, "bytes(\"corpus/*.txt\")"},
    {"tokens", STREAM, "tokens(\"corpus/*.bin\")"}};
enum { FORMAT_COUNT = sizeof formats / sizeof *formats };

static int format_of(setup *u, const ast_node *name)
{
    nearest n = nearest_to(name->name);
    for (int i = 0; i < FORMAT_COUNT; i++) {
        if (!strcmp(formats[i].name, name->name))
            return i;
        nearest_offer(&n, formats[i].name);
    }
    diag *d = sema_report(u->sema, E0201, name->at, "no data format is called '%s'", name->name);
    if (nearest_found(&n))
        diag_fix_edit(d, name->at, n.best, "did you mean '%s'?", n.best);
    else
        diag_fix(d, "csv, npy, npz, idx, safetensors, bytes or tokens");
    return -1;
}

/* A share of the samples, or files of their own. */
static void read_holdout(setup *u, const ast_node *x)
{
    training_data *data = &u->out->data;
    if (x->kind == AST_STRING) {
        vec_push(u->sema->memory, &data->holdout_paths, x->name);
        return;
    }
    if (!constant_quantity(u->sema, x, SHARE, &data->holdout_share)) {
        u->poisoned = true;
        return;
    }
    if (data->holdout_share < 0 || data->holdout_share >= 1) {
        sema_report(u->sema, E0236, x->at, "a hold-out is a share from 0 %% to less than 100 %%");
        u->poisoned = true;
    }
}

static bool read_columns(setup *u, const ast_node *x, data_field *f)
{
    value v = constant_of(u->sema, x);
    if (v.kind == VALUE_NUMBER && v.quantity == BARE)
        v.last = v.number;
    else if (v.kind != VALUE_RANGE) {
        if (v.kind != VALUE_POISON)
            sema_report(u->sema, E0208, x->at, "columns are a number or a range, as 0..63, not %s",
                        value_words(&v, u->sema->memory));
        return false;
    }
    if (v.number < 0 || v.last < v.number || v.last > 1e7 || v.number != floor(v.number) ||
        v.last != floor(v.last)) {
        sema_report(u->sema, E0236, x->at, "columns are whole numbers from 0 up, the first first");
        return false;
    }
    f->first = (int64_t)v.number;
    f->last = (int64_t)v.last;
    return true;
}

static bool is_input(const setup *u, atom name)
{
    const ast_node *body = u->model ? ast_child(u->model->node, AST_BODY) : NULL;
    for (size_t i = 0; body && i < body->count; i++)
        if (body->children[i]->kind == AST_INPUT && body->children[i]->name == name)
            return true;
    return !u->model; /* may be */
}

static bool may_be_columns(const ast_node *x)
{
    return x->kind == AST_STRING || x->kind == AST_RANGE || (x->kind == AST_NUMBER && !x->unit);
}

/* `hlodout = 20%`, `test_split = 20%`: no input is called so, and an option nearly is, or no columns are named. */
static bool is_no_field(setup *u, const ast_node *arg)
{
    const sema_words *w = &u->sema->words;
    const atom known[] = {w->w_holdout, w->w_scale, w->w_shift};
    nearest n = nearest_to(arg->name);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        nearest_offer(&n, known[i]);
    if (is_input(u, arg->name) || (!nearest_found(&n) && may_be_columns(arg->children[0])))
        return false;
    diag *d = sema_report(u->sema, E0227, arg->name_at, "model '%s' has no input '%s'",
                          u->model->name, arg->name);
    if (nearest_found(&n))
        diag_fix_edit(d, arg->name_at, n.best, "did you mean '%s'?", n.best);
    else
        diag_fix(d, "options of the data are holdout, scale, shift, mean and std");
    return true;
}

static void read_field(setup *u, const ast_node *arg, int format)
{
    data_field f = {.name = arg->name, .node = arg, .first = -1, .last = -1};
    const ast_node *x = arg->children[0];
    if (data_field_find(u, arg->name)) {
        diag *d = sema_report(u->sema, E0203, arg->at, "'%s' is given twice", arg->name);
        diag_note(d, data_field_find(u, arg->name)->node->at, "first here");
        u->poisoned = true;
        return;
    }
    if (formats[format].shape == COLUMNS && is_no_field(u, arg)) {
        u->poisoned = true;
    } else if (formats[format].shape == COLUMNS && x->kind == AST_STRING) {
        f.array = x->name;
    } else if (formats[format].shape == COLUMNS) {
        if (!read_columns(u, x, &f))
            u->poisoned = true;
    } else if (x->kind == AST_STRING && formats[format].shape != STREAM) {
        f.array = x->name;
        if (formats[format].shape == FILES)
            vec_push(u->sema->memory, &u->out->data.paths, x->name);
    } else {
        diag *d = sema_report(u->sema, E0225, arg->at, "'%s' does not take '%s' so",
                              formats[format].name, arg->name);
        diag_fix(d, "%s", formats[format].example);
        u->poisoned = true;
    }
    vec_push(u->sema->memory, &u->fields, f);
}

static void read_factor(setup *u, const ast_node *x, double *out)
{
    value v = constant_of(u->sema, x);
    if (v.kind == VALUE_NUMBER && (v.quantity == BARE || v.quantity == SHARE)) {
        *out = v.number;
        return;
    }
    if (v.kind != VALUE_POISON)
        sema_report(u->sema, E0208, x->at, "a number is expected here, not %s",
                    value_words(&v, u->sema->memory));
    u->poisoned = true;
}

static void read_deviation(setup *u, const ast_node *x)
{
    read_factor(u, x, &u->deviation);
    if (u->deviation > 0)
        return;
    sema_report(u->sema, E0236, x->at, "a standard deviation is above 0");
    u->poisoned = true;
}

/* A stream is of ids, and ids are not scaled. */
static void refuse_factor(setup *u, const ast_node *arg, int format)
{
    diag *d = sema_report(u->sema, E0225, arg->at, "'%s' gives ids, and '%s' is for numbers",
                          formats[format].name, arg->name);
    diag_fix(d, "%s", formats[format].example);
    u->poisoned = true;
}

static void read_data_argument(setup *u, const ast_node *arg, int format)
{
    const sema_words *w = &u->sema->words;
    if (arg->kind == AST_STRING)
        vec_push(u->sema->memory, &u->out->data.paths, arg->name);
    else if (data_option_read(u, arg))
        return;
    else if (arg->kind != AST_NAMED) {
        diag *d = sema_report(u->sema, E0225, arg->at,
                              "'%s' takes paths and what belongs to a name", formats[format].name);
        diag_fix(d, "%s", formats[format].example);
        u->poisoned = true;
    } else if (arg->name == w->w_holdout)
        read_holdout(u, arg->children[0]);
    else if (formats[format].shape == STREAM &&
             (arg->name == w->w_scale || arg->name == w->w_shift || arg->name == w->w_mean ||
              arg->name == w->w_std))
        refuse_factor(u, arg, format);
    else if (arg->name == w->w_scale)
        read_factor(u, arg->children[0], &u->scale);
    else if (arg->name == w->w_shift)
        read_factor(u, arg->children[0], &u->shift);
    else if (arg->name == w->w_mean)
        read_factor(u, arg->children[0], &u->mean);
    else if (arg->name == w->w_std)
        read_deviation(u, arg->children[0]);
    else
        read_field(u, arg, format);
}

atom clause_folder(setup *u)
{
    sema *s = u->sema;
    const char *path = u->train->file->path;
    const char *slash = strrchr(path, '/');
    char *folder = slash ? arena_copy_text(s->memory, path, (size_t)(slash - path)) : NULL;
    char *whole = realpath(folder ? (*folder ? folder : "/") : ".", NULL);
    atom name = atom_of(s->atoms, whole ? whole : folder ? folder : ".");
    free(whole);
    return name;
}

void clause_data(setup *u, const ast_node *clause)
{
    const ast_node *x =
        clause_only(u, clause, "data csv(\"digits.csv\", image = 0..63, digit = 64)");
    if (!x)
        return;
    u->data = x;
    if (x->kind != AST_CALL || x->children[0]->kind != AST_NAME) {
        clause_malformed(u, x->at, clause, "data csv(\"digits.csv\", image = 0..63, digit = 64)");
        return;
    }
    int format = format_of(u, x->children[0]);
    if (format < 0) {
        u->data = NULL;
        u->poisoned = true;
        return;
    }
    training_data *data = &u->out->data;
    data->format = x->children[0]->name;
    data->base = clause_folder(u);
    data->at = x->at;
    u->scale = u->deviation = 1;
    u->streams = formats[format].shape == STREAM;
    for (size_t i = 1; i < x->count; i++)
        read_data_argument(u, x->children[i], format);
    data_holdout_finish(u);
    if (!data->paths.count && !u->poisoned) {
        diag *d = sema_report(u->sema, E0225, x->at, "'%s' needs a path", data->format);
        diag_fix(d, "%s", formats[format].example);
        u->poisoned = true;
    }
}

data_field *data_field_find(setup *u, atom name)
{
    for (size_t i = 0; i < u->fields.count; i++)
        if (u->fields.items[i].name == name)
            return &u->fields.items[i];
    return NULL;
}
