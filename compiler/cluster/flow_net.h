/* flow_net.h: what the two algorithms of flow.h share: arcs sorted by where they begin, newest first.
 *
 * For flow.c and flow_value.c alone.
 */
#ifndef ESPALIER_CLUSTER_FLOW_NET_H
#define ESPALIER_CLUSTER_FLOW_NET_H

#include "base/vec.h"
#include "cluster/flow.h"

/* A half of an arc as it was added; its reverse is i^1. */
typedef struct flow_half {
    int32_t from;
    int32_t to;
    int64_t capacity;
} flow_half;

struct flow_net {
    arena *memory;
    effort *work;
    int nodes;
    VEC(flow_half) halves;
    int32_t *place; /* by half: where it is sorted to; NULL until the first solution */
    int32_t *first; /* by node: its first place; one more at the end */
    int32_t *to;    /* by place */
    int32_t *mate;  /* by place: of the reverse */
    int64_t *room;
    int64_t *given; /* by place: capacity after a reset */
    int32_t *level; /* by node: distance from the source (flow_maximum), to the sink (flow_value) */
    int32_t *cursor; /* by node: place */
    int32_t *queue;  /* nodes */
    bool *near;      /* by node: on the source's side of the cut */
    int64_t *excess; /* by node; flow_value's alone, as all below */
    int32_t *bucket; /* by level: an active node of it, or -1 */
    int32_t *behind; /* by node: the next of its bucket */
    int32_t *crowd;  /* by level: how many nodes */
    int32_t
        *feed_bucket; /* by level: an arc of the source with room to a node that was there, or -1 */
    int32_t *feed_behind; /* by place: the next of its bucket */
    int source;
    int highest;      /* no bucket above has a node */
    int64_t relabels; /* work since levels were last made true */
};

/* Sorts the arcs, at the first solution. */
void flow_settle(flow_net *f);

#endif
