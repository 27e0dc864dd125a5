/* lookup.h: what a name in a plan file stands for.
 *
 *     lsp_meaning m = lsp_lookup(known, lsp_node_at(known, offset), offset);
 *     if (m.target) …                                // the node that makes the name
 */
#ifndef ESPALIER_LSP_LOOKUP_H
#define ESPALIER_LSP_LOOKUP_H

#include "lsp/document.h"

typedef struct lsp_meaning {
    atom name; /* NULL: no name stands there */
    span at;   /* where it stands */
    const ast_node
        *target; /* the item, parameter, statement or dimension that makes it; NULL: not known */
    const char *kind; /* "layer", "parameter", "value", "dimension", "mesh axis", "file" … */
} lsp_meaning;

lsp_meaning lsp_lookup(const lsp_analysis *known, const ast_node *node, uint32_t offset);

/* The model that a train or plan block is for; NULL if it cannot be told. */
const ast_node *lsp_model_of(const lsp_analysis *known, const ast_node *item);

/* The definition of that kind and name that the document sees; the library's topologies always. NULL if there is none. */
const struct definition *lsp_definition_of(const lsp_analysis *known, ast_kind kind, atom name);

/* The definition that a call's name calls: a layer in a model, an optimizer in `optimizer`, ...; NULL: none, or an operator. */
const struct definition *lsp_called(const lsp_analysis *known, const ast_node *name);

/* The item (model, plan, …) around a node; NULL at the top of the file. */
const ast_node *lsp_item_around(const ast_node *node);

/* Calls `visit` for every node below and including `root`, in the order of the text. */
typedef void lsp_visit_fn(const ast_node *node, void *state);
void lsp_walk(const ast_node *root, lsp_visit_fn *visit, void *state);

#endif
