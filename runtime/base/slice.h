/* slice.h: a rank's part of a logical tensor: for each dimension where it begins and how long it is.
 *
 * A slice is stored densely in row-major order, and so is the logical tensor that it is part of. The walk visits the
 * longest runs that are contiguous in both, in order:
 *
 *     rt_slice slice = {.rank = 2, .shape = {6, 4}, .begin = {2, 0}, .size = {2, 4}};
 *     rt_slice_walk walk = rt_slice_walk_of(&slice);
 *     for (rt_slice_run run; rt_slice_next(&walk, &run);)
 *         copy run.count values from logical + run.logical to local + run.local;
 */
#ifndef ESPALIER_RUNTIME_SLICE_H
#define ESPALIER_RUNTIME_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { RT_SLICE_MAX_RANK = 8 };

typedef struct rt_slice {
    size_t rank;                       /* 0 is a scalar */
    uint64_t shape[RT_SLICE_MAX_RANK]; /* of the logical tensor */
    uint64_t begin[RT_SLICE_MAX_RANK];
    uint64_t size[RT_SLICE_MAX_RANK];
} rt_slice;

typedef struct rt_slice_run {
    uint64_t logical; /* index of the first value in the logical tensor */
    uint64_t local;   /* and in the slice */
    uint64_t count;
} rt_slice_run;

typedef struct rt_slice_walk {
    const rt_slice *slice;
    size_t outer; /* dimensions before the one that runs lie in */
    uint64_t run; /* values in a run */
    uint64_t position[RT_SLICE_MAX_RANK];
    uint64_t local;
    uint64_t total;
} rt_slice_walk;

/* The slice that is the whole tensor. */
rt_slice rt_slice_whole(size_t rank, const uint64_t *shape);

/* RT_INVALID unless the slice lies in its shape and the number of values fits in 62 bits. */
rt_status rt_slice_check(const rt_slice *slice, rt_error *error);

/* Values in the slice, and in the logical tensor. */
uint64_t rt_slice_count(const rt_slice *slice);
uint64_t rt_slice_logical_count(const rt_slice *slice);

/* A walk over a slice that has passed the check; the slice must outlive it. */
rt_slice_walk rt_slice_walk_of(const rt_slice *slice);
bool rt_slice_next(rt_slice_walk *walk, rt_slice_run *run);

/* The product of the sizes. False when it does not fit in 62 bits. */
bool rt_count_values(size_t rank, const uint64_t *shape, uint64_t *count);

#endif
