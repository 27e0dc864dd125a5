/* order.h: in which order a program adds.
 *
 * A float sum depends on its order. One order is the same for every number of ranks that share the same summands: pairs of
 * neighbours, then pairs of pairs, as a binary tree over the ranks, whose right edge may be cut off. A program that adds
 * so on every rank and in every chunk gives the sum that one rank would give that adds up its parts in that tree.
 *
 *     if (!coll_adds_as_tree(p, arena)) report(…);
 */
#ifndef ESPALIER_COLL_ORDER_H
#define ESPALIER_COLL_ORDER_H

#include "coll/program.h"

/* Of an all_reduce that is proved (verify.h). */
bool coll_adds_as_tree(const coll_program *p, arena *a);

#endif
