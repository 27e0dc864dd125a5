/* links.c: the reductions of a plan on the links of its cluster: topologies laid onto them, `trees` and `auto` made for them.
 *
 * Rank r of the mesh is device r of the cluster. The ranks that reduce together over an axis are a group; there is one for
 * each place on the other axes, and one program serves all groups.
 */
#include "sema/clause.h"
#include "sema/spend.h"

#include "coll/cost.h"
#include "coll/evaluate.h"
#include "coll/fit.h"
#include "coll/forest.h"

#include <math.h>
#include <string.h>

typedef struct groups {
    setup *setup;
    const training_reduce *reduce;
    int size;
    int count;
    coll_routes **routes; /* [count] */
    int **nodes;          /* [count][size]: device nodes */
} groups;

/* Rank number `place` of group `group` of the axis, as the mesh counts. */
static int rank_of(const training *t, int axis, int group, int place)
{
    int inner = 1;
    for (size_t i = (size_t)axis + 1; i < t->mesh.count; i++)
        inner *= t->mesh.items[i].size;
    return (group / inner * t->mesh.items[axis].size + place) * inner + group % inner;
}

static int group_count(const training *t, int axis)
{
    int count = 1;
    for (size_t i = 0; i < t->mesh.count; i++)
        count *= (int)i == axis ? 1 : t->mesh.items[i].size;
    return count;
}

int reduce_per_node(const setup *u, int axis)
{
    const training *t = u->out;
    int size = t->mesh.items[axis].size, groups_there = group_count(t, axis), per_node = 0;
    if (!u->cluster || (size_t)size * (size_t)groups_there > u->cluster->devices.count)
        return 0;
    const device *devices = u->cluster->devices.items;
    while (per_node < size &&
           devices[rank_of(t, axis, 0, per_node)].box == devices[rank_of(t, axis, 0, 0)].box)
        per_node++;
    for (int k = 0; k < groups_there; k++)
        for (int i = 0; i < size; i++) {
            int box = devices[rank_of(t, axis, k, i)].box,
                head = devices[rank_of(t, axis, k, i - i % per_node)].box;
            bool entered =
                i % per_node == 0 && i > 0 && devices[rank_of(t, axis, k, i - 1)].box == box;
            if (size % per_node != 0 || box != head || entered)
                return 0;
        }
    return per_node;
}

static groups groups_of(setup *u, const training_reduce *r)
{
    arena *a = u->sema->memory;
    const training *t = u->out;
    groups g = {.setup = u, .reduce = r, .size = t->mesh.items[r->axis].size};
    g.count = group_count(t, r->axis);
    g.routes = arena_array(a, coll_routes *, g.count);
    g.nodes = arena_array(a, int *, g.count);
    for (int k = 0; k < g.count; k++) {
        g.nodes[k] = arena_array(a, int, g.size);
        for (int i = 0; i < g.size; i++)
            g.nodes[k][i] = u->cluster->devices.items[rank_of(t, r->axis, k, i)].node;
        g.routes[k] = coll_routes_new(t->links, g.nodes[k], g.size, a);
    }
    return g;
}

/* Whether every group has the links. */
static bool all_linked(const groups *g, const coll_program *p, coll_fault *fault)
{
    for (int k = 0; k < g->count; k++)
        if (!coll_prove_links(p, g->routes[k], fault, g->setup->sema->memory))
            return false;
    return true;
}

static coll_program *report_unlinked(const groups *g, const coll_fault *fault)
{
    const training_reduce *r = g->reduce;
    diag *d = sema_report(g->setup->sema, E0341, r->at, "%s", fault->message);
    if (fault->at.file >= 0)
        diag_note(d, fault->at, "topology '%s' is declared here", r->topology);
    diag_fix(d, "by trees, which uses the links that there are");
    return NULL;
}

/* The program as it stands if all groups have its links, else as the first group's links allow. */
static coll_program *laid_out(const groups *g, coll_program *p, bool report)
{
    coll_fault fault = {.at = SPAN_NONE}, ignored;
    if (all_linked(g, p, &fault))
        return p;
    coll_program *fitted = coll_fit(p, g->routes[0], g->setup->sema->memory);
    if (fitted && all_linked(g, fitted, &ignored))
        return fitted;
    return report ? report_unlinked(g, &fault) : NULL;
}

