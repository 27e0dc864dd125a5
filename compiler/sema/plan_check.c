/* plan_check.c: what needs the graph and the cluster, and what the clauses of a plan say together: sizes that do not divide,
 * axes used in two ways, sums that cannot be what is required of them. A contradiction is an error at the later of its two
 * places, with a note at the other.
 */
#include "sema/clause.h"

#include "coll/order.h"

#include <string.h>

static const char *axis_name(const setup *u, int axis)
{
    return u->out->mesh.items[axis].name;
}

static const training_split *split_over(const setup *u, int axis)
{
    for (size_t i = 0; i < u->out->splits.count; i++)
        if (u->out->splits.items[i].axis == axis)
            return &u->out->splits.items[i];
    return NULL;
}

static span later_of(span a, span b)
{
    return a.begin > b.begin ? a : b;
}

static span earlier_of(span a, span b)
{
    return a.begin > b.begin ? b : a;
}

bool plan_splits_batch(const setup *u, atom dim)
{
    for (size_t i = 0; i < u->graph->dims.count; i++)
        if (u->graph->dims.items[i].batch && u->graph->dims.items[i].name == dim)
            return true;
    return false;
}

static const char *batch_name(const setup *u)
{
    for (size_t i = 0; u->graph && i < u->graph->dims.count; i++)
        if (u->graph->dims.items[i].batch)
            return u->graph->dims.items[i].name;
    return "B";
}

bool plan_check_cluster(setup *u)
{
    const training *t = u->out;
    const cluster_model *c = u->cluster;
    int64_t ranks = plan_ranks(u);
    atom other = NULL;
    if (ranks > (int64_t)c->devices.count) {
        diag *d = sema_report(
            u->sema, E0229, t->mesh.count ? t->mesh.items[0].declared : u->plan->node->name_at,
            "the mesh has %lld ranks and cluster '%s' has %zu device%s", (long long)ranks,
            c->of->name, c->devices.count, c->devices.count == 1 ? "" : "s");
        diag_note(d, c->of->node->name_at, "cluster '%s' is declared here", c->of->name);
        return false;
    }
    for (int64_t i = 0; i < ranks; i++) {
        const device *d = &c->devices.items[i];
        if (strcmp(d->kind, "cpu") != 0)
            other = d->kind;
        if (d->memory && (!u->out->memory_limit || d->memory < u->out->memory_limit)) {
            u->out->memory_limit = d->memory;
            u->out->memory_at = d->memory_at;
        }
    }
    if (other)
        clause_postpone(
            u, (postponed){E0910, u->plan->node->children[1]->at,
                           arena_format(u->sema->memory,
                                        "cluster '%s' is made of '%s' devices, and only 'cpu' "
                                        "devices are trained on yet",
                                        c->of->name, other),
                           NULL});
    return true;
}

/* The largest number of parts, below those of now, whose size the axis divides; 0: none. */
static int64_t fewer_microbatches(const setup *u, int ranks)
{
    int64_t parts = u->out->microbatches - 1;
    while (parts > 0 && (u->out->batch % parts || u->out->batch / parts % ranks))
        parts--;
    return parts;
}

/* The ranks have the samples of one microbatch to share. */
static diag *report_microbatch(setup *u, const training_split *s, const graph_dim *dim)
{
    const graph_axis *axis = &u->out->mesh.items[s->axis];
    const training *t = u->out;
    int64_t parts = fewer_microbatches(u, axis->size);
    arena *a = u->sema->memory;
    diag *d = sema_report(u->sema, E0214, s->at,
                          "axis '%s' of %d does not divide dimension '%s' of %lld, a microbatch: "
                          "%lld in %lld microbatches",
                          axis->name, axis->size, dim->name, (long long)dim->size,
                          (long long)t->batch, (long long)t->microbatches);
    diag_label(d, "'%s' = %lld / %lld", dim->name, (long long)t->batch, (long long)t->microbatches);
    diag_note(d, axis->declared, "axis '%s' declared here", axis->name);
    if (u->microbatches)
        diag_note(d, u->microbatches->at, "%lld microbatches here", (long long)t->microbatches);
    diag_fix(d, "%s = %s, %sor batch = %s", axis->name, divisors_near(a, dim->size, axis->size),
             parts ? arena_format(a, "microbatches = %lld, ", (long long)parts) : "",
             multiples_near(a, t->batch, axis->size * (int)t->microbatches));
    return d;
}

