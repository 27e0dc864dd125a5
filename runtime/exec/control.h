/* control.h: the memory that the launcher and the ranks share: a record of each rank, the board of messages, the arenas.
 *
 * It is one anonymous shared mapping, made before the first fork, so it needs no name and goes with the last process. A
 * rank writes its own record; the launcher reads the records when a rank has ended, to say what that rank was doing.
 *
 *     rt_control control;
 *     status = rt_control_make(&control, ranks, arena_bytes, &error);
 *     fork(); ... control.records[rank].step = 3; ... control.arenas[peer]
 *     rt_control_clean_up(&control);
 */
#ifndef ESPALIER_RUNTIME_EXEC_CONTROL_H
#define ESPALIER_RUNTIME_EXEC_CONTROL_H

#include "base/status.h"
#include "exec/image.h"
#include "transport/board.h"

typedef enum rt_phase { RT_STARTING, RT_STEPPING, RT_EVALUATING, RT_ENDED } rt_phase;

/* What a rank is doing; plain stores, read after it has ended. */
typedef struct rt_record {
    _Alignas(RT_LINE) volatile rt_phase phase;
    volatile int64_t step;
    volatile int32_t collective; /* the last one begun; -1: none yet */
    volatile bool inside;        /* it has not come back from it */
    volatile int64_t resident;   /* peak bytes, written at the end */
    _Atomic uint32_t meetings;   /* how many it has come to */
    rt_error error;              /* why it ended; status RT_OK: no reason given */
} rt_record;

/* What rank 0 leaves for the closing summary. */
typedef struct rt_finals {
    int64_t steps;
    bool trained; /* at least one step */
    double loss;
    bool evaluated;
    double holdout[RT_MAX_RESULTS]; /* in the order of eval's results */
} rt_finals;

typedef struct rt_control {
    int ranks;
    size_t arena_bytes; /* of each, as the plan says; its mapping is rounded up to pages */
    rt_record *records; /* [ranks] */
    rt_finals *finals;
    rt_board *board;
    char **arenas; /* [ranks] */
    void *mapping;
    size_t mapping_bytes;
} rt_control;

/* Errors: RT_NO_MEMORY, with the sizes. */
rt_status rt_control_make(rt_control *control, int ranks, int64_t arena_bytes, rt_error *error);
void rt_control_clean_up(rt_control *control);

/* Waits until every rank has come here as often as this one, at most `timeout` seconds (0: for ever). For what is rare: it
 * sleeps between looks. Errors: RT_TIMEOUT with the rank that is missing, RT_CANCELLED. */
rt_status rt_control_meet(rt_control *control, int rank, double timeout, rt_error *error);

#endif
