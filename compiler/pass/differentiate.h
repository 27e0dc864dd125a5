/* differentiate.h: reverse-mode gradients of a function, appended to it.
 *
 *     graph_value **gradients = arena_array(g->memory, graph_value *, g->variables.count);
 *     pass_differentiate(g, step, loss, gradients);
 *
 * gradients[v] is the gradient of `loss` for variable v, of the variable's type, and NULL for a variable that is no
 * parameter, is frozen, or does not reach the loss. Only what leads from a parameter to the loss is differentiated.
 *
 * A repeat's gradient is a repeat in the other direction. What its body reads of the forward body is stashed: it becomes a
 * stacked result of the forward repeat. A value of the enclosing function gets its gradient as a carried sum.
 *
 * Where a derivative does not exist: `max` and `min` of equal operands give half to each, as torch.maximum does, and none
 * to an operand that meets a constant, as relu does at 0; `reduce_max` shares among equal elements, as torch.amax;
 * `max_pool` takes the first of equals, as torch; abs has 0 at 0.
 */
#ifndef ESPALIER_PASS_DIFFERENTIATE_H
#define ESPALIER_PASS_DIFFERENTIATE_H

#include "graph/graph.h"

/* `loss` is a scalar of f's region. The gradients are noted in f->gradients too. Every operator that a model can write has a gradient or is a stop (op.def); what has
 * neither are gradients themselves, which are not differentiated again. */
void pass_differentiate(graph *g, graph_function *f, graph_value *loss, graph_value **gradients);

#endif
