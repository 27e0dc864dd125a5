/* training.h: a plan, its train and its data, with everything resolved: what sema hands to the passes beside the graph.
 *
 * sema fills it from the `train`, `cluster` and `plan` blocks; no pass sees the AST. Spans are kept so that every later
 * diagnostic, form and trace names its plan line.
 */
#ifndef ESPALIER_GRAPH_TRAINING_H
#define ESPALIER_GRAPH_TRAINING_H

#include "graph/graph.h"

struct coll_program;
struct link_graph;

/* `split B over dp`. */
typedef struct training_split {
    atom dim; /* every dimension of this name */
    int axis;
    span at;
} training_split;

/* `reduce grad over dp by ring`, with the topology evaluated for the axis's ranks and proved. */
typedef struct training_reduce {
    int axis;
    atom topology;
    const struct coll_program *program; /* NULL under a one-rank axis */
    const char *
        weighed; /* by auto: which topology is the cheapest from which size on, a line each; else NULL */
    span at;
} training_reduce;

/* One field of the samples: an `input` of the model and where the data has it. */
typedef struct training_field {
    atom input;
    graph_type type;                   /* the batch dimension first */
    int64_t below;                     /* ids: the exclusive bound; 0 for values */
    int64_t first_column, last_column; /* csv; -1 elsewhere */
    atom array;                        /* name of the array in npz, safetensors; NULL elsewhere */
    double scale, shift, mean, deviation; /* value = (raw * scale + shift - mean) / deviation */
    atom holdout_array;                   /* npy, idx: the file of the held-out samples, or NULL */
    span at;
} training_field;

/* What a format is told beside paths and fields: `delimiter = ";"`. */
typedef struct training_option {
    atom name, value;
} training_option;

typedef struct training_data {
    atom format;     /* "csv", "npy", "npz", "idx", "safetensors", "bytes", "tokens" */
    VEC(atom) paths; /* as written; globs allowed; relative to `base` */
    atom base;       /* the folder of the plan file, absolute */
    VEC(training_field) fields;
    VEC(training_option) options;
    double holdout_share; /* 0..1 */
    VEC(atom) holdout_paths;
    span at;
} training_data;

/* `checkpoint every 1000 steps to "ckpt", keep 3`. */
typedef struct training_checkpoint {
    int64_t every; /* 0: after the last step alone */
    bool epochs;   /* `every` counts epochs, not steps */
    int64_t keep;  /* 0: all */
    atom folder;   /* as written, relative to `base`; NULL: the train says no checkpoint */
    atom base;     /* the folder of the plan file, absolute */
    span at;
} training_checkpoint;

/* `sample "The licence" length 200, temperature 0.8, top_k 40, seed 1`. */
typedef struct training_sampling {
    bool wanted;        /* the graph has functions that give scores of the next id */
    bool printed;       /* the training prints a sample */
    bool text;          /* ids are bytes */
    atom prompt;        /* bytes, or ids as "464 3290"; NULL: none */
    int64_t length;     /* ids that are drawn */
    double temperature; /* 0: the largest score */
    int64_t top_k;      /* 0: all */
    double top_p;       /* 1: all */
    uint64_t seed;
    int64_t every;        /* steps between samples; 0: one at the end */
    int64_t context;      /* positions that are kept; 0: as many as the model trains on */
    int64_t chunk;        /* ids that `prefill` takes */
    int64_t classes;      /* ids that there are */
    atom prefill, decode; /* their inputs */
    span at;
} training_sampling;

/* One tensor of a model's published files: variables joined along their last dimension, or turned around. */
typedef struct training_tensor {
    atom name;      /* "h.{i}.attn.c_attn.weight"; {i} counts the layers of a repeat */
    VEC(int) parts; /* variables of the graph */
    bool turned;    /* the file has its two dimensions the other way round */
    bool tied;      /* a second name of what another tensor holds */
    span at;
} training_tensor;

/* A `weights` block, on the variables of one graph. */
typedef struct training_weights {
    atom form;   /* the block's name */
    atom prefix; /* what may stand before every name; NULL: nothing */
    VEC(training_tensor) tensors;
    VEC(atom) ignored;
} training_weights;

/* `init from "model.safetensors" as gpt2 except linear`. */
typedef struct training_begin {
    atom path;      /* NULL: the variables begin as they say themselves */
    atom base;      /* the folder of the plan file, absolute */
    VEC(int) fresh; /* variables that begin as they say all the same */
    span at;
} training_begin;

/* `average ema(decay = 0.999)`, `average swa(from = 1000, every = 100)`. */
typedef struct training_average {
    atom name;     /* "ema", "swa"; NULL: none */
    bool mean;     /* swa: all that is taken in counts alike */
    double decay;  /* ema */
    int64_t from;  /* the first step whose parameters are taken in */
    int64_t every; /* and then one in so many */
    span at;
} training_average;

typedef struct training {
    atom plan, train, model; /* names */
    span plan_at, train_at;
    VEC(graph_axis) mesh; /* major first; empty: one rank */
    VEC(training_split) splits;
    VEC(training_reduce) reduces;
    const struct link_graph *links; /* the cluster's; NULL when the plan does not need it */
    training_data data;
    training_begin begin;
    const training_weights *weights; /* NULL: tensors of files are called as the variables are */
    dtype precision;                 /* DTYPE_F32, or DTYPE_F64 under `precision f64` */
    int64_t batch;
    int64_t microbatches; /* 1 unless said */
    double epochs;        /* 0 when `steps` is given */
    int64_t steps;        /* 0 when `epochs` is given */
    uint64_t seed;
    double clip; /* 0: none */
    training_checkpoint checkpoint;
    training_average average;
    const char
        *source; /* what the plan is compiled from, for files that outlive a run; NULL: not known */
    int64_t memory_limit; /* bytes of one device of the cluster; 0: not declared */
    span memory_at;
    int64_t required_memory; /* `require memory <= X`; 0: none */
    span required_at;
    bool deterministic;
    training_sampling sampling;
} training;

#endif
