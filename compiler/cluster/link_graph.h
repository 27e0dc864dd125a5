/* link_graph.h: devices, switches and the links between them, as a directed graph with exact capacities.
 *
 * A link or a switch port is full duplex: two arcs, one each way, each with the whole bandwidth. There is at most one
 * arc between an ordered pair of nodes: a second link between the same two adds its bandwidth. Bandwidths are whole
 * bytes per second; nothing is rounded after that. Nodes and arcs keep their numbers for good, so routes and proofs
 * made for a subset of the devices name arcs of the whole graph.
 *
 * A device that takes part in a collective is a *rank* (an array of device nodes, rank number = index). The others
 * neither relay nor count; switches relay and never hold data.
 *
 *     link_graph *g = link_graph_new(arena, "duo");
 *     int a = link_graph_add_device(g, "g[0]", SPAN_NONE), b = link_graph_add_device(g, "g[1]", SPAN_NONE);
 *     link_graph_add_link(g, a, b, (link_rate){25000000000, 1.5e-6, 2}, SPAN_NONE);     // x2
 *     int s = link_graph_add_switch(g, "nvs", SPAN_NONE);
 *     link_graph_add_port(g, s, a, (link_rate){450000000000, 1e-6, 1}, SPAN_NONE);
 *
 * The graph lives in its arena; names are copied.
 */
#ifndef ESPALIER_CLUSTER_LINK_GRAPH_H
#define ESPALIER_CLUSTER_LINK_GRAPH_H

#include "base/arena.h"
#include "base/vec.h"
#include "cluster/effort.h"
#include "diag/source.h"
#include <stdbool.h>
#include <stdint.h>

typedef enum link_node_kind { LINK_DEVICE, LINK_SWITCH } link_node_kind;

typedef struct link_node {
    const char *name; /* "host[1].g[3]" */
    link_node_kind kind;
    span at;
} link_node;

typedef struct link_arc {
    int from;
    int to;
    int64_t bytes_per_second; /* of all lanes together, > 0 */
    double seconds;           /* latency of one message on this arc */
    int lanes;                /* multiplicity as declared; 1 for ports */
    span at;                  /* the plan line that declares it */
} link_arc;

typedef struct link_graph {
    arena *memory;
    const char *name;
    VEC(link_node) nodes;
    VEC(link_arc) arcs;
    VEC(int) devices; /* nodes that are devices, in order of addition */
    effort *work;     /* what may be spent on its bounds and trees; NULL: no limit. The caller's */
    struct link_index *index;
} link_graph;

/* What one link has: bytes/s and seconds of each lane, and how many lanes ("x2"). */
typedef struct link_rate {
    int64_t bytes_per_second;
    double seconds;
    int lanes; /* 0 counts as 1 */
} link_rate;

link_graph *link_graph_new(arena *a, const char *name);

/* Each returns the new node's number. */
int link_graph_add_device(link_graph *g, const char *name, span at);
int link_graph_add_switch(link_graph *g, const char *name, span at);

/* A full-duplex link between two different nodes. Rates above 2^53 bytes/s or below 1 are the caller's to refuse. */
void link_graph_add_link(link_graph *g, int a, int b, link_rate rate, span at);

/* One direction alone; with it the graph may be asymmetric. */
void link_graph_add_arc(link_graph *g, int from, int to, link_rate rate, span at);

/* The port by which `node` (a device or another switch) hangs on switch `hub`: rate each way. A message through a
 * switch passes two ports, so each port takes half of `rate.seconds`, the latency of the switch. */
void link_graph_add_port(link_graph *g, int hub, int node, link_rate rate, span at);

/* `switch NAME over DEVICES: rate`: a switch with a port of `rate` for each of `count` nodes. Its node number. */
int link_graph_add_switch_over(link_graph *g, const char *name, const int *nodes, int count,
                               link_rate rate);

/* The arc from one node to another, or -1. */
int link_graph_find_arc(const link_graph *g, int from, int to);

/* The node of that name, or -1. */
int link_graph_find_node(const link_graph *g, const char *name);

/* Every arc has one of the same bandwidth the other way. */
bool link_graph_is_symmetric(const link_graph *g);

/* Every arc turned round, with the same numbers: reduce-scatter on g is all-gather on this. */
link_graph *link_graph_reverse(const link_graph *g, arena *a);

/* Whole bytes per second nearest to a declared bandwidth; 0 if it is not a number from 1 to 2^53. */
int64_t link_bytes_per_second(double declared);

#endif
