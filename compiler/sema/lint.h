/* lint.h: names, calls and arities of every definition, whether or not anything instantiates it.
 *
 * Elaboration finds the same mistakes where it comes by, at the same places, and sema_report says them once.
 */
#ifndef ESPALIER_SEMA_LINT_H
#define ESPALIER_SEMA_LINT_H

#include "sema/elab.h"

void lint_definition(sema *s, const definition *d);

#endif
