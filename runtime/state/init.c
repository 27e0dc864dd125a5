#include "state/init.h"

#include <math.h>

#include "base/random.h"

/* A range of values of one tensor. */
typedef struct value_range {
    uint64_t seed, stream, first;
    size_t count;
} value_range;

typedef void (*fill_fn)(const init_spec *spec, value_range range, float *values);

static void fill_constant(const init_spec *spec, value_range range, float *values)
{
    for (size_t i = 0; i < range.count; i++)
        values[i] = (float)spec->a;
}

static void fill_normal(const init_spec *spec, value_range range, float *values)
{
    rt_random_normal(range.seed, range.stream, range.first, values, range.count);
    for (size_t i = 0; i < range.count; i++)
        values[i] = (float)(spec->a + spec->b * (double)values[i]);
}

static void fill_uniform(const init_spec *spec, value_range range, float *values)
{
    rt_random_uniform(range.seed, range.stream, range.first, values, range.count);
    for (size_t i = 0; i < range.count; i++)
        values[i] = (float)(spec->a + (spec->b - spec->a) * (double)values[i]);
}

/* A value beyond two deviations (1 in 22) is drawn again from the next stream, at the same index. */
static void fill_truncated(const init_spec *spec, value_range range, float *values)
{
    rt_random_normal(range.seed, range.stream, range.first, values, range.count);
    for (size_t i = 0; i < range.count; i++) {
        for (uint64_t again = 1; fabsf(values[i]) > 2; again++)
            rt_random_normal(range.seed, rt_mix64(range.stream + again), range.first + i,
                             &values[i], 1);
        values[i] = (float)(spec->a + spec->b * (double)values[i]);
    }
}

static const fill_fn fills[INIT_KIND_COUNT] = {
    [INIT_CONSTANT] = fill_constant,
    [INIT_NORMAL] = fill_normal,
    [INIT_UNIFORM] = fill_uniform,
    [INIT_TRUNCATED_NORMAL] = fill_truncated,
};

static rt_status check(const init_spec *spec, const init_target *target, rt_error *error)
{
    if ((unsigned)spec->kind >= INIT_KIND_COUNT)
        return rt_fail(error, RT_INVALID, "'%s': no initialiser is numbered %d", target->path,
                       (int)spec->kind);
    bool spread = spec->kind == INIT_NORMAL || spec->kind == INIT_TRUNCATED_NORMAL;
    if (!isfinite((float)spec->a) || !isfinite((float)spec->b))
        return rt_fail(error, RT_INVALID, "'%s': initialised from %g and %g", target->path, spec->a,
                       spec->b);
    if (spread && spec->b < 0)
        return rt_fail(error, RT_INVALID, "'%s': a standard deviation of %g", target->path,
                       spec->b);
    if (spec->kind == INIT_UNIFORM && spec->b < spec->a)
        return rt_fail(error, RT_INVALID, "'%s': uniform from %g up to %g", target->path, spec->a,
                       spec->b);
    if (rt_slice_check(target->slice, error) != RT_OK)
        return rt_error_prefix(error, "'%s'", target->path);
    return RT_OK;
}

rt_status init_fill(const init_spec *spec, const init_target *target, float *values,
                    rt_error *error)
{
    rt_status status = check(spec, target, error);
    if (status != RT_OK)
        return status;
    value_range range = {.seed = target->seed, .stream = rt_hash_text(target->path)};
    rt_slice_walk walk = rt_slice_walk_of(target->slice);
    for (rt_slice_run run; rt_slice_next(&walk, &run);) {
        range.first = run.logical;
        range.count = (size_t)run.count;
        fills[spec->kind](spec, range, values + run.local);
    }
    return RT_OK;
}
