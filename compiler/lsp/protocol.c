#include "lsp/protocol.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONGEST_HEADER_LINE = 1024 };

/* The length that the header gives; -1 at the end of the stream or where there is none. */
static long read_header(FILE *in)
{
    char line[LONGEST_HEADER_LINE];
    long length = -1;
    while (fgets(line, sizeof line, in)) {
        if (strcmp(line, "\r\n") == 0 || strcmp(line, "\n") == 0)
            return length;
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            length = strtol(line + 15, NULL, 10);
    }
    return -1;
}

static void skip(FILE *in, long length)
{
    while (length-- > 0 && fgetc(in) != EOF) {}
}

lsp_read_status lsp_read(lsp_stream *stream, cJSON **message)
{
    *message = NULL;
    long length = read_header(stream->in);
    if (length < 0)
        return LSP_CLOSED;
    if (length > LSP_LARGEST_MESSAGE) {
        skip(stream->in, length);
        return LSP_GARBLED;
    }
    char *bytes = malloc((size_t)length + 1);
    if (!bytes)
        return LSP_CLOSED;
    size_t got = fread(bytes, 1, (size_t)length, stream->in);
    if (got == (size_t)length)
        *message = cJSON_ParseWithLength(bytes, got);
    free(bytes);
    if (got < (size_t)length)
        return LSP_CLOSED;
    return *message ? LSP_MESSAGE : LSP_GARBLED;
}

void lsp_write(lsp_stream *stream, cJSON *message)
{
    char *bytes = cJSON_PrintUnformatted(message);
    if (bytes) {
        fprintf(stream->out, "Content-Length: %zu\r\n\r\n%s", strlen(bytes), bytes);
        fflush(stream->out);
    }
    free(bytes);
    cJSON_Delete(message);
}

static cJSON *envelope(const cJSON *id)
{
    cJSON *message = cJSON_CreateObject();
    cJSON_AddStringToObject(message, "jsonrpc", "2.0");
    if (id)
        cJSON_AddItemToObject(message, "id", cJSON_Duplicate(id, true));
    return message;
}

void lsp_reply(lsp_stream *stream, const cJSON *id, cJSON *result)
{
    cJSON *message = envelope(id);
    cJSON_AddItemToObject(message, "result", result ? result : cJSON_CreateNull());
    lsp_write(stream, message);
}

void lsp_reply_error(lsp_stream *stream, const cJSON *id, int code, const char *words)
{
    cJSON *message = envelope(id);
    if (!id)
        cJSON_AddNullToObject(message, "id");
    cJSON *error = cJSON_AddObjectToObject(message, "error");
    cJSON_AddNumberToObject(error, "code", code);
    cJSON_AddStringToObject(error, "message", words);
    lsp_write(stream, message);
}

void lsp_notify(lsp_stream *stream, const char *method, cJSON *params)
{
    cJSON *message = envelope(NULL);
    cJSON_AddStringToObject(message, "method", method);
    cJSON_AddItemToObject(message, "params", params);
    lsp_write(stream, message);
}
