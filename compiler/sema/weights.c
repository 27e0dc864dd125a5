/* weights.c: `weights` blocks: the names that a model's published files have for its variables.
 *
 * A row says what a tensor of the files is in terms of the model's own paths:
 *
 *     "h.{i}.attn.c_attn.weight"   = concat(gpt_block[i].self_attention.linear.w, …)
 *     "layers.{i}.mlp.up.weight"   = transpose(llama_block[i].swiglu.linear_2.w)
 *     tied "lm_head.weight"        = embed.w
 *
 * A block is read by itself first (form_read), for what needs no model; then its paths are looked up in a graph. */
#include "sema/clause.h"

#include <string.h>

typedef struct form_part {
    const ast_node *node;
    atom path;  /* "gpt_block.self_attention.linear.w" */
    atom index; /* "i" of gpt_block[i], or NULL */
} form_part;

typedef struct form_row {
    const ast_node *node;
    atom name;
    VEC(form_part) parts;
    bool turned, tied;
} form_row;

typedef struct form {
    sema *sema;
    const definition *of;
    VEC(form_row) rows;
    VEC(atom) ignored;
    atom prefix;
    table names; /* 0: tensor name -> row */
    bool broken;
} form;

static void malformed(form *f, span at, const char *example)
{
    diag *d = sema_report(f->sema, E0401, at, "weights are written otherwise");
    diag_fix(d, "%s", example);
    f->broken = true;
}

/* "i" of "h.{i}.ln_1.weight"; NULL without braces. False after a report. */
static bool index_of(form *f, const ast_node *name, atom *index)
{
    const char *said = name->name, *open = strchr(said, '{'), *close = strchr(said, '}');
    *index = NULL;
    bool plain = !open && !close;
    bool one =
        open && close && open < close - 1 && !strchr(open + 1, '{') && !strchr(close + 1, '}');
    bool clean = *said && strlen(said) < 512;
    for (const char *c = said; *c; c++)
        clean = clean && (unsigned char)*c >= ' ' && *c != '"' && *c != '\\';
    if (one)
        *index = atom_intern(f->sema->atoms, open + 1, (size_t)(close - open - 1));
    if ((plain || one) && clean)
        return true;
    malformed(f, name->at,
              "\"h.{i}.ln_1.weight\": braces, at most once, around the index of a layer");
    return false;
}

/* A path's words, without its index. */
static bool write_path(form *f, const ast_node *x, text *out, atom *index)
{
    if (x->kind == AST_NAME) {
        text_add(out, "%s", x->name);
        return true;
    }
    if (x->kind == AST_MEMBER && x->name && strcmp(x->name, "*") != 0) {
        bool fine = write_path(f, x->children[0], out, index);
        text_add(out, ".%s", x->name);
        return fine;
    }
    bool indexed =
        x->kind == AST_AT && x->count == 2 && x->children[1]->kind == AST_NAME && !*index;
    if (indexed) {
        *index = x->children[1]->name;
        return write_path(f, x->children[0], out, index);
    }
    malformed(f, x->at, "a path of the model: embed.w, or gpt_block[i].layer_norm.gain");
    return false;
}

static void read_part(form *f, form_row *row, const ast_node *x, atom index)
{
    form_part part = {.node = x};
    text words = text_in(f->sema->memory);
    if (x->poisoned || !write_path(f, x, &words, &part.index)) {
        f->broken = true;
        return;
    }
    part.path = atom_of(f->sema->atoms, text_done(&words));
    if (part.index != index) {
        diag *d =
            sema_report(f->sema, E0401, x->at,
                        index ? "the tensor's name counts layers by '%s', and this path does not"
                              : "this path counts layers by '%s', and the tensor's name does not",
                        index ? index : part.index);
        diag_fix(d, "{i} in the name and [i] in each path, or neither");
        f->broken = true;
    }
    vec_push(f->sema->memory, &row->parts, part);
}

