/* msccl_machine.h: reads an MSCCL XML file, checks it against the format's rules, and executes it on numbers.
 *
 * Rules: the attributes that MSCCL's reader asks for are there; thread blocks are numbered from 0 without gaps, and no
 * two of a GPU have the same peer in the same direction on a channel; steps are numbered in order, below 256; a step
 * that moves data has a peer for it; offsets lie in the buffers; what a step waits for exists and says that it is
 * awaited; a `nop` is followed by a step that waits too; both ends of a connection agree on counts.
 * Execution: thread blocks go on at random; a connection holds one message.
 */
#ifndef ESPALIER_SUPPORT_MSCCL_MACHINE_H
#define ESPALIER_SUPPORT_MSCCL_MACHINE_H

#include "coll/program.h"

/* NULL, or what is wrong; in `a`. */
const char *msccl_run(const char *xml, coll_kind kind, int root, uint64_t seed, arena *a);

#endif
