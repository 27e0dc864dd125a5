/* server.h: the language server: diagnostics as one types, hover, go to definition, completion, formatting.
 *
 * It speaks the language server protocol over two streams, one request after another. Documents are synchronised whole
 * (textDocumentSync = 1). A new request is a row of the table in server.c and a function in a file of its own.
 *
 *     int code = lsp_serve(stdin, stdout, "/usr/share/espalier/stdlib");
 */
#ifndef ESPALIER_LSP_SERVER_H
#define ESPALIER_LSP_SERVER_H

#include "lsp/document.h"
#include "lsp/protocol.h"

typedef struct lsp_server {
    lsp_stream stream;
    const char *library;
    lsp_documents documents;
    bool shut_down; /* `shutdown` was asked for */
    bool left;      /* `exit` was said */
} lsp_server;

/* Serves until `exit` or the end of the input. 0 when `shutdown` came before, else 1. `library` may be NULL. */
int lsp_serve(FILE *in, FILE *out, const char *library);

/* The requests about a place in a document; each gives the result, NULL for null. */
cJSON *lsp_hover(const lsp_analysis *known, uint32_t offset);
cJSON *lsp_definition(const lsp_analysis *known, uint32_t offset);
cJSON *lsp_completion(const lsp_analysis *known, uint32_t offset);

/* The whole document's edits into the canonical form; no edits while it has syntax errors. */
cJSON *lsp_formatting(const lsp_analysis *known);

#endif
