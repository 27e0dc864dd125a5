/* image.h: the plan image, read and checked.
 *
 * The image is a JSON text in the executable (docs/internals/plan-image.md). It is read once, in the launcher, before any
 * rank is made. Nothing in it is believed: each member has its type and its range, every offset with its size lies inside
 * the arena, every index inside its table, and what is missing, of another type or unknown in kind is an error that names
 * the member. What is returned can therefore be used without further checks.
 *
 * Texts belong to the parsed JSON, which the image owns. A rank's coordinates are its number in mixed radix over the axes,
 * the first axis major.
 *
 *     rt_image image;
 *     status = rt_image_read(text, bytes, &image, &error);
 *     rt_image_clean_up(&image);
 */
#ifndef ESPALIER_RUNTIME_EXEC_IMAGE_H
#define ESPALIER_RUNTIME_EXEC_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "coll/rank_program.h"
#include "data/dataset.h"
#include "kernel/type.h"
#include "state/published.h"

enum {
    RT_MAX_AXES = 8,
    RT_MAX_SHAPE = 8,
    RT_MAX_RESULTS = 64,
    RT_MAX_RANKS = 4096,
    RT_MAX_COUNT = 1 << 20
};

typedef struct rt_axis {
    const char *name;
    int size;
} rt_axis;

/* A plan line. */
typedef struct rt_site {
    const char *file;
    int line;
} rt_site;

/* A tensor in the arena: its logical shape, and this rank's part of it. */
typedef struct rt_tensor {
    rt_type type;
    int rank; /* number of slots */
    int64_t shape[RT_MAX_SHAPE];
    int axes[RT_MAX_SHAPE];      /* mesh axis that splits the slot, or -1 */
    int64_t local[RT_MAX_SHAPE]; /* size of the slot on one rank */
    int64_t local_count;
    int64_t offset; /* bytes */
    int site;
} rt_tensor;

typedef enum rt_variable_kind { RT_PARAMETER, RT_OPTIMIZER, RT_STATE } rt_variable_kind;

typedef struct rt_variable {
    const char *path;
    rt_variable_kind kind;
    rt_tensor tensor;
    bool stacked;     /* the leading slot counts the layers of a repeat */
    int64_t gradient; /* bytes into the arena, as the tensor itself lies there; -1: none is kept */
    const char *init;
    double init_args[2];
} rt_variable;

typedef struct rt_input {
    const char *name;
    rt_tensor tensor; /* slot 0 is the batch */
    int64_t below;    /* ids: the exclusive bound; 0 for values */
} rt_input;

typedef enum rt_result_kind {
    RT_LOSS,
    RT_METRIC,
    RT_LEARNING_RATE,
    RT_GRAD_NORM,
    RT_SCORES
} rt_result_kind;

typedef struct rt_result {
    const char *name;
    rt_result_kind kind;
    rt_type type;
    int64_t offset;
    int64_t count; /* 1; of scores, how many there are */
} rt_result;

typedef struct rt_function {
    const char *name;
    rt_result *results;
    int result_count;
} rt_function;

typedef struct rt_field {
    const char *input;                 /* one of the image's inputs, by name */
    int64_t first_column, last_column; /* csv; -1 elsewhere */
    const char *array;                 /* name of a column, a member or a file; NULL elsewhere */
    const char
        *holdout_array; /* file of the held-out samples, where each field has its own; or NULL */
    double scale, shift, mean, deviation;
} rt_field;

typedef struct rt_data {
    bool given;
    const char *format;
    const char *base; /* folder that relative paths start from */
    const char **paths;
    int path_count;
    rt_field *fields;
    int field_count;
    dataset_option *options;
    int option_count;
    double holdout_share;
    const char **holdout_paths;
    int holdout_path_count;
    int site;
} rt_data;

/* Where the variables begin from: `init from "model.safetensors" except linear`. */
typedef struct rt_begin {
    const char *path; /* NULL: as they say themselves */
    const char *base; /* folder that a relative path starts from */
    bool *fresh;      /* [variables]: begins as it says itself all the same */
    int site;
} rt_begin;