static bool is_call(const ast_node *x, const char *name)
{
    return x->kind == AST_CALL && x->children[0]->kind == AST_NAME &&
           strcmp(x->children[0]->name, name) == 0;
}

static void read_tensor(form *f, const ast_node *node, const ast_node *name, const ast_node *x)
{
    form_row row = {.node = node, .name = name->name};
    atom index;
    if (x->poisoned || !index_of(f, name, &index)) {
        f->broken = true;
        return;
    }
    const form_row *before = table_get(&f->names, row.name, 0);
    if (before) {
        diag *d = sema_report(f->sema, E0203, name->at, "tensor '%s' is said twice", row.name);
        diag_note(d, before->node->at, "first here");
        f->broken = true;
        return;
    }
    row.tied = node->kind == AST_CLAUSE;
    row.turned = is_call(x, "transpose");
    if (row.turned && x->count != 2) {
        malformed(f, x->at, "transpose(linear.w)");
        return;
    }
    x = row.turned ? x->children[1] : x;
    if (is_call(x, "concat") && !row.tied)
        for (size_t i = 1; i < x->count; i++)
            read_part(f, &row, x->children[i], index);
    else
        read_part(f, &row, x, index);
    form_row *kept = arena_make(f->sema->memory, form_row);
    *kept = row;
    table_set(&f->names, row.name, 0, kept);
    if (row.parts.count)
        vec_push(f->sema->memory, &f->rows, row);
    else
        f->broken = true;
}

/* The one expression of a phrase, or NULL. */
static const ast_node *only(const ast_node *phrase)
{
    return phrase->kind == AST_PHRASE && phrase->count == 1 ? phrase->children[0] : NULL;
}

static void read_tied(form *f, const ast_node *clause)
{
    const ast_node *x = clause->count == 1 ? only(clause->children[0]) : NULL;
    if (x && x->kind == AST_BINARY && strcmp(x->word, "=") == 0 &&
        x->children[0]->kind == AST_STRING)
        read_tensor(f, clause, x->children[0], x->children[1]);
    else
        malformed(f, clause->at, "tied \"lm_head.weight\" = embed.w");
}

static void read_prefix(form *f, const ast_node *clause)
{
    const ast_node *x = clause->count == 1 ? only(clause->children[0]) : NULL;
    atom index = NULL;
    if (!x || x->kind != AST_STRING || f->prefix || strchr(x->name, '{'))
        malformed(f, clause->at, "prefix \"transformer.\", once");
    else if (index_of(f, x, &index))
        f->prefix = x->name;
}

static void read_ignore(form *f, const ast_node *clause)
{
    for (size_t i = 0; i < clause->count; i++) {
        const ast_node *x = only(clause->children[i]);
        atom index;
        if (!x || x->kind != AST_STRING)
            malformed(f, clause->at, "ignore \"h.{i}.attn.bias\", \"h.{i}.attn.masked_bias\"");
        else if (index_of(f, x, &index))
            vec_push(f->sema->memory, &f->ignored, x->name);
    }
}

static const struct {
    const char *word;
    void (*read)(form *, const ast_node *);
} clauses[] = {{"prefix", read_prefix}, {"ignore", read_ignore}, {"tied", read_tied}};
enum { CLAUSE_COUNT = sizeof clauses / sizeof *clauses };

static void read_clause(form *f, const ast_node *clause)
{
    nearest n = nearest_to(clause->name);
    for (int i = 0; i < CLAUSE_COUNT; i++) {
        if (strcmp(clauses[i].word, clause->name) == 0) {
            clauses[i].read(f, clause);
            return;
        }
        nearest_offer(&n, clauses[i].word);
    }
    diag *d =
        sema_report(f->sema, E0224, clause->name_at, "weights have no clause '%s'", clause->name);
    if (nearest_found(&n))
        diag_fix_edit(d, clause->name_at, n.best, "did you mean '%s'?", n.best);
    f->broken = true;
}

