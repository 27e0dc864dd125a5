#include "cluster/assemble.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

forest_draft forest_begin(arena *a, const rank_net *net, forest_kind kind, int64_t scale)
{
    forest_draft d = {.memory = a, .graph = net->graph};
    d.made.kind = kind;
    d.made.rank_count = net->rank_count;
    d.made.ranks = net->ranks;
    d.made.unit = net->unit;
    d.made.scale = scale;
    return d;
}

int forest_add_route(forest_draft *d, const int32_t *arcs, int count)
{
    if (d->arc_room <
        (size_t)count) { /* of many short routes each is too small for a place of its own */
        d->arc_room = 1024 + (size_t)count;
        d->arcs = arena_array(d->memory, int32_t, d->arc_room);
    }
    int32_t *copy = d->arcs;
    d->arcs += count;
    d->arc_room -= (size_t)count;
    memcpy(copy, arcs, sizeof(int32_t) * (size_t)count);
    vec_push(d->memory, &d->routes, (forest_route){count, copy});
    return (int)d->routes.count - 1;
}

void forest_add_tree(forest_draft *d, int root, int64_t weight, const tree_edge *edges)
{
    vec_push(d->memory, &d->trees, (forest_tree){root, weight, edges});
}

static bool draft_same_route(const forest_route *route, const link_list *links)
{
    return (size_t)route->arc_count == links->count &&
           memcmp(route->arcs, links->items, sizeof(int32_t) * links->count) == 0;
}

static uint64_t draft_hash(const int32_t *arcs, size_t count)
{
    uint64_t hash = 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ (uint64_t)(uint32_t)arcs[i]) * 0xff51afd7ed558ccdu;
    return hash >> 16;
}

static void draft_index(forest_draft *d, int route)
{
    const forest_route *r = &d->routes.items[route];
    size_t at = draft_hash(r->arcs, (size_t)r->arc_count);
    while (d->slots[at & (d->slot_count - 1)] != 0)
        at++;
    d->slots[at & (d->slot_count - 1)] = route + 1;
}

static void draft_index_grow(forest_draft *d)
{
    d->slot_count = d->slot_count ? d->slot_count * 2 : 256;
    d->slots = arena_array(d->memory, int32_t, d->slot_count);
    for (size_t i = 0; i < d->routes.count; i++)
        draft_index(d, (int)i);
}

int forest_route_of_way(forest_draft *d, const logical_net *l, int way, int *known)
{
    if (known[way] > 0)
        return known[way] - 1;
    link_list links = {0};
    logical_way_links(d->memory, l, way, &links);
    if (2 * (d->routes.count + 1) > d->slot_count)
        draft_index_grow(d);
    for (size_t at = draft_hash(links.items, links.count);; at++) {
        int route = d->slots[at & (d->slot_count - 1)] - 1;
        if (route < 0)
            break;
        if (draft_same_route(&d->routes.items[route], &links)) {
            known[way] = route + 1;
            return route;
        }
    }
    int route = forest_add_route(d, links.items, (int)links.count);
    draft_index(d, route);
    known[way] = route + 1;
    return route;
}

void forest_add_grown(forest_draft *d, const logical_net *l, const grown_trees *trees)
{
    int *known = arena_array(d->memory, int, l->ways.count + 1);
    int edge_count = d->made.rank_count - 1;
    for (size_t t = 0; t < trees->count; t++) {
        const grown_tree *tree = &trees->items[t];
        tree_edge *edges = arena_array(d->memory, tree_edge, edge_count + 1);
        for (int i = 0; i < edge_count; i++) {
            const grown_edge *e = &tree->edges[i];
            edges[i] = (tree_edge){e->parent, e->child, forest_route_of_way(d, l, e->way, known)};
        }
        forest_add_tree(d, tree->root, tree->weight, edges);
    }
}