static const char *status_words(synthesis_status status)
{
    switch (status) {
    case SYNTHESIS_DISCONNECTED:
        return "do not connect all of its ranks";
    case SYNTHESIS_RANGE:
        return "have bandwidths too unlike each other to be divided exactly";
    case SYNTHESIS_ASYMMETRIC:
        return "are not the same both ways";
    case SYNTHESIS_EFFORT:
        return "take more work than the compiler does for trees";
    case SYNTHESIS_LARGE:
    case SYNTHESIS_OK:
        break;
    }
    return "need a program that is too large";
}

static void report_no_trees(const groups *g, synthesis_status status)
{
    const setup *u = g->setup;
    bool beyond = status == SYNTHESIS_EFFORT || status == SYNTHESIS_LARGE || status == SYNTHESIS_OK;
    diag *d = sema_report(u->sema, beyond ? E0343 : E0341, g->reduce->at,
                          "no trees over axis '%s': the links of cluster '%s' %s",
                          u->out->mesh.items[g->reduce->axis].name, u->cluster->of->name,
                          status_words(status));
    diag_note(d, u->cluster->of->node->name_at, "cluster '%s' is declared here",
              u->cluster->of->name);
    if (beyond)
        diag_fix(d, "by tree or by ring, or fewer ranks");
}

/* Where the work was little beside the trees there are, they are found again as soon as copied. */
static void keep_trees(sema *s, const groups *g, const synthesis *made, int64_t work)
{
    size_t edges = 0;
    for (int p = 0; p < made->phase_count; p++)
        edges += (size_t)made->phases[p].tree_count * (size_t)g->size;
    if (work / 8 < (int64_t)edges || s->found_edges + edges > COLL_MAX_SENDS)
        return;
    s->found_edges += edges;
    int *nodes = arena_array(s->kept, int, g->size);
    memcpy(nodes, g->nodes[0], sizeof *nodes * (size_t)g->size);
    vec_push(s->kept, &s->found,
             (sema_trees_found){g->setup->cluster->of, nodes, g->size,
                                synthesis_copy(s->kept, made, nodes)});
}

/* The trees of the first group's ranks, found once for all plans that lay them on these links. */
static synthesis trees_of_links(const groups *g)
{
    sema *s = g->setup->sema;
    for (size_t i = 0; i < s->found.count; i++) {
        const sema_trees_found *known = &s->found.items[i];
        if (known->cluster == g->setup->cluster->of && known->count == g->size &&
            memcmp(known->nodes, g->nodes[0], sizeof *known->nodes * (size_t)g->size) == 0)
            return known->made;
    }
    int64_t before = s->trees.left;
    synthesis made = synthesis_all_reduce(s->memory, g->setup->out->links, g->nodes[0], g->size);
    keep_trees(s, g, &made, before - s->trees.left);
    return made;
}

/* Trees for the first group; the others go over their own links between the same ranks. */
static coll_program *trees(const groups *g, bool report)
{
    setup *u = g->setup;
    const training_reduce *r = g->reduce;
    arena *a = u->sema->memory;
    synthesis s = trees_of_links(g);
    coll_program *p = s.status == SYNTHESIS_OK
                          ? coll_program_of_synthesis(&s, COLL_ALL_REDUCE, u->out->links, a)
                          : NULL;
    if (!p) {
        if (report)
            report_no_trees(g, s.status);
        return NULL;
    }
    coll_set_place(p, r->at, source_line_name(u->sema->sources, r->at, a));
    for (size_t i = 0; i < p->sends.count && g->count > 1; i++)
        p->sends.items[i].route_count = 0;
    coll_fault fault;
    if (all_linked(g, p, &fault))
        return p;
    if (report)
        sema_report(u->sema, E0341, r->at,
                    "the groups of axis '%s' have different links, and one set of trees does not "
                    "serve them all",
                    u->out->mesh.items[r->axis].name);
    return NULL;
}

/* Bytes of all gradients. */
static double gradient_bytes(const setup *u)
{
    double bytes = 0;
    for (size_t i = 0; u->graph && i < u->graph->variables.count; i++) {
        const graph_variable *v = &u->graph->variables.items[i];
        if (v->kind == VARIABLE_PARAMETER && !v->frozen)
            bytes +=
                (double)graph_type_count(u->graph, &v->type) * (double)dtype_bytes(v->type.dtype);
    }
    return bytes;
}

enum { MOST_CANDIDATES = 8 };

/* What auto chooses from. */
typedef struct candidates {
    coll_program *programs[MOST_CANDIDATES];
    coll_cost costs[MOST_CANDIDATES];
    int count;
} candidates;

static void add_candidate(candidates *c, const groups *g, coll_program *p)
{
    if (!p)
        return;
    c->programs[c->count] = p;
    if (!g->setup->sema->checking)
        c->costs[c->count] = coll_cost_of(p, g->routes[0], g->setup->sema->memory);
    c->count++;
}