static form form_read(sema *s, const definition *d)
{
    form f = {.sema = s, .of = d, .names = table_in(s->memory), .broken = d->poisoned};
    const ast_node *body = ast_child(d->node, AST_BODY);
    for (size_t i = 0; body && i < body->count; i++) {
        const ast_node *node = body->children[i];
        if (node->poisoned)
            f.broken = true;
        else if (node->kind == AST_TENSOR)
            read_tensor(&f, node, node->children[0], node->children[1]);
        else
            read_clause(&f, node);
    }
    return f;
}

void weights_check(sema *s, const definition *d)
{
    form_read(s, d);
}

/* ------------------------------------------------------------------ on a graph */

typedef struct settling {
    setup *setup;
    const form *form;
    training_weights *out;
    bool *named; /* variables that some tensor holds */
    span *named_at;
    diag *mismatched; /* what does not go together, one diagnostic */
    size_t notes;
    bool broken;
} settling;

enum { MOST_NOTES = 12 };

/* A path of one's own block that leads nowhere is what is wrong; nearly written is another. */
static diag *report_path(settling *t, span at, const char *words, const char *path)
{
    const setup *u = t->setup;
    diag *d = sema_report(u->sema, E0402, at, words, path);
    nearest n = nearest_to(path);
    for (size_t i = 0; i < u->graph->variables.count; i++)
        if (graph_variable_is_model(&u->graph->variables.items[i]))
            nearest_offer(&n, u->graph->variables.items[i].path);
    if (nearest_found(&n))
        diag_fix_edit(d, at, n.best, "did you mean '%s'?", n.best);
    diag_note(d, u->form ? u->form->at : t->form->of->node->name_at,
              "weights '%s' for model '%s' here", t->form->of->name, u->model->name);
    return d;
}

/* The two blocks disagree: one mistake, with a note for each path of either. */
static void disagree(settling *t, span at, const char *words, const char *path)
{
    const setup *u = t->setup;
    span place = u->form ? u->form->at : t->form->of->node->name_at, block = t->form->of->node->at;
    bool own = !t->form->of->file->library && at.file == block.file && at.begin >= block.begin &&
               at.end <= block.end;
    if (!t->broken && t->notes == 0 && own) {
        t->mismatched = report_path(t, at, words, path);
        t->notes++;
        return;
    }
    if (!t->broken && t->notes == 0)
        t->mismatched =
            sema_report(u->sema, E0402, place, "weights '%s' and model '%s' do not go together",
                        t->form->of->name, u->model->name);
    if (t->notes++ < MOST_NOTES)
        diag_note(t->mismatched, at, words, path);
}

static int variable_of(const setup *u, atom path)
{
    for (size_t i = 0; i < u->graph->variables.count; i++) {
        const graph_variable *v = &u->graph->variables.items[i];
        if (v->path == path && graph_variable_is_model(v))
            return (int)i;
    }
    return -1;
}

static void apart(settling *t, span at, const char *format, const char *path)
{
    sema_report(t->setup->sema, E0403, at, format, path);
    t->broken = true;
}

/* Alike but for their last dimension, which has a size in the file of their sum. */
static bool joins(const graph *g, const graph_variable *a, const graph_variable *b, int layers)
{
    bool same = a->type.rank == b->type.rank && a->type.rank > layers;
    for (int i = 0; same && i + 1 < a->type.rank; i++)
        same = graph_type_size(g, &a->type, i) == graph_type_size(g, &b->type, i);
    return same;
}

