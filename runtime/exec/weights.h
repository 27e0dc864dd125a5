/* weights.h: variables from a safetensors file, and all variables, with their gradients where wanted, into one.
 *
 * Tensors stand under the variables' paths in logical form: "linear.w", "linear.w/v"; gradients under "grad/linear.w". What
 * is written says in its metadata what the plan was compiled from (RT_WEIGHTS_SOURCE, docs/internals/plan-image.md).
 */
#ifndef ESPALIER_RUNTIME_EXEC_WEIGHTS_H
#define ESPALIER_RUNTIME_EXEC_WEIGHTS_H

#include "exec/context.h"
#include "state/safetensors.h"
#include "state/safetensors_write.h"

enum { RT_WEIGHT_NAME = 512, RT_WEIGHT_TEXTS = 8 };

#define RT_WEIGHTS_SOURCE "espalier.source"

/* This rank's part of every variable that the file has, and what does not match is an error that names it: a tensor that
 * is no variable, a parameter (with `all`: any variable) that the file lacks. Errors: those of safetensors_read_as,
 * RT_MISMATCH. */
rt_status rt_weights_take(const esp_context *context, const safetensors *file, bool all,
                          rt_error *error);

/* How a file has values of a variable's type. */
rt_element rt_weights_element(rt_type type);

typedef struct rt_weights_file {
    const char *path;
    bool gradients;                /* those that the last step left, too */
    const safetensors_text *texts; /* metadata, at most RT_WEIGHT_TEXTS */
    size_t text_count;
} rt_weights_file;

/* By rank 0 alone, between two rt_weights_meet: all values are in the file, which safetensors_finish completes. Parts that
 * other ranks hold are read in their arenas. */
rt_status rt_weights_begin(const esp_context *context, const rt_weights_file *file,
                           safetensors_writer **writer, rt_error *error);

/* Where variables are split over ranks, waits until each rank has come; else returns at once. */
rt_status rt_weights_meet(const esp_context *context, rt_error *error);

/* Called on each rank: variables and gradients, completed. Errors: RT_IO. */
rt_status rt_weights_write(const esp_context *context, const char *path, rt_error *error);

#endif
