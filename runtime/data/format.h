/* format.h: what a data format gives to dataset.h. To add one, write its file and add its row to formats.c.
 *
 * A format opens one file at a time (or, when `file_per_field` is set, one file for each field at once); dataset.c
 * joins the samples of several files and knows of parts, shares and globs.
 */
#ifndef ESPALIER_RUNTIME_DATA_FORMAT_H
#define ESPALIER_RUNTIME_DATA_FORMAT_H

#include "data/dataset.h"

/* What is asked of a format. Everything in it outlives the opened file. */
typedef struct dataset_request {
    const char *path;               /* of the file; NULL when file_per_field */
    const char *const *field_paths; /* when file_per_field */
    const dataset_field_spec *fields;
    size_t field_count;
    const dataset_option *options;
    size_t option_count;
    size_t *
        field_sizes; /* in: values a sample asked for, or 0; out: what the file has, equal to what was asked */
} dataset_request;

/* What a format made of it. */
typedef struct dataset_file {
    uint64_t count; /* samples */
    size_t allocated;
    size_t mapped;
    void *state; /* the format's own */
} dataset_file;

typedef struct dataset_format {
    const char *name;
    const char *description;
    const char *const *options; /* ends with NULL */
    int file_per_field;
    /* On failure nothing is left to close; the error names the file. */
    rt_status (*open)(const dataset_request *request, dataset_file *file, rt_error *error);
    rt_status (*read)(const dataset_file *file, uint64_t sample, size_t field, void *out,
                      rt_error *error);
    void (*close)(dataset_file *file);
} dataset_format;

/* The row of a format, or NULL; dataset_format_at walks the table until NULL. */
const dataset_format *dataset_format_named(const char *name);
const dataset_format *dataset_format_at(size_t index);

/* The value of an option, or what stands for it when it is not given. */
const char *dataset_option_value(const dataset_request *request, const char *name,
                                 const char *otherwise);

/* One raw value as the field wants it. False: it is not finite, or does not fit; *reason says which. */
typedef struct dataset_place {
    const char *path;  /* file */
    const char *where; /* format of the place with the two numbers below: "line %llu column %llu" */
    unsigned long long first, second;
} dataset_place;

/* A raw number to the field's 4 bytes: scaled and checked. The place is for the error alone. */
rt_status dataset_store(const dataset_field_spec *field, double raw, const dataset_place *place,
                        void *out, rt_error *error);

/* Checks a file's values a sample against what was asked, and records them. */
rt_status dataset_settle_size(const dataset_request *request, size_t field, const char *path,
                              size_t found, rt_error *error);

extern const dataset_format csv_format;
extern const dataset_format npy_format;
extern const dataset_format npz_format;
extern const dataset_format idx_format;
extern const dataset_format safetensors_format;
extern const dataset_format bytes_format;
extern const dataset_format tokens_format;

#endif
