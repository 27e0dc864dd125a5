/* plan.c: the clauses of a plan: the mesh, what is split over it, how gradients are reduced, what is required. */
#include "sema/clause.h"

#include "coll/evaluate.h"
#include "coll/verify.h"

#include <string.h>

enum { MOST_RANKS = 4096 };

int plan_axis(setup *u, const ast_node *name)
{
    training *t = u->out;
    nearest n = nearest_to(name->name ? name->name : "");
    for (size_t i = 0; name->kind == AST_NAME && i < t->mesh.count; i++) {
        nearest_offer(&n, t->mesh.items[i].name);
        if (t->mesh.items[i].name == name->name) {
            u->axis_used.items[i] = true;
            return (int)i;
        }
    }
    u->poisoned = true;
    if (u->mesh_lost)
        return -1;
    text words = text_in(u->sema->memory);
    ast_write(name, &words);
    diag *d = sema_report(u->sema, E0231, name->at, "the mesh has no axis '%s'", text_done(&words));
    if (nearest_found(&n))
        diag_fix_edit(d, name->at, n.best, "did you mean '%s'?", n.best);
    else
        diag_fix(d, "mesh %s = 2", text_done(&words));
    return -1;
}

static void add_axis(setup *u, const ast_node *clause, const ast_node *named)
{
    training *t = u->out;
    int64_t size;
    if (named->kind != AST_NAMED) {
        u->mesh_lost = true;
        clause_malformed(u, named->at, clause, "mesh dp = 4");
        return;
    }
    for (size_t i = 0; i < t->mesh.count; i++)
        if (t->mesh.items[i].name == named->name) {
            diag *d =
                sema_report(u->sema, E0203, named->at, "axis '%s' is declared twice", named->name);
            diag_note(d, t->mesh.items[i].declared, "first here");
            u->poisoned = true;
            return;
        }
    if (t->mesh.count == GRAPH_MAX_AXES) {
        sema_report(u->sema, E0238, named->at, "a mesh has at most %d axes", GRAPH_MAX_AXES);
        u->poisoned = true;
        return;
    }
    bool fine = constant_whole(u->sema, named->children[0],
                               (whole_range){"an axis's size", 1, MOST_RANKS}, &size);
    u->poisoned = u->poisoned || !fine;
    vec_push(u->sema->memory, &t->mesh, (graph_axis){named->name, fine ? (int)size : 1, named->at});
    vec_push(u->sema->memory, &u->axis_used, !fine);
}

void clause_mesh(setup *u, const ast_node *clause)
{
    for (size_t i = 0; i < clause->count; i++) {
        const ast_node *phrase = clause->children[i];
        u->mesh_lost = u->mesh_lost || phrase->count != 1;
        if (phrase->kind != AST_PHRASE || phrase->count != 1)
            clause_malformed(u, phrase->at, clause, "mesh dp = 4");
        else
            add_axis(u, clause, phrase->children[0]);
    }
    if (!clause->count)
        clause_malformed(u, clause->at, clause, "mesh dp = 4");
}

/* `split A, F, V over tp`: a phrase without `over` goes with the next that has one. */
void clause_split(setup *u, const ast_node *clause)
{
    int axis = -1;
    const char *example = "split B over dp";
    if (!clause->count)
        clause_malformed(u, clause->at, clause, example);
    for (size_t i = clause->count; i-- > 0;) {
        const ast_node *phrase = clause->children[i];
        const ast_node *over = phrase->kind == AST_PHRASE ? ast_part(phrase, "over") : NULL;
        if (phrase->kind != AST_PHRASE || !phrase->count || phrase->children[0]->kind != AST_NAME ||
            (i + 1 == clause->count && !over) || phrase->count > (over ? 2u : 1u)) {
            clause_malformed(u, phrase->at, clause, example);
            return;
        }
        if (over)
            axis = plan_axis(u, over->children[0]);
        training_split split = {phrase->children[0]->name, axis, phrase->children[0]->at};
        if (axis >= 0)
            vec_push(u->sema->memory, &u->out->splits, split);
    }
}

static const definition *topology_of(setup *u, const ast_node *name)
{
    const sema_file *file = u->plan->file;
    const definition *d = scope_find(u->sema, file, AST_TOPOLOGY, name->name);
    sema_file *library = d ? NULL : scope_library(u->sema, atom_of(u->sema->atoms, "topology"));
    if (library)
        d = table_get(&library->own, name->name, (int)AST_TOPOLOGY);
    if (d)
        return d;
    nearest n = nearest_to(name->name);
    if (library)
        nearest_offer_all(&n, &library->own, (int)AST_TOPOLOGY);
    nearest_offer_all(&n, &file->own, (int)AST_TOPOLOGY);
    diag *e = sema_report(u->sema, E0301, name->at, "no topology is called '%s'", name->name);
    if (nearest_found(&n))
        diag_fix_edit(e, name->at, n.best, "did you mean '%s'?", n.best);
    return NULL;
}

