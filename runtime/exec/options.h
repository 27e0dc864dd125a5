/* options.h: the command line of a compiled plan. */
#ifndef ESPALIER_RUNTIME_EXEC_OPTIONS_H
#define ESPALIER_RUNTIME_EXEC_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

/* What the command line says of samples. */
typedef struct rt_sampling_options {
    const char *prompt, *prompt_ids; /* NULL: as the plan says */
    int64_t length;                  /* 0: as the plan says */
    double temperature, top_p;       /* -1: as the plan says */
    int64_t top_k;                   /* -1: as the plan says */
    uint64_t seed;
    bool seeded;       /* the seed is given */
    bool speed;        /* print how fast it went, on standard error */
    const char *named; /* one of these options that is given; NULL: none is */
} rt_sampling_options;

typedef struct rt_options {
    const char *metrics; /* file for one JSON object a line; NULL: none */
    const char *data;    /* folder that relative data paths start from; NULL: the plan file's */
    const char
        *weights;       /* safetensors file that the variables begin from; NULL: as the plan says */
    const char *save;   /* safetensors file for variables and gradients at the end; NULL: none */
    const char *export; /* checkpoint to be written under its published names; NULL: train */
    const char *to;     /* where to */
    uint64_t shard_bytes;    /* of tensors in a file of several; 0: one file */
    bool resume;             /* go on from a checkpoint */
    const char *resume_from; /* file or folder; NULL: the train's own folder */
    const char *checkpoints; /* folder for checkpoints; NULL: as the plan says */
    int64_t steps;           /* stop after so many steps; 0: as the plan says */
    int threads;             /* of each rank; 0: the cores divided by the ranks */
    double timeout;          /* seconds that a rank waits for another; 0: for ever */
    bool quiet;
    bool allow_nan;
    bool help;
    rt_sampling_options sampling;
} rt_options;

/* Errors: RT_INVALID, with the option named. */
rt_status rt_options_read(int argc, char **argv, rt_options *options, rt_error *error);

void rt_options_print_help(FILE *out, const char *program);

#endif
