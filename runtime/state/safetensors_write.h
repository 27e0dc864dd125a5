/* safetensors_write.h: writes one safetensors file, whole or not at all, by one process or several.
 *
 * The tensors are declared first; then any process writes any slice of any of them, in any order, straight to its place;
 * then one process finishes: it puts the checksums into the header, syncs, and renames the file to its name. Until then
 * the file is PATH.partial.
 *
 *     safetensors_plan plan = {.path = "ckpt/step.safetensors", .tensors = tensors, .tensor_count = n};
 *     status = safetensors_create(&plan, &writer, &error);             # process 0; the others safetensors_join
 *     status = safetensors_write(writer, 0, &slice, values, &error);
 *     status = safetensors_finish(writer, NULL, &error);
 *
 * With several processes each passes safetensors_sums to process 0, which adds them up and gives the others' sum to
 * safetensors_finish: checksums of slices add up to that of the tensor (safetensors_sum).
 */
#ifndef ESPALIER_RUNTIME_SAFETENSORS_WRITE_H
#define ESPALIER_RUNTIME_SAFETENSORS_WRITE_H

#include "state/safetensors.h"

typedef struct safetensors_tensor {
    const char *name;
    rt_element type;
    size_t rank;
    uint64_t shape[RT_SLICE_MAX_RANK];
} safetensors_tensor;

typedef struct safetensors_text {
    const char *key, *value;
} safetensors_text;

typedef struct safetensors_plan {
    const char *path;
    const safetensors_tensor *tensors;
    size_t tensor_count;
    const safetensors_text *metadata;
    size_t metadata_count;
    int without_checksums; /* for files that others read and that are not checkpoints */
} safetensors_plan;

typedef struct safetensors_writer safetensors_writer;

/* Makes PATH.partial at its full size. Errors: RT_INVALID (a name twice, a type or shape that cannot be), RT_IO, among
 * them no space, which is found here and not while writing. */
rt_status safetensors_create(const safetensors_plan *plan, safetensors_writer **writer,
                             rt_error *error);

/* Opens what another process has created from the same plan. */
rt_status safetensors_join(const safetensors_plan *plan, safetensors_writer **writer,
                           rt_error *error);

/* Writes a slice's values, as bytes of the tensor's type, or as floats that are rounded to it. Each value of a tensor is
 * to be written once, or the checksum will not hold. */
rt_status safetensors_write(safetensors_writer *writer, size_t tensor, const rt_slice *slice,
                            const void *values, rt_error *error);
rt_status safetensors_write_floats(safetensors_writer *writer, size_t tensor, const rt_slice *slice,
                                   const float *values, rt_error *error);

/* The sums of what this process has written, one for each tensor. */
const uint64_t *safetensors_sums(const safetensors_writer *writer);

/* Completes the file and frees the writer, also on failure; `others` are the added sums of the other processes, or NULL.
 * Every process must have returned from safetensors_leave before. */
rt_status safetensors_finish(safetensors_writer *writer, const uint64_t *others, rt_error *error);

/* Syncs what this process wrote and frees the writer; for all but the one that finishes. */
rt_status safetensors_leave(safetensors_writer *writer, rt_error *error);

/* Frees the writer and removes the partial file. */
void safetensors_abandon(safetensors_writer *writer);

#endif