static void check_part(settling *t, const form_row *row, const form_part *part, int variable)
{
    const setup *u = t->setup;
    const graph_variable *v = &u->graph->variables.items[variable];
    const graph_variable *first =
        &u->graph->variables.items[variable_of(u, row->parts.items[0].path)];
    int layers = part->index ? 1 : 0;
    if (part->index && !v->stacked)
        apart(t, part->node->at, "'%s' is not repeated, so it has no layers to count", part->path);
    else if (row->turned && v->type.rank - layers != 2)
        apart(t, part->node->at, "'%s' has not two dimensions to turn around", part->path);
    else if (row->parts.count > 1 && !joins(u->graph, first, v, layers))
        apart(t, part->node->at, "'%s' and the first differ in more than their last dimension",
              part->path);
    if (row->tied)
        return;
    if (t->named[variable]) {
        diag *d = sema_report(u->sema, E0203, part->node->at, "'%s' is said twice", part->path);
        diag_note(d, t->named_at[variable], "first here");
        diag_fix(d, "tied, for a second name of the same values");
        t->broken = true;
    }
    t->named[variable] = true;
    t->named_at[variable] = part->node->at;
}

static void settle_row(settling *t, const form_row *row)
{
    training_tensor out = {
        .name = row->name, .turned = row->turned, .tied = row->tied, .at = row->node->at};
    bool whole = true;
    for (size_t i = 0; i < row->parts.count; i++) {
        const form_part *part = &row->parts.items[i];
        if (variable_of(t->setup, part->path) >= 0)
            continue;
        disagree(t, part->node->at, "the model has no parameter '%s'", part->path);
        whole = false;
    }
    for (size_t i = 0; whole && i < row->parts.count; i++) {
        int variable = variable_of(t->setup, row->parts.items[i].path);
        check_part(t, row, &row->parts.items[i], variable);
        vec_push(t->setup->sema->memory, &out.parts, variable);
    }
    vec_push(t->setup->sema->memory, &t->out->tensors, out);
}

static bool is_fresh(const setup *u, int variable)
{
    for (size_t i = 0; i < u->out->begin.fresh.count; i++)
        if (u->out->begin.fresh.items[i] == variable)
            return true;
    return false;
}

/* Every parameter and running value stands for some tensor; a tie needs what it is tied to. */
static void check_all_named(settling *t)
{
    setup *u = t->setup;
    for (size_t i = 0; i < u->graph->variables.count; i++) {
        const graph_variable *v = &u->graph->variables.items[i];
        bool optional = is_fresh(u, (int)i) && !u->sema->published;
        if (graph_variable_is_model(v) && !t->named[i] && !optional)
            disagree(t, v->at, "no tensor holds parameter '%s'", v->path);
    }
    for (size_t i = 0; !t->notes && i < t->form->rows.count; i++) {
        const form_row *row = &t->form->rows.items[i];
        if (row->tied && !t->named[variable_of(u, row->parts.items[0].path)])
            apart(t, row->node->at, "'%s' is tied to what no tensor holds", row->name);
    }
    if (t->notes > MOST_NOTES)
        diag_note(t->mismatched, t->form->of->node->name_at, "and %s",
                  arena_format(u->sema->memory, "%zu more", t->notes - MOST_NOTES));
}

/* The paths behind `except`: each variable under one of them begins as it says itself. */
static void settle_fresh(setup *u)
{
    for (size_t i = 0; i < u->fresh.count; i++) {
        text words = text_in(u->sema->memory);
        ast_write(u->fresh.items[i], &words);
        const char *path = text_done(&words);
        size_t length = strlen(path);
        bool found = false;
        nearest n = nearest_to(path);
        for (size_t k = 0; k < u->graph->variables.count; k++) {
            const graph_variable *v = &u->graph->variables.items[k];
            bool under = graph_variable_is_model(v) && !strncmp(v->path, path, length) &&
                         (v->path[length] == '.' || !v->path[length]);
            if (under && !is_fresh(u, (int)k))
                vec_push(u->sema->memory, &u->out->begin.fresh, (int)k);
            found = found || under;
            nearest_offer(&n, v->path);
        }
        diag *d = found ? NULL
                        : sema_report(u->sema, E0230, u->fresh.items[i]->at,
                                      "no parameter is under '%s'", path);
        if (!found && nearest_found(&n))
            diag_fix_edit(d, u->fresh.items[i]->at, n.best, "did you mean '%s'?", n.best);
        u->poisoned = u->poisoned || !found;
    }
}

