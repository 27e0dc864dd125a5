/* build_signature.h: how build*.c put an operator's index form together. Private to the builder.
 *
 *     signature s;
 *     if (!signature_begin(&s, b, OP_add, x, 2)) return poisoned;
 *     for (k…) if (!signature_operand(&s, k, NULL)) return poisoned;
 *     build_dims all = signature_all(&s);
 *     return signature_end(&s, DTYPE_F32, &all, NULL);
 *
 * The operator enters its region in signature_end, so a failure on the way leaves nothing behind.
 */
#ifndef ESPALIER_GRAPH_BUILD_SIGNATURE_H
#define ESPALIER_GRAPH_BUILD_SIGNATURE_H

#include "graph/build.h"

typedef struct signature {
    build *b;
    graph_op *op;
    const build_operand *operands;
    atom labels[GRAPH_MAX_INDICES];
    int owner[GRAPH_MAX_INDICES]; /* the operand that brought the index; -1: the result */
} signature;

/* False, with the error set, when an operand is poisoned. */
bool signature_begin(signature *s, build *b, op_kind kind, const build_operand *operands,
                     int count);

/* Maps the slots of operand k by label; slots of label `except` stay NO_INDEX. */
bool signature_operand(signature *s, int k, atom except);

/* Maps one slot of operand k. */
bool signature_slot(signature *s, int k, int slot);

int signature_find(const signature *s, atom label); /* NO_INDEX if there is none */

/* Every index, in order of appearance; rank GRAPH_MAX_RANK + 1 when there are more. */
build_dims signature_all(const signature *s);

/* The result number `output` has `dims`; slots of label `except` are NO_INDEX; labels that are no index yet become one. */
bool signature_result(signature *s, int output, dtype type, const build_dims *dims, atom except);

/* signature_result for the only result, then the operator enters the region. */
build_operand signature_end(signature *s, dtype type, const build_dims *dims, atom except);

/* The operator, complete, enters the region. */
void signature_enter(signature *s);

build_operand build_poisoned(void);

/* Records a failure and returns false. `text` is arena text. */
bool build_fail(build *b, build_problem problem, atom label, const char *text);

#endif