static diag *report_remainder(setup *u, const training_split *s, const graph_dim *dim)
{
    const graph_axis *axis = &u->out->mesh.items[s->axis];
    arena *a = u->sema->memory;
    if (dim->batch && u->out->microbatches > 1)
        return report_microbatch(u, s, dim);
    diag *d =
        sema_report(u->sema, E0214, s->at, "axis '%s' of %d does not divide dimension '%s' of %lld",
                    axis->name, axis->size, dim->name, (long long)dim->size);
    diag_label(d, "'%s' = %lld", dim->name, (long long)dim->size);
    diag_note(d, axis->declared, "axis '%s' declared here", axis->name);
    diag_fix(d, "%s = %s, or %s = %s", axis->name, divisors_near(a, dim->size, axis->size),
             dim->batch ? "batch" : dim->name, multiples_near(a, dim->size, axis->size));
    return d;
}

static bool divides(setup *u, const training_split *s, const graph_dim *dim, diag **reported)
{
    const graph_axis *axis = &u->out->mesh.items[s->axis];
    if (dim->size % axis->size == 0)
        return true;
    u->size_doubted = true;
    if (*reported) {
        diag_note(*reported, s->at, "nor '%s' of %lld", dim->name, (long long)dim->size);
        return false;
    }
    *reported = report_remainder(u, s, dim);
    return false;
}

/* The first split over the axis of another dimension than the batch. */
static const training_split *first_inner(const setup *u, int axis)
{
    for (size_t i = 0; i < u->out->splits.count; i++)
        if (u->out->splits.items[i].axis == axis &&
            !plan_splits_batch(u, u->out->splits.items[i].dim))
            return &u->out->splits.items[i];
    return NULL;
}

/* Every split names a dimension of the graph that its axis divides. */
static bool check_split(setup *u, const training_split *s, diag **reported)
{
    bool found = false, fine = true;
    nearest n = nearest_to(s->dim);
    for (size_t i = 0; i < u->graph->dims.count; i++) {
        const graph_dim *dim = &u->graph->dims.items[i];
        nearest_offer(&n, dim->name);
        if (dim->name != s->dim)
            continue;
        found = true;
        fine = divides(u, s, dim, reported) && fine;
    }
    if (!found) {
        diag *d = sema_report(u->sema, E0230, s->at, "model '%s' has no dimension '%s'",
                              u->model->name, s->dim);
        const char *batch = strcmp(s->dim, "batch") ? NULL : batch_name(u);
        if (nearest_found(&n))
            diag_fix_edit(d, s->at, n.best, "did you mean '%s'?", n.best);
        else if (batch)
            diag_fix_edit(d, s->at, batch, "the batch's dimension is called '%s'", batch);
        return false;
    }
    if (fine && u->out->mesh.items[s->axis].size > 1 && s == first_inner(u, s->axis))
        clause_postpone(
            u, (postponed){E0918, s->at,
                           arena_format(u->sema->memory,
                                        "splitting '%s', which is not the batch, is understood, "
                                        "and not carried out yet",
                                        s->dim),
                           arena_format(u->sema->memory, "split the batch over '%s'",
                                        axis_name(u, s->axis))});
    return fine;
}

static bool check_twice(setup *u)
{
    const training *t = u->out;
    bool fine = true;
    int reported = 0; /* a line that is copied is one mistake */
    for (size_t i = 0; i < t->splits.count; i++)
        for (size_t k = 0; k < i; k++)
            if (t->splits.items[i].dim == t->splits.items[k].dim) {
                int line = source_locate(u->sema->sources, t->splits.items[i].at).line;
                fine = false;
                if (line == reported)
                    continue;
                reported = line;
                diag *d = sema_report(u->sema, E0203, t->splits.items[i].at,
                                      "dimension '%s' is split twice", t->splits.items[i].dim);
                diag_note(d, t->splits.items[k].at, "first here");
                fine = false;
            }
    return fine;
}

/* The split of a dimension over more than one rank; NULL if there is none. */
static const training_split *split_of(const setup *u, dim_id dim)
{
    for (size_t i = 0; i < u->out->splits.count; i++)
        if (u->out->splits.items[i].dim == u->graph->dims.items[dim].name &&
            u->out->mesh.items[u->out->splits.items[i].axis].size > 1)
            return &u->out->splits.items[i];
    return NULL;
}

