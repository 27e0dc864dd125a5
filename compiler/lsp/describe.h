/* describe.h: words about definitions, operators and values, for hovers, completions and signature help. */
#ifndef ESPALIER_LSP_DESCRIBE_H
#define ESPALIER_LSP_DESCRIBE_H

#include "base/text.h"
#include "lsp/document.h"

struct definition;

/* "layer linear(x: [.., D], F: dim, bias = yes) -> [.., F]": a definition's head, or another statement's first line. */
const char *lsp_head(const lsp_analysis *known, const ast_node *node);

/* The lines of comment right above a definition, without their signs; "" where there are none. */
const char *lsp_comment_above(const lsp_analysis *known, const ast_node *node);

/* Where a node's file can be opened: an absolute URI, of the standard library too. */
const char *lsp_uri(const lsp_analysis *known, int file);

/* {"uri", "range"} of the name that a node makes, or of its first byte. */
cJSON *lsp_location(const lsp_analysis *known, const ast_node *node);

/* "f32[B@dp, H]" of the value, parameter or input that the node makes, a line for each plan that differs; "" unknown. */
const char *lsp_type_words(const lsp_analysis *known, const ast_node *node);

/* "64", the sizes that a dimension of that name has in the file's plans; "" unknown. */
const char *lsp_size_words(const lsp_analysis *known, atom dimension);

#endif
