#include "sema/clause.h"
#include "sema/lint.h"
#include "sema/spend.h"

#include "coll/evaluate.h"
#include "coll/verify.h"

#include <string.h>

static void intern_words(sema *s)
{
#define WORD(name) s->words.w_##name = atom_of(s->atoms, #name);
    SEMA_WORDS(WORD)
#undef WORD
}

/* Of the files of one's own, not the library's. */
static void each_definition(sema *s, void (*check)(sema *, definition *))
{
    for (size_t i = 0; i < s->files.count; i++)
        for (size_t k = 0; !s->files.items[i]->library && k < s->files.items[i]->definitions.count;
             k++)
            check(s, s->files.items[i]->definitions.items[k]);
}

sema *sema_new(const sema_context *context, const ast_node *file)
{
    sema *s = arena_make(context->memory, sema);
    *s = (sema){.kept = context->memory,
                .memory = context->memory,
                .atoms = context->atoms,
                .sources = context->sources,
                .diags = context->diags,
                .library = context->library};
    sema_spare(s, 1);
    s->clause = SPAN_NONE;
    s->paths = table_in(s->kept);
    s->reported = table_in(s->kept);
    s->missing = table_in(s->kept);
    s->programs = table_in(s->kept);
    intern_words(s);
    s->main = scope_load(s, file, source_path(s->sources, file->at.file), false);
    s->misread = diag_error_count(s->diags) > 0;
    each_definition(s, lint_definition);
    each_definition(s, lint_recursion);
    return s;
}

void sema_spare(sema *s, int parts)
{
    s->work.most = COLL_MAX_WORK / parts;
    s->most_work = SPEND_MOST / parts;
    s->trees = (effort){.left = EFFORT_OF_CHECK / parts, .edges = COLL_MAX_SENDS / 2 / parts};
}

void sema_read_files(sema *s)
{
    s->reads_files = true;
}

void sema_publish(sema *s, const char *weights)
{
    s->published = atom_of(s->atoms, weights);
}

const ast_node *sema_plan(const sema *s, const char *name)
{
    for (size_t i = 0; i < s->main->definitions.count; i++) {
        const definition *d = s->main->definitions.items[i];
        if (d->kind == AST_PLAN && (!name || !strcmp(d->name, name)))
            return d->node;
    }
    return NULL;
}

/* The batch is cut into microbatches of one size. */
static void check_microbatches(setup *u)
{
    training *t = u->out;
    if (!u->microbatches || !t->batch || t->microbatches < 1 || t->batch % t->microbatches == 0)
        return;
    diag *d = sema_report(u->sema, E0244, u->microbatches->at,
                          "a batch of %lld is not cut into %lld microbatches of one size",
                          (long long)t->batch, (long long)t->microbatches);
    int64_t down = t->batch / t->microbatches * t->microbatches;
    if (down)
        diag_fix(d, "batch %lld or %lld", (long long)down, (long long)(down + t->microbatches));
    else
        diag_fix(d, "at most %lld microbatches", (long long)t->batch);
    t->microbatches = 1;
    u->poisoned = true;
}

static void need(setup *u, bool there, const char *what, const char *example)
{
    if (there || u->poisoned)
        return;
    u->poisoned = true;
    if (sema_reported_in(u->sema, u->train->node->at))
        return; /* what is missing may stand where the mistake is */
    diag *d = sema_report(u->sema, E0226, u->train->node->name_at, "train '%s' does not say %s",
                          u->train->name, what);
    diag_fix(d, "%s", example);
}

static bool said(setup *u, const char *word)
{
    return table_get(&u->clauses, atom_of(u->sema->atoms, word), (int)CLAUSE_TRAIN) != NULL;
}

/* One thing missing is one mistake: the first that is missing is reported. */
static void check_complete(setup *u)
{
    need(u, said(u, "data"), "on what data", "data csv(\"digits.csv\", image = 0..63, digit = 64)");
    need(u, said(u, "batch"), "how large a batch is", "batch 64");
    need(u, said(u, "optimizer"), "with which optimizer", "optimizer sgd(lr = 0.1)");
    need(u, said(u, "epochs") || said(u, "steps"), "for how long", "epochs 20, or steps 1000");
}

