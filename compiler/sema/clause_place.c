/* clause_place.c: `place pp over host, dp over g, tp over g`: which part of the cluster each axis of the mesh runs along. */
#include "sema/clause.h"

#include <math.h>
#include <string.h>

enum { MOST_LEVELS = 16, LARGEST_COUNT = 1 << 12 };

/* One kind of node or device on the way from the cluster to what is named. */
typedef struct level_step {
    const ast_node *unit;
    int64_t count; /* how many of it are in each of the one before */
    bool
        named; /* counts into the level: `host.g` is every g of every host, `g` those of one host */
} level_step;

typedef struct level {
    level_step steps[MOST_LEVELS];
    int depth;
    int64_t room; /* how many ranks it holds */
    const ast_node *said;
} level;

typedef struct placed {
    int axis;
    level level;
    span at;
} placed;

typedef struct placing {
    setup *u;
    const ast_node *clause;
    VEC(placed) all;
} placing;

static int64_t count_of(setup *u, const ast_node *declared)
{
    const ast_node *said = ast_child(declared, AST_COUNT);
    int64_t count = 1;
    if (said)
        constant_whole(u->sema, said->children[0], (whole_range){"a count", 1, LARGEST_COUNT},
                       &count); /* reported with the cluster, if it is wrong */
    return count;
}

static bool push_step(setup *u, level *l, const ast_node *declared, bool named)
{
    if (l->depth == MOST_LEVELS)
        return false;
    l->steps[l->depth++] = (level_step){declared, count_of(u, declared), named};
    return true;
}

/* The unit of that name directly in the body. */
static const ast_node *unit_in(const ast_node *body, atom name)
{
    for (size_t i = 0; body && i < body->count; i++)
        if (body->children[i]->kind == AST_UNIT && body->children[i]->name == name)
            return body->children[i];
    return NULL;
}

/* How many units of that name there are at any depth; the way to the first goes to `l`. */
static int find_below(setup *u, const ast_node *body, atom name, level *l)
{
    int found = 0;
    for (size_t i = 0; body && i < body->count; i++) {
        const ast_node *declared = body->children[i];
        if (declared->kind != AST_UNIT)
            continue;
        level way = *l;
        if (!push_step(u, &way, declared, declared->name == name))
            continue;
        int here =
            declared->name == name ? 1 : find_below(u, ast_child(declared, AST_BODY), name, &way);
        if (here && !found)
            *l = way;
        found += here;
    }
    return found;
}

static void offer_units(nearest *n, const ast_node *body, bool deep)
{
    for (size_t i = 0; body && i < body->count; i++)
        if (body->children[i]->kind == AST_UNIT) {
            nearest_offer(n, body->children[i]->name);
            if (deep)
                offer_units(n, ast_child(body->children[i], AST_BODY), deep);
        }
}

static void report_no_level(setup *u, const ast_node *within, atom name, span at)
{
    const definition *cluster = u->cluster->of;
    const ast_node *body = ast_child(within ? within : cluster->node, AST_BODY);
    nearest n = nearest_to(name);
    offer_units(&n, body, !within);
    diag *d = sema_report(u->sema, E0242, at, "no node or device in %s'%s' is called '%s'",
                          within ? "" : "cluster ", within ? within->name : cluster->name, name);
    if (nearest_found(&n))
        diag_fix_edit(d, at, n.best, "did you mean '%s'?", n.best);
    else
        diag_note(d, cluster->node->name_at, "cluster '%s' is declared here", cluster->name);
    u->poisoned = true;
}

/* `host[0..1]`: so many of the last step. */
static bool take_some(setup *u, const ast_node *x, level *l)
{
    level_step *last = &l->steps[l->depth - 1];
    value v = constant_of(u->sema, x);
    v.last = v.kind == VALUE_NUMBER ? v.number : v.last;
    bool fine = (v.kind == VALUE_NUMBER && v.quantity == BARE) || v.kind == VALUE_RANGE;
    fine = fine && v.number == floor(v.number) && v.last == floor(v.last) && v.number >= 0 &&
           v.number <= v.last && v.last < (double)last->count;
    if (!fine && v.kind != VALUE_POISON) {
        diag *d = sema_report(u->sema, E0236, x->at, "'%s' is numbered from 0 to %lld",
                              last->unit->name, (long long)last->count - 1);
        diag_note(d, last->unit->name_at, "'%s' is declared here", last->unit->name);
    }
    u->poisoned = u->poisoned || !fine;
    if (fine)
        last->count = (int64_t)(v.last - v.number) + 1;
    return fine;
}

static bool read_level(setup *u, const ast_node *x, level *l);

/* Ranks are on nodes and on what computes. */
static bool holds_ranks(setup *u, const ast_node *x, const ast_node *declared)
{
    if (!strcmp(declared->word, "node") || cluster_kind_computes(declared->word))
        return true;
    diag *d = sema_report(u->sema, E0242, x->at, "'%s' is a '%s': no rank is on it", declared->name,
                          declared->word);
    diag_note(d, declared->name_at, "'%s' is declared here", declared->name);
    u->poisoned = true;
    return false;
}

