/* variables.h: the first values of the plan's variables, on this rank's part of each. */
#ifndef ESPALIER_RUNTIME_EXEC_VARIABLES_H
#define ESPALIER_RUNTIME_EXEC_VARIABLES_H

#include "base/slice.h"
#include "exec/context.h"

/* Fills every variable in the rank's arena as its `init` says, by the training's seed and the variable's path: the same
 * values on every layout. Errors: RT_INVALID for arguments that make no sense, RT_UNSUPPORTED for a type or kind. */
rt_status rt_variables_init(const esp_context *context, rt_error *error);

/* The rank's part of a tensor. */
rt_slice rt_tensor_slice(const rt_image *image, const rt_tensor *tensor, int rank);

#endif
