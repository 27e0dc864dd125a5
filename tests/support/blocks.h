/* blocks.h: topology blocks from text or stdlib/topology.plan, evaluated. */
#ifndef ESPALIER_SUPPORT_BLOCKS_H
#define ESPALIER_SUPPORT_BLOCKS_H

#include "coll/evaluate.h"
#include <stdio.h>

typedef struct blocks {
    arena *memory;
    atom_table *atoms;
    source_set *sources;
    diag_sink *sink;
    ast_node *file;
} blocks;

/* `bytes` as a file of that path; path alone (bytes NULL): the file itself. Free with arena_free(memory). */
blocks blocks_of(const char *path, const char *bytes);

/* stdlib/topology.plan */
blocks blocks_stdlib(void);

/* The block of that name for so many ranks; `per_node` as in coll_request. NULL: reported, or no such block. */
coll_program *blocks_evaluate(const blocks *t, const char *name, int ranks, int per_node);

/* The block, or NULL. */
const ast_node *blocks_find(const blocks *t, const char *name);

/* What has been reported, as it is printed; in the arena. */
const char *blocks_diagnostics(const blocks *t);

#endif