/* The block that names the weights: what is asked for from outside, or what `init … as` says. */
static const definition *form_of(setup *u)
{
    sema *s = u->sema;
    atom name = s->published ? s->published : u->form ? u->form->name : NULL;
    const definition *d = name ? scope_find(s, u->train->file, AST_WEIGHTS, name) : NULL;
    sema_file *library = s->published && !d ? scope_library(s, atom_of(s->atoms, "weights")) : NULL;
    if (library)
        d = table_get(&library->own, name, (int)AST_WEIGHTS);
    if (name && !d) {
        const ast_node asked = {.kind = AST_NAME, .name = name, .at = SPAN_NONE};
        scope_report_unknown(s, u->train->file, AST_WEIGHTS, s->published ? &asked : u->form);
        u->poisoned = true;
    }
    return d;
}

static void settle_form(setup *u, const definition *d)
{
    form f = form_read(u->sema, d);
    training_weights *out = arena_make(u->sema->memory, training_weights);
    *out = (training_weights){.form = d->name, .prefix = f.prefix};
    size_t variables = u->graph->variables.count;
    settling t = {.setup = u, .form = &f, .out = out, .broken = f.broken};
    t.named = arena_array(u->sema->memory, bool, variables + 1);
    t.named_at = arena_array(u->sema->memory, span, variables + 1);
    for (size_t i = 0; i < f.rows.count; i++)
        settle_row(&t, &f.rows.items[i]);
    if (!t.broken)
        check_all_named(&t);
    for (size_t i = 0; i < f.ignored.count; i++)
        vec_push(u->sema->memory, &out->ignored, f.ignored.items[i]);
    u->poisoned = u->poisoned || t.broken || t.notes > 0;
    u->out->weights = out;
}

void weights_named(setup *u)
{
    if (u->form)
        form_of(u);
}

void weights_settle(setup *u)
{
    settle_fresh(u);
    const definition *d = u->poisoned ? NULL : form_of(u);
    if (d)
        settle_form(u, d);
    if (u->sema->reads_files && u->out->begin.path && !u->sema->published && !u->poisoned)
        weights_compare(u);
}

/* ------------------------------------------------------------------ the clause */

static const char *const example =
    "init from \"model.safetensors\", or init from \"model.safetensors\" as gpt2 except linear";

static bool read_init_part(setup *u, const ast_node *part)
{
    const ast_node *x = part->count ? part->children[0] : NULL;
    if (x && !strcmp(part->name, "from") && part->count == 1 && x->kind == AST_STRING)
        u->out->begin.path = x->name;
    else if (x && !strcmp(part->name, "as") && part->count == 1 && x->kind == AST_NAME)
        u->form = x;
    else if (x && !strcmp(part->name, "except"))
        for (size_t i = 0; i < part->count; i++)
            vec_push(u->sema->memory, &u->fresh, part->children[i]);
    else
        return false;
    if (!strcmp(part->name, "from"))
        u->out->begin.at = x->at;
    return true;
}

/* `except a, b`: what stands behind a comma is a further path. */
void clause_init(setup *u, const ast_node *clause)
{
    const ast_node *phrase = clause->count ? clause->children[0] : NULL;
    bool fine = phrase && phrase->kind == AST_PHRASE && phrase->count > 0;
    for (size_t i = 0; fine && i < phrase->count; i++)
        fine = phrase->children[i]->kind == AST_PART && read_init_part(u, phrase->children[i]);
    for (size_t i = 1; fine && i < clause->count; i++) {
        const ast_node *more = clause->children[i];
        fine = u->fresh.count && more->kind == AST_PHRASE && more->count == 1 &&
               ast_is_expression(more->children[0]->kind);
        if (fine)
            vec_push(u->sema->memory, &u->fresh, more->children[0]);
    }
    if (!fine || !u->out->begin.path) {
        clause_malformed(u, clause->at, clause, example);
        return;
    }
    u->out->begin.base = clause_folder(u);
}
