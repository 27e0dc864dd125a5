/* init.h: the first values of parameters and optimizer state, the same bits on every layout.
 *
 * Value i of a logical tensor (row-major) is a function of (seed, path, i) alone, through random.h, so each rank fills
 * its slice by itself.
 *
 *     init_spec normal = {INIT_NORMAL, 0, 0.02};
 *     rt_slice half = {.rank = 2, .shape = {512, 128}, .begin = {256, 0}, .size = {256, 128}};
 *     status = init_fill(&normal, &(init_target){"mlp.w", seed, &half}, values, &error);    # rows 256 .. 511
 */
#ifndef ESPALIER_RUNTIME_INIT_H
#define ESPALIER_RUNTIME_INIT_H

#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

typedef enum init_kind {
    INIT_CONSTANT,         /* a (zeros: 0, ones: 1) */
    INIT_NORMAL,           /* mean a, standard deviation b */
    INIT_UNIFORM,          /* from a up to b */
    INIT_TRUNCATED_NORMAL, /* mean a, standard deviation b before the cut at a - 2 b and a + 2 b */
    INIT_KIND_COUNT
} init_kind;

typedef struct init_spec {
    init_kind kind;
    double a, b;
} init_spec;

/* What is filled: the path and seed name the stream of random numbers, the slice is the rank's part. */
typedef struct init_target {
    const char *path;
    uint64_t seed;
    const rt_slice *slice;
} init_target;

/* Writes rt_slice_count values. Errors: RT_INVALID for a slice outside its shape, a negative deviation, a range that
 * ends before it begins, a value that is not finite. */
rt_status init_fill(const init_spec *spec, const init_target *target, float *values,
                    rt_error *error);

#endif
