#include "exec/initial.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "exec/variables.h"
#include "exec/weights.h"

enum { MOST_PROBLEMS = 200 };

static void print_problem(void *user, const char *words)
{
    size_t *count = user;
    if ((*count)++ < MOST_PROBLEMS)
        rt_log_error("%s", words);
}

/* The plan's variables as published.h has them. Those of the optimizer are not read from files of weights. */
static published_variable *variables_of(const rt_image *image)
{
    published_variable *all = calloc((size_t)image->variable_count + 1, sizeof *all);
    for (int i = 0; all && i < image->variable_count; i++) {
        const rt_variable *v = &image->variables[i];
        all[i] = (published_variable){.path = v->path,
                                      .rank = (size_t)v->tensor.rank,
                                      .fresh = v->kind == RT_OPTIMIZER,
                                      .optional = v->kind == RT_STATE};
        for (int k = 0; k < v->tensor.rank; k++)
            all[i].shape[k] = (uint64_t)v->tensor.shape[k];
    }
    return all;
}

static rt_status make_model(const rt_image *image, rt_initial *initial, rt_error *error)
{
    initial->variables = variables_of(image);
    if (!initial->variables)
        return rt_fail(error, RT_NO_MEMORY, "out of memory for the list of variables");
    initial->model = (published_model){initial->variables, (size_t)image->variable_count,
                                       image->weights.name ? &image->weights : NULL};
    return RT_OK;
}

/* The file that the plan names, or the one of the command line; NULL: none. */
static const char *path_of(const rt_image *image, const rt_options *options, char *room)
{
    const char *path = image->begin.path;
    if (options->weights || !path || path[0] == '/')
        return options->weights ? options->weights : path;
    snprintf(room, PATH_MAX, "%s/%s", options->data ? options->data : image->begin.base, path);
    return room;
}

/* What Espalier wrote is under the plan's own names, whatever published files call them, and is all of it. */
static void take_own(const rt_image *image, rt_initial *initial)
{
    initial->model.form = NULL;
    for (int i = 0; i < image->variable_count; i++)
        initial->variables[i].fresh = image->variables[i].kind == RT_OPTIMIZER;
}

static rt_status open_and_match(const rt_image *image, rt_initial *initial, const char *path,
                                rt_error *error)
{
    size_t problems = 0;
    rt_status status = safetensors_open(path, &initial->file, error);
    if (status != RT_OK)
        return status;
    if (safetensors_metadata(initial->file, RT_WEIGHTS_SOURCE))
        take_own(image, initial);
    status = published_match(&initial->model, initial->file, print_problem, &problems, error);
    if (problems > MOST_PROBLEMS)
        rt_log_error("and %zu more", problems - MOST_PROBLEMS);
    if (status == RT_OK)
        status = published_check_ties(&initial->model, initial->file, error);
    return status == RT_OK ? RT_OK : rt_error_prefix(error, "%s", path);
}

rt_status rt_initial_open(const rt_image *image, const rt_options *options, rt_initial *initial,
                          rt_error *error)
{
    char room[PATH_MAX], place[512];
    const char *path = path_of(image, options, room);
    *initial = (rt_initial){0};
    if (!path)
        return RT_OK;
    rt_status status = make_model(image, initial, error);
    for (int i = 0; status == RT_OK && image->begin.fresh && i < image->variable_count; i++)
        initial->variables[i].fresh |= image->begin.fresh[i];
    if (status == RT_OK)
        status = open_and_match(image, initial, path, error);
    if (status == RT_OK)
        return RT_OK;
    if (!options->weights)
        rt_error_prefix(error, "weights at %s",
                        rt_image_place(image, image->begin.site, place, sizeof place));
    rt_initial_close(initial);
    return status;
}

void rt_initial_close(rt_initial *initial)
{
    safetensors_close(initial->file);
    free(initial->variables);
    *initial = (rt_initial){0};
}

static rt_status read_one(const esp_context *context, const rt_initial *initial, int variable,
                          rt_error *error)
{
    const rt_tensor *t = &context->image->variables[variable].tensor;
    rt_slice slice = rt_tensor_slice(context->image, t, context->rank);
    published_values values = {rt_weights_element(t->type), context->arena + t->offset};
    return published_read(&initial->model, initial->file, (size_t)variable, &slice, &values, error);
}

rt_status rt_initial_read(const esp_context *context, const rt_initial *initial, rt_error *error)
{
    rt_status status = RT_OK;
    for (int i = 0; initial->file && status == RT_OK && i < context->image->variable_count; i++) {
        if (!initial->variables[i].fresh &&
            published_has(&initial->model, initial->file, (size_t)i))
            status = read_one(context, initial, i, error);
    }
    return status;
}

rt_status rt_initial_export(const rt_image *image, const rt_options *options, rt_error *error)
{
    rt_initial initial = {0};
    safetensors *checkpoint = NULL;
    published_target target = {options->to, options->shard_bytes};
    rt_status status = make_model(image, &initial, error);
    if (status == RT_OK)
        status = safetensors_open(options->export, &checkpoint, error);
    if (status == RT_OK)
        status = published_write(&initial.model, checkpoint, &target, error);
    safetensors_close(checkpoint);
    rt_initial_close(&initial);
    return status;
}
