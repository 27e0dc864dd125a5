/* fit.h: a topology laid onto links: which device plays which rank, and several copies side by side.
 *
 * A topology block speaks of ranks; which device is which rank is free. A ring runs where the links form one, and
 * where they form several rings, they share the data:
 *   - a ring takes the most rings without a link in common, each both ways where links go both ways, found over all
 *     Hamiltonian cycles of the direct links; between nodes that hang on switches, one for each place in a node, so
 *     that every NIC carries its part;
 *   - any other topology whose sends do not all have a link as the ranks stand takes the renumbering that has, of the
 *     greatest rate among those that were looked at.
 * Searches are bounded and the same each time.
 *
 *     coll_program *ring = coll_fit(p, routes, arena);     // NULL: the links cannot carry it
 */
#ifndef ESPALIER_COLL_FIT_H
#define ESPALIER_COLL_FIT_H

#include "coll/route.h"

/* The program itself if it is best as it stands. */
coll_program *coll_fit(const coll_program *p, coll_routes *routes, arena *a);

/* Copies of programs of one kind side by side: copy i with its ranks renamed, rank r to places[i][r], all with the same
 * part of the data. NULL in `places`: as they are. Chunks of scattered data are put in the order of their ranks. */
coll_program *coll_side_by_side(const coll_program *const *programs, const int32_t *const *places,
                                int count, arena *a);

/* Ranks per node as the devices' names tell ("host[1].g[3]": node "host[1]"), if all nodes hold equally many and ranks are
 * numbered node by node; else 0. For coll_request.per_node. */
int coll_ranks_per_node(const link_graph *g, const int *nodes, int ranks);

#endif
