/* verify.h: every invariant of graph.h and op.h, in both forms; it stands behind each pass.
 *
 *     const char *wrong = graph_verify(g, arena);
 *     if (wrong) …                     // "%7 = dot … @ digits.plan:14: sizes 10 and 12 under one index"
 *
 * A graph that fails is a bug of the pass before, never a user's mistake.
 */
#ifndef ESPALIER_GRAPH_VERIFY_H
#define ESPALIER_GRAPH_VERIFY_H

#include "graph/graph.h"

/* NULL when all is well, else what is wrong with the first operator that is. The text lives in `a`. */
const char *graph_verify(const graph *g, arena *a);

#endif
