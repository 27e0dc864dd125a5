/* Programs joined: chunks one after another, steps in common. */
#include "coll/fit.h"

#include <assert.h>

typedef struct joined_chunk {
    int32_t copy;
    int32_t chunk;
    int32_t home;
} joined_chunk;

static int32_t renamed(const int32_t *places, int32_t rank)
{
    return places ? places[rank] : rank;
}

/* All chunks by the rank that they belong to, else by copy. Returned: the joined number of each copy's chunks. */
static int32_t **number_chunks(const coll_program *const *programs, const int32_t *const *places,
                               int count, coll_program *joined, arena *a)
{
    int32_t **number = arena_array(a, int32_t *, count), next = 0;
    for (int i = 0; i < count; i++)
        number[i] = arena_array(a, int32_t, programs[i]->chunks);
    bool by_home = joined->kind == COLL_REDUCE_SCATTER || joined->kind == COLL_ALL_GATHER;
    for (int32_t home = 0; home < (by_home ? joined->ranks : 1); home++) {
        for (int i = 0; i < count; i++) {
            for (int32_t c = 0; c < programs[i]->chunks; c++) {
                int32_t owner = renamed(places[i], programs[i]->home[c]);
                if (by_home && owner != home)
                    continue;
                joined->home[next] = owner;
                number[i][c] = next++;
            }
        }
    }
    return number;
}

static int64_t common_weight(const coll_program *const *programs, int count)
{
    int64_t product = 1;
    for (int i = 0; i < count; i++) {
        int64_t total = coll_total_weight(programs[i]), a = product, b = total;
        while (b) {
            int64_t rest = a % b;
            a = b;
            b = rest;
        }
        product = product / a * total;
    }
    return product;
}

/* Behind those that are there; returned is the number of the first. */
static int32_t add_places(coll_program *joined, const coll_program *p)
{
    int32_t first = (int32_t)joined->places.count;
    for (size_t i = 0; i < p->places.count; i++)
        vec_push(joined->memory, &joined->places, p->places.items[i]);
    return first;
}

static void add_step(coll_program *joined, const coll_program *p, const int32_t *places,
                     const int32_t *number, int32_t first_place, size_t *next, int32_t step)
{
    for (; *next < p->sends.count && p->sends.items[*next].step == step; ++*next) {
        coll_send send = p->sends.items[*next];
        send.chunk = number[send.chunk];
        send.from = renamed(places, send.from);
        send.to = renamed(places, send.to);
        send.route_count = 0;
        send.place += first_place;
        coll_program_add(joined, send);
    }
}

coll_program *coll_side_by_side(const coll_program *const *programs, const int32_t *const *places,
                                int count, arena *a)
{
    assert(count >= 1);
    int64_t chunks = 0, whole = common_weight(programs, count);
    int32_t steps = 0;
    for (int i = 0; i < count; i++) {
        chunks += programs[i]->chunks;
        steps = programs[i]->steps > steps ? programs[i]->steps : steps;
    }
    const coll_program *first = programs[0];
    coll_program *joined = coll_program_new(a, first->kind, first->name, first->ranks, (int)chunks);
    joined->root = renamed(places[0], first->root);
    joined->at = first->at;
    joined->line = first->line;
    int32_t **number = number_chunks(programs, places, count, joined, a);
    size_t *next = arena_array(a, size_t, count);
    int32_t *first_place = arena_array(a, int32_t, count);
    for (int i = 0; i < count; i++) {
        first_place[i] = i && programs[i] == programs[i - 1] ? first_place[i - 1]
                                                             : add_places(joined, programs[i]);
    }
    for (int i = 0; i < count; i++)
        for (int32_t c = 0; c < programs[i]->chunks; c++)
            joined->weights[number[i][c]] =
                programs[i]->weights[c] * (whole / coll_total_weight(programs[i]));
    for (int32_t step = 0; step < steps; step++)
        for (int i = 0; i < count; i++)
            add_step(joined, programs[i], places[i], number[i], first_place[i], &next[i], step);
    return joined;
}
