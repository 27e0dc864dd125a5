#include "coll/program.h"

#include <assert.h>
#include <string.h>

static const char *const kind_names[COLL_KIND_COUNT] = {
#define COLL_KIND_NAME(kind, name) name,
    COLL_KINDS(COLL_KIND_NAME)
#undef COLL_KIND_NAME
};

/* Chunk c of all_to_all is the data of rank c / ranks for rank c % ranks; with more than ranks * ranks chunks the
 * pattern repeats. */
static void set_owners(coll_program *p)
{
    for (int c = 0; c < p->chunks; c++) {
        p->weights[c] = 1;
        if (p->kind == COLL_ALL_TO_ALL) {
            p->home[c] = c / p->ranks % p->ranks;
            p->target[c] = c % p->ranks;
        } else {
            p->home[c] = (int32_t)((int64_t)c * p->ranks / p->chunks);
        }
    }
}

coll_program *coll_program_new(arena *a, coll_kind kind, const char *name, int ranks, int chunks)
{
    assert(ranks >= 1 && ranks <= COLL_MAX_RANKS && chunks >= 1 && chunks <= COLL_MAX_CHUNKS);
    coll_program *p = arena_make(a, coll_program);
    p->memory = a;
    p->kind = kind;
    p->name = name;
    p->ranks = ranks;
    p->chunks = chunks;
    p->weights = arena_array(a, int64_t, chunks);
    p->home = arena_array(a, int32_t, chunks);
    p->target = kind == COLL_ALL_TO_ALL ? arena_array(a, int32_t, chunks) : NULL;
    p->at = SPAN_NONE;
    vec_push(a, &p->places, (coll_place){SPAN_NONE, NULL});
    set_owners(p);
    return p;
}

void coll_program_add(coll_program *p, coll_send send)
{
    assert(p->sends.count == 0 || send.step >= vec_last(&p->sends).step);
    vec_push(p->memory, &p->sends, send);
    if (send.step >= p->steps)
        p->steps = send.step + 1;
}

int32_t coll_program_place(coll_program *p, span at, const char *line)
{
    const coll_place *last = &vec_last(&p->places);
    bool same = last->line == line && last->at.file == at.file && last->at.begin == at.begin &&
                last->at.end == at.end;
    if (!same)
        vec_push(p->memory, &p->places, (coll_place){at, line});
    return (int32_t)p->places.count - 1;
}

coll_place coll_place_of(const coll_program *p, const coll_send *send)
{
    assert(send->place >= 0 && (size_t)send->place < p->places.count);
    return p->places.items[send->place];
}

const char *coll_kind_name(coll_kind kind)
{
    assert(kind < COLL_KIND_COUNT);
    return kind_names[kind];
}

bool coll_kind_of_name(const char *name, coll_kind *kind)
{
    for (int k = 0; k < COLL_KIND_COUNT; k++) {
        if (strcmp(name, kind_names[k]) == 0) {
            *kind = (coll_kind)k;
            return true;
        }
    }
    return false;
}

bool coll_kind_reduces(coll_kind kind)
{
    return kind == COLL_ALL_REDUCE || kind == COLL_REDUCE_SCATTER || kind == COLL_REDUCE_TO_ROOT;
}

int64_t coll_total_weight(const coll_program *p)
{
    int64_t total = 0;
    for (int c = 0; c < p->chunks; c++)
        total += p->weights[c];
    return total;
}

int64_t coll_chunk_begin(const coll_program *p, int chunk, int64_t count)
{
    assert(chunk >= 0 && chunk <= p->chunks);
    int64_t before = 0;
    for (int c = 0; c < chunk; c++)
        before += p->weights[c];
    return (int64_t)((__int128)count * before / coll_total_weight(p));
}
