/* msccl.h: a program as an MSCCL XML file, for the NCCL-family stacks that read those.
 *
 * One `gpu` for each rank, one thread block for each peer it sends to or receives from on a channel, one `step` for each
 * message: `s`, `r` (copy) or `rrc` (reduce); `cpy` for what stays where it is in an all-to-all. A step that must come
 * after steps of other thread blocks names the last of them by depid and deps, the others by `nop` steps before it:
 * a send waits for what wrote its chunk, a receive for who still reads it and for what wrote it before.
 * Chunks are counted in units of the greatest common divisor of the weights; a message of many units is several steps
 * of one sort. Between two ranks the messages of one channel are MSCCL_CHANNEL_MESSAGES, so that no thread block grows
 * beyond the steps that MSCCL has.
 *
 * all_reduce, broadcast and reduce work in place on the input buffer, reduce_scatter too, all_gather on the output.
 * What runs it must be able to hold one message for each channel and pair of ranks, as NCCL's FIFOs do: where ranks
 * exchange a chunk in one step, each sends before it receives.
 */
#ifndef ESPALIER_COLL_MSCCL_H
#define ESPALIER_COLL_MSCCL_H

#include "base/text.h"
#include "coll/program.h"

enum {
    MSCCL_MAX_STEPS = 256,
    MSCCL_MAX_BLOCKS = 216,
    MSCCL_MAX_CHANNELS = 32,
    MSCCL_MAX_CHANNEL_PEERS = 32,
    MSCCL_MAX_COUNT = 71,
    MSCCL_MAX_OFFSET = 32767,
    MSCCL_CHANNEL_MESSAGES = 64
};

/* NULL, or why MSCCL cannot hold the program: "rank 3 needs 260 steps in a thread block; MSCCL has 256". */
const char *coll_write_msccl(const coll_program *p, text *out, arena *a);

#endif