/* One axis splits at most one dimension of a tensor. */
static bool splits_once(setup *u, const graph_type *type, const char *tensor, span at)
{
    for (int i = 0; i < type->rank; i++)
        for (int k = 0; k < i; k++) {
            const training_split *a = split_of(u, type->dims[k]), *b = split_of(u, type->dims[i]);
            if (!a || !b || a->axis != b->axis)
                continue;
            const training_split *first = a->at.begin < b->at.begin ? a : b,
                                 *second = first == a ? b : a;
            const graph_dim *x = &u->graph->dims.items[type->dims[k]],
                            *y = &u->graph->dims.items[type->dims[i]];
            diag *d = sema_report(u->sema, E0235, second->at,
                                  "axis '%s' would split both '%s' and '%s' of %s",
                                  axis_name(u, a->axis), x->name, y->name, tensor);
            if (first != second)
                diag_note(d, first->at, "'%s' is split here", first->dim);
            diag_note(d, at, "that has both dimensions here");
            diag_fix(d, "split one of the two, or over different axes");
            return false;
        }
    return true;
}

static bool region_splits_once(setup *u, const graph_region *r)
{
    for (size_t i = 0; i < r->ops.count; i++) {
        const graph_op *op = r->ops.items[i];
        if (op->body && !region_splits_once(u, op->body))
            return false;
        for (size_t k = 0; k < op->outputs.count; k++) {
            const graph_value *x = op->outputs.items[k];
            const char *name =
                x->name ? arena_format(u->sema->memory, "'%s'", x->name) : "a tensor";
            if (!splits_once(u, &x->type, name, op->at))
                return false;
        }
    }
    return true;
}

static bool check_one_axis(setup *u)
{
    for (size_t i = 0; i < u->graph->variables.count; i++) {
        const graph_variable *v = &u->graph->variables.items[i];
        if (v->of < 0 &&
            !splits_once(u, &v->type, arena_format(u->sema->memory, "'%s'", v->path), v->at))
            return false;
    }
    for (size_t i = 0; i < u->graph->functions.count; i++)
        if ((strcmp(u->graph->functions.items[i]->name, "step") == 0 ||
             strcmp(u->graph->functions.items[i]->name, "accumulate") == 0) &&
            !region_splits_once(u, &u->graph->functions.items[i]->region))
            return false;
    return true;
}

/* An axis of stages has nothing else along it: each stage holds other layers. */
static bool check_pipeline_axis(setup *u)
{
    const plan_pipeline *p = &u->said.pipeline;
    const training_split *split = p->axis < 0 ? NULL : split_over(u, p->axis);
    if (split) {
        diag *d = sema_report(u->sema, E0235, later_of(split->at, p->at),
                              "axis '%s' cannot both split '%s' and make stages",
                              axis_name(u, p->axis), split->dim);
        diag_note(d, earlier_of(split->at, p->at), "the other use is here");
        return false;
    }
    for (size_t i = 0; p->axis >= 0 && i < u->said.shards.count; i++) {
        const plan_shard *s = &u->said.shards.items[i];
        if (s->axis != p->axis)
            continue;
        diag *d = sema_report(u->sema, E0235, later_of(s->at, p->at),
                              "the stages along axis '%s' hold different parameters already",
                              axis_name(u, p->axis));
        diag_note(d, earlier_of(s->at, p->at), "the other use is here");
        return false;
    }
    return true;
}

/* Of a model with a mistake no more is known than how large its batch is. */
static void check_batch_split(setup *u, const training_split *s, diag **reported)
{
    for (size_t i = 0; u->graph && i < u->graph->dims.count; i++)
        if (u->graph->dims.items[i].batch && u->graph->dims.items[i].name == s->dim)
            divides(u, s, &u->graph->dims.items[i], reported);
}

bool plan_check_splits(setup *u)
{
    bool fine = check_twice(u) && u->shaped;
    diag *reported[GRAPH_MAX_AXES] = {NULL}; /* one error for each axis that does not divide */
    for (size_t i = 0; !u->shaped && i < u->out->splits.count; i++)
        check_batch_split(u, &u->out->splits.items[i], &reported[u->out->splits.items[i].axis]);
    for (size_t i = 0; u->shaped && i < u->out->splits.count; i++) {
        const training_split *s = &u->out->splits.items[i];
        fine = check_split(u, s, &reported[s->axis]) && fine;
    }
    return check_pipeline_axis(u) && (!fine || check_one_axis(u));
}