/* train: NULL where no train is called as the plan says. */
static setup *setup_new(sema *s, const definition *train, const sema_setting *settings, int count)
{
    setup *u = arena_make(s->memory, setup);
    *u = (setup){.sema = s,
                 .train = train,
                 .settings = settings,
                 .setting_count = count,
                 .scale = 1,
                 .wrong = !train};
    u->paths = path_model(s->memory);
    u->said.pipeline.axis = -1;
    u->said.canonical = u->said.deterministic = u->said.automatic = SPAN_NONE;
    u->out = arena_make(s->memory, training);
    if (train) {
        u->out->train = train->name;
        u->out->train_at = train->node->name_at;
    }
    u->out->microbatches = 1;
    u->out->precision = DTYPE_F32;
    u->clauses = table_in(s->memory);
    return u;
}

/* The model that the train's head names; NULL after a report. */
static const definition *find_model(setup *u, const ast_node *said)
{
    const ast_node *name = said && said->kind == AST_CALL ? said->children[0] : said;
    if (definition_head_lost(u->train) || !name || name->kind != AST_NAME)
        return NULL;
    const definition *model = scope_find(u->sema, u->train->file, AST_MODEL, name->name);
    if (!model)
        scope_report_unknown(u->sema, u->train->file, AST_MODEL, name);
    return model;
}

/* False where no model is known: then the clauses are read for what they say by themselves. */
static bool read_train(setup *u)
{
    const ast_node *said_model = u->train->node->count ? u->train->node->children[0] : NULL;
    u->model = find_model(u, said_model);
    if (u->model) {
        u->out->model = u->model->name;
        u->model_call = setting_call(u, u->model, said_model);
    }
    clauses_read(u, setting_body(u, ast_child(u->train->node, AST_BODY), CLAUSE_TRAIN),
                 CLAUSE_TRAIN);
    check_complete(u);
    check_microbatches(u);
    u->poisoned = u->poisoned || !u->model;
    return u->model != NULL;
}

static void build_graph(setup *u)
{
    sema *s = u->sema;
    u->graph = graph_new(s->memory, s->atoms, s->sources);
    u->graph->form = atom_of(s->atoms, "graph");
    u->built = !u->model->poisoned && u->out->batch && u->data && !u->data_lost && model_build(u);
    u->wrong = u->wrong || !u->built;
    spend(s, (int64_t)u->graph->next_value * SPEND_ELABORATED);
    if (u->built)
        weights_settle(u);
    else
        weights_named(u);
    u->wrong = u->wrong || u->poisoned;
}

/* A train with its graph, for checks. */
static setup *train_setup(sema *s, const definition *train)
{
    setup *u = setup_new(s, train, NULL, 0);
    bool read = read_train(u);
    u->wrong = u->poisoned || !read;
    if (read)
        build_graph(u);
    return u;
}

/* The same train under a plan: what the plan adds is its own. */
static setup *plan_setup(const setup *train, const definition *plan)
{
    arena *a = train->sema->memory;
    setup *u = arena_make(a, setup);
    *u = *train;
    u->out = arena_make(a, training);
    *u->out = *train->out;
    u->out->plan = plan->name;
    u->out->plan_at = plan->node->name_at;
    u->plan = plan;
    u->poisoned = false;
    u->clauses = table_in(a);
    for (size_t i = 0; i < train->clauses.room; i++)
        if (train->clauses.slots[i].name)
            table_set(&u->clauses, train->clauses.slots[i].name, train->clauses.slots[i].kind,
                      train->clauses.slots[i].item);
    u->later.items = NULL;
    u->later.count = u->later.room = 0;
    for (size_t i = 0; i < train->later.count; i++)
        vec_push(a, &u->later, train->later.items[i]);
    return u;
}

static void report_later(setup *u)
{
    for (size_t i = 0; i < u->later.count; i++) {
        const postponed *p = &u->later.items[i];
        diag *d = sema_report(u->sema, p->code, p->at, "%s", p->words);
        if (p->fix)
            diag_fix(d, "%s", p->fix);
        u->poisoned = true;
    }
}

