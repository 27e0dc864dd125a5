/* initial.h: what variables begin from, where that is a file: one with published names or one of the plan's own, and a
 * checkpoint back into the former.
 *
 * Tensors are called as the plan's `weights` block says (state/published.h), or, without one and in files that Espalier wrote,
 * stand under the variables' paths.
 *
 *     status = rt_initial_open(image, &options, &initial, &error);       # in the launcher: everything that does not fit, once
 *     status = rt_initial_read(&context, &initial, &error);              # each rank its part
 *     rt_initial_close(&initial);
 */
#ifndef ESPALIER_RUNTIME_EXEC_INITIAL_H
#define ESPALIER_RUNTIME_EXEC_INITIAL_H

#include "exec/context.h"
#include "exec/options.h"
#include "state/published.h"

typedef struct rt_initial {
    safetensors *file; /* NULL: the variables begin as the plan says */
    published_variable *variables;
    published_model model;
} rt_initial;

/* The file that the plan begins from, or that of '--weights'. Each thing that does not fit the plan is logged. Errors: those of
 * safetensors_open; RT_MISMATCH. */
rt_status rt_initial_open(const rt_image *image, const rt_options *options, rt_initial *initial,
                          rt_error *error);
void rt_initial_close(rt_initial *initial);

/* This rank's part of every variable that the file has; the others stay as they are. */
rt_status rt_initial_read(const esp_context *context, const rt_initial *initial, rt_error *error);

/* '--export CHECKPOINT --to FILE': a checkpoint's variables under their published names. No rank runs. */
rt_status rt_initial_export(const rt_image *image, const rt_options *options, rt_error *error);

#endif
