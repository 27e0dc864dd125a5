/* document.h: the open documents of a language server, and what the compiler knows of each.
 *
 * A document's analysis is made anew after each change and freed whole: sources, tree, diagnostics, meaning. The text
 * that the editor holds stands in for the file on disk.
 *
 *     lsp_document *d = lsp_documents_put(&documents, uri, text);
 *     const lsp_analysis *known = lsp_document_analyse(d, library);
 */
#ifndef ESPALIER_LSP_DOCUMENT_H
#define ESPALIER_LSP_DOCUMENT_H

#include "ast/ast.h"
#include "diag/diag.h"
#include "sema/sema.h"
#include <cjson/cJSON.h>

typedef struct lsp_analysis {
    arena *memory;
    atom_table *atoms;
    source_set *sources;
    diag_sink *diags;
    int file; /* the document's number among the sources */
    ast_node *tree;
    sema *meaning;       /* NULL when the text cannot be read as a plan file */
    sema_output planned; /* the file's first plan; graph NULL when there is none or it has errors */
} lsp_analysis;

typedef struct lsp_document {
    struct lsp_document *next;
    char *uri;
    char *path; /* of the file that the URI names */
    char *text;
    lsp_analysis *analysis; /* NULL: not analysed since the last change */
} lsp_document;

typedef struct lsp_documents {
    lsp_document *first;
} lsp_documents;

/* Opens or replaces. */
lsp_document *lsp_documents_put(lsp_documents *all, const char *uri, const char *text);
lsp_document *lsp_documents_find(const lsp_documents *all, const char *uri);
void lsp_documents_drop(lsp_documents *all, const char *uri);
void lsp_documents_clean_up(lsp_documents *all);

/* `library`: the folder of the standard library. */
const lsp_analysis *lsp_document_analyse(lsp_document *d, const char *library);

/* The byte that an LSP position (line and UTF-16 column from 0) names; the text's end if it lies behind it. */
uint32_t lsp_offset(const lsp_analysis *known, const cJSON *position);

/* The deepest node of the document around that byte. */
const ast_node *lsp_node_at(const lsp_analysis *known, uint32_t offset);

#endif
