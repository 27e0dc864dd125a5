/* forest.h: the trees of a synthesis (cluster/synthesis.h) as a program.
 *
 * Each tree carries its own chunk, or several where the trees of two phases cut a rank's share differently. A rank sends
 * up as soon as all its children in that tree have sent to it, and down as soon as it has the value; sends carry the
 * route that the synthesis chose. The load on each arc is that of the forest, so the program runs at its rate.
 *
 *     synthesis s = synthesis_all_reduce(arena, graph, nodes, ranks);
 *     coll_program *p = coll_program_of_synthesis(&s, COLL_ALL_REDUCE, graph, arena);
 */
#ifndef ESPALIER_COLL_FOREST_H
#define ESPALIER_COLL_FOREST_H

#include "cluster/synthesis.h"
#include "coll/program.h"

/* Of an all_reduce, reduce_scatter or all_gather whose status is OK. The program is named "trees"; the caller sets `at`
 * and `line`, of the program and by coll_set_place of its sends. NULL: more chunks or sends than program.h allows. */
coll_program *coll_program_of_synthesis(const synthesis *s, coll_kind kind, const link_graph *g,
                                        arena *a);

/* The program and all its sends come from one plan line. */
void coll_set_place(coll_program *p, span at, const char *line);

#endif
