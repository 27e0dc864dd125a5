/* spend.h: how much the check of one file may take: work is counted, so that the bound is the same on every machine.
 *
 * A unit is about one evaluation of an expression of a topology, some nanoseconds. What takes long adds what it took; trains,
 * plans, clusters and topologies ask before they begin. Each of them is bounded by limits of its own.
 *
 *     if (!spend_may_go_on(s, plan->node->name_at))
 *         return;
 *     spend(s, (int64_t)arcs * SPEND_ARC);
 */
#ifndef ESPALIER_SEMA_SPEND_H
#define ESPALIER_SEMA_SPEND_H

#include "coll/program.h"
#include "sema/scope.h"

enum {
    SPEND_MOST = 100000000,
    SPEND_ARC = 6,          /* a link of a cluster */
    SPEND_ELABORATED = 128, /* an operator, elaborated */
    SPEND_LAID_OUT = 16     /* an operator, under one plan */
};

void spend(sema *s, int64_t units);

/* The proof of a program. */
void spend_proof(sema *s, const coll_program *p);

/* False: all is spent, which is reported at the first place that asks; only in a check. */
bool spend_may_go_on(sema *s, span at);

#endif
