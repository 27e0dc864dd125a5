/* graphs.h: the machines that topologies are tested on. Rank r is device r of each graph, unless said otherwise. */
#ifndef ESPALIER_SUPPORT_GRAPHS_H
#define ESPALIER_SUPPORT_GRAPHS_H

#include "cluster/link_graph.h"

/* Links between all pairs, each of its own. */
link_graph *graph_complete(arena *a, int devices, link_rate rate);

/* One switch over all. */
link_graph *graph_star(arena *a, int devices, link_rate rate);

/* NVLink graphs: 25 GB/s a link, 1.5 us; `volta`: DGX-1V (24 links), else DGX-1P (16 links). */
link_graph *graph_dgx1(arena *a, bool volta);

/* `boxes` of 8 GPUs on a switch of 300 GB/s, joined by a NIC of 25 GB/s for each GPU. */
link_graph *graph_a100(arena *a, int boxes);

/* Whether direct links among the devices of `set` (a bit each) connect them; `nodes` gets them, in order. */
bool graph_connected(const link_graph *g, unsigned set, int *nodes, int *count);

#endif