static bool is_known(const setup *u, atom dim)
{
    for (size_t i = 0; u->graph && i < u->graph->dims.count; i++)
        if (u->graph->dims.items[i].name == dim)
            return true;
    return false;
}

/* Does the data have the dimension, or may it? Then the ranks of an axis that splits it see other parts of the data. */
static bool is_of_data(const setup *u, atom dim)
{
    bool known = !is_known(u, dim);
    for (size_t i = 0; u->graph && i < u->out->data.fields.count; i++) {
        const graph_type *type = &u->out->data.fields.items[i].type;
        for (int k = 0; k < type->rank; k++)
            known = known || u->graph->dims.items[type->dims[k]].name == dim;
    }
    return known;
}

/* Gradients are summed over ranks that see other parts of the data, and what is the same on all of these is what can be
 * divided among them: reduce and shard are about such an axis. */
static void check_has_parts(setup *u, int axis, span at, const char *what)
{
    const training_split *split = split_over(u, axis);
    bool fine = u->out->mesh.items[axis].size == 1 || (split && !u->shaped);
    for (size_t i = 0; i < u->out->splits.count; i++)
        fine = fine ||
               (u->out->splits.items[i].axis == axis && is_of_data(u, u->out->splits.items[i].dim));
    if (fine)
        return;
    const char *name = axis_name(u, axis);
    diag *d = split ? sema_report(u->sema, E0235, at,
                                  "axis '%s' splits '%s', which the data does not have, so there "
                                  "is nothing to %s over it",
                                  name, split->dim, what)
                    : sema_report(u->sema, E0235, at,
                                  "nothing is split over '%s', so there is nothing to %s over it",
                                  name, what);
    if (split)
        diag_note(d, split->at, "'%s' is split here", split->dim);
    else
        diag_note(d, u->out->mesh.items[axis].declared, "axis '%s' declared here", name);
    if (split)
        diag_fix(d, "%s over an axis that splits %s", what, batch_name(u));
    else
        diag_fix(d, "split %s over %s", batch_name(u), name);
}

/* A clause that could not be read may be the one that is missed here. */
void plan_check_axes(setup *u)
{
    const training *t = u->out;
    if (u->poisoned)
        return;
    for (size_t i = 0; i < t->mesh.count; i++)
        if (!u->axis_used.items[i]) {
            u->size_doubted = true;
            diag *d = sema_report(u->sema, E0223, t->mesh.items[i].declared,
                                  "axis '%s' is declared and not used", t->mesh.items[i].name);
            diag_fix(d, "split %s over %s, or leave the axis out", batch_name(u),
                     t->mesh.items[i].name);
        }
    for (size_t k = 0; k < t->reduces.count; k++)
        check_has_parts(u, t->reduces.items[k].axis, t->reduces.items[k].at, "reduce");
}

/* Every rank's share of the batch goes into equal microbatches, and an interleaved schedule takes them stage by stage. */
static void check_microbatches(setup *u)
{
    const plan_pipeline *p = &u->said.pipeline;
    const ast_node *batch = table_get(&u->clauses, atom_of(u->sema->atoms, "batch"), CLAUSE_TRAIN);
    int64_t share = u->out->batch;
    for (size_t i = 0; i < u->out->splits.count; i++)
        if (plan_splits_batch(u, u->out->splits.items[i].dim))
            share /= u->out->mesh.items[u->out->splits.items[i].axis].size;
    int stages = u->out->mesh.items[p->axis].size;
    if (share % p->microbatches) {
        diag *d = sema_report(u->sema, E0244, p->microbatches_at,
                              "%lld microbatches do not divide the %lld samples of a rank",
                              (long long)p->microbatches, (long long)share);
        if (batch)
            diag_note(d, batch->at, "the batch is %lld", (long long)u->out->batch);
        if (p->microbatches <= INT32_MAX)
            diag_fix(d, "microbatches %s",
                     divisors_near(u->sema->memory, share, (int)p->microbatches));
    } else if (p->chunks > 1 && p->microbatches % stages) {
        diag *d = sema_report(u->sema, E0244, p->microbatches_at,
                              "an interleaved schedule takes a multiple of its %d stages, and %lld "
                              "microbatches are none",
                              stages, (long long)p->microbatches);
        diag_note(d, u->out->mesh.items[p->axis].declared, "axis '%s' declared here",
                  axis_name(u, p->axis));
        diag_fix(d, "microbatches %s", multiples_near(u->sema->memory, p->microbatches, stages));
    }
}

