/* grow.h: out-trees grown over logical arcs, by capacity.
 *
 * Edmonds' theorem: where every set of ranks S has capacity out of it for the demand of the roots in S, there are
 * out-trees of those weights from those roots that fit together. They are grown edge by edge, each edge with the most
 * weight that leaves the rest possible: one maximum flow (ForestColl, theorem 9). A tree whose next edge can take only
 * part of its weight is split in two.
 */
#ifndef ESPALIER_CLUSTER_GROW_H
#define ESPALIER_CLUSTER_GROW_H

#include "cluster/logical.h"

typedef struct grown_edge {
    int parent; /* ranks */
    int child;
    int way;
} grown_edge;

typedef struct grown_tree {
    int root;
    int64_t weight;
    grown_edge *edges; /* rank_count - 1, a parent before its children */
} grown_tree;

typedef struct grown_trees {
    grown_tree *items;
    size_t count;
    size_t room;
    synthesis_status status; /* OK; EFFORT or LARGE: unfinished, not to be used */
} grown_trees;

/* Trees of weight `demand[r]` from each rank r. The net must serve the demand. Uses up the capacities in `l`. */
grown_trees grow_trees(arena *a, logical_net *l, const int64_t *demand);

#endif
