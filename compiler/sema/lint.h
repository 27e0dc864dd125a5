/* lint.h: names, calls and arities of every definition, whether or not anything instantiates it.
 *
 * Elaboration finds the same mistakes where it comes by, at the same places, and sema_report says them once.
 */
#ifndef ESPALIER_SEMA_LINT_H
#define ESPALIER_SEMA_LINT_H

#include "sema/elab.h"

/* In a definition's `names`: bound somewhere; used somewhere. */
enum { LINT_NAME = 0, LINT_USED = 1 };

void lint_definition(sema *s, definition *d);

/* lint_unused.c: what the definition declares and does not use, unless an error that is about it explains that. Behind all other checks. */
void lint_unused(sema *s, definition *d);

/* recursion.c: reports a layer that calls itself without an end. */
void lint_recursion(sema *s, definition *d);

#endif