/* A plan of a train that is read; the graph is built here if it is not yet. False: something is wrong with the plan or
 * the train. */
static bool read_plan(setup *u)
{
    sema *s = u->sema;
    const definition *plan = u->plan;
    const ast_node *name = plan->node->children[1],
                   *body = setting_body(u, ast_child(plan->node, AST_BODY), CLAUSE_PLAN);
    size_t before = diag_report_count(s->diags);
    const definition *cluster = scope_find(s, plan->file, AST_CLUSTER, name->name);
    if (!cluster)
        scope_report_unknown(s, plan->file, AST_CLUSTER, name);
    else
        u->cluster = cluster_build(s, cluster);
    clauses_read_first(u, body);
    if (!u->graph && u->model && !u->wrong)
        build_graph(u);
    clauses_read_rest(u, body);
    plan_finish(u);
    return u->cluster && !u->wrong && !u->poisoned && diag_report_count(s->diags) == before;
}

static const definition *train_of(sema *s, const definition *plan)
{
    const ast_node *name = plan->node->count >= 2 ? plan->node->children[0] : NULL;
    if (definition_head_lost(plan) || !name || name->kind != AST_NAME)
        return NULL;
    const definition *train = scope_find(s, plan->file, AST_TRAIN, name->name);
    if (!train)
        scope_report_unknown(s, plan->file, AST_TRAIN, name);
    return train;
}

/* A train and the plans that lay it out. */
typedef struct laid_train {
    const definition *train; /* NULL: of plans whose train is not known */
    definition_vec plans;
} laid_train;

/* What a check goes through. */
typedef struct checking {
    VEC(laid_train *) trains;
    table by_name; /* the same */
    laid_train without_train;
    table clusters; /* those that a plan names */
    bool misread;   /* an error before: nothing is said of what is not carried out yet */
} checking;

/* What is elaborated for one train or one plan is given back when it is checked: a file may have thousands. */
static arena *own_memory(sema *s)
{
    arena *outer = s->memory;
    s->memory = arena_new();
    return outer;
}

static void give_back_memory(sema *s, arena *outer)
{
    arena_free(s->memory);
    s->memory = outer;
}

/* Puts a plan to its train. */
static void take_plan(sema *s, definition *plan, checking *c)
{
    if (definition_head_lost(plan) || plan->node->count < 2)
        return;
    const definition *train = train_of(s, plan);
    laid_train *laid = train ? table_get(&c->by_name, train->name, 0) : &c->without_train;
    if (!laid) {
        laid = arena_make(s->memory, laid_train);
        laid->train = train;
        table_set(&c->by_name, train->name, 0, laid);
        vec_push(s->memory, &c->trains, laid);
    }
    vec_push(s->memory, &laid->plans, plan);
    table_set(&c->clusters, plan->node->children[1]->name, 0, plan);
}

static void check_plan(const setup *train, const definition *plan, const checking *c)
{
    if (!spend_may_go_on(train->sema, plan->node->name_at))
        return;
    if (train->graph)
        spend(train->sema, (int64_t)train->graph->next_value * SPEND_LAID_OUT);
    arena *outer = own_memory(train->sema);
    setup *u = plan_setup(train, plan);
    if (read_plan(u) && !c->misread)
        report_later(u);
    give_back_memory(train->sema, outer);
}

static void check_train(sema *s, const laid_train *laid, const checking *c)
{
    if (!laid->plans.count || !spend_may_go_on(s, laid->plans.items[0]->node->name_at))
        return;
    arena *outer = own_memory(s);
    const setup *known = laid->train ? train_setup(s, laid->train) : setup_new(s, NULL, NULL, 0);
    for (size_t k = 0; k < laid->plans.count; k++)
        check_plan(known, laid->plans.items[k], c);
    give_back_memory(s, outer);
}

static void check_trains(sema *s, const checking *c)
{
    s->checking = true;
    for (size_t i = 0; i < c->trains.count; i++)
        check_train(s, c->trains.items[i], c);
    check_train(s, &c->without_train, c);
    s->checking = false;
}

