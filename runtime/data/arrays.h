/* arrays.h: fields that are rows of arrays, for the formats that hold arrays (npy, npz, idx, safetensors).
 *
 * A format finds its arrays and describes them; reading rows, checks of shapes and the freeing are here. An array's
 * first dimension counts the samples; a sample's values come in row-major order whatever the file's order is.
 */
#ifndef ESPALIER_RUNTIME_DATA_ARRAYS_H
#define ESPALIER_RUNTIME_DATA_ARRAYS_H

#include <stdbool.h>

#include "base/element.h"
#include "base/mapping.h"
#include "base/slice.h"
#include "data/format.h"

typedef struct array_view {
    rt_element type;
    bool big_endian;
    bool fortran; /* the first dimension runs fastest */
    size_t rank;  /* at least 1 */
    uint64_t shape[RT_SLICE_MAX_RANK];
    const uint8_t *bytes;
} array_view;

/* The arrays of one opened file, one for each field. */
typedef struct array_set {
    size_t count;
    dataset_field_spec *fields;
    array_view *views;
    char **labels;                   /* "a.npz: images", for messages */
    uint64_t *rows;                  /* values a sample */
    void **buffers;                  /* allocated bytes of a view, or NULL */
    rt_mapping *maps;                /* mapped bytes of a view, or zero */
    void *owner;                     /* something else that holds bytes... */
    void (*free_owner)(void *owner); /* ...and what frees it */
    size_t allocated, mapped;
} array_set;

/* An empty set with room for the request's fields. NULL when memory is short. */
array_set *array_set_new(const dataset_request *request);
void array_set_free(array_set *set);

/* Sets label and view of a field. False when memory is short. */
bool array_set_label(array_set *set, size_t field, const char *path, const char *member);

/* Values of a view, after the checks that its shape is sane and that `size` bytes hold it exactly. */
rt_status array_view_check(const array_view *view, const char *label, uint64_t size,
                           rt_error *error);

/* Checks that all fields have the same number of samples and the sizes asked for, and gives the file. On failure the
 * set is still the caller's. */
rt_status array_set_finish(array_set *set, const dataset_request *request, dataset_file *file,
                           rt_error *error);

/* The read and close of all array formats. */
rt_status array_set_read(const dataset_file *file, uint64_t sample, size_t field, void *out,
                         rt_error *error);
void array_set_close(dataset_file *file);

#endif
