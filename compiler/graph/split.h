/* split.h: what splitting a dimension means for each operator; the one rule behind partition and verifier.
 *
 * Every slot of an operator's operands and results has a *split index* or must stay whole. The split indices are the
 * operator's own indices, and, where op.def gives a slot no index and a split still has a meaning, some more:
 *   - reshape: the leading slots of a run that is merged or split share one (row-major order keeps them aligned);
 *   - gather: the rows of the table are one that the result lacks: a rank reads 0 where the id is a row of another rank, and
 *     the result is still to be summed; scatter_add: the rows are one that only the result has: a rank keeps its own.
 *
 * When an axis splits index i:
 *   - every slot of i, in operands and results, is split by it;
 *   - a result that lacks i is still to be folded over the axis, by `fold`: its layout says {+axis}.
 *
 * Values that are not yet summed pass through operators that are linear in them (`flow`); before any other operator
 * they are summed. A value that is not yet maximised goes into an all_reduce alone.
 */
#ifndef ESPALIER_GRAPH_SPLIT_H
#define ESPALIER_GRAPH_SPLIT_H

#include "graph/graph.h"

enum { SPLIT_MAX_INDICES = GRAPH_MAX_INDICES + GRAPH_MAX_RANK, SPLIT_WHOLE = -1 };

typedef enum split_fold { SPLIT_FOLD_SUM, SPLIT_FOLD_MAX } split_fold;

typedef struct split_form {
    int count;
    int8_t (*input_map)[GRAPH_MAX_RANK]; /* [inputs][slot] -> split index or SPLIT_WHOLE */
    int8_t (*output_map)[GRAPH_MAX_RANK];
    bool whole[SPLIT_MAX_INDICES]; /* no axis may split it */
    split_fold fold;
} split_form;

/* Not for `repeat`, whose region decides. Memory from g's arena. */
split_form split_form_of(const graph *g, const graph_op *op);

typedef enum split_flow {
    SPLIT_FLOW_NONE,  /* every operand must be summed first */
    SPLIT_FLOW_ALL,   /* linear in all operands together: all are unsummed over the same axes */
    SPLIT_FLOW_ONE,   /* linear in each operand: one of them may be unsummed */
    SPLIT_FLOW_FIRST, /* linear in the first operand */
    SPLIT_FLOW_TAIL   /* linear in all operands but the first, together */
} split_flow;

split_flow split_flow_of(const graph_op *op);

/* True for a constant 0, which is the same summed or not. */
bool split_is_zero(const graph_value *v);

/* True for a maximum over a split dimension that is not yet one of all ranks. */
bool split_is_extreme(const graph_value *v);

#endif