forest forest_finish(forest_draft *d)
{
    forest *f = &d->made;
    f->total_weight = 0;
    for (size_t i = 0; i < d->trees.count; i++)
        f->total_weight += d->trees.items[i].weight;
    f->tree_count = (int)d->trees.count;
    f->trees = d->trees.items;
    f->route_count = (int)d->routes.count;
    f->routes = d->routes.items;
    f->rate = f->rank_count < 2 ? RATIONAL_UNBOUNDED
                                : rational_multiply(rational_of(f->total_weight, f->scale),
                                                    rational_of(f->unit, 1));
    return *f;
}

/* By arc of the graph: the one back, or with `twins` not set the arc itself. */
static int32_t *turned_arcs(arena *a, const link_graph *g, bool twins)
{
    int32_t *turned = arena_array(a, int32_t, g->arcs.count + 1);
    for (size_t i = 0; i < g->arcs.count; i++) {
        const link_arc *link = &g->arcs.items[i];
        turned[i] = twins ? link_graph_find_arc(g, link->to, link->from) : (int32_t)i;
    }
    return turned;
}

forest forest_turned(arena *a, const link_graph *g, const forest *gather, bool twins)
{
    forest turned = *gather;
    turned.kind = FOREST_REDUCE_SCATTER;
    arena *scratch = arena_new();
    const int32_t *turned_arc = turned_arcs(scratch, g, twins);
    size_t total = 0;
    for (int i = 0; i < gather->route_count; i++)
        total += (size_t)gather->routes[i].arc_count;
    forest_route *routes = arena_array(a, forest_route, gather->route_count + 1);
    int32_t *arcs = arena_array(a, int32_t, total + 1);
    for (int i = 0; i < gather->route_count; i++) {
        const forest_route *route = &gather->routes[i];
        routes[i] = (forest_route){route->arc_count, arcs};
        for (int k = route->arc_count; k-- > 0;)
            *arcs++ = turned_arc[route->arcs[k]];
    }
    turned.routes = routes;
    arena_free(scratch);
    return turned;
}

/* The ranks of a tree in breadth-first order from `root`; edges[i] leads to order[i + 1]. Returns the last rank. */
typedef struct tree_walk {
    int count;
    const tree_edge *given;
    int *first; /* by rank: into `at`; one more at the end */
    int *at;    /* edges at each rank, as given */
    int *order;
    int *from; /* by rank: parent */
    tree_edge *edges;
} tree_walk;

static void tree_walk_sort(tree_walk *w, const tree_edge *given)
{
    w->given = given;
    memset(w->first, 0, sizeof(int) * ((size_t)w->count + 2));
    for (int i = 0; i < w->count - 1; i++) {
        w->first[given[i].parent + 2]++;
        w->first[given[i].child + 2]++;
    }
    for (int rank = 0; rank < w->count; rank++)
        w->first[rank + 2] += w->first[rank + 1];
    for (int i = 0; i < w->count - 1; i++) {
        w->at[w->first[given[i].parent + 1]++] = i;
        w->at[w->first[given[i].child + 1]++] = i;
    }
}

static int tree_walk_from(const tree_walk *w, int root)
{
    int reached = 1;
    w->order[0] = root;
    w->from[root] = -1;
    for (int at = 0; at < reached; at++) {
        int rank = w->order[at];
        for (int i = w->first[rank]; i < w->first[rank + 1]; i++) {
            const tree_edge *e = &w->given[w->at[i]];
            int other = e->parent == rank ? e->child : e->parent;
            if (other == w->from[rank])
                continue;
            w->from[other] = rank;
            w->edges[reached - 1] = (tree_edge){rank, other, e->route};
            w->order[reached++] = other;
        }
    }
    assert(reached == w->count);
    return w->order[reached - 1];
}

/* The middle of a longest path: no other root gives a shallower tree. */
static int tree_walk_middle(const tree_walk *w)
{
    int begin = tree_walk_from(w, 0), end = tree_walk_from(w, begin);
    int length = 0;
    for (int rank = end; w->from[rank] >= 0; rank = w->from[rank])
        length++;
    for (int step = 0; step < length / 2; step++)
        end = w->from[end];
    return end;
}