static bool read_arguments(setup *u, const ast_node *call, coll_request *request)
{
    coll_argument *arguments = arena_array(u->sema->memory, coll_argument, call->count);
    for (size_t i = 1; i < call->count; i++) {
        const ast_node *x = call->children[i];
        bool named = x->kind == AST_NAMED;
        int64_t whole;
        if (!constant_whole(u->sema, named ? x->children[0] : x,
                            (whole_range){"a topology's argument", INT32_MIN, INT32_MAX}, &whole))
            return false;
        arguments[request->argument_count++] =
            (coll_argument){named ? x->name : NULL, whole, x->at};
    }
    request->arguments = arguments;
    return true;
}

static bool evaluate(setup *u, const ast_node *by, training_reduce *r)
{
    const ast_node *name = by->kind == AST_CALL ? by->children[0] : by;
    if (name->kind != AST_NAME) {
        sema_report(u->sema, E0225, by->at, "a topology's name is expected here");
        return false;
    }
    r->topology = name->name;
    int ranks = u->out->mesh.items[r->axis].size;
    if (!strcmp(name->name, "auto") || !strcmp(name->name, "trees"))
        return true; /* made for the links: reduces_settle */
    const definition *d = topology_of(u, name);
    if (!d || d->poisoned)
        return false;
    coll_request request = {.ranks = ranks, .per_node = reduce_per_node(u, r->axis), .at = by->at};
    if (by->kind == AST_CALL && !read_arguments(u, by, &request))
        return false;
    if (ranks == 1)
        return true;
    coll_program *p =
        coll_evaluate(d->node, &request, u->sema->sources, u->sema->diags, u->sema->memory);
    r->program = p;
    return p && coll_verify(p, u->sema->diags);
}

void clause_reduce(setup *u, const ast_node *clause)
{
    const char *example = "reduce grad over dp by ring";
    const ast_node *phrase = clause->count == 1 ? clause->children[0] : NULL;
    if (!phrase || phrase->kind != AST_PHRASE || !phrase->count ||
        phrase->children[0]->kind != AST_NAME) {
        clause_malformed(u, clause->at, clause, example);
        return;
    }
    const ast_node *what = phrase->children[0], *over = ast_part(phrase, "over"),
                   *by = ast_part(phrase, "by");
    if (what->name != u->sema->words.w_grad) {
        diag *d = sema_report(u->sema, E0234, what->at, "'%s' is nothing that a plan reduces",
                              what->name);
        diag_fix_edit(d, what->at, "grad", "reduce grad");
        u->poisoned = true;
        return;
    }
    if (!over || !by) {
        clause_malformed(u, clause->at, clause, example);
        return;
    }
    training_reduce r = {.axis = plan_axis(u, over->children[0]), .at = clause->at};
    for (size_t i = 0; i < u->out->reduces.count; i++)
        if (r.axis >= 0 && u->out->reduces.items[i].axis == r.axis) {
            diag *d = sema_report(u->sema, E0203, clause->at,
                                  "gradients are reduced over '%s' twice", over->children[0]->name);
            diag_note(d, u->out->reduces.items[i].at, "first here");
            u->poisoned = true;
            return;
        }
    const ast_node *as = ast_part(phrase, "as"), *with = ast_part(phrase, "with");
    if (as || with) {
        sema_report(u->sema, E0904, (as ? as : with)->at,
                    "quantized reduction is understood, and not carried out yet");
        u->poisoned = true;
    }
    if (r.axis < 0 || !evaluate(u, by->children[0], &r))
        u->poisoned = true;
    else
        vec_push(u->sema->memory, &u->out->reduces, r);
}

void clause_precision(setup *u, const ast_node *clause)
{
    const ast_node *phrase = clause->count ? clause->children[0] : NULL;
    const ast_node *x =
        phrase && phrase->kind == AST_PHRASE && phrase->count == 1 ? phrase->children[0] : NULL;
    const sema_words *w = &u->sema->words;
    if (!x || x->kind != AST_NAME) {
        clause_malformed(u, clause->at, clause, "precision f32, or precision f64");
        return;
    }
    if (clause->count == 1 && (x->name == w->w_f32 || x->name == w->w_f64)) {
        u->out->precision = x->name == w->w_f64 ? DTYPE_F64 : DTYPE_F32;
        return;
    }
    if (x->name != w->w_f32 && x->name != w->w_f64 && x->name != w->w_bf16) {
        clause_malformed(u, x->at, clause, "precision f32, or precision f64");
        return;
    }
    diag *d = sema_report(u->sema, E0905, clause->at,
                          "mixed precision is understood, and not carried out yet");
    diag_fix(d, "precision f32, or precision f64");
    u->poisoned = true;
}