static bool read_named(setup *u, const ast_node *x, level *l)
{
    const ast_node *cluster = u->cluster->of->node;
    if (x->kind == AST_MEMBER) {
        if (!read_level(u, x->children[0], l))
            return false;
        const ast_node *within = l->steps[l->depth - 1].unit;
        const ast_node *declared = unit_in(ast_child(within, AST_BODY), x->name);
        if (!declared)
            report_no_level(u, within, x->name, x->name_at);
        return declared && holds_ranks(u, x, declared) && push_step(u, l, declared, true);
    }
    int found = find_below(u, ast_child(cluster, AST_BODY), x->name, l);
    if (!found)
        report_no_level(u, NULL, x->name, x->at);
    if (found > 1) {
        diag *d =
            sema_report(u->sema, E0242, x->at, "'%s' is declared in %d places of cluster '%s'",
                        x->name, found, cluster->name);
        diag_note(d, l->steps[l->depth - 1].unit->name_at, "one of them is here");
        if (l->depth > 1)
            diag_fix(d, "%s.%s", l->steps[l->depth - 2].unit->name, x->name);
        u->poisoned = true;
    }
    return found == 1 && holds_ranks(u, x, l->steps[l->depth - 1].unit);
}

/* `g`, `host.g`, `host[0].g`. */
static bool read_level(setup *u, const ast_node *x, level *l)
{
    if (x->kind == AST_AT && x->count == 2)
        return read_level(u, x->children[0], l) && take_some(u, x->children[1], l);
    if (x->kind == AST_NAME || (x->kind == AST_MEMBER && strcmp(x->name, "*") != 0))
        return read_named(u, x, l);
    diag *d =
        sema_report(u->sema, E0225, x->at, "a node or device of the cluster is expected here");
    diag_fix(d, "place dp over %s", u->cluster->of->node->name);
    u->poisoned = true;
    return false;
}

static bool axis_placed(placing *p, const ast_node *name, const level *l)
{
    setup *u = p->u;
    int axis = plan_axis(u, name);
    if (axis < 0)
        return false;
    for (size_t i = 0; i < p->all.count; i++)
        if (p->all.items[i].axis == axis) {
            diag *d =
                sema_report(u->sema, E0203, name->at, "axis '%s' is placed twice", name->name);
            diag_note(d, p->all.items[i].at, "first here");
            u->poisoned = true;
            return false;
        }
    vec_push(u->sema->memory, &p->all, (placed){axis, *l, name->at});
    return true;
}

/* A phrase without `over` goes with the next that has one. */
static bool read_places(placing *p)
{
    static const char example[] = "place pp over host, dp over g, tp over g";
    const ast_node *clause = p->clause;
    setup *u = p->u;
    bool fine = clause->count > 0;
    if (!fine)
        clause_malformed(u, clause->at, clause, example);
    for (size_t i = 0; i < clause->count; i++) {
        if (!phrase_fits(u, clause, clause->children[i],
                         &(phrase_shape){1, {"over", NULL}, example}))
            return false;
        const ast_node *over = phrase_part(clause, i, "over");
        if (!over) {
            clause_malformed(u, clause->children[i]->at, clause, example);
            return false;
        }
        level l = {.room = 1, .said = over->children[0]};
        if (!read_level(u, over->children[0], &l)) {
            fine = false;
            continue;
        }
        for (int k = 0; k < l.depth; k++)
            l.room *= l.steps[k].named ? l.steps[k].count : 1;
        fine = axis_placed(p, clause->children[i]->children[0], &l) && fine;
    }
    return fine;
}

/* Do the two count the same unit? Then they must be the same level. */
static bool share_unit(const level *a, const level *b)
{
    for (int i = 0; i < a->depth; i++)
        for (int k = 0; k < b->depth; k++)
            if (a->steps[i].unit == b->steps[k].unit && a->steps[i].named && b->steps[k].named)
                return true;
    return false;
}

static const char *said_words(setup *u, const ast_node *x)
{
    text words = text_in(u->sema->memory);
    ast_write(x, &words);
    return text_done(&words);
}

static bool check_distinct(placing *p)
{
    for (size_t i = 0; i < p->all.count; i++)
        for (size_t k = 0; k < i; k++) {
            const placed *a = &p->all.items[k], *b = &p->all.items[i];
            if (ast_equal(a->level.said, b->level.said) || !share_unit(&a->level, &b->level))
                continue;
            setup *u = p->u;
            diag *d = sema_report(u->sema, E0235, b->level.said->at,
                                  "'%s' and '%s' count the same devices",
                                  said_words(u, a->level.said), said_words(u, b->level.said));
            diag_note(d, a->level.said->at, "'%s' here", said_words(u, a->level.said));
            u->poisoned = true;
            return false;
        }
    return true;
}

