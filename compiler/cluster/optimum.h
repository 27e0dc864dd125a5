/* optimum.h: the two optima of bounds.h on a rank_net, with what synthesis needs of them.
 *
 *     gather_optimum og = gather_optimum_of(arena, &net);      // og.per_rank = units/s of each rank's shard
 *     packing_optimum op = packing_optimum_of(arena, &net);           // op.rate
 *     op = packing_oriented(arena, &net, op.part_of);                 // and an orientation of the links
 */
#ifndef ESPALIER_CLUSTER_OPTIMUM_H
#define ESPALIER_CLUSTER_OPTIMUM_H

#include "cluster/rank_net.h"

/* min over S of (capacity out of S) / |S and ranks|, in units. */
typedef struct gather_optimum {
    rational per_rank;
    const bool *inside; /* by net node: S of a least cut */
    int64_t capacity;   /* out of S, in units */
    int64_t ranks_inside;
} gather_optimum;

/* The net is connected and has at least two ranks. Where turns of the ranks' digits (digits.h) leave the net as it is,
 * every rank is served as rank 0 is. Means nothing once the graph's `work` is spent, as all that is found here. */
gather_optimum gather_optimum_of(arena *a, const rank_net *net);

/* Whether every rank can still get `demand[r]` units from every rank r at once over these arcs: then out-trees of
 * those weights exist (Edmonds). `*doubtful` is the rank asked first, and becomes the first found short. */
typedef struct gather_demand {
    int node_count;
    int rank_count;
    const net_arc *arcs;
    size_t arc_count;
    const int64_t *demand;
    effort *work;
} gather_demand;

bool gather_feasible(const gather_demand *d, int *doubtful);

/* min over partitions of (capacity between parts) / (parts - 1), in units. */
typedef struct packing_optimum {
    rational rate;
    const int *part_of; /* by rank */
    int part_count;
    int64_t capacity; /* between parts, in units */
    /* Of packing_oriented: with capacities times rate.denominator, rate.numerator out-trees from `root` fit into these arcs: a split of
     * each link's capacity between its two ways. */
    int root;
    const net_arc *oriented;
    size_t oriented_count;
} packing_optimum;

/* The net is symmetric, connected, and has no switches and at least two ranks. */
packing_optimum packing_optimum_of(arena *a, const rank_net *net);

/* The same with an orientation. `part_of`, by rank, is a partition to begin with: the least one if it is known, and then
 * little is left to do; NULL: none. */
packing_optimum packing_oriented(arena *a, const rank_net *net, const int *part_of);

/* Where turns of the ranks' digits leave the net as it is: the optimum is half of all-gather's, and the parts of a
 * least partition are the turns of one set of ranks, the smallest that is left out of a least cut (packing_even.c).
 * Into part_of; 0: the turns leave nothing as it is. Else the number of parts. */
int packing_even_parts(const rank_net *net, int *part_of);

#endif
