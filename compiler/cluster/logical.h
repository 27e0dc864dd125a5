/* logical.h: the links between ranks that are left when switches are split away.
 *
 * A logical arc is capacity from one rank to another along one route: a direct link, or a way through switches. The
 * logical arcs made from a net use each of its arcs at most to its scaled capacity, whatever is carried on them.
 *
 *     logical_net *l = logical_of(arena, &net, scale, demand);      // every switch split away
 *     trees = grow_trees(arena, l, demand);
 *
 * Splitting off: arcs u->w, w->t of a switch w become u->t, as long as every rank can still be served its demand from
 * every rank. In a net whose nodes have as much capacity in as out this always ends with no switch left
 * (Bang-Jensen, Frank, Jackson 1995; ForestColl, theorem 6). Where capacities in and out differ at a switch, what is
 * left over is dropped, and the demand may be out of reach: `served` says so.
 */
#ifndef ESPALIER_CLUSTER_LOGICAL_H
#define ESPALIER_CLUSTER_LOGICAL_H

#include "cluster/optimum.h"

/* A way as it was joined: one link, or two ways one after the other. */
typedef struct logical_way {
    int link;  /* arc of the graph; -1: joined */
    int first; /* ways */
    int then;
} logical_way;

typedef struct logical_arc {
    int from; /* ranks */
    int to;
    int64_t capacity;
    int way;
} logical_arc;

typedef struct logical_net {
    int rank_count;
    VEC(logical_arc) arcs;
    VEC(logical_way) ways;
    bool served;
    effort *work; /* of the graph */
} logical_net;

/* Capacities times `scale`; `demand[r]` units from rank r to every rank. */
logical_net *logical_of(arena *a, const rank_net *net, int64_t scale, const int64_t *demand);

/* The arcs of the graph that a way follows, in order, pushed to `links`. */
typedef VEC(int32_t) link_list;
void logical_way_links(arena *a, const logical_net *l, int way, link_list *links);

#endif
