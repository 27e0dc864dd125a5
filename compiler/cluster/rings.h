/* rings.h: the best that rings alone can do, to set beside trees.
 *
 * A ring all-reduce of r directed rings over n ranks, each of one unit of bandwidth, runs at r * n / (2 (n - 1)): every
 * rank sends 2 (n - 1) / n of the data. On direct links rings are whole links, as ring libraries lay them: the most
 * link-disjoint closed walks through all ranks (each walk both ways round, so two directed rings; of two ranks, one),
 * counted in the greatest common divisor of the links' bandwidths. Over switches: rings in rank order, and the same
 * turned within each group of ranks on one switch, which share the ports between the groups evenly.
 *
 *     ring_set s = rings_of(arena, graph, ranks, count);
 *     if (s.count == 0) puts("no ring");                         // s.sure: none exists; else none was found
 */
#ifndef ESPALIER_CLUSTER_RINGS_H
#define ESPALIER_CLUSTER_RINGS_H

#include "cluster/synthesis.h"

typedef struct ring_set {
    int count;
    const int *const *orders; /* by ring: the ranks in order; direct rings go both ways round */
    rational each;            /* bytes/s of each directed ring */
    int directed;             /* directed rings */
    rational rate;            /* of the all-reduce; zero without a ring */
    bool sure;                /* no better set of rings of this kind exists */
} ring_set;

ring_set rings_of(arena *a, const link_graph *g, const int *ranks, int count);

#endif
