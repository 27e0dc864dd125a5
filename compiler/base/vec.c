#include "base/vec.h"

#include <string.h>

void *vec_grow(arena *a, void *items, size_t item_size, size_t count, size_t *room)
{
    size_t wanted = *room ? *room * 2 : 8;
    void *grown = arena_alloc(a, wanted * item_size);
    if (count)
        memcpy(grown, items, count * item_size);
    *room = wanted;
    return grown;
}
