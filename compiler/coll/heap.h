/* heap.h: the earliest of many times: a binary heap of (time, number), equal times by number. */
#ifndef ESPALIER_COLL_HEAP_H
#define ESPALIER_COLL_HEAP_H

#include "base/vec.h"
#include <stdint.h>

typedef struct heap_item {
    double time;
    int64_t number;
} heap_item;

typedef struct heap {
    arena *memory;
    VEC(heap_item) items;
} heap;

void heap_push(heap *h, double time, int64_t number);
heap_item heap_pop(heap *h); /* not from an empty heap */

#endif
