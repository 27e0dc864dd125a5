/* engine.h: the one interpreter of chunk programs, over any transport.
 *
 * Data is cut into pieces, so that a rank can pass the first piece of a chunk on while the next is still on its way: piece p
 * of a chunk of k elements is [k*p/P, k*(p+1)/P). Each piece runs the whole program by itself, as a lane with its own
 * counters and its own place in the instructions. A rank goes round a window of lanes from the first unfinished one and
 * carries each as far as it can without waiting; it waits when none can go on. The lowest lane that any rank has not
 * finished is in every window that needs it, so a program that cannot deadlock in one lane cannot in many.
 *
 * A group is the ranks that differ in one mesh coordinate. All ranks of a group start the same collectives in the same
 * order with the same counts; message numbers run on from one collective to the next.
 *
 *     rt_group group = {.transport = t, .ranks = {0, 1, 2, 3}, .size = 4};
 *     status = rt_engine_run(&group, &program, &(rt_operand){RT_TYPE_F32, data, count, NULL, 0}, &blocked);
 */
#ifndef ESPALIER_RUNTIME_COLL_ENGINE_H
#define ESPALIER_RUNTIME_COLL_ENGINE_H

#include "coll/rank_program.h"
#include "kernel/type.h"
#include "transport/board.h"
#include "transport/transport.h"

typedef struct rt_lane {
    int64_t next;  /* instruction */
    int32_t drain; /* past the last instruction: peers that have read everything, in order */
} rt_lane;

typedef struct rt_group {
    rt_transport *transport;
    const int *ranks; /* [size]: the group's members as ranks of the run */
    int size;
    uint32_t base; /* number of the next collective's first message */
    rt_lane lanes[RT_LANES];
} rt_group;

/* What a collective works on, in place. */
typedef struct rt_operand {
    rt_type type;
    char *data;
    int64_t count;
    char *
        scratch; /* for programs that stage, at least rt_engine_scratch() bytes; may be NULL otherwise */
} rt_operand;

/* Where a wait stands that ended badly. */
typedef struct rt_blocked {
    int peer; /* rank of the run */
    int chunk;
    int lane, lanes;
    bool sending; /* waits for the peer to read, else for its message */
} rt_blocked;

/* Errors: RT_TIMEOUT with `blocked` set, RT_CANCELLED. */
rt_status rt_engine_run(rt_group *group, const rt_rank_program *program, const rt_operand *operand,
                        rt_blocked *blocked);

/* Bytes of scratch that a program with staging needs for `count` elements. */
size_t rt_engine_scratch(const rt_rank_program *program, rt_type type, int64_t count);

/* Lanes that a collective of the size is cut into. */
int rt_engine_lanes(const rt_rank_program *program, rt_type type, int64_t count);

#endif