/* The library's topologies as the links carry them, and trees. */
static void gather_candidates(const groups *g, candidates *c)
{
    static const char *const names[] = {"ring",    "tree",   "double_tree",
                                        "halving", "direct", "server"};
    setup *u = g->setup;
    sema_file *library = scope_library(u->sema, atom_of(u->sema->atoms, "topology"));
    for (size_t i = 0; library && i < sizeof names / sizeof *names; i++) {
        const definition *d =
            table_get(&library->own, atom_of(u->sema->atoms, names[i]), (int)AST_TOPOLOGY);
        coll_request request = {
            .ranks = g->size, .at = g->reduce->at, .budget = &u->sema->work, .trial = true};
        coll_program *p =
            d ? coll_evaluate(d->node, &request, u->sema->sources, u->sema->diags, u->sema->memory)
              : NULL;
        add_candidate(c, g, p ? laid_out(g, p, false) : NULL);
        if (u->sema->checking && c->count)
            return; /* there is one, and what it costs is no error */
    }
    add_candidate(c, g, trees(g, false));
}

static void add_size(text *out, double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    int scale = 0;
    for (; bytes >= 1024 && scale < 3; scale++)
        bytes /= 1024;
    text_add(out, scale ? "%.1f %s" : "%.0f %s", bytes, units[scale]);
}

/* "double_tree up to 48.2 KiB", a line for each. */
static const char *weighed(const candidates *c, double bytes, arena *a)
{
    coll_crossovers over = coll_crossovers_of(c->costs, c->count, 1, 17179869184.0, a);
    text out = text_in(a);
    for (size_t i = 0; i < over.count; i++) {
        text_add(&out, "  %-14s", c->programs[over.items[i].cheapest]->name);
        if (i + 1 < over.count) {
            text_add(&out, " below ");
            add_size(&out, over.items[i + 1].bytes);
        } else {
            text_add(&out, over.count == 1 ? " at every size" : " from there on");
        }
        text_add(&out, "\n");
    }
    text_add(&out, "  gradients here: ");
    add_size(&out, bytes);
    text_add(&out, "\n");
    return text_done(&out);
}

/* The cheapest for the plan's gradients. */
static coll_program *cheapest(const groups *g, training_reduce *r)
{
    candidates c = {.count = 0};
    gather_candidates(g, &c);
    if (c.count == 0)
        return trees(g, true); /* says why there is none */
    if (g->setup->sema->checking)
        return c.programs[0];
    double bytes = gradient_bytes(g->setup);
    r->weighed = weighed(&c, bytes, g->setup->sema->memory);
    return c.programs[coll_cheapest(c.costs, c.count, bytes)];
}

static bool settle(setup *u, training_reduce *r)
{
    bool by_trees = !strcmp(r->topology, "trees"), by_cost = !strcmp(r->topology, "auto");
    bool made_here = !r->program && (by_trees || by_cost);
    if (u->out->mesh.items[r->axis].size == 1 || (!made_here && !r->program))
        return true;
    if (u->out->links->arcs.count == 0) {
        if (!made_here)
            return true; /* ranks of one host, of whose links nothing is said */
        diag *d = sema_report(u->sema, E0342, r->at,
                              "'%s' needs the links of cluster '%s', and it declares none",
                              r->topology, u->cluster->of->name);
        diag_note(d, u->cluster->of->node->name_at, "cluster '%s' is declared here",
                  u->cluster->of->name);
        diag_fix(d, "link worker <-> worker: 10 GB/s, 1 us, or by ring");
        return false;
    }
    groups g = groups_of(u, r);
    coll_program *p = by_trees && made_here  ? trees(&g, true)
                      : by_cost && made_here ? cheapest(&g, r)
                                             : laid_out(&g, (coll_program *)r->program, true);
    bool proved = p == r->program; /* where it was made */
    r->program = p;
    if (p && !proved)
        spend_proof(u->sema, p);
    return p && (proved || coll_verify(p, u->sema->diags));
}

void reduces_settle(setup *u)
{
    int64_t ranks = 1;
    for (size_t i = 0; i < u->out->mesh.count; i++)
        ranks *= u->out->mesh.items[i].size;
    if (ranks > (int64_t)u->cluster->devices.count)
        return; /* reported */
    for (size_t i = 0; i < u->out->reduces.count; i++)
        if (!settle(u, &u->out->reduces.items[i]))
            u->poisoned = true;
}
