/* verify.h: the proof that a program does what its kind says, on any size of data, without deadlock.
 *
 *   - every send names ranks and chunks that exist, and another rank than its own;
 *   - each rank's contribution is followed symbolically through every chunk, step by step: no rank sends or adds to
 *     what it does not have, and at the end each chunk has each contribution exactly once where the kind wants it;
 *   - the ranks' instructions (program.h) are checked by themselves: messages pair up in order at both ends, no chunk
 *     is written while a reader that it was released to may still read it, and, carried out with no buffer between
 *     the ranks, none waits for ever. Waits are for counters that only grow, so one order of execution shows all.
 *
 * A program that passes is right for every count of elements and every cut into pieces, as chunks are never looked
 * into. Cost: (sends + ranks * chunks) * ranks / 64.
 *
 *     coll_fault fault;
 *     if (!coll_prove(p, &fault, arena))
 *         coll_fault_report(&fault, sink);
 */
#ifndef ESPALIER_COLL_VERIFY_H
#define ESPALIER_COLL_VERIFY_H

#include "coll/program.h"
#include "diag/diag.h"

/* The first thing that is wrong with a program. Numbers that do not apply are -1. */
typedef struct coll_fault {
    diag_code code;
    int32_t step;
    int32_t chunk;
    int32_t rank;
    int32_t missing; /* the rank whose contribution is missing or double */
    span at;         /* the topology block */
    const char *message;
    span note_at; /* the statement that did it; SPAN_NONE: none */
    const char *note;
    const char *fix; /* NULL: none known */
} coll_fault;

/* Whether the program is right. The words of a fault live in `a`. */
bool coll_prove(const coll_program *p, coll_fault *fault, arena *a);

/* The part of the proof that looks at the sends alone: all that a topology's author can get wrong. */
bool coll_prove_sends(const coll_program *p, coll_fault *fault, arena *a);

/* The part of the proof that looks at the ranks' instructions alone. What coll_rank_program_of makes passes for every
 * program (nothing in a step waits but for releases and readings of the same step, which wait for nothing in it), so
 * that coll_prove takes a failure for a bug; `ranks` may come from elsewhere. The fault has no code. */
bool coll_prove_ranks(const coll_program *p, coll_rank_program *const *ranks, coll_fault *fault,
                      arena *a);

/* coll_rank_programs_of, proved: a failure is a bug, and ends the program. */
coll_rank_program **coll_proved_rank_programs(const coll_program *p, arena *a);

void coll_fault_report(const coll_fault *fault, diag_sink *sink);

/* coll_prove_sends, and what it finds reported. The instructions are proved where they are made: check has none. */
bool coll_verify(const coll_program *p, diag_sink *sink);

#endif
