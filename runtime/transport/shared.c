#include "transport/shared.h"

#include <sys/mman.h>

static rt_shared *of(rt_transport *t)
{
    return (rt_shared *)t;
}

static rt_tally *mine(rt_transport *t, rt_message m)
{
    return rt_board_tally(of(t)->board, t->rank, m.peer, m.lane);
}

static rt_tally *theirs(rt_transport *t, rt_message m)
{
    return rt_board_tally(of(t)->board, m.peer, t->rank, m.lane);
}

/* Counters go round after 2^32 messages; two that are compared are never half of that apart. */
static bool reached(_Atomic uint32_t *counter, uint32_t number)
{
    return (int32_t)(atomic_load_explicit(counter, memory_order_acquire) - number) > 0;
}

static void shared_release(rt_transport *t, rt_message m, const void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    atomic_store_explicit(&mine(t, m)->released, m.number + 1, memory_order_release);
    rt_board_ring(of(t)->board, m.peer);
}

static const void *shared_arrived(rt_transport *t, rt_message m, const void *place, size_t bytes)
{
    (void)bytes;
    if (!reached(&theirs(t, m)->released, m.number))
        return NULL;
    return of(t)->arenas[m.peer] + ((const char *)place - of(t)->arenas[t->rank]);
}

static void let_go(rt_shared *shared)
{
    for (int r = 0; r < shared->base.ranks; r++)
        if (r != shared->base.rank)
            madvise(shared->arenas[r], shared->arena_bytes, MADV_DONTNEED);
    shared->mapped = 0;
}

static void shared_finish(rt_transport *t, rt_message m, size_t bytes)
{
    rt_shared *shared = of(t);
    atomic_store_explicit(&mine(t, m)->finished, m.number + 1, memory_order_release);
    rt_board_ring(shared->board, m.peer);
    shared->mapped += bytes;
    if (shared->mapped_limit > 0 && shared->mapped > shared->mapped_limit)
        let_go(shared);
}

static bool shared_consumed(rt_transport *t, rt_message m)
{
    return reached(&theirs(t, m)->finished, m.number);
}

static uint32_t shared_arm(rt_transport *t)
{
    return rt_board_arm(of(t)->board, t->rank);
}

static void shared_sleep(rt_transport *t, uint32_t armed, int64_t nanoseconds)
{
    rt_board_sleep(of(t)->board, t->rank, armed, nanoseconds);
}

static bool shared_stopped(rt_transport *t)
{
    return rt_board_stopped(of(t)->board);
}

static const rt_transport_ops ops = {
    .name = "shared memory",
    .release = shared_release,
    .arrived = shared_arrived,
    .finish = shared_finish,
    .consumed = shared_consumed,
    .arm = shared_arm,
    .sleep = shared_sleep,
    .stopped = shared_stopped,
};

void rt_shared_init(rt_shared *shared, rt_board *board, char *const *arenas, size_t arena_bytes,
                    int rank)
{
    *shared = (rt_shared){
        .base = {.ops = &ops, .rank = rank, .ranks = board->ranks},
        .board = board,
        .arenas = arenas,
        .arena_bytes = arena_bytes,
    };
}