/* A train or cluster that no plan uses. */
static void check_unused(sema *s, const definition *d, const checking *c)
{
    if (d->poisoned || !spend_may_go_on(s, d->node->name_at))
        return;
    arena *outer = own_memory(s);
    if (d->kind == AST_TRAIN && !table_get(&c->by_name, d->name, 0)) {
        setup *u = train_setup(s, d);
        if (!u->wrong && !c->misread)
            report_later(u);
    }
    if (d->kind == AST_CLUSTER && !table_get(&c->clusters, d->name, 0))
        cluster_build(s, d);
    give_back_memory(s, outer);
}

static checking check_topologies(sema *s)
{
    checking c = {.by_name = table_in(s->memory), .clusters = table_in(s->memory)};
    s->checking = true;
    const definition_vec *all = &s->main->definitions;
    for (size_t i = 0; i < all->count; i++) {
        definition *d = all->items[i];
        if (d->kind == AST_TOPOLOGY && !d->poisoned && spend_may_go_on(s, d->node->name_at))
            d->poisoned = !coll_check_block(d->node, s->sources, s->diags, &s->work);
    }
    s->checking = false;
    c.misread = diag_error_count(s->diags) > 0;
    return c;
}

bool sema_check(sema *s)
{
    checking c = check_topologies(s);
    const definition_vec *all = &s->main->definitions;
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i]->kind == AST_PLAN)
            take_plan(s, all->items[i], &c);
    check_trains(s, &c);
    s->checking = true;
    for (size_t i = 0; i < all->count; i++)
        check_unused(s, all->items[i], &c);
    s->checking = false;
    each_definition(s, lint_unused);
    return diag_error_count(s->diags) == 0;
}

static setup *elaborate_under(const setup *train, const definition *plan)
{
    setup *u = plan_setup(train, plan);
    bool whole = read_plan(u);
    each_definition(u->sema, lint_unused);
    if (whole)
        report_later(u);
    return u;
}

/* A train on one rank, whatever the plan says: for samples. */
static void elaborate_alone(setup *u, const definition *plan)
{
    u->out->plan = plan ? plan->name : u->train->name;
    u->out->plan_at = plan ? plan->node->name_at : u->train->node->name_at;
    if (!u->wrong)
        build_graph(u);
}

static definition *plan_called(const sema *s, const char *name)
{
    const ast_node *node = sema_plan(s, name);
    return node ? table_get(&s->main->own, node->name, (int)AST_PLAN) : NULL;
}

bool sema_check_plan(sema *s, const char *plan)
{
    checking c = check_topologies(s);
    definition *d = plan_called(s, plan);
    if (d)
        take_plan(s, d, &c);
    check_trains(s, &c);
    return diag_error_count(s->diags) == 0;
}

bool sema_elaborate(sema *s, const char *plan, const sema_setting *settings, int count,
                    sema_output *out)
{
    const definition *d = plan_called(s, plan);
    const definition *alone =
        s->sampling && plan && !d
            ? table_get(&s->main->own, atom_of(s->atoms, plan), (int)AST_TRAIN)
            : NULL;
    if (!d && !alone) {
        span at = {s->main->tree->at.file, 0, 0};
        sema_report(s, E0240, at, plan ? "the file has no plan '%s'" : "the file has no plan%s",
                    plan ? plan : "");
        return false;
    }
    const definition *train = alone ? alone : train_of(s, d);
    if (!train || train->poisoned || !train->node->count)
        return false;
    setup *u = setup_new(s, train, settings, count);
    if (!read_train(u) || !settings_check(u))
        return false;
    u->wrong = u->poisoned;
    if (s->sampling)
        elaborate_alone(u, d);
    else
        u = elaborate_under(u, d);
    out->graph = u->graph;
    out->training = u->out;
    return diag_error_count(s->diags) == 0 && !u->poisoned && u->graph;
}

bool sema_elaborate_sampling(sema *s, const char *plan, const sema_setting *settings, int count,
                             sema_output *out)
{
    s->sampling = true;
    return sema_elaborate(s, plan, settings, count, out);
}
