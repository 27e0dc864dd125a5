/* sharing.h: flows over arcs that share them fairly: the fluid model of a network.
 *
 * A flow runs over fixed arcs with some bytes to go. Rates are max-min fair by weight: no flow can be faster without
 * making one slower that is, for its weight, no faster (Bertsekas and Gallager, Data Networks, 6.5.2). Arcs that no flow has in common never
 * influence each other, so rates are found anew only where something changed.
 *
 *     sharing *s = sharing_new(arena, capacities, arcs);
 *     int f = sharing_add_flow(s, route, count);          // once for each way
 *     sharing_start(s, f, bytes);
 *     double when = sharing_settle(s);                    // the next end of a flow, seconds; HUGE_VAL: none
 *     sharing_advance(s, when);                           // moves the clock; then, till -1:
 *     while ((f = sharing_next_done(s)) >= 0) ...
 */
#ifndef ESPALIER_COLL_SHARING_H
#define ESPALIER_COLL_SHARING_H

#include "base/arena.h"
#include <stddef.h>
#include <stdint.h>

typedef struct sharing sharing;

/* capacities[arc] in bytes/s. */
sharing *sharing_new(arena *a, const double *capacities, int arcs);

/* A way that may carry one flow at a time. All ways are added before the first start. */
int sharing_add_flow(sharing *s, const int32_t *arcs, int count);

/* What its flows count when they share: 1 unless set; more than 0. */
void sharing_set_weight(sharing *s, int flow, double weight);

void sharing_start(sharing *s, int flow, double bytes);

/* Finds the rates; the time at which the next flow ends. */
double sharing_settle(sharing *s);

/* Moves the clock to `time`, which is no later than sharing_settle said. */
void sharing_advance(sharing *s, double time);

/* A flow that has ended by now, or -1; each is given once. */
int sharing_next_done(sharing *s);

#endif
