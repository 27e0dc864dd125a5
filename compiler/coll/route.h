/* route.h: how sends run over a cluster's links: the proof that they can, the load they make, the rate they reach.
 *
 * A send goes over its own route if it has one (synthesised programs), else over the graph's: the arc between the two
 * devices, or a way through switches with the fewest arcs, of these one with the greatest least bandwidth; where
 * several are alike (spine switches), pairs are spread over them by their numbers. Devices never relay.
 *
 *     coll_routes *routes = coll_routes_new(graph, nodes, ranks, arena);    // nodes[rank] = device node
 *     if (!coll_prove_links(p, routes, &fault, arena)) ...
 *     double rate = coll_rate(p, routes);                                   // bytes of data size per second
 */
#ifndef ESPALIER_COLL_ROUTE_H
#define ESPALIER_COLL_ROUTE_H

#include "cluster/link_graph.h"
#include "coll/verify.h"

typedef struct coll_routes coll_routes;

/* One way: arcs of the graph in the direction of the data. count 0: there is none. */
typedef struct coll_route {
    const int32_t *arcs;
    int32_t count;
} coll_route;

/* `nodes` is copied. Routes are found when asked for and kept. */
coll_routes *coll_routes_new(const link_graph *g, const int *nodes, int ranks, arena *a);

const link_graph *coll_routes_graph(const coll_routes *routes);
const int *coll_routes_nodes(const coll_routes *routes); /* [ranks]: device nodes */

/* Between two different ranks. */
coll_route coll_route_between(coll_routes *routes, int from, int to);

/* Of a send of `p`: its own or the graph's. */
coll_route coll_route_of(coll_routes *routes, const coll_program *p, const coll_send *send);

/* Every send has a way that exists, from its sender's device to its receiver's, through switches only. */
bool coll_prove_links(const coll_program *p, coll_routes *routes, coll_fault *fault, arena *a);

/* Data size over time when the pieces of much data follow one another and the fullest arc never rests:
 * min over arcs of bandwidth / (share of the data that crosses the arc). HUGE_VAL if nothing is sent. The routes must
 * have been proved. */
double coll_rate(const coll_program *p, coll_routes *routes);

/* [arcs]: the share of the data that crosses each arc, over its bandwidth: seconds for each byte of the whole vector. */
double *coll_arc_seconds(const coll_program *p, coll_routes *routes, arena *a);

/* The arc that sets coll_rate; -1 if nothing is sent. */
int coll_fullest_arc(const coll_program *p, coll_routes *routes);

#endif
