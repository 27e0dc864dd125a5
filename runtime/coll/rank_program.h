/* rank_program.h: what one rank does in a collective: a program's sends, made into instructions.
 *
 * A program is a list of sends (step, chunk, from, to, reduce | copy) over `chunks` chunks; chunk c is the share
 * weights[c] / sum(weights) of the data, in order of c. Steps follow one another; the sends of a step read the values
 * before the step, and several sends of a step into one (rank, chunk) take effect in the program's order. The compiler
 * has proved the program before it is here (docs/internals/collectives.md); what is checked here is that each number is
 * in range.
 *
 * A rank executes the instructions in order. Data is pulled: the receiver reads the sender's chunk where it lies. The
 * messages of an ordered pair of ranks are numbered from 0 in the order of the program, alike at both ends.
 *
 *   SEND           lets the peer read the chunk; never waits
 *   RECV_REDUCE    waits until my chunk has been read by those it was promised to (`waits`), and for the message; adds
 *   RECV_COPY      the peer's chunk to mine, or replaces mine by it; says that it has been read
 *   RECV_STAGE     waits for the message; copies the peer's chunk into scratch slot `slot`; says that it has been read
 *   APPLY_REDUCE   waits for `waits`; adds the slot to my chunk, or replaces my chunk by it
 *   APPLY_COPY
 *
 * Staging appears only where a rank sends and receives one chunk in one step, so that neither of two ranks that
 * exchange a chunk could overwrite its own first.
 */
#ifndef ESPALIER_RUNTIME_COLL_RANK_PROGRAM_H
#define ESPALIER_RUNTIME_COLL_RANK_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum { RT_PROGRAM_MAX_CHUNKS = 1 << 20, RT_PROGRAM_MAX_SENDS = 1 << 22 };

typedef struct rt_send {
    int32_t step, chunk, from, to;
    bool reduce; /* else copy */
} rt_send;

/* The arrays belong to the program. */
typedef struct rt_program {
    int ranks, chunks;
    int64_t *weights; /* [chunks] */
    rt_send *sends;   /* ordered by step */
    int64_t send_count;
} rt_program;

typedef enum rt_action {
    RT_SEND,
    RT_RECV_REDUCE,
    RT_RECV_COPY,
    RT_RECV_STAGE,
    RT_APPLY_REDUCE,
    RT_APPLY_COPY
} rt_action;

/* My message `message` to `peer` must have been read. */
typedef struct rt_wait {
    int32_t peer, message;
} rt_wait;

typedef struct rt_instruction {
    uint8_t action; /* rt_action */
    int32_t chunk, peer, message;
    int32_t slot;
    int32_t wait, wait_count; /* range of `waits` */
} rt_instruction;

typedef struct rt_rank_program {
    int rank, ranks, chunks;
    int slots;            /* of scratch */
    int32_t max_messages; /* the most messages of any ordered pair in the program */
    int64_t *prefix;      /* [chunks + 1]: weights before each chunk; the last is their sum */
    rt_instruction *code;
    int64_t code_count;
    rt_wait *waits;
    int64_t wait_count;
    int32_t *sent; /* [ranks]: messages to each peer */
} rt_rank_program;

/* Ranges, order of steps, positive weights. Errors: RT_DAMAGED. */
rt_status rt_program_check(const rt_program *program, rt_error *error);
void rt_program_clean_up(rt_program *program);

/* What `rank` of the program executes. Errors: RT_NO_MEMORY; nothing is left then. */
rt_status rt_rank_program_make(const rt_program *program, int rank, rt_rank_program *made,
                               rt_error *error);
void rt_rank_program_clean_up(rt_rank_program *made);

/* First of `count` elements that belongs to a chunk: floor(count * prefix / total); `chunks` gives count. */
int64_t rt_chunk_begin(const rt_rank_program *program, int chunk, int64_t count);

#endif
