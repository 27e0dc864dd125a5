/* synthesis.h: collectives at the optimum of a link graph, as weighted spanning trees with their routes.
 *
 * Input: a link graph and the device nodes that take part (rank number = index in the array). Output: forests.
 * A *forest* is a set of out-trees over all ranks. A tree of weight w carries the fraction w / total_weight of the data:
 *   - FOREST_ALL_GATHER: every rank is the root of trees of the same total weight; a tree broadcasts a piece of its
 *     root's shard. The rate is that of the gathered whole.
 *   - FOREST_REDUCE_SCATTER: the same with every edge carried from child to parent, adding. `edges` are still listed
 *     parent to child, but their routes go child to parent. Piece of the tree ends reduced at its root.
 *   - FOREST_ALL_REDUCE: a tree reduces its piece up to its root, then broadcasts it down; both ways at once, pipelined.
 *     `route` goes parent to child; the way up is the same arcs reversed (the graph is symmetric there).
 * Load: the sum over trees and edges of weight on each arc is at most scale * bytes_per_second / unit, exactly; so the
 * trees run all at once at `rate`. The same input gives the same trees.
 *
 *     synthesis s = synthesis_all_reduce(arena, graph, ranks, count);
 *     if (s.status == SYNTHESIS_OK) use(s.phases[0], ..., s.phase_count);
 *
 * Bounds and their proofs are in bounds.h; the method is in docs/internals/topologies-synthesis.md.
 */
#ifndef ESPALIER_CLUSTER_SYNTHESIS_H
#define ESPALIER_CLUSTER_SYNTHESIS_H

#include "cluster/link_graph.h"
#include "cluster/rational.h"

typedef enum synthesis_status {
    SYNTHESIS_OK,
    SYNTHESIS_DISCONNECTED, /* some rank cannot reach another over links and switches of the cluster */
    SYNTHESIS_RANGE,        /* bandwidths so unlike that exact arithmetic leaves 64 bits */
    SYNTHESIS_ASYMMETRIC, /* the form asked for needs every link to be symmetric */
    SYNTHESIS_EFFORT,     /* the graph's `work` is spent before the answer is found */
    SYNTHESIS_LARGE       /* the trees have more edges than it allows */
} synthesis_status;

typedef enum forest_kind {
    FOREST_ALL_GATHER,
    FOREST_REDUCE_SCATTER,
    FOREST_ALL_REDUCE
} forest_kind;

/* From parent to child. Routes are shared among edges. */
typedef struct tree_edge {
    int32_t parent; /* ranks */
    int32_t child;
    int32_t route; /* index into forest.routes */
} tree_edge;

/* A path of arcs of the link graph: through switches only. One arc: a direct link. */
typedef struct forest_route {
    int32_t arc_count;
    const int32_t *arcs;
} forest_route;

typedef struct forest_tree {
    int32_t root; /* rank */
    int64_t weight;
    const tree_edge *edges; /* rank_count - 1; a parent is reached before it sends */
} forest_tree;

typedef struct forest {
    forest_kind kind;
    int rank_count;
    const int *ranks; /* device node of each rank */
    int64_t unit;     /* bytes/s; weight w is w * unit / scale bytes/s */
    int64_t scale;
    int64_t total_weight; /* over all trees */
    rational
        rate; /* total_weight * unit / scale: bytes of data size per second; unbounded for one rank */
    int tree_count;
    const forest_tree *trees; /* by root, then as found */
    int route_count;
    const forest_route *routes;
} forest;

typedef struct synthesis {
    synthesis_status status;
    int unreached;   /* DISCONNECTED: a rank that others cannot reach or that cannot reach others */
    rational rate;   /* of the collective; phases one after the other */
    int phase_count; /* 1; all-reduce as reduce-scatter then all-gather: 2 */
    forest phases[2];
} synthesis;

/* ForestColl (arXiv 2402.06787): rate = N * min over S of (capacity out of S) / |S and ranks|. */
synthesis synthesis_all_gather(arena *a, const link_graph *g, const int *ranks, int count);

/* All-gather of the reversed graph, turned round. */
synthesis synthesis_reduce_scatter(arena *a, const link_graph *g, const int *ranks, int count);

/* The better of the packing of trees over direct links and reduce-scatter followed by all-gather; of equals the
 * packing, which has fewer trees. */
synthesis synthesis_all_reduce(arena *a, const link_graph *g, const int *ranks, int count);

/* The packing alone (Tutte, Nash-Williams), on symmetric direct links; links to switches are left unused. */
synthesis synthesis_packing(arena *a, const link_graph *g, const int *ranks, int count);

/* A copy that needs nothing of the arena the trees were made in; `ranks` is kept as it is, and must stay. */
synthesis synthesis_copy(arena *a, const synthesis *s, const int *ranks);

/* What a checker finds wrong in a forest: NULL if each tree spans the ranks along routes that exist and run through
 * switches only, weights add up (by root for all-gather) to `rate`, and no arc carries more than it has. */
const char *forest_check(arena *a, const link_graph *g, const forest *f);

/* Exact: the largest load of an arc over its bandwidth; 1 for a forest at its rate with a full arc. */
rational forest_fullest(arena *a, const link_graph *g, const forest *f);

/* Edges of the longest way from a root, over all trees. */
int forest_depth(const forest *f);

#endif
