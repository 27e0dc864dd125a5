/* partition.h: from the graph of a training to the spmd form: the graph of one rank, with each collective explicit.
 *
 *     if (!pass_partition(g, training, diags)) …        // g is in spmd form now
 *
 * A layout splits names: `split B over dp` splits every dimension `B` of every variable and source by axis dp, and every
 * dimension that a reshape makes of it, or makes it of, major first. All else follows from the operators' index forms
 * (graph/split.h): an operator's index is split as its operands are; what a rank sums over a split index is its part of the
 * sum, `{+dp}`; such values flow through linear operators and are summed over the axis (all_reduce) before any other. Where
 * operands do not agree, one is gathered or cut. No rule speaks of models: column and row splits, their all-reduces, and the
 * reduction of gradients over dp all come from the same few lines.
 *
 * A value is summed once, behind the operator that makes it, if any of its readers needs the sum. Parameters' gradients
 * (graph_function.gradients) are always summed, and these sums stand together in front of their first reader: they carry
 * i[1] = 1, the place of the plan's `reduce` clause and its topology. Other collectives carry the place of the `split` clause, and
 * what they come from as their trail. A scan's sums over its iterations are summed once, behind it.
 *
 * An axis of one rank splits nothing.
 */
#ifndef ESPALIER_PASS_PARTITION_H
#define ESPALIER_PASS_PARTITION_H

#include "diag/diag.h"
#include "graph/training.h"

/* False after a diagnostic: an axis does not divide a dimension, or would split two dimensions of one tensor. */
bool pass_partition(graph *g, const training *t, diag_sink *diags);

#endif
