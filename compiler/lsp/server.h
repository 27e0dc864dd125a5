/* server.h: the language server: diagnostics as one types, hover, go to definition, references, rename, completion,
 * signature help, document symbols, quick fixes, formatting.
 *
 * It speaks the language server protocol over two streams, one request after another. Documents are synchronised by
 * their changes (textDocumentSync = 2). A new request is a row of the table in server.c and a function in a file of its
 * own. What is no request, or asks for what is not there, gets an error or null; nothing that a client sends ends the
 * server but `exit` and the end of the input.
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
    bool initialized; /* `initialize` was asked for */
    bool shut_down;   /* `shutdown` was asked for */
    bool left;        /* `exit` was said */
} lsp_server;

/* Serves until `exit` or the end of the input. 0 when `shutdown` came before, else 1. `library` may be NULL. */
int lsp_serve(FILE *in, FILE *out, const char *library);

/* The requests about a place in a document; each gives the result, NULL for null. */
cJSON *lsp_hover(const lsp_analysis *known, uint32_t offset);
cJSON *lsp_definition(const lsp_analysis *known, uint32_t offset);
cJSON *lsp_completion(const lsp_analysis *known, uint32_t offset);
cJSON *lsp_signature(const lsp_analysis *known, uint32_t offset);
cJSON *lsp_references(const lsp_analysis *known, uint32_t offset);
cJSON *lsp_highlights(const lsp_analysis *known, uint32_t offset);
cJSON *lsp_prepare_rename(const lsp_analysis *known, uint32_t offset);

/* The edits that give what stands there another name; NULL where it has no name of this document, or `name` is none. */
cJSON *lsp_rename(const lsp_analysis *known, uint32_t offset, const char *name);

/* About the document, or a part of it. */
cJSON *lsp_symbols(const lsp_analysis *known);
cJSON *lsp_actions(const lsp_analysis *known, uint32_t begin, uint32_t end);

/* The edits into the canonical form, of the whole document or of the statements that a range touches; none while it has
 * syntax errors. */
cJSON *lsp_formatting(const lsp_analysis *known);
cJSON *lsp_range_formatting(const lsp_analysis *known, uint32_t begin, uint32_t end);

#endif
