/* bounds.h: how fast a collective can be on a link graph, with the cut that proves it. Exact.
 *
 * All-gather. Every rank holds 1/N of the data; all get the whole. For a set S of nodes that leaves some rank out, the
 * shards of the ranks in S must leave S. Hence rate <= N * (capacity out of S) / |S and ranks|, and the least of these
 * over all S is reached: Edmonds' theorem on disjoint branchings (1973), with switches removed by splitting off
 * (Bang-Jensen, Frank, Jackson 1995), as in ForestColl (arXiv 2402.06787), theorem 1. Found by Dinkelbach's method: a
 * guess, a maximum flow for each rank, and the ratio of a violated cut as the next guess.
 *
 * Reduce-scatter. The same on the reversed graph: capacity into S.
 *
 * Tree packing, for all-reduce on symmetric direct links. A tree that reduces up and broadcasts down uses its links
 * both ways; p parts need p - 1 links of each tree between them. Hence rate <= (capacity between parts) / (p - 1) for
 * every partition, reached by Tutte and by Nash-Williams (1961), fractionally with no rounding. Found by Dinkelbach's
 * method over the minimum partition of an intersecting submodular function (Frank; Cunningham 1985), n flows each.
 *
 * All-reduce. The greater of the packing and of reduce-scatter then all-gather, 1 / (1/rs + 1/ag), which on symmetric
 * graphs is half the all-gather. It is the best of these two forms of schedule, where no switch adds or copies.
 *
 * Rates are bytes of data size per second: the reduced vector; for all-gather and reduce-scatter the gathered whole.
 * One rank has nothing to move: unbounded.
 */
#ifndef ESPALIER_CLUSTER_BOUNDS_H
#define ESPALIER_CLUSTER_BOUNDS_H

#include "cluster/synthesis.h"

typedef enum bound_kind {
    BOUND_NONE,     /* one rank, or no bound of this kind applies */
    BOUND_CUT,      /* a set of nodes S: part_of is 1 inside, 0 outside */
    BOUND_PARTITION /* parts numbered from 0 */
} bound_kind;

typedef struct bound {
    synthesis_status status;
    int unreached; /* as in synthesis */
    bound_kind kind;
    bool into;        /* BOUND_CUT: capacity counted into S (reduce-scatter) */
    rational rate;    /* bytes/s; zero if disconnected */
    int64_t capacity; /* bytes/s out of (into) S, or between the parts, one way */
    int64_t divisor;  /* |S and ranks|, or parts - 1; rate = factor * capacity / divisor */
    rational factor;  /* N for all-gather, N/2 for the all-reduce made of both, 1 for the packing */
    int part_count;   /* BOUND_PARTITION */
    const int *part_of; /* by node of the graph; -1 for nodes that do not count */
} bound;

bound bound_all_gather(arena *a, const link_graph *g, const int *ranks, int count);
bound bound_reduce_scatter(arena *a, const link_graph *g, const int *ranks, int count);

/* Zero (status DISCONNECTED) where direct links alone do not connect the ranks, ASYMMETRIC where they differ by way. */
bound bound_packing(arena *a, const link_graph *g, const int *ranks, int count);

/* The greater of the forms. On asymmetric graphs `rate` is of both phases, and the proof shown is the slower phase's. */
bound bound_all_reduce(arena *a, const link_graph *g, const int *ranks, int count);

#endif
