/* vec.h: growing arrays in an arena.
 *
 *     typedef VEC(int) int_vec;
 *     int_vec v = {0};
 *     vec_push(arena, &v, 7);
 *     for (size_t i = 0; i < v.count; i++) use(v.items[i]);
 *
 * A vector lives as long as its arena. `items` moves when it grows, and a copy of the vector made before is then no longer good.
 */
#ifndef ESPALIER_BASE_VEC_H
#define ESPALIER_BASE_VEC_H

#include "base/arena.h"

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count;                                                                              \
        size_t room;                                                                               \
    }

/* Makes room for one item more; for vec_push alone. */
void *vec_grow(arena *a, void *items, size_t item_size, size_t count, size_t *room);

#define vec_push(a, v, ...)                                                                        \
    do {                                                                                           \
        if ((v)->count == (v)->room)                                                               \
            (v)->items = vec_grow((a), (v)->items, sizeof *(v)->items, (v)->count, &(v)->room);    \
        (v)->items[(v)->count++] = (__VA_ARGS__);                                                  \
    } while (0)

#define vec_last(v) ((v)->items[(v)->count - 1])

#endif
