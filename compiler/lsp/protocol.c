#include "lsp/protocol.h"

#include "parse/bytes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONGEST_HEADER_LINE = 1024 };

enum { NO_LENGTH = -1, STREAM_ENDED = -2 };

/* The length that the header gives, NO_LENGTH where it gives none. A line longer than the buffer is read in pieces, of
 * which the first alone can name the length. */
static long read_header(FILE *in)
{
    char line[LONGEST_HEADER_LINE];
    long length = NO_LENGTH;
    bool begins = true;
    while (fgets(line, sizeof line, in)) {
        if (begins && (strcmp(line, "\r\n") == 0 || strcmp(line, "\n") == 0))
            return length;
        if (begins && strncasecmp(line, "Content-Length:", 15) == 0) {
            length = strtol(line + 15, NULL, 10);
            length = length < 0 ? NO_LENGTH : length;
        }
        begins = strchr(line, '\n') != NULL;
    }
    return STREAM_ENDED;
}

static void skip(FILE *in, long length)
{
    while (length-- > 0 && fgetc(in) != EOF) {}
}

/* A JSON text that is UTF-8, as the protocol has it. */
static cJSON *read_json(const char *bytes, size_t length)
{
    const char *end = bytes + length;
    for (const char *at = bytes; at < end;) {
        size_t character = bytes_character(at, end);
        if (character == 0)
            return NULL;
        at += character;
    }
    return cJSON_ParseWithLength(bytes, length);
}

lsp_read_status lsp_read(lsp_stream *stream, cJSON **message)
{
    *message = NULL;
    long length = read_header(stream->in);
    if (length == STREAM_ENDED)
        return LSP_CLOSED;
    if (length > LSP_LARGEST_MESSAGE)
        skip(stream->in, length);
    if (length == NO_LENGTH || length > LSP_LARGEST_MESSAGE)
        return LSP_GARBLED;
    char *bytes = malloc((size_t)length + 1);
    if (!bytes)
        return LSP_CLOSED;
    size_t got = fread(bytes, 1, (size_t)length, stream->in);
    if (got == (size_t)length)
        *message = read_json(bytes, got);
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
