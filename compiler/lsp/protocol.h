/* protocol.h: messages of the language server protocol over two streams.
 *
 * A message is a JSON-RPC 2.0 object behind a header: `Content-Length: N`, an empty line, N bytes of UTF-8.
 * Source: Language Server Protocol 3.17, "Base Protocol".
 *
 *     lsp_stream stream = {stdin, stdout};
 *     while (lsp_read(&stream, &message) == LSP_MESSAGE) { …; cJSON_Delete(message); }
 */
#ifndef ESPALIER_LSP_PROTOCOL_H
#define ESPALIER_LSP_PROTOCOL_H

#include <cjson/cJSON.h>
#include <stdio.h>

enum { LSP_LARGEST_MESSAGE = 32 << 20 };

typedef struct lsp_stream {
    FILE *in;
    FILE *out;
} lsp_stream;

typedef enum lsp_read_status {
    LSP_MESSAGE, /* *message is the caller's: cJSON_Delete */
    LSP_GARBLED, /* no length, too long, not JSON, not UTF-8: skipped */
    LSP_CLOSED   /* the stream ended */
} lsp_read_status;

lsp_read_status lsp_read(lsp_stream *stream, cJSON **message);

/* Sends and deletes `message`. */
void lsp_write(lsp_stream *stream, cJSON *message);

/* {"jsonrpc", "id", "result"}; takes `result`, and copies `id`. */
void lsp_reply(lsp_stream *stream, const cJSON *id, cJSON *result);

/* Error codes of JSON-RPC. */
enum {
    LSP_PARSE_ERROR = -32700,
    LSP_INVALID_REQUEST = -32600,
    LSP_METHOD_NOT_FOUND = -32601,
    LSP_INVALID_PARAMS = -32602,
    LSP_NOT_INITIALIZED = -32002
};
void lsp_reply_error(lsp_stream *stream, const cJSON *id, int code, const char *words);

/* Takes `params`. */
void lsp_notify(lsp_stream *stream, const char *method, cJSON *params);

#endif