static void require_one(setup *u, const ast_node *clause, const ast_node *x)
{
    const sema_words *w = &u->sema->words;
    if (x->kind == AST_NAME && x->name == w->w_deterministic) {
        u->out->deterministic = true;
        return;
    }
    if (x->kind == AST_NAME && x->name == w->w_canonical) {
        sema_report(u->sema, E0916, x->at, "'canonical' is understood, and not carried out yet");
        u->poisoned = true;
        return;
    }
    double bytes;
    if (x->kind == AST_BINARY && !strcmp(x->word, "<=") && x->children[0]->kind == AST_NAME &&
        x->children[0]->name == w->w_memory) {
        if (!constant_quantity(u->sema, x->children[1], BYTES, &bytes))
            u->poisoned = true;
        else {
            u->out->required_memory = (int64_t)bytes;
            u->out->required_at = x->at;
        }
        return;
    }
    clause_malformed(u, x->at, clause, "require memory <= 72 GiB, deterministic");
}

void clause_require(setup *u, const ast_node *clause)
{
    for (size_t i = 0; i < clause->count; i++) {
        const ast_node *phrase = clause->children[i];
        if (phrase->kind == AST_PHRASE && phrase->count == 1)
            require_one(u, clause, phrase->children[0]);
        else
            clause_malformed(u, phrase->at, clause, "require memory <= 72 GiB, deterministic");
    }
}

/* "2 or 5": the nearest divisors of `size` on both sides of `axis`. */
static const char *divisors_near(arena *a, int64_t size, int axis)
{
    int64_t below = 1, above = 0;
    for (int64_t k = axis - 1; k > 1 && below == 1; k--)
        if (size % k == 0)
            below = k;
    for (int64_t k = axis + 1; k <= size && k <= 8 * (int64_t)axis && !above; k++)
        if (size % k == 0)
            above = k;
    if (!above)
        return arena_format(a, "%lld", (long long)below);
    return below == 1 ? arena_format(a, "%lld", (long long)above)
                      : arena_format(a, "%lld or %lld", (long long)below, (long long)above);
}

static const char *multiples_near(arena *a, int64_t size, int axis)
{
    int64_t below = size / axis * axis;
    return below ? arena_format(a, "%lld or %lld", (long long)below, (long long)(below + axis))
                 : arena_format(a, "%d", axis);
}

static bool check_divides(setup *u, const training_split *s, const graph_dim *dim)
{
    const graph_axis *axis = &u->out->mesh.items[s->axis];
    if (dim->size % axis->size == 0)
        return true;
    arena *a = u->sema->memory;
    diag *d =
        sema_report(u->sema, E0214, s->at, "axis '%s' of %d does not divide dimension '%s' of %lld",
                    axis->name, axis->size, dim->name, (long long)dim->size);
    diag_label(d, "'%s' = %lld", dim->name, (long long)dim->size);
    diag_note(d, axis->declared, "axis '%s' declared here", axis->name);
    diag_fix(d, "%s = %s, or %s = %s", axis->name, divisors_near(a, dim->size, axis->size),
             dim->batch ? "batch" : dim->name, multiples_near(a, dim->size, axis->size));
    return false;
}

/* Every split names a dimension of the graph that its axis divides. */
static bool check_split(setup *u, const training_split *s)
{
    bool found = false, batch = false, divides = true;
    nearest n = nearest_to(s->dim);
    for (size_t i = 0; i < u->graph->dims.count; i++) {
        const graph_dim *dim = &u->graph->dims.items[i];
        nearest_offer(&n, dim->name);
        if (dim->name != s->dim)
            continue;
        found = true;
        batch = batch || dim->batch;
        divides = check_divides(u, s, dim) && divides;
    }
    if (!found) {
        diag *d = sema_report(u->sema, E0230, s->at, "model '%s' has no dimension '%s'",
                              u->model->name, s->dim);
        if (nearest_found(&n))
            diag_fix_edit(d, s->at, n.best, "did you mean '%s'?", n.best);
        return false;
    }
    if (batch || !divides || u->out->mesh.items[s->axis].size == 1)
        return true;
    diag *d = sema_report(
        u->sema, E0918, s->at,
        "splitting '%s', which is not the batch, is understood, and not carried out yet", s->dim);
    diag_fix(d, "split the batch over '%s'", u->out->mesh.items[s->axis].name);
    return false;
}

