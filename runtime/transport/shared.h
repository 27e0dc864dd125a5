/* shared.h: messages between processes of one host that map each other's arenas: nothing is copied on the way.
 *
 * A message is its place in the sender's arena, which is the receiver's own place for it: all ranks lay their arenas out
 * alike. What travels is a counter on the board (board.h).
 *
 * Pages of a peer's arena that a rank has read count as resident in it too. So that its peak stays what the plan says, the
 * transport lets go of them when it has read more than `mapped_limit` bytes since it last did.
 *
 *     rt_shared shared;
 *     rt_shared_init(&shared, board, arenas, arena_bytes, rank);
 *     rt_transport *t = &shared.base;
 */
#ifndef ESPALIER_RUNTIME_TRANSPORT_SHARED_H
#define ESPALIER_RUNTIME_TRANSPORT_SHARED_H

#include "transport/board.h"
#include "transport/transport.h"

typedef struct rt_shared {
    rt_transport base;
    rt_board *board;
    char *const *arenas; /* [ranks] */
    size_t arena_bytes;
    size_t mapped,
        mapped_limit; /* bytes of peers read since their pages were last let go; limit 0: never */
} rt_shared;

/* Borrows the board and the arenas. Deadline 0 and no spinning at first; the caller sets both. */
void rt_shared_init(rt_shared *shared, rt_board *board, char *const *arenas, size_t arena_bytes,
                    int rank);

#endif
