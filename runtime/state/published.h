/* published.h: how the tensors of a model's published files stand for the variables of a plan.
 *
 * A form names each tensor of the files and says which variables it holds: one, or several joined along their last dimension
 * (GPT-2's query, key and value are one tensor); as it lies, or turned around ([out, in] for [in, out]). `{i}` in a name
 * counts the layers of a repeat, whose variables are stacked: tensor "h.3.ln_1.weight" is slice 3 of the variable. Without a
 * form each variable is a tensor under its own path.
 *
 *     published_model model = {variables, count, &form};
 *     status = published_match(&model, file, print_problem, NULL, &error);        # everything that does not fit, one by one
 *     status = published_read(&model, file, 3, &slice, &values, &error);           # what a rank owns of variable 3
 *     status = published_write(&model, checkpoint, &(published_target){"model.safetensors", 0}, &error);
 *
 * The form has been checked when it was compiled: parts are variables, joined ones are alike but for their last dimension,
 * turned ones have two dimensions, the variables of a name with {i} are stacked.
 */
#ifndef ESPALIER_RUNTIME_PUBLISHED_H
#define ESPALIER_RUNTIME_PUBLISHED_H

#include <stdbool.h>

#include "state/safetensors.h"

enum { PUBLISHED_NAME = 1024 };

typedef struct published_variable {
    const char *path;
    size_t rank;
    uint64_t
        shape[RT_SLICE_MAX_RANK]; /* whole; that of a repeat begins with the number of layers */
    bool fresh;                   /* begins as the plan says: no tensor is read for it */
    bool optional; /* its tensor may be missing, and then it begins as the plan says */
} published_variable;

typedef struct published_tensor {
    const char *name; /* "h.{i}.attn.c_attn.weight" */
    const int *parts; /* variables */
    size_t part_count;
    bool turned; /* the file has its two dimensions the other way round */
    bool
        tied; /* a second name of what another tensor holds: may be missing, is compared, is never written */
} published_tensor;

typedef struct published_form {
    const char *name, *prefix; /* the prefix may stand before every name; NULL: none */
    const published_tensor *tensors;
    size_t tensor_count;
    const char *const *
        ignored; /* names of tensors that may be there and are not read; {i} stands for any number */
    size_t ignored_count;
} published_form;

typedef struct published_model {
    const published_variable *variables;
    size_t variable_count;
    const published_form *form; /* NULL: each variable is a tensor under its own path */
} published_model;

/* One thing that does not fit, in a line: tensors that match nothing, that are missing, that have another shape. */
typedef void published_problem_fn(void *user, const char *text);

/* Both ways, all of them. Errors: RT_MISMATCH, with their number, after each was told. */
rt_status published_match(const published_model *model, const safetensors *file,
                          published_problem_fn *tell, void *user, rt_error *error);

/* Whether tied tensors that are there hold the values of what they are tied to. RT_MISMATCH names the first that does not. */
rt_status published_check_ties(const published_model *model, const safetensors *file,
                               rt_error *error);

/* Whether the file has all of the variable. */
bool published_has(const published_model *model, const safetensors *file, size_t variable);

/* Where values go, and as what: bit by bit where the file has that type, else F32 or F64. */
typedef struct published_values {
    rt_element type;
    void *bytes;
} published_values;

/* The slice of a variable. */
rt_status published_read(const published_model *model, const safetensors *file, size_t variable,
                         const rt_slice *slice, const published_values *values, rt_error *error);

typedef struct published_target {
    const char *path; /* "model.safetensors" */
    uint64_t
        shard_bytes; /* 0: one file; else files of at most so many bytes of tensors and "PATH.index.json" */
} published_target;

/* Writes the variables that `source` holds under their own paths as the form has them, in f32. */
rt_status published_write(const published_model *model, const safetensors *source,
                          const published_target *target, rt_error *error);

/* For published_write.c: the shape of a tensor of the form, the layers that its name counts (1: none), and its name there. */
typedef struct published_shape {
    size_t rank, layers;
    uint64_t size[RT_SLICE_MAX_RANK]; /* as the file has it */
} published_shape;

size_t published_row_count(const published_model *model);
published_tensor published_row(const published_model *model, size_t row, int *own_part);
published_shape published_row_shape(const published_model *model, const published_tensor *row);
bool published_is_layered(const published_tensor *row);
bool published_name(const char *pattern, size_t layer, const char *prefix, char *name);

#endif
