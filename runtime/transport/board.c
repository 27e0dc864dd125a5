#include "transport/board.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static size_t aligned(size_t bytes)
{
    return (bytes + RT_LINE - 1) / RT_LINE * RT_LINE;
}

static size_t bells_at(void)
{
    return aligned(sizeof(rt_board));
}

static size_t tallies_at(int ranks)
{
    return bells_at() + aligned(sizeof(rt_bell) * (size_t)ranks);
}

size_t rt_board_bytes(int ranks)
{
    return tallies_at(ranks) + aligned(sizeof(rt_tally) * (size_t)ranks * (size_t)ranks * RT_LANES);
}

rt_board *rt_board_init(void *memory, int ranks)
{
    rt_board *board = memory;
    board->ranks = ranks;
    board->bells = (rt_bell *)((char *)memory + bells_at());
    board->tallies = (rt_tally *)((char *)memory + tallies_at(ranks));
    return board;
}

rt_tally *rt_board_tally(rt_board *board, int writer, int other, int lane)
{
    size_t pair = (size_t)writer * (size_t)board->ranks + (size_t)other;
    return &board->tallies[pair * RT_LANES + (size_t)lane];
}

static long futex(_Atomic uint32_t *word, int operation, uint32_t value,
                  const struct timespec *time)
{
    return syscall(SYS_futex, word, operation, value, time, NULL, 0);
}

void rt_board_ring(rt_board *board, int rank)
{
    rt_bell *bell = &board->bells[rank];
    /* Between the counter just written and this load, so that a sleeper either sees the counter or is seen. */
    atomic_thread_fence(memory_order_seq_cst);
    if (!atomic_load_explicit(&bell->asleep, memory_order_relaxed))
        return;
    atomic_fetch_add(&bell->rings, 1);
    futex(&bell->rings, FUTEX_WAKE, INT_MAX, NULL);
}

uint32_t rt_board_arm(rt_board *board, int rank)
{
    rt_bell *bell = &board->bells[rank];
    uint32_t seen = atomic_load(&bell->rings);
    atomic_store(&bell->asleep, 1);
    atomic_thread_fence(memory_order_seq_cst);
    return seen;
}

void rt_board_sleep(rt_board *board, int rank, uint32_t seen, int64_t nanoseconds)
{
    rt_bell *bell = &board->bells[rank];
    struct timespec time = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    if (!rt_board_stopped(board))
        futex(&bell->rings, FUTEX_WAIT, seen, &time);
    rt_board_disarm(board, rank);
}

void rt_board_disarm(rt_board *board, int rank)
{
    atomic_store_explicit(&board->bells[rank].asleep, 0, memory_order_relaxed);
}

void rt_board_stop(rt_board *board)
{
    atomic_store(&board->stop, 1);
    for (int r = 0; r < board->ranks; r++) {
        atomic_fetch_add(&board->bells[r].rings, 1);
        futex(&board->bells[r].rings, FUTEX_WAKE, INT_MAX, NULL);
    }
}

bool rt_board_stopped(const rt_board *board)
{
    return atomic_load_explicit(&board->stop, memory_order_relaxed) != 0;
}
