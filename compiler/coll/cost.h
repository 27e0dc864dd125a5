/* cost.h: what a program costs by the size of the data, and which of several to take.
 *
 * The α-β model of a pipelined program. One piece of x bytes takes a + b x: a is the simulated time of no data, b what
 * much data adds per byte. Each further piece takes as long as the slowest way between two ranks: a latency for each
 * of its messages, and the time that its fullest arc needs for all the bytes that cross it. Hence
 *
 *     T(m) = min over P of  a + b m/P + (P - 1) (slowest way of m/P),   P a power of two up to 2^12
 *
 *     coll_cost costs[] = {coll_cost_of(ring, routes, arena), coll_cost_of(trees, routes, arena)};
 *     int cheapest = coll_cheapest(costs, 2, bytes);
 *     coll_crossovers over = coll_crossovers_of(costs, 2, 1, 4e9, arena);      // what `explain` prints for `auto`
 */
#ifndef ESPALIER_COLL_COST_H
#define ESPALIER_COLL_COST_H

#include "coll/route.h"

/* A way between two ranks in one piece. */
typedef struct coll_way {
    double seconds;  /* latencies of all its messages */
    double per_byte; /* of the whole vector, on its fullest arc */
} coll_way;

typedef struct coll_cost {
    double seconds;     /* a */
    double per_byte;    /* b */
    double rate;        /* bytes/s; HUGE_VAL: nothing is sent */
    VEC(coll_way) ways; /* those that are the slowest for some size */
} coll_cost;

/* The program must have been proved, also on these routes. Deterministic. */
coll_cost coll_cost_of(const coll_program *p, coll_routes *routes, arena *a);

/* Predicted seconds for `bytes`; `pieces` (may be NULL) gets the P that gives them. */
double coll_cost_seconds(const coll_cost *cost, double bytes, int *pieces);

/* Index of the least cost for `bytes`; of equals the first. */
int coll_cheapest(const coll_cost *costs, int count, double bytes);

/* From `bytes` on, up to the next entry, `cheapest` is. */
typedef struct coll_crossover {
    double bytes;
    int cheapest;
} coll_crossover;

typedef VEC(coll_crossover) coll_crossovers;

/* Over sizes from `first` to `last`; the first entry is at `first`. Sizes where it changes are found to 1 in 1000. */
coll_crossovers coll_crossovers_of(const coll_cost *costs, int count, double first, double last,
                                   arena *a);

#endif
