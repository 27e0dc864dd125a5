/* plan.c: the clauses of a plan: the mesh, what is split over it, how gradients are reduced, what is required. */
#include "sema/clause.h"
#include "sema/spend.h"

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
        if (t->mesh.items[i].name == name->name)
            return (int)i;
    }
    u->poisoned = true;
    text words = text_in(u->sema->memory);
    ast_write(name, &words);
    atom said = atom_of(u->sema->atoms, text_done(&words));
    if (name->kind != AST_NAME) {
        diag *d = sema_report(u->sema, E0225, name->at, "an axis of the mesh is expected, not '%s'",
                              said);
        diag_fix(d, "over %s", t->mesh.count ? t->mesh.items[0].name : "dp");
        return -1;
    }
    if (u->mesh_lost || table_get(&u->clauses, said, CLAUSE_AXIS))
        return -1; /* one mistake, however often it is named */
    table_set(&u->clauses, said, CLAUSE_AXIS, u);
    u->mesh_lost = !t->mesh.count;
    if (u->mesh_lost) {
        diag *d =
            sema_report(u->sema, E0231, name->at, "the plan has no mesh, so no axis '%s'", said);
        diag_fix(d, "mesh %s = 2", said);
        return -1;
    }
    diag *d = sema_report(u->sema, E0231, name->at, "the mesh has no axis '%s'", said);
    if (nearest_found(&n))
        diag_fix_edit(d, name->at, n.best, "did you mean '%s'?", n.best);
    else
        diag_fix(d, "mesh %s = 2", said);
    return -1;
}

int plan_axis_used(setup *u, const ast_node *name)
{
    int axis = plan_axis(u, name);
    if (axis >= 0)
        u->axis_used.items[axis] = true;
    return axis;
}

int64_t plan_ranks(const setup *u)
{
    int64_t ranks = 1;
    for (size_t i = 0; i < u->out->mesh.count && ranks <= INT32_MAX; i++)
        ranks *= u->out->mesh.items[i].size;
    return ranks;
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
    u->mesh_lost = u->mesh_lost || !clause->count;
    if (!clause->count)
        clause_malformed(u, clause->at, clause, "mesh dp = 4");
}

