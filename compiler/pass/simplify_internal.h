/* simplify_internal.h: the two halves of pass_simplify. */
#ifndef ESPALIER_PASS_SIMPLIFY_INTERNAL_H
#define ESPALIER_PASS_SIMPLIFY_INTERNAL_H

#include "graph/graph.h"

/* Drops operators, and values that scans carry or stack, that nothing needs. simplify_dead.c */
void simplify_drop_dead(graph *g, graph_function *f);

#endif
