/* bound.h: a rank's memory beside what it may be: `require memory <= X`, and what a device of the cluster has.
 *
 *     pass_bound(t, bytes, "for parameters alone", diags);    // E0242 unless `bytes` fit
 */
#ifndef ESPALIER_PASS_BOUND_H
#define ESPALIER_PASS_BOUND_H

#include "diag/diag.h"
#include "graph/training.h"

#include <stdint.h>

/* `bytes` of a rank, and what they are for. False after a report, at the clause or at the plan. */
bool pass_bound(const training *t, int64_t bytes, const char *what, diag_sink *sink);

#endif