/* `split A, F, V over tp`: a phrase without `over` goes with the next that has one. */
void clause_split(setup *u, const ast_node *clause)
{
    static const char example[] = "split B over dp";
    if (!clause->count)
        clause_malformed(u, clause->at, clause, example);
    for (size_t i = 0; i < clause->count; i++) {
        const ast_node *phrase = clause->children[i], *over = phrase_part(clause, i, "over");
        if (!phrase_fits(u, clause, phrase, &(phrase_shape){1, {"over", NULL}, example}))
            return;
        if (!over || phrase->children[0]->kind != AST_NAME) {
            clause_malformed(u, phrase->at, clause, example);
            return;
        }
        training_split split = {phrase->children[0]->name, plan_axis_used(u, over->children[0]),
                                phrase->children[0]->at};
        if (split.axis >= 0)
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
    if (file_has_gap(file))
        return NULL;
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

/* A mesh larger than its cluster is an error of its own: no program is made for ranks that there are not. */
static bool cluster_holds(const setup *u, int ranks)
{
    return u->cluster && !u->cluster->poisoned && ranks <= (int)u->cluster->devices.count;
}

/* Gradients are summed, and every rank needs the sum. */
static bool sums_for_all(setup *u, const ast_node *name, const definition *d)
{
    coll_kind kind = coll_topology_kind(d->node);
    if (kind == COLL_ALL_REDUCE)
        return true;
    diag *g = sema_report(u->sema, E0339, name->at,
                          "topology '%s' is no all_reduce but %s %s, and gradients are summed for "
                          "all ranks",
                          d->name, kind == COLL_ALL_GATHER || kind == COLL_ALL_TO_ALL ? "an" : "a",
                          coll_kind_name(kind));
    diag_note(g, d->node->name_at, "'%s' is defined here", d->name);
    diag_fix(g, "by ring, tree or another that does all_reduce");
    return false;
}

/* The same topology for as many ranks is made and proved once, while what is kept of them is not too much. */
static const coll_program *program_of(sema *s, const ast_node *topology, coll_request *request)
{
    enum { MOST_KEPT = 1 << 21 };
    text words = text_in(s->memory);
    text_add(&words, "%s %d %d", topology->name, request->ranks, request->per_node);
    for (size_t i = 0; i < request->argument_count; i++)
        text_add(&words, " %s %lld", request->arguments[i].name ? request->arguments[i].name : "",
                 (long long)request->arguments[i].value);
    atom key = atom_of(s->atoms, text_done(&words));
    coll_program *p = table_get(&s->programs, key, 0);
    if (p)
        return p;
    bool keep = s->program_sends < MOST_KEPT;
    request->budget = &s->work;
    p = coll_evaluate(topology, request, s->sources, s->diags, keep ? s->kept : s->memory);
    if (!p || !coll_verify(p, s->diags))
        return NULL;
    spend_proof(s, p);
    s->program_sends += p->sends.count;
    if (keep)
        table_set(&s->programs, key, 0, p);
    return p;
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
    if (!strcmp(name->name, "auto") || !strcmp(name->name, "trees")) {
        if (by->kind != AST_CALL || by->count < 2)
            return true; /* made for the links: reduces_settle */
        diag *d = sema_report(u->sema, E0339, by->children[1]->at,
                              "'%s' follows from the links, and takes nothing", name->name);
        diag_fix(d, "by %s", name->name);
        return false;
    }
    const definition *d = topology_of(u, name);
    if (!d || d->poisoned || !sums_for_all(u, name, d))
        return false;
    coll_request request = {.ranks = ranks, .per_node = reduce_per_node(u, r->axis), .at = by->at};
    if (by->kind == AST_CALL && !read_arguments(u, by, &request))
        return false;
    if (ranks == 1 || !cluster_holds(u, ranks))
        return true;
    r->program = program_of(u->sema, d->node, &request);
    return r->program != NULL;
}

/* `as int8(block = 256) with feedback`: right, and not carried out yet. */
static bool read_quantization(setup *u, const ast_node *phrase)
{
    static const char *const words[] = {"feedback", NULL};
    const ast_node *as = ast_part(phrase, "as"), *with = ast_part(phrase, "with");
    encoding how;
    if (with &&
        clause_word(u, with->children[0], "nothing that a reduction is done with", words) < 0)
        return false;
    if (with && !as) {
        diag *d = sema_report(u->sema, E0235, with->at,
                              "feedback adds what rounding lost, and nothing is rounded");
        diag_fix(d, "as int8(block = 256) with feedback");
        return false;
    }
    if (!as)
        return true;
    if (!encoding_read(u, as->children[0], &how))
        return false;
    vec_push(u->sema->memory, &u->said.quantized, as->at);
    clause_postpone(u, (postponed){E0904, as->at,
                                   "quantized reduction is understood, and not carried out yet",
                                   NULL});
    return true;
}

static bool is_grad(setup *u, const ast_node *what)
{
    if (what->kind == AST_NAME && what->name == u->sema->words.w_grad)
        return true;
    text words = text_in(u->sema->memory);
    ast_write(what, &words);
    diag *d = sema_report(u->sema, E0234, what->at, "'%s' is nothing that a plan reduces",
                          text_done(&words));
    diag_fix_edit(d, what->at, "grad", "reduce grad");
    return false;
}

/* One axis is reduced over in one way. */
static bool is_first(setup *u, const ast_node *clause, int axis)
{
    for (size_t i = 0; i < u->out->reduces.count; i++)
        if (u->out->reduces.items[i].axis == axis) {
            diag *d =
                sema_report(u->sema, E0203, clause->at, "gradients are reduced over '%s' twice",
                            u->out->mesh.items[axis].name);
            diag_note(d, u->out->reduces.items[i].at, "first here");
            return false;
        }
    return true;
}

void clause_reduce(setup *u, const ast_node *clause)
{
    static const char example[] = "reduce grad over dp by ring";
    const ast_node *phrase = clause->count ? clause->children[0] : clause;
    if (clause->count != 1 || phrase->kind != AST_PHRASE) {
        clause_malformed(u, clause->at, clause, example);
        return;
    }
    const ast_node *over = ast_part(phrase, "over"), *by = ast_part(phrase, "by");
    if (!phrase_fits(u, clause, phrase, &(phrase_shape){1, {"over", "by", "as", "with"}, example}))
        return;
    bool fine = is_grad(u, phrase->children[0]);
    if (fine && (!over || !by)) {
        clause_malformed(u, clause->at, clause, example);
        return;
    }
    training_reduce r = {.axis = fine ? plan_axis_used(u, over->children[0]) : -1,
                         .at = clause->at};
    fine = r.axis >= 0 && is_first(u, clause, r.axis) && read_quantization(u, phrase) &&
           evaluate(u, by->children[0], &r);
    if (fine)
        vec_push(u->sema->memory, &u->out->reduces, r);
    else
        u->poisoned = true;
}

static void require_twice(setup *u, const char *what, span at, span before)
{
    diag *d = sema_report(u->sema, E0203, at, "'%s' is required twice", what);
    diag_note(d, before, "first here");
    u->poisoned = true;
}

static void require_memory(setup *u, const ast_node *x)
{
    double bytes;
    if (u->out->required_memory)
        require_twice(u, "memory", x->at, u->out->required_at);
    else if (!constant_quantity(u->sema, x->children[1], BYTES, &bytes))
        u->poisoned = true;
    else if (bytes < 1 || bytes > 9e18) {
        sema_report(u->sema, E0236, x->children[1]->at, "a bound of memory is above 0");
        u->poisoned = true;
    } else {
        u->out->required_memory = (int64_t)bytes;
        u->out->required_at = x->at;
    }
}

static void require_one(setup *u, const ast_node *clause, const ast_node *x)
{
    static const char *const words[] = {"deterministic", "canonical", "memory", NULL};
    bool bound = x->kind == AST_BINARY && !strcmp(x->word, "<=");
    const ast_node *name = bound ? x->children[0] : x;
    int which =
        name->kind == AST_NAME ? clause_word(u, name, "nothing that a plan requires", words) : 3;
    if (which < 0)
        return;
    if (bound != (which == 2) || which == 3) {
        clause_malformed(u, x->at, clause, "require memory <= 72 GiB, deterministic");
        return;
    }
    span *before = which ? &u->said.canonical : &u->said.deterministic;
    if (bound) {
        require_memory(u, x);
        return;
    }
    if (before->file >= 0) {
        require_twice(u, words[which], x->at, *before);
        return;
    }
    *before = x->at;
    u->out->deterministic = u->out->deterministic || which == 0;
    if (which == 1)
        clause_postpone(u, (postponed){E0916, x->at,
                                       "'canonical' is understood, and not carried out yet", NULL});
}

void clause_require(setup *u, const ast_node *clause)
{
    static const char example[] = "require memory <= 72 GiB, deterministic";
    if (!clause->count)
        clause_malformed(u, clause->at, clause, example);
    for (size_t i = 0; i < clause->count; i++)
        if (phrase_fits(u, clause, clause->children[i], &(phrase_shape){1, {NULL}, example}))
            require_one(u, clause, clause->children[i]->children[0]);
}

/* "2 or 5": the nearest divisors of `size` on both sides of `axis`. */
const char *divisors_near(arena *a, int64_t size, int axis)
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

const char *multiples_near(arena *a, int64_t size, int axis)
{
    int64_t below = size / axis * axis;
    return below ? arena_format(a, "%lld or %lld", (long long)below, (long long)(below + axis))
                 : arena_format(a, "%d", axis);
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

/* What needs the graph's dimensions and the cluster's devices. A size that does not divide explains a mesh that does not fit. */
void plan_finish(setup *u)
{
    size_t before = diag_report_count(u->sema->diags);
    u->out->links = u->cluster ? u->cluster->links : NULL;
    if (!u->graph || plan_check_splits(u))
        plan_check_axes(u);
    if (u->cluster && !u->size_doubted && plan_check_cluster(u))
        plan_check_place(u);
    u->poisoned =
        u->poisoned || !u->graph || !u->cluster || diag_report_count(u->sema->diags) != before;
    if (!u->poisoned)
        plan_check_together(u);
    if (!u->poisoned && u->built)
        plan_check_memory(u);
    if (!u->poisoned)
        default_reduces(u);
    if (!u->poisoned)
        reduces_settle(u);
}
