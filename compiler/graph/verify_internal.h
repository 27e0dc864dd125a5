/* verify_internal.h: the parts of the verifier. Each check returns NULL or what is wrong. */
#ifndef ESPALIER_GRAPH_VERIFY_INTERNAL_H
#define ESPALIER_GRAPH_VERIFY_INTERNAL_H

#include "graph/graph.h"

typedef struct verifier {
    const graph *g;
    arena *memory;
    bool *defined; /* by value id: seen, and visible here */
    bool spmd;
} verifier;

const char *verify_index_form(const verifier *v, const graph_op *op); /* verify_class.c */
const char *verify_class(const verifier *v, const graph_op *op);      /* verify_class.c */
const char *verify_layouts(const verifier *v, const graph_op *op);    /* verify_layout.c */
const char *verify_layout(const verifier *v, const graph_value *x);   /* verify_layout.c */
bool verify_same_shape(const graph *g, const graph_type *a, const graph_type *b);

#endif
