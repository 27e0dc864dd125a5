/* simulate.h: how long a program takes on a link graph, without hardware.
 *
 * Discrete events over the messages of message.h. The data is cut into pieces; a message of a piece takes the latencies
 * of the arcs on its way, then flows at the rate that its arcs leave it (sharing.h). Between two ranks messages of one
 * way follow one another, those of earlier pieces first; `window` pieces may be under way at once. Reducing costs
 * nothing: it is the links that are looked at.
 *
 *     coll_timing t = coll_simulate(p, routes, (coll_load){.bytes = 1 << 30, .pieces = 64});
 *     printf("%.1f ms\n", t.seconds * 1e3);
 */
#ifndef ESPALIER_COLL_SIMULATE_H
#define ESPALIER_COLL_SIMULATE_H

#include "coll/route.h"

enum { COLL_WINDOW = 64 };

typedef struct coll_load {
    double bytes; /* of the whole vector; all_to_all: of one rank's input */
    int pieces;   /* at least 1 */
    int window;   /* pieces under way at once; 0: COLL_WINDOW */
} coll_load;

typedef struct coll_timing {
    double seconds;
    int64_t messages; /* carried in all */
} coll_timing;

/* The program must have been proved, also on these routes. */
coll_timing coll_simulate(const coll_program *p, coll_routes *routes, coll_load load);

/* The time of the number of pieces, a power of two up to `most`, that takes least, and that number. */
coll_timing coll_simulate_best(const coll_program *p, coll_routes *routes, double bytes, int most,
                               int *pieces);

#endif