/* Trees that are there already, by their edges whichever way they lead: open addressing, tree + 1. */
typedef struct tree_index {
    arena *memory;
    int edge_count;
    int32_t *slots;
    size_t slot_count; /* a power of two, more than twice the trees */
    int32_t **keys;    /* by tree: its edges as arcs from the lower rank, sorted */
} tree_index;

static int tree_compare(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static int32_t *tree_key(const tree_index *x, const forest_draft *d, const tree_edge *edges)
{
    int32_t *key = arena_array(x->memory, int32_t, x->edge_count + 1);
    for (int i = 0; i < x->edge_count; i++) {
        int low = edges[i].parent < edges[i].child ? edges[i].parent : edges[i].child;
        int high = edges[i].parent + edges[i].child - low;
        key[i] = link_graph_find_arc(d->graph, d->made.ranks[low], d->made.ranks[high]);
    }
    qsort(key, (size_t)x->edge_count, sizeof *key, tree_compare);
    return key;
}

static void draft_merge(forest_draft *d, tree_index *x, int root, int64_t weight,
                        const tree_edge *edges)
{
    int32_t *key = tree_key(x, d, edges);
    size_t bytes = sizeof *key * (size_t)x->edge_count;
    for (size_t at = draft_hash(key, (size_t)x->edge_count);; at++) {
        int32_t *slot = &x->slots[at & (x->slot_count - 1)];
        if (*slot == 0) {
            forest_add_tree(d, root, weight, edges);
            *slot = (int32_t)d->trees.count;
            x->keys[*slot - 1] = key;
            return;
        }
        if (memcmp(x->keys[*slot - 1], key, bytes) == 0) {
            d->trees.items[*slot - 1].weight += weight;
            return;
        }
    }
}

/* `known`, by arc of the graph, is route + 1. */
static int draft_direct_route(forest_draft *d, int from, int to, int32_t *known)
{
    int32_t arc = link_graph_find_arc(d->graph, d->made.ranks[from], d->made.ranks[to]);
    if (known[arc] == 0)
        known[arc] = forest_add_route(d, &arc, 1) + 1;
    return known[arc] - 1;
}

static tree_index tree_index_for(arena *a, const forest *packed)
{
    tree_index x = {.memory = a, .edge_count = packed->rank_count - 1, .slot_count = 4};
    while (x.slot_count < 2 * (size_t)packed->tree_count + 2)
        x.slot_count *= 2;
    x.slots = arena_array(a, int32_t, x.slot_count);
    x.keys = arena_array(a, int32_t *, packed->tree_count + 1);
    return x;
}

forest forest_centred(arena *a, const link_graph *g, const forest *packed)
{
    forest_draft d = {.memory = a, .graph = g, .made = *packed};
    d.made.kind = FOREST_ALL_REDUCE;
    int n = packed->rank_count;
    arena *scratch = arena_new();
    tree_index index = tree_index_for(scratch, packed);
    int32_t *known = arena_array(scratch, int32_t, g->arcs.count + 1);
    tree_walk w = {.count = n,
                   .first = arena_array(scratch, int, n + 2),
                   .at = arena_array(scratch, int, 2 * n),
                   .order = arena_array(scratch, int, n),
                   .from = arena_array(scratch, int, n)};
    for (int t = 0; t < packed->tree_count; t++) {
        w.edges = arena_array(a, tree_edge, n);
        tree_walk_sort(&w, packed->trees[t].edges);
        int root = tree_walk_middle(&w);
        tree_walk_from(&w, root);
        for (int i = 0; i < n - 1; i++)
            w.edges[i].route = draft_direct_route(&d, w.edges[i].parent, w.edges[i].child, known);
        draft_merge(&d, &index, root, packed->trees[t].weight, w.edges);
    }
    arena_free(scratch);
    return forest_finish(&d);
}
