#include "base/slice.h"

static const uint64_t MOST_VALUES = UINT64_C(1) << 62;

bool rt_count_values(size_t rank, const uint64_t *shape, uint64_t *count)
{
    /* A size of 0 makes the count 0, whatever the others would multiply to. */
    for (size_t i = 0; i < rank; i++)
        if (shape[i] == 0) {
            *count = 0;
            return true;
        }
    *count = 1;
    for (size_t i = 0; i < rank; i++) {
        if (shape[i] > MOST_VALUES / *count)
            return false;
        *count *= shape[i];
    }
    return true;
}

rt_slice rt_slice_whole(size_t rank, const uint64_t *shape)
{
    rt_slice slice = {.rank = rank};
    for (size_t i = 0; i < rank && i < RT_SLICE_MAX_RANK; i++)
        slice.shape[i] = slice.size[i] = shape[i];
    return slice;
}

rt_status rt_slice_check(const rt_slice *slice, rt_error *error)
{
    if (slice->rank > RT_SLICE_MAX_RANK)
        return rt_fail(error, RT_INVALID, "a tensor of %zu dimensions; %d is the most", slice->rank,
                       (int)RT_SLICE_MAX_RANK);
    for (size_t i = 0; i < slice->rank; i++)
        if (slice->begin[i] > slice->shape[i] || slice->size[i] > slice->shape[i] - slice->begin[i])
            return rt_fail(error, RT_INVALID, "dimension %zu of %llu has no part from %llu of %llu",
                           i, (unsigned long long)slice->shape[i],
                           (unsigned long long)slice->begin[i], (unsigned long long)slice->size[i]);
    uint64_t count;
    if (!rt_count_values(slice->rank, slice->shape, &count))
        return rt_fail(error, RT_INVALID, "a tensor of more than 2^62 values");
    return RT_OK;
}

static uint64_t product(size_t rank, const uint64_t *sizes)
{
    uint64_t count = 0;
    return rt_count_values(rank, sizes, &count) ? count : 0;
}

uint64_t rt_slice_count(const rt_slice *slice)
{
    return product(slice->rank, slice->size);
}

uint64_t rt_slice_logical_count(const rt_slice *slice)
{
    return product(slice->rank, slice->shape);
}

rt_slice_walk rt_slice_walk_of(const rt_slice *slice)
{
    rt_slice_walk walk = {
        .slice = slice, .outer = slice->rank, .run = 1, .total = rt_slice_count(slice)};
    while (walk.outer) {
        size_t inner = --walk.outer;
        walk.run *= slice->size[inner];
        if (slice->size[inner] != slice->shape[inner])
            break;
    }
    return walk;
}

static void advance(rt_slice_walk *walk)
{
    for (size_t i = walk->outer; i-- > 0;) {
        if (++walk->position[i] < walk->slice->size[i])
            return;
        walk->position[i] = 0;
    }
}

bool rt_slice_next(rt_slice_walk *walk, rt_slice_run *run)
{
    if (walk->local >= walk->total)
        return false;
    const rt_slice *slice = walk->slice;
    uint64_t logical = 0;
    for (size_t i = 0; i < slice->rank; i++)
        logical =
            logical * slice->shape[i] + slice->begin[i] + (i < walk->outer ? walk->position[i] : 0);
    *run = (rt_slice_run){.logical = logical, .local = walk->local, .count = walk->run};
    walk->local += walk->run;
    advance(walk);
    return true;
}
