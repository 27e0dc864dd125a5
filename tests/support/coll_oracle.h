/* coll_oracle.h: runs collective programs on numbers, independently of the proof.
 *
 * Each rank's own data is a random 64-bit number per chunk, what it does not have is another; sums are modulo 2^64.
 * A program that is wrong gives the right numbers with a chance of about 2^-64.
 */
#ifndef ESPALIER_SUPPORT_COLL_ORACLE_H
#define ESPALIER_SUPPORT_COLL_ORACLE_H

#include "coll/program.h"

/* By the meaning of steps: all sends of a step read what was before it. */
bool oracle_steps_are_right(const coll_program *p, uint64_t seed);

/* By the instructions of the ranks, pulled in place, ranks interleaved at random, in `pieces` lanes. False too if no
 * rank can go on. */
bool oracle_ranks_are_right(const coll_program *p, int pieces, uint64_t seed);

/* A random number of 64 bits; advances the state. */
uint64_t oracle_random(uint64_t *state);

#endif
