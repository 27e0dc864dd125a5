/* descent.h: all-gather trees for machines that look the same from every rank, at any size.
 *
 * Where ranks are numbers whose digits may be turned (digits.h), a tree for rank 0 moved to every other rank loads all
 * links of an orbit alike: only how many of the tree's edges use each orbit counts. In the trees made here the parent
 * of a rank has one digit less that is not 0 (over a switch), or one digit a step nearer to 0 (round a ring). Which
 * digit is free for every rank, so the counts are a flow from ranks to orbits; a fractional flow makes a few trees.
 * The trees are as deep as there are digits: for boxes of GPUs, two edges.
 *
 * What comes out is counted again, link by link; where the flow falls short of the optimum, the general way (split.c,
 * grow.c) is taken.
 */
#ifndef ESPALIER_CLUSTER_DESCENT_H
#define ESPALIER_CLUSTER_DESCENT_H

#include "cluster/rank_net.h"

/* Trees of `per_rank` units/s from every rank, into `f`; false where this way does not reach it. */
bool descent_gather(arena *a, const rank_net *net, rational per_rank, forest *f);

#endif