static void check_twice(setup *u)
{
    const training *t = u->out;
    for (size_t i = 0; i < t->splits.count; i++)
        for (size_t k = 0; k < i; k++)
            if (t->splits.items[i].dim == t->splits.items[k].dim) {
                /* Read from the last to the first: the one that stands first in the file is the first. */
                bool later = t->splits.items[i].at.begin > t->splits.items[k].at.begin;
                const training_split *second = &t->splits.items[later ? i : k],
                                     *first = &t->splits.items[later ? k : i];
                diag *d = sema_report(u->sema, E0203, second->at, "dimension '%s' is split twice",
                                      second->dim);
                diag_note(d, first->at, "first here");
            }
}

/* An axis over which the batch is split has its gradients reduced, by ring where nothing else is said. */
static void default_reduces(setup *u)
{
    training *t = u->out;
    for (size_t i = 0; i < t->splits.count; i++) {
        const training_split *s = &t->splits.items[i];
        bool said = false;
        for (size_t k = 0; k < t->reduces.count; k++)
            said = said || t->reduces.items[k].axis == s->axis;
        if (said || t->mesh.items[s->axis].size == 1)
            continue;
        training_reduce r = {.axis = s->axis, .at = s->at};
        ast_node *ring = ast_new(u->sema->memory, AST_NAME, s->at);
        ring->name = atom_of(u->sema->atoms, "ring");
        if (evaluate(u, ring, &r))
            vec_push(u->sema->memory, &t->reduces, r);
    }
}

/* A clause that could not be read may be the one that is missed here. */
static void check_axes(setup *u)
{
    const training *t = u->out;
    if (u->poisoned)
        return;
    for (size_t i = 0; i < t->mesh.count; i++)
        if (!u->axis_used.items[i]) {
            diag *d = sema_report(u->sema, E0223, t->mesh.items[i].declared,
                                  "axis '%s' is declared and not used", t->mesh.items[i].name);
            diag_fix(d, "split B over %s, or leave the axis out", t->mesh.items[i].name);
        }
    for (size_t k = 0; k < t->reduces.count; k++) {
        bool split = false;
        for (size_t i = 0; i < t->splits.count; i++)
            split = split || t->splits.items[i].axis == t->reduces.items[k].axis;
        if (!split && t->mesh.items[t->reduces.items[k].axis].size > 1) {
            diag *d =
                sema_report(u->sema, E0235, t->reduces.items[k].at,
                            "nothing is split over '%s', so there is nothing to reduce over it",
                            t->mesh.items[t->reduces.items[k].axis].name);
            diag_fix(d, "split B over %s", t->mesh.items[t->reduces.items[k].axis].name);
        }
    }
}

static void check_cluster(setup *u)
{
    const training *t = u->out;
    const cluster_model *c = u->cluster;
    int64_t ranks = 1;
    for (size_t i = 0; i < t->mesh.count; i++)
        ranks *= t->mesh.items[i].size;
    if (ranks > (int64_t)c->devices.count) {
        diag *d = sema_report(
            u->sema, E0229, t->mesh.count ? t->mesh.items[0].declared : u->plan->node->name_at,
            "the mesh has %lld ranks and cluster '%s' has %zu device%s", (long long)ranks,
            c->of->name, c->devices.count, c->devices.count == 1 ? "" : "s");
        diag_note(d, c->of->node->name_at, "cluster '%s' is declared here", c->of->name);
        return;
    }
    for (int64_t i = 0; i < ranks; i++) {
        const device *d = &c->devices.items[i];
        if (strcmp(d->kind, "cpu")) {
            sema_report(
                u->sema, E0910, u->plan->node->children[1]->at,
                "cluster '%s' is made of '%s' devices, and only 'cpu' devices are trained on yet",
                c->of->name, d->kind);
            return;
        }
        if (d->memory && (!u->out->memory_limit || d->memory < u->out->memory_limit)) {
            u->out->memory_limit = d->memory;
            u->out->memory_at = d->memory_at;
        }
    }
}

/* What needs the graph's dimensions and the cluster's devices. */
void plan_finish(setup *u)
{
    u->out->links = u->cluster->links;
    check_cluster(u);
    check_twice(u);
    for (size_t i = 0; u->built && i < u->out->splits.count; i++)
        if (!check_split(u, &u->out->splits.items[i]))
            break;
    check_axes(u);
    if (!u->poisoned)
        default_reduces(u);
    if (!u->poisoned)
        reduces_settle(u);
}