/* What is not the same on every rank cannot be divided among them. */
static void check_shards(setup *u)
{
    for (size_t i = 0; i < u->said.shards.count; i++) {
        const plan_shard *s = &u->said.shards.items[i];
        if (s->axis != u->said.pipeline.axis)
            check_has_parts(u, s->axis, s->at, "shard");
    }
}

/* `recompute` beside `save` of the same, or beside `auto`. */
static void check_kept(setup *u)
{
    const plan_said *p = &u->said;
    for (size_t i = 0; i < p->recomputed.count; i++) {
        const plan_kept *r = &p->recomputed.items[i];
        if (p->budget > 0) {
            diag *d = sema_report(u->sema, E0235, later_of(r->at, p->automatic),
                                  "'auto' chooses what is recomputed, and another clause says it");
            diag_note(d, earlier_of(r->at, p->automatic), "the other one");
            return;
        }
        for (size_t k = 0; k < p->saved.count; k++)
            if (path_sets_equal(&r->set, &p->saved.items[k].set)) {
                diag *d = sema_report(u->sema, E0235, later_of(r->at, p->saved.items[k].at),
                                      "'%s' cannot be both recomputed and saved",
                                      path_words(r->set.nodes.items[0], u->sema->memory));
                diag_note(d, earlier_of(r->at, p->saved.items[k].at), "the other one");
                return;
            }
    }
}

static const char *size_words(setup *u, double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int scale = 0;
    for (; bytes >= 1024 && scale < 4; scale++)
        bytes /= 1024;
    return arena_format(u->sema->memory, "%.6g %s", bytes, units[scale]);
}

/* A budget that another bound is below cannot be meant. */
static void check_budget(setup *u)
{
    const plan_said *p = &u->said;
    if (p->budget <= 0)
        return;
    if (u->out->required_memory && p->budget > (double)u->out->required_memory) {
        diag *d =
            sema_report(u->sema, E0235, later_of(p->automatic, u->out->required_at),
                        "'auto' may use %s, and no more than %s is allowed",
                        size_words(u, p->budget), size_words(u, (double)u->out->required_memory));
        diag_note(d, earlier_of(p->automatic, u->out->required_at), "the other one");
        diag_fix(d, "auto within %s", size_words(u, (double)u->out->required_memory));
    } else if (u->out->memory_limit && p->budget > (double)u->out->memory_limit) {
        diag *d =
            sema_report(u->sema, E0242, p->automatic, "'auto' may use %s, and a device has %s",
                        size_words(u, p->budget), size_words(u, (double)u->out->memory_limit));
        diag_note(d, u->out->memory_at, "declared here");
        diag_fix(d, "auto within %s", size_words(u, (double)u->out->memory_limit));
    }
}

static void report_order(setup *u, span at, const char *part, const char *what)
{
    diag *d = sema_report(u->sema, E0235, later_of(at, u->said.canonical),
                          "%s, and 'canonical' gives every mesh the same bits", what);
    diag_note(d, earlier_of(at, u->said.canonical), "the other one");
    diag_fix(d, "leave %s out: 'canonical' has an order of its own", part);
}

/* Under `canonical` sums follow one binary tree, whatever the mesh. */
static void check_canonical(setup *u)
{
    arena *a = u->sema->memory;
    if (u->said.canonical.file < 0)
        return;
    for (size_t i = 0; i < u->said.quantized.count; i++)
        report_order(u, u->said.quantized.items[i], "'as'", "what is rounded depends on the mesh");
    for (size_t i = 0; i < u->out->reduces.count && !u->said.quantized.count; i++) {
        const training_reduce *r = &u->out->reduces.items[i];
        if (u->out->mesh.items[r->axis].size <= 2 ||
            (r->program && coll_adds_as_tree(r->program, a)))
            continue;
        report_order(u, r->at, "the clause",
                     arena_format(a, "'%s' adds %d ranks in an order of its own", r->topology,
                                  u->out->mesh.items[r->axis].size));
    }
}

void plan_check_together(setup *u)
{
    if (u->said.pipeline.axis >= 0 && u->shaped)
        check_microbatches(u);
    check_shards(u);
    check_kept(u);
    check_budget(u);
    check_canonical(u);
}
