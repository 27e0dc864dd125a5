#include "exec/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/variables.h"
#include "state/safetensors.h"
#include "state/safetensors_write.h"

static const rt_variable *variable_named(const rt_image *image, const char *name)
{
    for (int i = 0; i < image->variable_count; i++) {
        if (strcmp(image->variables[i].path, name) == 0)
            return &image->variables[i];
    }
    return NULL;
}

/* Both ways: what the file has and the plan does not, and parameters that the file lacks. */
static rt_status match_names(const rt_image *image, const safetensors *file, const char *path,
                             rt_error *error)
{
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const char *name = safetensors_at(file, i)->name;
        if (!variable_named(image, name))
            return rt_fail(error, RT_MISMATCH, "%s: tensor '%s' matches no variable of the plan",
                           path, name);
    }
    for (int i = 0; i < image->variable_count; i++) {
        const rt_variable *v = &image->variables[i];
        if (v->kind == RT_PARAMETER && !safetensors_find(file, v->path))
            return rt_fail(error, RT_MISMATCH, "%s: parameter '%s' is not in the file", path,
                           v->path);
    }
    return RT_OK;
}

static rt_status read_one(const esp_context *context, const safetensors *file,
                          const rt_variable *variable, rt_error *error)
{
    const rt_tensor *t = &variable->tensor;
    rt_slice slice = rt_tensor_slice(context->image, t, context->rank);
    safetensors_request request = {.name = variable->path, .slice = &slice};
    char *out = context->arena + t->offset;
    if (t->type == RT_TYPE_F32)
        return safetensors_read(file, &request, (float *)(void *)out, error);
    if (t->type != RT_TYPE_F64)
        return rt_fail(error, RT_UNSUPPORTED, "variable '%s' of type %s is not read from a file",
                       variable->path, rt_type_name(t->type));
    float *values = malloc((size_t)t->local_count * sizeof *values + 1);
    if (!values)
        return rt_fail(error, RT_NO_MEMORY, "out of memory for '%s'", variable->path);
    rt_status status = safetensors_read(file, &request, values, error);
    for (int64_t i = 0; status == RT_OK && i < t->local_count; i++)
        ((double *)(void *)out)[i] = (double)values[i];
    free(values);
    return status;
}

rt_status rt_weights_read(const esp_context *context, const char *path, rt_error *error)
{
    const rt_image *image = context->image;
    safetensors *file;
    rt_status status = safetensors_open(path, &file, error);
    if (status != RT_OK)
        return status;
    status = match_names(image, file, path, error);
    for (int i = 0; status == RT_OK && i < image->variable_count; i++) {
        if (safetensors_find(file, image->variables[i].path))
            status = read_one(context, file, &image->variables[i], error);
    }
    safetensors_close(file);
    return status;
}

typedef struct written {
    safetensors_tensor *tensors;
    const char **bytes; /* in the arena */
    char (*names)[RT_WEIGHT_NAME];
    size_t count;
} written;

static rt_status add(written *w, const esp_context *context, const rt_variable *v, bool gradient,
                     rt_error *error)
{
    const rt_tensor *t = &v->tensor;
    safetensors_tensor *to = &w->tensors[w->count];
    for (int i = 0; i < t->rank; i++) {
        if (t->axes[i] >= 0)
            return rt_fail(error, RT_UNSUPPORTED,
                           "'--save' writes whole variables, and '%s' is split over ranks",
                           v->path);
        to->shape[i] = (uint64_t)t->shape[i];
    }
    snprintf(w->names[w->count], RT_WEIGHT_NAME, "%s%s", gradient ? "grad/" : "", v->path);
    to->name = w->names[w->count];
    to->type = t->type == RT_TYPE_F64 ? RT_F64 : RT_F32;
    to->rank = (size_t)t->rank;
    w->bytes[w->count++] = context->arena + (gradient ? v->gradient : t->offset);
    return RT_OK;
}

static rt_status gather(written *w, const esp_context *context, rt_error *error)
{
    const rt_image *image = context->image;
    rt_status status = RT_OK;
    for (int i = 0; status == RT_OK && i < image->variable_count; i++) {
        const rt_variable *v = &image->variables[i];
        if (v->tensor.type != RT_TYPE_F32 && v->tensor.type != RT_TYPE_F64)
            continue;
        status = add(w, context, v, false, error);
        if (status == RT_OK && v->gradient >= 0)
            status = add(w, context, v, true, error);
    }
    return status;
}

static rt_status write_all(const written *w, const char *path, rt_error *error)
{
    safetensors_plan plan = {.path = path, .tensors = w->tensors, .tensor_count = w->count};
    safetensors_writer *writer;
    rt_status status = safetensors_create(&plan, &writer, error);
    if (status != RT_OK)
        return status;
    for (size_t i = 0; i < w->count; i++) {
        rt_slice whole = {.rank = w->tensors[i].rank};
        memcpy(whole.shape, w->tensors[i].shape, sizeof whole.shape);
        memcpy(whole.size, w->tensors[i].shape, sizeof whole.size);
        status = safetensors_write(writer, i, &whole, w->bytes[i], error);
        if (status != RT_OK) {
            safetensors_abandon(writer);
            return status;
        }
    }
    return safetensors_finish(writer, NULL, error);
}

rt_status rt_weights_write(const esp_context *context, const char *path, rt_error *error)
{
    if (context->rank != 0)
        return RT_OK;
    size_t most = 2 * (size_t)context->image->variable_count + 1;
    written w = {calloc(most, sizeof *w.tensors), calloc(most, sizeof *w.bytes),
                 calloc(most, sizeof *w.names), 0};
    rt_status status =
        w.tensors && w.bytes && w.names
            ? gather(&w, context, error)
            : rt_fail(error, RT_NO_MEMORY, "out of memory for the list of variables");
    if (status == RT_OK)
        status = write_all(&w, path, error);
    free(w.names);
    free(w.bytes);
    free(w.tensors);
    return status;
}
