#include "base/vec.h"

void *vec_grow(arena *a, void *items, size_t item_size, size_t count, size_t *room)
{
    size_t wanted = *room ? *room * 2 : 4;
    void *grown = arena_grow(a, items, count * item_size, wanted * item_size);
    *room = wanted;
    return grown;
}
