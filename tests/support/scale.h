/* scale.h: a synthesis on a large machine, held to its bound, with the time it took in a line of its own.
 *
 *     scale_check("16 boxes of 8 A100", arena, shape_plain_boxes(arena, 16, 8, 300 * SHAPE_GB, 25 * SHAPE_GB));
 *
 * All devices take part. The bound must be reached exactly and every forest be sound; the time is printed, not judged.
 */
#ifndef ESPALIER_TESTS_SCALE_H
#define ESPALIER_TESTS_SCALE_H

#include "cluster/link_graph.h"

void scale_check(const char *what, arena *a, const link_graph *g);

#endif
