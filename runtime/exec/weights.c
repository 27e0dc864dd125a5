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

/* Both ways: what the file has and the plan does not, and parameters (or all variables) that the file lacks. */
static rt_status match_names(const rt_image *image, const safetensors *file, bool all,
                             rt_error *error)
{
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const safetensors_entry *entry = safetensors_at(file, i);
        if (!variable_named(image, entry->name))
            return rt_fail(error, RT_MISMATCH, "%s: tensor '%s' matches no variable of the plan",
                           entry->path, entry->name);
    }
    for (int i = 0; i < image->variable_count; i++) {
        const rt_variable *v = &image->variables[i];
        if ((all || v->kind == RT_PARAMETER) && !safetensors_find(file, v->path))
            return rt_fail(error, RT_MISMATCH, "%s '%s' is not in the file",
                           v->kind == RT_PARAMETER ? "parameter" : "variable", v->path);
    }
    return RT_OK;
}

rt_element rt_weights_element(rt_type type)
{
    static const rt_element elements[RT_TYPE_COUNT] = {[RT_TYPE_F32] = RT_F32,
                                                       [RT_TYPE_F64] = RT_F64,
                                                       [RT_TYPE_BF16] = RT_BF16,
                                                       [RT_TYPE_I32] = RT_I32,
                                                       [RT_TYPE_BOOL] = RT_BOOL};
    return elements[type];
}

rt_status rt_weights_take(const esp_context *context, const safetensors *file, bool all,
                          rt_error *error)
{
    const rt_image *image = context->image;
    rt_status status = match_names(image, file, all, error);
    for (int i = 0; status == RT_OK && i < image->variable_count; i++) {
        const rt_variable *v = &image->variables[i];
        if (!safetensors_find(file, v->path))
            continue;
        rt_slice slice = rt_tensor_slice(image, &v->tensor, context->rank);
        safetensors_request request = {.name = v->path, .slice = &slice};
        status = safetensors_read_as(file, &request, rt_weights_element(v->tensor.type),
                                     context->arena + v->tensor.offset, error);
    }
    return status;
}

/* A tensor of the file, and where its values lie in an arena. */
typedef struct source {
    const rt_tensor *tensor;
    int64_t offset;
} source;

typedef struct written {
    safetensors_tensor *tensors;
    source *sources;
    char (*names)[RT_WEIGHT_NAME];
    size_t count;
} written;

static void add(written *w, const rt_variable *v, bool gradient)
{
    const rt_tensor *t = &v->tensor;
    safetensors_tensor *to = &w->tensors[w->count];
    for (int i = 0; i < t->rank; i++)
        to->shape[i] = (uint64_t)t->shape[i];
    snprintf(w->names[w->count], RT_WEIGHT_NAME, "%s%s", gradient ? "grad/" : "", v->path);
    to->name = w->names[w->count];
    to->type = rt_weights_element(t->type);
    to->rank = (size_t)t->rank;
    w->sources[w->count++] = (source){t, gradient ? v->gradient : t->offset};
}

static rt_status list_all(written *w, const rt_image *image, bool gradients, rt_error *error)
{
    size_t most = 2 * (size_t)image->variable_count + 1;
    *w = (written){calloc(most, sizeof *w->tensors), calloc(most, sizeof *w->sources),
                   calloc(most, sizeof *w->names), 0};
    if (!w->tensors || !w->sources || !w->names)
        return rt_fail(error, RT_NO_MEMORY, "out of memory for the list of variables");
    for (int i = 0; i < image->variable_count; i++) {
        add(w, &image->variables[i], false);
        if (gradients && image->variables[i].gradient >= 0)
            add(w, &image->variables[i], true);
    }
    return RT_OK;
}

static bool is_split_over(const rt_tensor *tensor, int axis)
{
    for (int i = 0; i < tensor->rank; i++)
        if (tensor->axes[i] == axis)
            return true;
    return false;
}

/* Of the ranks that hold the same part, the one whose coordinates are the smallest. */
static bool is_owner(const rt_image *image, const rt_tensor *tensor, int rank)
{
    for (int a = 0; a < image->axis_count; a++)
        if (!is_split_over(tensor, a) && rt_image_coordinate(image, rank, a) != 0)
            return false;
    return true;
}

static rt_status write_tensor(const esp_context *context, safetensors_writer *writer, size_t number,
                              const source *from, rt_error *error)
{
    rt_status status = RT_OK;
    for (int r = 0; status == RT_OK && r < context->image->ranks; r++) {
        if (!is_owner(context->image, from->tensor, r))
            continue;
        rt_slice slice = rt_tensor_slice(context->image, from->tensor, r);
        status = safetensors_write(writer, number, &slice,
                                   context->control->arenas[r] + from->offset, error);
    }
    return status;
}

static rt_status create(const esp_context *context, const written *w, const rt_weights_file *file,
                        safetensors_writer **writer, rt_error *error)
{
    const char *plan_source = context->image->source;
    safetensors_text texts[RT_WEIGHT_TEXTS + 1] = {
        {.key = RT_WEIGHTS_SOURCE, .value = plan_source ? plan_source : ""}};
    memcpy(texts + 1, file->texts, file->text_count * sizeof *texts);
    size_t skip = plan_source ? 0 : 1;
    safetensors_plan plan = {.path = file->path,
                             .tensors = w->tensors,
                             .tensor_count = w->count,
                             .metadata = texts + skip,
                             .metadata_count = file->text_count + 1 - skip};
    rt_status status = safetensors_create(&plan, writer, error);
    for (size_t i = 0; status == RT_OK && i < w->count; i++) {
        status = write_tensor(context, *writer, i, &w->sources[i], error);
        if (status != RT_OK)
            safetensors_abandon(*writer);
    }
    return status;
}

rt_status rt_weights_begin(const esp_context *context, const rt_weights_file *file,
                           safetensors_writer **writer, rt_error *error)
{
    written w;
    rt_status status = list_all(&w, context->image, file->gradients, error);
    if (status == RT_OK)
        status = create(context, &w, file, writer, error);
    free(w.names);
    free(w.sources);
    free(w.tensors);
    return status;
}

rt_status rt_weights_meet(const esp_context *context, rt_error *error)
{
    bool split = false;
    for (int i = 0; i < context->image->variable_count; i++)
        for (int a = 0; a < context->image->axis_count; a++)
            split = split || is_split_over(&context->image->variables[i].tensor, a);
    if (!split)
        return RT_OK;
    double timeout = (double)context->shared.base.deadline * 1e-9;
    return rt_control_meet(context->control, context->rank, timeout, error);
}

rt_status rt_weights_write(const esp_context *context, const char *path, rt_error *error)
{
    rt_status status = rt_weights_meet(context, error);
    if (status == RT_OK && context->rank == 0) {
        rt_weights_file file = {.path = path, .gradients = true};
        safetensors_writer *writer;
        status = rt_weights_begin(context, &file, &writer, error);
        if (status == RT_OK)
            status = safetensors_finish(writer, NULL, error);
    }
    return status == RT_OK ? rt_weights_meet(context, error) : status;
}
