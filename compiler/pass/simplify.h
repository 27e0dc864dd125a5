/* simplify.h: takes out of a graph what changes nothing: constants are folded, equal operators made one, and what no result
 * and no variable needs is dropped, in scans too.
 *
 *     pass_simplify(g);
 *
 * Every value that stays keeps its bits (the sign of a zero aside): scalars are folded as op_scalar computes and rounded to
 * their type; x + 0 and x * 1 become x, x * 0 stays. Two operators are equal when kind, operands, index forms, attributes and types are; the first one's
 * place and path stay. Works on both forms; collectives are kept apart.
 */
#ifndef ESPALIER_PASS_SIMPLIFY_H
#define ESPALIER_PASS_SIMPLIFY_H

#include "graph/graph.h"

void pass_simplify(graph *g);

#endif
