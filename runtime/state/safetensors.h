/* safetensors.h: tensors by name in files of the safetensors format, read and written.
 *
 * Reading maps the file (or, for an index of several, the files), checks the whole header before any use of it, and gives
 * tensors in logical form; a rank reads the slice it owns:
 *
 *     status = safetensors_open("model.safetensors", &file, &error);     # or "model.safetensors.index.json"
 *     status = safetensors_read(file, &(safetensors_request){"h.0.mlp.c_fc.weight", &slice}, values, &error);
 *     safetensors_close(file);
 *
 * Hostile headers are refused with the file, the tensor and the place: lengths that overflow or pass the end, ranges
 * that overlap, leave holes or do not fit shape and type, names given twice, unknown types, more than 100 MB of header.
 * The format: 8 bytes of length (little endian), that much JSON, then the data
 * (https://huggingface.co/docs/safetensors, "Format").
 */
#ifndef ESPALIER_RUNTIME_SAFETENSORS_H
#define ESPALIER_RUNTIME_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/element.h"
#include "base/slice.h"
#include "base/status.h"

typedef struct safetensors safetensors;

typedef struct safetensors_entry {
    const char *name;
    rt_element type;
    size_t rank;
    uint64_t shape[RT_SLICE_MAX_RANK];
    uint64_t count;       /* values */
    const uint8_t *bytes; /* mapped; little endian; any alignment */
    uint64_t size;        /* bytes */
    const char *path;     /* the file that holds it */
} safetensors_entry;

/* A path that ends in ".json" is an index; the files it names stand beside it. */
rt_status safetensors_open(const char *path, safetensors **file, rt_error *error);
void safetensors_close(safetensors *file);

/* Tensors in the order of their names (bytes). */
size_t safetensors_count(const safetensors *file);
const safetensors_entry *safetensors_at(const safetensors *file, size_t index);

/* NULL when there is none. */
const safetensors_entry *safetensors_find(const safetensors *file, const char *name);

/* A text of the "__metadata__" of a single file, or NULL. */
const char *safetensors_metadata(const safetensors *file, const char *key);

typedef struct safetensors_request {
    const char *name;
    const rt_slice
        *slice; /* its shape is what the tensor must have; what is read is dense in its own order */
    const size_t *order; /* NULL, or: dimension i of the slice is dimension order[i] of the file */
} safetensors_request;

/* The slice's values as float. Errors: RT_NOT_FOUND, RT_MISMATCH for another shape, each naming file and tensor. */
rt_status safetensors_read(const safetensors *file, const safetensors_request *request,
                           float *values, rt_error *error);

/* The same as values of `type`: bit by bit where the file has that type, else to F32 or F64 by value. `order` is NULL.
 * Errors as above, and RT_UNSUPPORTED. */
rt_status safetensors_read_as(const safetensors *file, const safetensors_request *request,
                              rt_element type, void *values, rt_error *error);

/* Compares each tensor with its checksum, where the file has checksums (those of this project do; see
 * safetensors_write.h). RT_DAMAGED names the first tensor that differs; *checked is how many had one. */
rt_status safetensors_verify(const safetensors *file, size_t *checked, rt_error *error);

/* Bytes of tables, and of mapped files. */
size_t safetensors_allocated_bytes(const safetensors *file);
size_t safetensors_mapped_bytes(const safetensors *file);

/* A checksum that does not depend on the order of writing: the sum over a tensor's bytes, eight at a time, of a mix of
 * the eight and their place. `offset` is in bytes from the tensor's begin; a part's sums add up to the whole's, also when
 * parts begin inside eight bytes. */
uint64_t safetensors_sum(const uint8_t *bytes, uint64_t offset, uint64_t size);

/* "checksum " and the tensor's name is the metadata's key, 16 hexadecimal digits the value. */
#define SAFETENSORS_SUM_KEY "checksum "

#endif
