/* rank_net.h: a link graph as a collective over some of its devices sees it: ranks, then switches that can help.
 *
 * Devices that take no part are gone, and so are switches that lie on no way between two ranks. Capacities are in
 * multiples of `unit` bytes/s, the greatest common divisor of those left, so they are small and exact.
 */
#ifndef ESPALIER_CLUSTER_RANK_NET_H
#define ESPALIER_CLUSTER_RANK_NET_H

#include "cluster/flow.h"
#include "cluster/link_graph.h"
#include "cluster/synthesis.h"

typedef struct net_arc {
    int from; /* net nodes */
    int to;
    int64_t capacity; /* in units */
    int link;         /* arc of the link graph */
} net_arc;

typedef struct rank_net {
    arena *memory; /* its own */
    const link_graph *graph;
    const int *ranks; /* by rank: device node */
    int rank_count;
    int node_count;    /* ranks are 0 .. rank_count - 1, switches follow */
    const int *origin; /* by net node: node of the graph */
    int64_t unit;
    VEC(net_arc) arcs;
    synthesis_status status;
    int unreached; /* DISCONNECTED: a rank apart from rank 0 */
} rank_net;

/* With `with_switches` false the switches are left out. status is OK, DISCONNECTED, RANGE or EFFORT. */
rank_net rank_net_of(arena *a, const link_graph *g, const int *ranks, int count,
                     bool with_switches);

/* Every arc has its equal the other way. */
bool rank_net_is_symmetric(const rank_net *net);

#endif
