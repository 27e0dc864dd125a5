/* flow.h: maximum flows of integers, by two algorithms.
 *
 * Built once, solved many times: `flow_reset` puts back the capacities that arcs were given. All arcs are added before
 * the first solution.
 *
 *     flow_net *f = flow_net_new(arena, nodes, effort);
 *     int arc = flow_add(f, 0, 1, 25);
 *     int64_t value = flow_value(f, 0, 3, FLOW_INFINITE);
 *     bool near = flow_on_source_side(f, 2);                // of a minimum cut, if `value` was below the limit
 *     flow_reset(f);
 *
 * `flow_maximum` leaves a flow behind (E. A. Dinic, 1970: O(V^2 E) at worst, near linear on shallow graphs);
 * `flow_value` only how much can flow and the cut, and is quick on deep graphs with many feeds as well (A. V. Goldberg,
 * R. E. Tarjan, 1988, highest label first; B. V. Cherkassky, A. V. Goldberg, 1997: O(V^2 sqrt(E))).
 */
#ifndef ESPALIER_CLUSTER_FLOW_H
#define ESPALIER_CLUSTER_FLOW_H

#include "base/arena.h"
#include "cluster/effort.h"
#include <stdbool.h>
#include <stdint.h>

#define FLOW_INFINITE (INT64_MAX / 4)

typedef struct flow_net flow_net;

/* Solving spends `work`, which may be NULL. Once it is spent the values found mean nothing. */
flow_net *flow_net_new(arena *a, int nodes, effort *work);

/* The new arc's number, for flow_set and flow_used. */
int flow_add(flow_net *f, int from, int to, int64_t capacity);

/* An undirected link: `capacity` each way. */
int flow_add_both(flow_net *f, int a, int b, int64_t capacity);

/* Changes what flow_reset puts back; takes effect at the next reset. */
void flow_set(flow_net *f, int arc, int64_t capacity);
void flow_reset(flow_net *f);

/* Pushes up to `limit` from `source` to `sink`; how much went. Adds to the flow that is there. */
int64_t flow_maximum(flow_net *f, int source, int sink, int64_t limit);

/* The same number without the flow: nothing but a reset and the cut may be asked for afterwards. Begins from no flow. */
int64_t flow_value(flow_net *f, int source, int sink, int64_t limit);

/* After less than the limit went: the side of the smallest cut nearest the source. */
bool flow_on_source_side(const flow_net *f, int node);

/* What flows over an arc that flow_add made, after flow_maximum. */
int64_t flow_used(const flow_net *f, int arc);

#endif
