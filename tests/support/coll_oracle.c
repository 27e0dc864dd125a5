#include "support/coll_oracle.h"

#include <stdlib.h>
#include <string.h>

uint64_t oracle_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* values[chunk * ranks + rank] */
static uint64_t *start_values(const coll_program *p, uint64_t seed)
{
    size_t count = (size_t)p->ranks * (size_t)p->chunks;
    uint64_t *values = malloc(sizeof *values * count);
    for (size_t i = 0; i < count; i++)
        values[i] = oracle_random(&seed);
    return values;
}

static bool value_is_right(const coll_program *p, const uint64_t *start, const uint64_t *now,
                           int chunk, int rank)
{
    const uint64_t *own = start + (size_t)chunk * (size_t)p->ranks;
    uint64_t value = now[(size_t)chunk * (size_t)p->ranks + (size_t)rank], sum = 0;
    for (int r = 0; r < p->ranks; r++)
        sum += own[r];
    switch (p->kind) {
    case COLL_ALL_REDUCE:
        return value == sum;
    case COLL_REDUCE_SCATTER:
        return rank != p->home[chunk] || value == sum;
    case COLL_REDUCE_TO_ROOT:
        return rank != p->root || value == sum;
    case COLL_BROADCAST:
        return value == own[p->root];
    case COLL_ALL_GATHER:
        return value == own[p->home[chunk]];
    case COLL_ALL_TO_ALL:
        return rank != p->target[chunk] || value == own[p->home[chunk]];
    case COLL_KIND_COUNT:
        break;
    }
    abort();
}

static bool values_are_right(const coll_program *p, const uint64_t *start, const uint64_t *now)
{
    for (int c = 0; c < p->chunks; c++)
        for (int r = 0; r < p->ranks; r++)
            if (!value_is_right(p, start, now, c, r))
                return false;
    return true;
}

bool oracle_steps_are_right(const coll_program *p, uint64_t seed)
{
    uint64_t *start = start_values(p, seed), *now = start_values(p, seed);
    uint64_t *carried = malloc(sizeof *carried * (p->sends.count + 1));
    const coll_send *sends = p->sends.items;
    size_t ranks = (size_t)p->ranks;
    for (size_t first = 0, last; first < p->sends.count; first = last) {
        for (last = first; last < p->sends.count && sends[last].step == sends[first].step; last++)
            carried[last] = now[(size_t)sends[last].chunk * ranks + (size_t)sends[last].from];
        for (size_t i = first; i < last; i++) {
            uint64_t *place = &now[(size_t)sends[i].chunk * ranks + (size_t)sends[i].to];
            *place = sends[i].op == COLL_REDUCE ? *place + carried[i] : carried[i];
        }
    }
    bool right = values_are_right(p, start, now);
    free(start);
    free(now);
    free(carried);
    return right;
}

/* One piece of the data on its way through all ranks. */
typedef struct lane {
    uint64_t *start, *now, *scratch; /* scratch[rank * slots + slot] */
    int32_t *ready, *consumed;
    size_t *next;
} lane;

typedef struct machine {
    const coll_program *program;
    coll_rank_program **ranks;
    int slots;
    lane *lanes;
    int pieces;
} machine;

static bool blocked(const machine *m, const lane *l, int rank, const coll_instruction *i)
{
    int n = m->program->ranks;
    for (int w = 0; w < i->wait_count; w++) {
        coll_wait wait = m->ranks[rank]->waits.items[i->wait + w];
        if (l->consumed[rank * n + wait.peer] <= wait.message)
            return true;
    }
    bool pulls = i->action == COLL_RECV_REDUCE || i->action == COLL_RECV_COPY ||
                 i->action == COLL_RECV_STAGE;
    return pulls && l->ready[i->peer * n + rank] <= i->message;
}

static void carry_out(const machine *m, lane *l, int rank, const coll_instruction *i)
{
    int n = m->program->ranks;
    uint64_t *mine = &l->now[i->chunk * n + rank], theirs = l->now[i->chunk * n + i->peer];
    uint64_t *slot = i->slot >= 0 ? &l->scratch[rank * m->slots + i->slot] : NULL;
    switch (i->action) {
    case COLL_SEND:
        l->ready[rank * n + i->peer] = i->message + 1;
        return;
    case COLL_RECV_REDUCE:
        *mine += theirs;
        break;
    case COLL_RECV_COPY:
        *mine = theirs;
        break;
    case COLL_RECV_STAGE:
        *slot = theirs;
        break;
    case COLL_APPLY_REDUCE:
        *mine += *slot;
        return;
    case COLL_APPLY_COPY:
        *mine = *slot;
        return;
    }
    l->consumed[i->peer * n + rank] = i->message + 1;
}

/* Lets one rank go on in one lane by a few instructions; whether it moved. */
static bool move(const machine *m, lane *l, int rank, int most)
{
    const coll_rank_program *mine = m->ranks[rank];
    bool moved = false;
    while (most-- > 0 && l->next[rank] < mine->code.count &&
           !blocked(m, l, rank, &mine->code.items[l->next[rank]])) {
        carry_out(m, l, rank, &mine->code.items[l->next[rank]++]);
        moved = true;
    }
    return moved;
}

/* Whether all ranks reach their end, whatever the order. */
static bool run(machine *m, uint64_t *seed)
{
    int n = m->program->ranks, turns = n * m->pieces;
    for (bool moved = true; moved;) {
        moved =
            false; /* at random; when that moves nothing, all in turn, so that the end is seen */
        for (int k = 0; k < turns; k++) {
            uint64_t r = oracle_random(seed);
            moved |= move(m, &m->lanes[r / 64 % (uint64_t)m->pieces],
                          (int)((r >> 32) % (uint64_t)n), (int)(r % 4) + 1);
        }
        for (int k = 0; k < turns && !moved; k++)
            moved |= move(m, &m->lanes[k / n], k % n, 1);
    }
    for (int k = 0; k < turns; k++)
        if (m->lanes[k / n].next[k % n] < m->ranks[k % n]->code.count)
            return false;
    return true;
}

bool oracle_ranks_are_right(const coll_program *p, int pieces, uint64_t seed)
{
    arena *a = arena_new();
    machine m = {.program = p, .ranks = coll_rank_programs_of(p, a), .pieces = pieces};
    m.lanes = arena_array(a, lane, pieces);
    for (int r = 0; r < p->ranks; r++)
        m.slots = m.ranks[r]->slots > m.slots ? m.ranks[r]->slots : m.slots;
    for (int k = 0; k < pieces; k++) {
        uint64_t of_lane = oracle_random(&seed);
        m.lanes[k] = (lane){.start = start_values(p, of_lane),
                            .now = start_values(p, of_lane),
                            .scratch = arena_array(a, uint64_t, p->ranks * m.slots + 1),
                            .ready = arena_array(a, int32_t, p->ranks * p->ranks),
                            .consumed = arena_array(a, int32_t, p->ranks * p->ranks),
                            .next = arena_array(a, size_t, p->ranks)};
    }
    bool right = run(&m, &seed);
    for (int k = 0; k < pieces; k++) {
        right = right && values_are_right(p, m.lanes[k].start, m.lanes[k].now);
        free(m.lanes[k].start);
        free(m.lanes[k].now);
    }
    arena_free(a);
    return right;
}
