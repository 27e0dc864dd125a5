/* partition_internal.h: what partition.c (decides layouts, until they stand still) and partition_insert.c (writes them down,
 * with the collectives) share.
 */
#ifndef ESPALIER_PASS_PARTITION_INTERNAL_H
#define ESPALIER_PASS_PARTITION_INTERNAL_H

#include "graph/split.h"
#include "graph/training.h"

typedef struct partition {
    graph *g;
    const training *t;
    int8_t *axis_of; /* by dimension: the axis that a split clause gives it, or NO_AXIS */
    int8_t *part_of; /* by dimension: the axis that it has through reshapes of one that is split */
    graph_layout *made; /* by value id: as its operator gives it */
    bool *must_sum;     /* by value id: some reader needs it summed; seen = made without partial */
    int *readers;       /* by value id */
    bool *may_bet, *lost_bet; /* by value id: see is_bet in partition.c */
    VEC(int) bets;            /* of this round */
    uint32_t *sums;           /* by variable: axes over which a sum of microbatches is not summed */
    bool changed;             /* something was learnt in this round */
    int values;
} partition;

/* What one operator does with its operands and gives. */
typedef struct partition_choice {
    split_form form;
    int8_t axis[SPLIT_MAX_INDICES]; /* by split index */
    uint32_t partial;               /* of the operands that flow through */
    graph_layout operand[16];       /* as each operand must be */
} partition_choice;

enum { PARTITION_MAX_OPERANDS = 16 };

/* A value's layout as its readers see it. */
graph_layout partition_seen(const partition *p, const graph_value *x);

/* Decides; notes operands that must be summed. */
void partition_choose(partition *p, const graph_op *op, partition_choice *choice);
graph_layout partition_result(const partition *p, const graph_op *op, int k,
                              const partition_choice *choice);

/* The layout of a source or variable by its dimensions' names. */
graph_layout partition_named(const partition *p, const graph_type *t);

/* Writes the layouts into the graph and inserts collectives. */
void partition_insert(partition *p);

#endif
