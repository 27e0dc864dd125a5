#include "cluster/synthesis.h"

#include <string.h>

/* A forest being checked: what each route and arc carries. Independent of how forests are made. */
typedef struct forest_audit {
    arena *memory;
    const link_graph *g;
    const forest *f;
    const char *wrong;
    int64_t *carried; /* by route: weight of the edges over it */
} forest_audit;

static void audit_fail(forest_audit *a, const char *what, int number)
{
    if (!a->wrong)
        a->wrong = arena_format(a->memory, "%s %d", what, number);
}

/* Each rank but the root is reached once, by a parent that was reached before. */
static void audit_tree(forest_audit *a, int number, int *reached)
{
    const forest_tree *tree = &a->f->trees[number];
    if (tree->weight <= 0 || tree->root < 0 || tree->root >= a->f->rank_count) {
        audit_fail(a, "weight or root of tree", number);
        return;
    }
    reached[tree->root] = number + 1;
    for (int i = 0; i < a->f->rank_count - 1; i++) {
        const tree_edge *e = &tree->edges[i];
        if (e->route < 0 || e->route >= a->f->route_count || reached[e->parent] != number + 1 ||
            reached[e->child] == number + 1) {
            audit_fail(a, "edges of tree", number);
            return;
        }
        reached[e->child] = number + 1;
        a->carried[e->route] += tree->weight;
    }
}

/* The two ranks a route leads between, as the edges over it say, must be its ends. */
static void audit_route_ends(forest_audit *a, const tree_edge *e)
{
    const forest_route *route = &a->f->routes[e->route];
    bool upward = a->f->kind == FOREST_REDUCE_SCATTER;
    int from = a->f->ranks[upward ? e->child : e->parent];
    int to = a->f->ranks[upward ? e->parent : e->child];
    if (a->g->arcs.items[route->arcs[0]].from != from ||
        a->g->arcs.items[route->arcs[route->arc_count - 1]].to != to)
        audit_fail(a, "ends of route", e->route);
}

static void audit_route_inside(forest_audit *a, int number)
{
    const forest_route *route = &a->f->routes[number];
    for (int i = 0; i + 1 < route->arc_count; i++) {
        int via = a->g->arcs.items[route->arcs[i]].to;
        if (via != a->g->arcs.items[route->arcs[i + 1]].from ||
            a->g->nodes.items[via].kind != LINK_SWITCH)
            audit_fail(a, "inside of route", number);
    }
}

/* Load of each arc in weights; all-reduce trees use the twin of each arc as much. */
static int64_t *audit_loads(forest_audit *a)
{
    int64_t *load = arena_array(a->memory, int64_t, a->g->arcs.count);
    for (int r = 0; r < a->f->route_count; r++) {
        for (int i = 0; i < a->f->routes[r].arc_count; i++) {
            int32_t arc = a->f->routes[r].arcs[i];
            load[arc] += a->carried[r];
            if (a->f->kind != FOREST_ALL_REDUCE)
                continue;
            const link_arc *link = &a->g->arcs.items[arc];
            int back = link_graph_find_arc(a->g, link->to, link->from);
            if (back < 0)
                audit_fail(a, "no way back over arc", arc);
            else
                load[back] += a->carried[r];
        }
    }
    return load;
}

static void audit_weights(forest_audit *a)
{
    const forest *f = a->f;
    int64_t *of_root = arena_array(a->memory, int64_t, f->rank_count + 1), total = 0;
    for (int t = 0; t < f->tree_count; t++) {
        of_root[f->trees[t].root] += f->trees[t].weight;
        total += f->trees[t].weight;
    }
    if (total != f->total_weight)
        audit_fail(a, "total weight, trees", f->tree_count);
    for (int r = 0; r < f->rank_count && f->kind != FOREST_ALL_REDUCE && f->rank_count > 1; r++)
        if (of_root[r] * f->rank_count != total)
            audit_fail(a, "weight of root", r);
    rational rate = f->rank_count < 2
                        ? RATIONAL_UNBOUNDED
                        : rational_multiply(rational_of(total, f->scale), rational_of(f->unit, 1));
    if (rational_compare(rate, f->rate) != 0)
        audit_fail(a, "rate, trees", f->tree_count);
}

static forest_audit audit_of(arena *a, const link_graph *g, const forest *f)
{
    forest_audit audit = {a, g, f, NULL, arena_array(a, int64_t, f->route_count + 1)};
    int *reached = arena_array(a, int, f->rank_count + 1);
    for (int t = 0; t < f->tree_count && !audit.wrong; t++)
        audit_tree(&audit, t, reached);
    return audit;
}

/* load / scale * unit / bandwidth of the fullest arc. */
static rational audit_fullest(forest_audit *a)
{
    int64_t *load = audit_loads(a);
    rational fullest = RATIONAL_ZERO;
    for (size_t i = 0; i < a->g->arcs.count; i++) {
        rational share =
            rational_multiply(rational_of(load[i], a->f->scale),
                              rational_of(a->f->unit, a->g->arcs.items[i].bytes_per_second));
        if (rational_compare(share, fullest) > 0)
            fullest = share;
    }
    return fullest;
}

const char *forest_check(arena *a, const link_graph *g, const forest *f)
{
    forest_audit audit = audit_of(a, g, f);
    for (int t = 0; t < f->tree_count && !audit.wrong; t++)
        for (int i = 0; i < f->rank_count - 1; i++)
            audit_route_ends(&audit, &f->trees[t].edges[i]);
    for (int r = 0; r < f->route_count; r++)
        audit_route_inside(&audit, r);
    audit_weights(&audit);
    if (!audit.wrong && rational_compare(audit_fullest(&audit), rational_of(1, 1)) > 0)
        audit_fail(&audit, "an arc is overloaded, trees", f->tree_count);
    return audit.wrong;
}

rational forest_fullest(arena *a, const link_graph *g, const forest *f)
{
    forest_audit audit = audit_of(a, g, f);
    return audit_fullest(&audit);
}

int forest_depth(const forest *f)
{
    arena *a = arena_new();
    int *depth = arena_array(a, int, f->rank_count + 1), deepest = 0;
    for (int t = 0; t < f->tree_count; t++) {
        depth[f->trees[t].root] = 0;
        for (int i = 0; i < f->rank_count - 1; i++) {
            const tree_edge *e = &f->trees[t].edges[i];
            depth[e->child] = depth[e->parent] + 1;
            if (depth[e->child] > deepest)
                deepest = depth[e->child];
        }
    }
    arena_free(a);
    return deepest;
}
