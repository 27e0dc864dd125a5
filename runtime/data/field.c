/* What the formats share: options, sizes, and a raw number as a field's value. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/format.h"

const char *dataset_option_value(const dataset_request *request, const char *name,
                                 const char *otherwise)
{
    for (size_t i = 0; i < request->option_count; i++)
        if (strcmp(request->options[i].name, name) == 0)
            return request->options[i].value;
    return otherwise;
}

rt_status dataset_settle_size(const dataset_request *request, size_t field, const char *path,
                              size_t found, rt_error *error)
{
    size_t asked = request->field_sizes[field];
    if (asked && asked != found)
        return rt_fail(error, RT_MISMATCH, "'%s' has %zu values a sample for '%s', which wants %zu",
                       path, found, request->fields[field].name, asked);
    request->field_sizes[field] = found;
    return RT_OK;
}

static rt_status refuse(const dataset_field_spec *field, const dataset_place *place,
                        rt_status status, const char *why, rt_error *error)
{
    char where[96];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(where, sizeof where, place->where, place->first, place->second);
#pragma GCC diagnostic pop
    return rt_fail(error, status, "'%s' %s: '%s' %s", place->path, where, field->name, why);
}

static rt_status store_id(const dataset_field_spec *field, double raw, const dataset_place *place,
                          int32_t *out, rt_error *error)
{
    char why[96];
    if (raw != floor(raw)) {
        snprintf(why, sizeof why, "is %g, not a whole number", raw);
        return refuse(field, place, RT_DAMAGED, why, error);
    }
    double bound = field->below ? (double)field->below : 0x1p31;
    if (raw < 0 || raw >= bound) {
        snprintf(why, sizeof why, "is %.0f, not in 0 to %.0f", raw, bound - 1);
        return refuse(field, place, RT_RANGE, why, error);
    }
    *out = (int32_t)raw;
    return RT_OK;
}

rt_status dataset_store(const dataset_field_spec *field, double raw, const dataset_place *place,
                        void *out, rt_error *error)
{
    if (!isfinite(raw))
        return refuse(field, place, RT_DAMAGED, "is not a finite number", error);
    if (field->type == DATASET_ID)
        return store_id(field, raw, place, out, error);
    double value = raw * (field->scale == 0 ? 1 : field->scale) + field->shift;
    float rounded = (float)((value - field->mean) / (field->deviation == 0 ? 1 : field->deviation));
    if (!isfinite(rounded))
        return refuse(field, place, RT_RANGE, "does not fit in 32 bits", error);
    memcpy(out, &rounded, sizeof rounded);
    return RT_OK;
}
