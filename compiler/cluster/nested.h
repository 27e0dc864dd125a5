/* nested.h: all-gather trees for many ranks in boxes, box by box.
 *
 * Where links inside boxes are wider than those between them, trees are found in two levels: out-trees over boxes as
 * if each were one rank with the demand of all its ranks, then inside each box out-trees from every rank at which data
 * comes in. A tree over boxes continues inside each box by the trees of the rank where it enters. This reaches the
 * optimum where the links between boxes bind (the cut is a union of boxes) and the boxes have room to spread what
 * enters; whether they do is asked by maximum flows. Where it does not, the general way is taken.
 *
 * With B boxes of n ranks it takes B^2 flows over B nodes instead of (B n)^2 over B n.
 */
#ifndef ESPALIER_CLUSTER_NESTED_H
#define ESPALIER_CLUSTER_NESTED_H

#include "cluster/rank_net.h"

/* Trees of `per_rank` units/s from every rank, into `f`; false where this way does not reach it. */
bool nested_gather(arena *a, const rank_net *net, rational per_rank, forest *f);

#endif
