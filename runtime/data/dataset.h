/* dataset.h: samples from files, each a fixed number of values in each of a few fields.
 *
 * A spec names a format, its files and the fields (the model's inputs); opening it checks the files as far as that is
 * cheap and gives a dataset of two parts, one to train on and one held out. After that reading is a pure function of
 * (part, sample, field), safe from several threads, and allocates nothing.
 *
 *     dataset_field_spec fields[] = {
 *         {.name = "image", .source = "0..63", .type = DATASET_F32, .size = 64, .scale = 1.0 / 16},
 *         {.name = "digit", .source = "64", .type = DATASET_ID, .size = 1, .below = 10},
 *     };
 *     dataset_spec spec = {.format = "csv", .paths = (const char *[]){"digits.csv"}, .path_count = 1,
 *                          .fields = fields, .field_count = 2, .hold_out = 0.2, .seed = 7};
 *     status = dataset_open(&spec, &set, &error);
 *     status = dataset_read(set, DATASET_TRAIN, 0, 0, image, &error);       # 64 floats
 *     dataset_close(set);
 *
 * A dataset is a row of the table in formats.c and a file; format.h says what a format gives.
 * Values: a field of f32 is raw * scale + shift, then (that - mean) / std, computed in double and rounded once. A field
 * of ids is int32 and each value is checked against 0 <= id < below; the error names the file and the place.
 */
#ifndef ESPALIER_RUNTIME_DATASET_H
#define ESPALIER_RUNTIME_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef enum dataset_type {
    DATASET_F32,
    DATASET_ID
} dataset_type; /* float, int32_t: 4 bytes each */
typedef enum dataset_part { DATASET_TRAIN, DATASET_HELD_OUT, DATASET_PART_COUNT } dataset_part;

enum { DATASET_VALUE_BYTES = 4 };

typedef struct dataset_field_spec {
    const char *name;   /* the input's name, for messages */
    const char *source; /* what of the file; each format says what this means and what NULL means */
    const char *
        held_out_source; /* formats with a file for each field: the file of the held-out part, or NULL */
    dataset_type type;
    size_t size;   /* values a sample; 0: whatever the file has, see dataset_field_size */
    int64_t below; /* DATASET_ID: the bound; 0: any id that fits */
    double scale;  /* 0 stands for 1 */
    double shift;
    double mean;
    double deviation; /* 0 stands for 1 */
} dataset_field_spec;

typedef struct dataset_option {
    const char *name;
    const char *value;
} dataset_option;

typedef struct dataset_spec {
    const char *format;
    const char *folder; /* paths that are not absolute are under it; NULL: the working folder */
    /* Where each field has its own file, only their sources may stand in `paths`. */
    const char *const
        *paths; /* globs allowed; files are taken in the order of their names within a glob */
    size_t path_count;
    const char *const
        *held_out_paths; /* a hold-out by file; files that `paths` matches too are held out */
    size_t held_out_path_count;
    const dataset_field_spec *fields;
    size_t field_count;
    const dataset_option *options; /* what the format's row lists; another name is RT_INVALID */
    size_t option_count;
    double
        hold_out; /* a hold-out by share, 0 <= share < 1: round(share * count) samples, see order.h */
    uint64_t seed; /* of the hold-out */
} dataset_spec;

typedef struct dataset dataset;

/* Nothing of the spec is kept by reference. Errors: RT_INVALID (unknown format or option, share that leaves a part
 * empty), RT_NOT_FOUND (no file, no such column or tensor), RT_DAMAGED, RT_MISMATCH (sizes), RT_RANGE, RT_NO_MEMORY.
 * A failed open leaves *set NULL. */
rt_status dataset_open(const dataset_spec *spec, dataset **set, rt_error *error);
void dataset_close(dataset *set);

/* Samples of a part; 0 held out when nothing is. */
uint64_t dataset_count(const dataset *set, dataset_part part);

/* Values of a field in one sample. */
size_t dataset_field_size(const dataset *set, size_t field);
size_t dataset_field_count(const dataset *set);

/* Writes field_size values of 4 bytes. Errors: RT_RANGE for an id, RT_DAMAGED for a value that is not finite, RT_INVALID
 * for a sample or field that is not there. */
rt_status dataset_read(const dataset *set, dataset_part part, uint64_t sample, size_t field,
                       void *out, rt_error *error);

/* Bytes that the dataset holds: allocated by it, and mapped from files (shared with other processes). */
size_t dataset_allocated_bytes(const dataset *set);
size_t dataset_mapped_bytes(const dataset *set);

#endif
