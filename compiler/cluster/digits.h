/* digits.h: ranks as numbers of several digits whose every rotation leaves the net as it is.
 *
 * Boxes of 8 GPUs: rank = 8 * box + gpu, and turning either digit round maps links to links of equal capacity; so do
 * the axes of a torus, the levels of a fat tree. The rotations then act on the ranks with exactly one that takes rank
 * 0 to any given rank, and what is found for root 0 holds, moved, for every root.
 */
#ifndef ESPALIER_CLUSTER_DIGITS_H
#define ESPALIER_CLUSTER_DIGITS_H

#include "cluster/rank_net.h"

enum { DIGITS_MOST = 12 };

typedef struct rank_digits {
    int count;               /* digits, lowest first; 0: no such numbering */
    int stride[DIGITS_MOST]; /* of digit k */
    int size[DIGITS_MOST];
    int node_count;
    int32_t
        *turned[DIGITS_MOST]; /* turned[k][v * node_count + node]: node with digit k turned by v */
} rank_digits;

/* The numbering with the fewest digits, as ranks are numbered now. */
rank_digits rank_digits_of(arena *a, const rank_net *net);

int rank_digit(const rank_digits *d, int rank, int k);

/* Where the turn that takes rank 0 to `rank` takes `node`. */
int rank_digits_move(const rank_digits *d, int node, int rank);

#endif
