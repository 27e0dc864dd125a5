#include "lsp/server.h"

#include "diag/diag_json.h"

#include <string.h>

typedef cJSON *request_fn(lsp_server *server, const cJSON *params);
typedef void notification_fn(lsp_server *server, const cJSON *params);

static const char *text_of(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
}

static const lsp_analysis *analysis_of(lsp_server *server, const cJSON *params)
{
    const char *uri = text_of(cJSON_GetObjectItem(params, "textDocument"), "uri");
    lsp_document *d = uri ? lsp_documents_find(&server->documents, uri) : NULL;
    return d ? lsp_document_analyse(d, server->library) : NULL;
}

static void publish(lsp_server *server, const char *uri, cJSON *diagnostics)
{
    cJSON *params = cJSON_CreateObject();
    cJSON_AddStringToObject(params, "uri", uri);
    cJSON_AddItemToObject(params, "diagnostics", diagnostics);
    lsp_notify(&server->stream, "textDocument/publishDiagnostics", params);
}

static void take_text(lsp_server *server, const char *uri, const char *bytes)
{
    if (!uri || !bytes)
        return;
    lsp_document *d = lsp_documents_put(&server->documents, uri, bytes);
    const lsp_analysis *known = lsp_document_analyse(d, server->library);
    publish(server, uri, diag_file_json(known->diags, known->file));
}

static void did_open(lsp_server *server, const cJSON *params)
{
    const cJSON *document = cJSON_GetObjectItem(params, "textDocument");
    take_text(server, text_of(document, "uri"), text_of(document, "text"));
}

static void did_change(lsp_server *server, const cJSON *params)
{
    const cJSON *changes = cJSON_GetObjectItem(params, "contentChanges");
    const cJSON *last = cJSON_GetArrayItem(changes, cJSON_GetArraySize(changes) - 1);
    take_text(server, text_of(cJSON_GetObjectItem(params, "textDocument"), "uri"),
              text_of(last, "text"));
}

static void did_close(lsp_server *server, const cJSON *params)
{
    const char *uri = text_of(cJSON_GetObjectItem(params, "textDocument"), "uri");
    if (!uri)
        return;
    publish(server, uri, cJSON_CreateArray());
    lsp_documents_drop(&server->documents, uri);
}

static void leave(lsp_server *server, const cJSON *params)
{
    (void)params;
    server->left = true;
}

static cJSON *initialize(lsp_server *server, const cJSON *params)
{
    (void)server;
    (void)params;
    cJSON *result = cJSON_CreateObject();
    cJSON *can = cJSON_AddObjectToObject(result, "capabilities");
    cJSON_AddNumberToObject(can, "textDocumentSync", 1);
    cJSON_AddTrueToObject(can, "hoverProvider");
    cJSON_AddTrueToObject(can, "definitionProvider");
    cJSON_AddTrueToObject(can, "documentFormattingProvider");
    cJSON_AddObjectToObject(can, "completionProvider");
    cJSON *info = cJSON_AddObjectToObject(result, "serverInfo");
    cJSON_AddStringToObject(info, "name", "espalier");
    return result;
}

static cJSON *shut_down(lsp_server *server, const cJSON *params)
{
    (void)params;
    server->shut_down = true;
    return NULL;
}

typedef cJSON *place_fn(const lsp_analysis *known, uint32_t offset);

static cJSON *at_place(lsp_server *server, const cJSON *params, place_fn *answer)
{
    const lsp_analysis *known = analysis_of(server, params);
    return known ? answer(known, lsp_offset(known, cJSON_GetObjectItem(params, "position"))) : NULL;
}

static cJSON *hover(lsp_server *server, const cJSON *params)
{
    return at_place(server, params, lsp_hover);
}

static cJSON *definition_of(lsp_server *server, const cJSON *params)
{
    return at_place(server, params, lsp_definition);
}

static cJSON *completion(lsp_server *server, const cJSON *params)
{
    return at_place(server, params, lsp_completion);
}

static cJSON *formatting(lsp_server *server, const cJSON *params)
{
    const lsp_analysis *known = analysis_of(server, params);
    return known ? lsp_formatting(known) : NULL;
}

static const struct {
    const char *method;
    request_fn *answer;
} requests[] = {
    {"initialize", initialize},
    {"shutdown", shut_down},
    {"textDocument/hover", hover},
    {"textDocument/definition", definition_of},
    {"textDocument/completion", completion},
    {"textDocument/formatting", formatting},
};

static const struct {
    const char *method;
    notification_fn *take;
} notifications[] = {
    {"textDocument/didOpen", did_open},
    {"textDocument/didChange", did_change},
    {"textDocument/didClose", did_close},
    {"exit", leave},
};

static void handle_request(lsp_server *server, const char *method, const cJSON *id,
                           const cJSON *params)
{
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        if (strcmp(requests[i].method, method) == 0) {
            lsp_reply(&server->stream, id, requests[i].answer(server, params));
            return;
        }
    }
    lsp_reply_error(&server->stream, id, LSP_METHOD_NOT_FOUND, method);
}

static void handle_notification(lsp_server *server, const char *method, const cJSON *params)
{
    for (size_t i = 0; i < sizeof notifications / sizeof *notifications; i++) {
        if (strcmp(notifications[i].method, method) == 0)
            notifications[i].take(server, params);
    }
}

static void handle(lsp_server *server, const cJSON *message)
{
    const char *method = text_of(message, "method");
    const cJSON *id = cJSON_GetObjectItem(message, "id");
    const cJSON *params = cJSON_GetObjectItem(message, "params");
    if (!method && id && !cJSON_GetObjectItem(message, "result"))
        lsp_reply_error(&server->stream, id, LSP_INVALID_REQUEST, "a request needs a method");
    else if (method && id)
        handle_request(server, method, id, params);
    else if (method)
        handle_notification(server, method, params);
}

int lsp_serve(FILE *in, FILE *out, const char *library)
{
    lsp_server server = {.stream = {in, out}, .library = library};
    cJSON *message;
    lsp_read_status status;
    while (!server.left && (status = lsp_read(&server.stream, &message)) != LSP_CLOSED) {
        if (status == LSP_GARBLED)
            lsp_reply_error(&server.stream, NULL, LSP_PARSE_ERROR, "not a JSON message");
        else
            handle(&server, message);
        cJSON_Delete(message);
    }
    lsp_documents_clean_up(&server.documents);
    return server.shut_down ? 0 : 1;
}
