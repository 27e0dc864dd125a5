#include "exec/variables.h"

#include <stdlib.h>
#include <string.h>

#include "state/init.h"

static const struct {
    const char *name;
    init_kind kind;
    double a; /* of kinds without arguments */
    int arguments;
} kinds[] = {
    {"zeros", INIT_CONSTANT, 0, 0},    {"ones", INIT_CONSTANT, 1, 0},
    {"constant", INIT_CONSTANT, 0, 1}, {"normal", INIT_NORMAL, 0, 2},
    {"uniform", INIT_UNIFORM, 0, 2},   {"truncated_normal", INIT_TRUNCATED_NORMAL, 0, 2},
};

static rt_status spec_of(const rt_variable *variable, init_spec *spec, rt_error *error)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, variable->init) != 0)
            continue;
        spec->kind = kinds[i].kind;
        spec->a = kinds[i].arguments > 0 ? variable->init_args[0] : kinds[i].a;
        spec->b = kinds[i].arguments > 1 ? variable->init_args[1] : 0;
        return RT_OK;
    }
    return rt_fail(error, RT_UNSUPPORTED, "variable '%s': no way to begin called '%s'",
                   variable->path, variable->init);
}

rt_slice rt_tensor_slice(const rt_image *image, const rt_tensor *tensor, int rank)
{
    rt_slice slice = {.rank = (size_t)tensor->rank};
    for (int i = 0; i < tensor->rank; i++) {
        slice.shape[i] = (uint64_t)tensor->shape[i];
        slice.size[i] = (uint64_t)tensor->local[i];
        if (tensor->axes[i] >= 0)
            slice.begin[i] =
                slice.size[i] * (uint64_t)rt_image_coordinate(image, rank, tensor->axes[i]);
    }
    return slice;
}

/* Values are made in f32; a double holds each of them exactly. */
static rt_status init_double(const init_spec *spec, const init_target *target, char *out,
                             int64_t count, rt_error *error)
{
    float *values = malloc((size_t)count * sizeof *values + 1);
    if (!values)
        return rt_fail(error, RT_NO_MEMORY, "out of memory for '%s'", target->path);
    rt_status status = init_fill(spec, target, values, error);
    for (int64_t i = 0; status == RT_OK && i < count; i++) {
        double wide = (double)values[i];
        memcpy(out + (size_t)i * sizeof wide, &wide, sizeof wide);
    }
    free(values);
    return status;
}

static rt_status init_variable(const esp_context *context, const rt_variable *variable,
                               rt_error *error)
{
    const rt_tensor *t = &variable->tensor;
    init_spec spec;
    rt_status status = spec_of(variable, &spec, error);
    if (status != RT_OK)
        return status;
    char *out = context->arena + t->offset;
    if (spec.kind == INIT_CONSTANT && spec.a == 0)
        return RT_OK; /* the arena is zero, and its pages are better not touched before they are used */
    rt_slice slice = rt_tensor_slice(context->image, t, context->rank);
    init_target target = {variable->path, context->image->training.seed, &slice};
    if (t->type == RT_TYPE_F32)
        return init_fill(&spec, &target, (float *)(void *)out, error);
    if (t->type == RT_TYPE_F64)
        return init_double(&spec, &target, out, t->local_count, error);
    return rt_fail(error, RT_UNSUPPORTED, "variable '%s' of type %s can only begin with zeros",
                   variable->path, rt_type_name(t->type));
}

rt_status rt_variables_init(const esp_context *context, rt_error *error)
{
    for (int i = 0; i < context->image->variable_count; i++) {
        rt_status status = init_variable(context, &context->image->variables[i], error);
        if (status != RT_OK)
            return status;
    }
    return RT_OK;
}
