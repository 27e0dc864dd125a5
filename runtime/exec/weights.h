/* weights.h: variables from a safetensors file, and all variables with their gradients into one.
 *
 * Tensors stand under the variables' paths in logical form: "linear.w", "linear.w/v"; gradients under "grad/linear.w".
 */
#ifndef ESPALIER_RUNTIME_EXEC_WEIGHTS_H
#define ESPALIER_RUNTIME_EXEC_WEIGHTS_H

#include "exec/context.h"

enum { RT_WEIGHT_NAME = 512 };

/* This rank's part of every variable that the file has. Every parameter must be in it, and nothing else may be: what does
 * not match is an error that names it. Errors: those of safetensors_open and safetensors_read, RT_MISMATCH. */
rt_status rt_weights_read(const esp_context *context, const char *path, rt_error *error);

/* Called on each rank; rank 0 writes. Errors: RT_IO; RT_UNSUPPORTED where a variable is split over ranks. */
rt_status rt_weights_write(const esp_context *context, const char *path, rt_error *error);

#endif
