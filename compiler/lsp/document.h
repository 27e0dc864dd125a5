/* document.h: the open documents of a language server, and what the compiler knows of each.
 *
 * A document's analysis is made anew after each change and freed whole: sources, tree, diagnostics, meaning. The text
 * that the editor holds stands in for the file on disk.
 *
 *     lsp_document *d = lsp_documents_put(&documents, uri, text);
 *     const lsp_analysis *known = lsp_document_analyse(d, &documents, library);
 *     const lsp_plans *plans = lsp_plans_of(known);       // made once, and only when asked for
 */
#ifndef ESPALIER_LSP_DOCUMENT_H
#define ESPALIER_LSP_DOCUMENT_H

#include "ast/ast.h"
#include "diag/diag.h"
#include "sema/sema.h"
#include <cjson/cJSON.h>

/* A plan of the file as the compiler understands it: for what a value is, and how it is laid out. */
typedef struct lsp_plan {
    atom name;
    const graph *graph; /* spmd form where the layout is known, else graph form */
} lsp_plan;

typedef struct lsp_plans {
    bool known;
    VEC(lsp_plan) all;
} lsp_plans;

typedef struct lsp_analysis {
    arena *memory;
    atom_table *atoms;
    source_set *sources;
    diag_sink *diags;
    int file; /* the document's number among the sources */
    ast_node *tree;
    sema *meaning;    /* NULL without a standard library */
    lsp_plans *plans; /* made when first asked for: lsp_plans_of */
} lsp_analysis;

typedef struct lsp_document {
    struct lsp_document *next;
    char *uri;
    char *path; /* of the file that the URI names */
    char *text;
    int version;            /* of the text, as the editor counts */
    lsp_analysis *analysis; /* NULL: not analysed since the last change */
    cJSON *foreign; /* URIs of other files that have diagnostics of this analysis; NULL: none */
} lsp_document;

typedef struct lsp_documents {
    lsp_document *first;
} lsp_documents;

/* Opens or replaces. */
lsp_document *lsp_documents_put(lsp_documents *all, const char *uri, const char *text);
lsp_document *lsp_documents_find(const lsp_documents *all, const char *uri);
void lsp_documents_drop(lsp_documents *all, const char *uri);
void lsp_documents_clean_up(lsp_documents *all);

/* `all`: what is open stands in for the files that the document imports. `library`: the folder of the standard library. */
const lsp_analysis *lsp_document_analyse(lsp_document *d, const lsp_documents *all,
                                         const char *library);

/* Does what is known of the document come from that file too? */
bool lsp_analysis_reads(const lsp_analysis *known, const char *path);

/* Changes the part of the text that an LSP range names. */
void lsp_document_edit(lsp_document *d, const cJSON *range, const char *replacement);

/* To be analysed anew: an imported file may have changed. */
void lsp_document_forget(lsp_document *d);

/* The file's plans, elaborated and laid out as far as they can be. */
const lsp_plans *lsp_plans_of(const lsp_analysis *known);

/* The byte that an LSP position (line and UTF-16 column from 0) names; the end of the line or text if it lies behind it. */
uint32_t lsp_offset(const char *bytes, const cJSON *position);

const char *lsp_text(const lsp_analysis *known);

/* The deepest node of the document around that byte. */
const ast_node *lsp_node_at(const lsp_analysis *known, uint32_t offset);

#endif
