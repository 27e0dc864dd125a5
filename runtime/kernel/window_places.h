/* window_places.h: index arithmetic of windows, as three spatial dimensions whatever the shape has. */
#ifndef ESPALIER_RUNTIME_KERNEL_WINDOW_PLACES_H
#define ESPALIER_RUNTIME_KERNEL_WINDOW_PLACES_H

#include <stdbool.h>

#include "espalier/abi.h"

typedef struct window_places {
    int64_t size[3], result[3], window[3], stride[3], pad[3], dilation[3];
    int64_t inputs, results, taps; /* elements of a channel of x, of y, and of a window */
    int64_t in_group, out_group;   /* channels of a group */
    int64_t depth;                 /* in_group * taps: what an output element sums over */
} window_places;

window_places window_places_of(const esp_window *shape);

/* A run of output positions in one row, and where their inputs lie for one tap of the window. */
typedef struct window_run {
    int64_t count;       /* positions */
    int64_t first, last; /* of them that have an input: first <= i < last */
    int64_t input;       /* of position `first`, within its channel; the next is `step` further */
    int64_t step;
} window_run;

/* The run that begins at output position `position` (of at most `count`), for tap `tap`. */
window_run window_run_of(const window_places *p, int64_t tap, int64_t position, int64_t count);

#endif
