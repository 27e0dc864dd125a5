/* topologies.h: the six all-reduce programs written out by hand, for tests of the runtime that must not need the compiler.
 *
 *     rt_program p = topology_make("ring", 4);
 *     rt_program_clean_up(&p);
 */
#ifndef ESPALIER_TESTS_SUPPORT_TOPOLOGIES_H
#define ESPALIER_TESTS_SUPPORT_TOPOLOGIES_H

#include "coll/rank_program.h"

enum { TOPOLOGY_COUNT = 6 };
extern const char *const topology_names[TOPOLOGY_COUNT];

rt_program topology_make(const char *name, int ranks);

/* A butterfly of whole vectors for a power of two of ranks: it needs staging, where the six do not. */
rt_program topology_butterfly(int ranks);

#endif