typedef struct rt_training {
    int64_t batch, microbatches;
    double epochs; /* 0 when `steps` is given */
    int64_t steps; /* 0 when `epochs` is given */
    uint64_t seed;
    const char *average; /* "ema", "swa": eval reads averaged weights; NULL: the parameters */
} rt_training;

/* When state is written, and where: `folder` under `base`. */
typedef struct rt_checkpoint_clause {
    const char *folder; /* NULL: the train says no checkpoint */
    const char *base;
    int64_t every; /* 0: after the last step alone */
    bool epochs;   /* `every` counts epochs, not steps */
    int64_t keep;  /* 0: all */
    int site;
} rt_checkpoint_clause;

/* A function that takes ids: `count` of them at `ids` in the arena. */
typedef struct rt_id_function {
    int function;
    int64_t ids, count;
} rt_id_function;

/* How samples are drawn (sample.h). */
typedef struct rt_sampling {
    bool given;
    bool printed;  /* the training prints samples */
    bool text;     /* the prompt is text, not numbers */
    bool together; /* every rank takes part */
    const char *prompt;
    int64_t length;
    double temperature;
    int64_t top_k;
    double top_p;
    uint64_t seed;
    int64_t every; /* steps between samples; 0: one at the end */
    int64_t context;
    rt_id_function prefill, decode;
} rt_sampling;

typedef struct rt_collective {
    const char *kind, *name;
    int axis;
    rt_type type;
    int site, clause;
    rt_program program;
    int64_t scratch_offset, scratch_bytes; /* for programs that stage; 0 bytes: none */
} rt_collective;

/* Where the memory of the arena comes from, as `explain` prints it. */
typedef struct rt_memory {
    int64_t parameters, gradients, optimizer, cache, activations, communication, workspace;
} rt_memory;

typedef struct rt_image {
    const char *plan, *train, *model;
    const char *cpu_name;
    const char **cpu_features;
    int cpu_feature_count;
    int ranks;
    rt_axis axes[RT_MAX_AXES];
    int axis_count;
    rt_site *sites;
    int site_count;
    int64_t arena_bytes;
    rt_memory memory;
    rt_variable *variables;
    int variable_count;
    rt_input *inputs;
    int input_count;
    int64_t clock_step, clock_steps, clock_valid, clock_position,
        clock_microbatch; /* offsets of f64 scalars; -1: the plan has none */
    rt_function *functions;
    int function_count;
    int step_function, eval_function,
        accumulate_function; /* indices of functions; -1: none. No step: an executable that
                                                               samples and does nothing else */
    rt_data data;
    rt_begin begin;
    published_form weights; /* how published files call the variables; no name: as the plan does */
    rt_training training;
    rt_checkpoint_clause checkpoint;
    const char
        *source; /* what the plan was compiled from, for files that outlive it; NULL: not known */
    rt_sampling sampling;
    rt_collective *collectives;
    int collective_count;
    struct cJSON *json;
} rt_image;

/* Errors: RT_DAMAGED with the member's place ("variables[3].offset"), RT_UNSUPPORTED, RT_NO_MEMORY. On an error nothing is
 * left to clean up. */
rt_status rt_image_read(const char *json, size_t bytes, rt_image *image, rt_error *error);
void rt_image_clean_up(rt_image *image);

/* image_weights.c: `begin` and `weights` of an image whose variables have been read; frees them. */
struct rt_reader;
struct rt_place;
void rt_image_read_weights(rt_image *image, struct rt_reader *reader, const struct rt_place *root);
void rt_image_free_weights(rt_image *image);

/* Samples that are computed at once: the batch, or the part of it that a microbatch is. */
int64_t rt_image_microbatch(const rt_image *image);

/* The coordinate of a rank on an axis, and the ranks of the group that differ from it on that axis alone. */
int rt_image_coordinate(const rt_image *image, int rank, int axis);
int rt_image_group_rank(const rt_image *image, int rank, int axis, int member);

/* "digits.plan:12" of a site; "?" for -1. */
const char *rt_image_place(const rt_image *image, int site, char *text, size_t bytes);

#endif
