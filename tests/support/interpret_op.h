/* interpret_op.h: one operator on one rank, in plain loops. For interpret.c. */
#ifndef ESPALIER_TESTS_SUPPORT_INTERPRET_OP_H
#define ESPALIER_TESTS_SUPPORT_INTERPRET_OP_H

#include "graph/graph.h"

/* A rank's part of a value, row-major. */
typedef struct interpret_tensor {
    double *data;
    int rank;
    int64_t sizes[GRAPH_MAX_RANK];
} interpret_tensor;

/* `in` and `out` are in the order of the operator's operands and results; out's data is zeroed, with room for them.
 * `first_row` is the first row that this rank holds of a gather's table or scatter_add's result. */
void interpret_op(const graph_op *op, const interpret_tensor *in, const interpret_tensor *out,
                  int64_t first_row);

int64_t interpret_count(const interpret_tensor *t);

#endif
