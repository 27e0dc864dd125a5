/* assemble.h: forests from grown trees: routes written out, trees turned about their middle, equal trees merged.
 *
 * Shared by the ways of synthesis; each fills a forest_draft and calls forest_finish.
 */
#ifndef ESPALIER_CLUSTER_ASSEMBLE_H
#define ESPALIER_CLUSTER_ASSEMBLE_H

#include "cluster/grow.h"
#include "cluster/synthesis.h"

typedef struct forest_draft {
    arena *memory;
    const link_graph *graph;
    forest made;
    VEC(forest_tree) trees;
    VEC(forest_route) routes;
    int32_t *arcs; /* room for those of routes */
    size_t arc_room;
    int32_t *slots; /* routes by their arcs: open addressing, route + 1 */
    size_t slot_count;
} forest_draft;

forest_draft forest_begin(arena *a, const rank_net *net, forest_kind kind, int64_t scale);

/* The number of a new route over these arcs, which are copied. */
int forest_add_route(forest_draft *d, const int32_t *arcs, int count);

/* `edges` are kept, not copied. */
void forest_add_tree(forest_draft *d, int root, int64_t weight, const tree_edge *edges);

/* The route of a way of `l`, one for all ways over the same arcs. `known`, by way, is route + 1 once asked; it starts
 * as zeros. Not to be mixed with forest_add_route. */
int forest_route_of_way(forest_draft *d, const logical_net *l, int way, int *known);

/* All of `trees`, with the ways of `l` as routes. */
void forest_add_grown(forest_draft *d, const logical_net *l, const grown_trees *trees);

/* Sums up weights and the rate. */
forest forest_finish(forest_draft *d);

/* An all-gather forest of the reversed graph as a reduce-scatter of `g`; of a symmetric graph, with each arc replaced
 * by its twin, when `twins` is set. */
forest forest_turned(arena *a, const link_graph *g, const forest *gather, bool twins);

/* All-reduce trees over direct links of a symmetric graph, each rooted at its middle, equal ones merged. */
forest forest_centred(arena *a, const link_graph *g, const forest *packed);

#endif
