/* board.h: the shared memory through which the ranks of one host meet: a stop flag, a bell for each rank, and the message
 * counters of each ordered pair of ranks.
 *
 * The launcher makes it inside a mapping that all ranks inherit, so that it vanishes with the last process. Counters
 * written by one rank lie together, apart from those of others. A counter is only ever raised by its one writer.
 *
 *     size_t bytes = rt_board_bytes(ranks);
 *     rt_board *board = rt_board_init(shared, ranks);     // zeroed memory, aligned to 64
 */
#ifndef ESPALIER_RUNTIME_TRANSPORT_BOARD_H
#define ESPALIER_RUNTIME_TRANSPORT_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RT_LANES = 64, RT_LINE = 64 };

/* What one rank tells another in one lane. */
typedef struct rt_tally {
    _Atomic uint32_t released; /* messages it has released to the other */
    _Atomic uint32_t finished; /* messages of the other that it has read */
} rt_tally;

typedef struct rt_bell {
    _Alignas(RT_LINE) _Atomic uint32_t rings; /* futex word */
    _Atomic uint32_t asleep;
} rt_bell;

typedef struct rt_board {
    _Alignas(RT_LINE) _Atomic int32_t stop;
    int32_t ranks;
    rt_bell *bells;    /* [ranks] */
    rt_tally *tallies; /* [writer][other][RT_LANES] */
} rt_board;

size_t rt_board_bytes(int ranks);
rt_board *rt_board_init(void *memory, int ranks);

rt_tally *rt_board_tally(rt_board *board, int writer, int other, int lane);

/* Wakes a rank that sleeps; costs one load when it does not. */
void rt_board_ring(rt_board *board, int rank);

/* To sleep without missing a ring: arm, look once more whether what is waited for has come, then sleep on what arm gave.
 * Returns on a ring, when the run is stopped, or after the time. Disarm when it had come after all. */
uint32_t rt_board_arm(rt_board *board, int rank);
void rt_board_sleep(rt_board *board, int rank, uint32_t armed, int64_t nanoseconds);
void rt_board_disarm(rt_board *board, int rank);

/* Asks all ranks to stop, and wakes them. May be called by the launcher. */
void rt_board_stop(rt_board *board);
bool rt_board_stopped(const rt_board *board);

#endif