/* "axis 'pp' of 4", "axes 'dp' and 'tp' of 2 * 4": those on the level of number `first`. */
static const char *axes_words(placing *p, size_t first, int64_t *ranks)
{
    const training *t = p->u->out;
    text names = text_in(p->u->sema->memory), sizes = text_in(p->u->sema->memory);
    int count = 0;
    *ranks = 1;
    for (size_t i = first; i < p->all.count; i++) {
        const graph_axis *axis = &t->mesh.items[p->all.items[i].axis];
        if (!ast_equal(p->all.items[i].level.said, p->all.items[first].level.said))
            continue;
        text_add(&names, "%s'%s'", count ? " and " : "", axis->name);
        text_add(&sizes, "%s%d", count++ ? " * " : "", axis->size);
        *ranks *= axis->size;
    }
    return arena_format(p->u->sema->memory, "%s %s of %s", count > 1 ? "axes" : "axis",
                        text_done(&names), text_done(&sizes));
}

static bool check_room(placing *p, size_t first)
{
    setup *u = p->u;
    const placed *x = &p->all.items[first];
    const level_step *last = &x->level.steps[x->level.depth - 1];
    int64_t ranks;
    const char *axes = axes_words(p, first, &ranks);
    if (ranks <= x->level.room)
        return true;
    bool inner = x->level.depth > 1 && !x->level.steps[x->level.depth - 2].named;
    const char *where = inner ? arena_format(u->sema->memory, " in one '%s'",
                                             x->level.steps[x->level.depth - 2].unit->name)
                              : "";
    diag *d =
        sema_report(u->sema, E0242, x->level.said->at, "%s do%s not fit '%s': there %s %lld%s",
                    axes, strncmp(axes, "axes", 4) ? "es" : "", said_words(u, x->level.said),
                    x->level.room == 1 ? "is" : "are", (long long)x->level.room, where);
    diag_note(d, u->out->mesh.items[x->axis].declared, "axis '%s' declared here",
              u->out->mesh.items[x->axis].name);
    diag_note(d, last->unit->name_at, "'%s' declared here", last->unit->name);
    if (inner && x->level.room * x->level.steps[x->level.depth - 2].count >= ranks)
        diag_fix(d, "over %s.%s, which are those of every '%s'",
                 x->level.steps[x->level.depth - 2].unit->name, last->unit->name,
                 x->level.steps[x->level.depth - 2].unit->name);
    return false;
}

/* The cluster's first kind of device. */
static const ast_node *first_device(const ast_node *body)
{
    for (size_t i = 0; body && i < body->count; i++) {
        const ast_node *declared = body->children[i];
        if (declared->kind != AST_UNIT)
            continue;
        bool holds = !strcmp(declared->word, "node");
        const ast_node *found = holds ? first_device(ast_child(declared, AST_BODY))
                                : cluster_kind_computes(declared->word) ? declared
                                                                        : NULL;
        if (found)
            return found;
    }
    return NULL;
}

static bool check_complete(const placing *p)
{
    setup *u = p->u;
    for (size_t a = 0; a < u->out->mesh.count; a++) {
        const graph_axis *axis = &u->out->mesh.items[a];
        bool there = axis->size == 1 || !u->axis_used.items[a]; /* reported, if it is not used */
        for (size_t i = 0; i < p->all.count; i++)
            there = there || p->all.items[i].axis == (int)a;
        if (there)
            continue;
        const ast_node *leaf = first_device(ast_child(u->cluster->of->node, AST_BODY));
        diag *d = sema_report(u->sema, E0242, p->clause->at,
                              "'place' does not say where axis '%s' is", axis->name);
        diag_note(d, axis->declared, "axis '%s' declared here", axis->name);
        diag_fix_edit(d, (span){p->clause->at.file, p->clause->at.end, p->clause->at.end},
                      arena_format(u->sema->memory, ", %s over %s", axis->name, leaf->name),
                      "%s over %s", axis->name, leaf->name);
        return false;
    }
    return true;
}

void clause_place(setup *u, const ast_node *clause)
{
    placing *p = arena_make(u->sema->memory, placing);
    *p = (placing){.u = u, .clause = clause};
    if (!u->cluster) {
        u->poisoned = true; /* reported */
        return;
    }
    if (read_places(p) && !u->mesh_lost && check_distinct(p))
        u->said.place = p;
}

void plan_check_place(setup *u)
{
    placing *p = u->said.place;
    for (size_t i = 0; p && check_complete(p) && i < p->all.count; i++) {
        bool first = true;
        for (size_t k = 0; k < i; k++)
            first = first && !ast_equal(p->all.items[k].level.said, p->all.items[i].level.said);
        if (first && !check_room(p, i))
            return;
    }
}
