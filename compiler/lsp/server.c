#include "lsp/server.h"

#include "diag/diag_json.h"
#include "lsp/describe.h"

#include <string.h>

enum { LARGEST_ANALYSIS = 128 << 20 };

typedef cJSON *request_fn(lsp_server *server, const cJSON *params);
typedef void notification_fn(lsp_server *server, const cJSON *params);

static const char *text_of(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
}

static void publish(lsp_server *server, const char *uri, cJSON *diagnostics)
{
    const lsp_document *d = lsp_documents_find(&server->documents, uri);
    cJSON *params = cJSON_CreateObject();
    cJSON_AddStringToObject(params, "uri", uri);
    if (d)
        cJSON_AddNumberToObject(params, "version", d->version);
    cJSON_AddItemToObject(params, "diagnostics", diagnostics);
    lsp_notify(&server->stream, "textDocument/publishDiagnostics", params);
}

/* Errors of the files that the document imports are shown in those, unless they are open and speak for themselves; where
 * nothing is wrong any more, that is said too. */
static void publish_foreign(lsp_server *server, lsp_document *d, const lsp_analysis *known)
{
    cJSON *now = cJSON_CreateObject();
    for (int file = 0; file < source_count(known->sources); file++) {
        const char *uri = lsp_uri(known, file);
        bool open = lsp_documents_find(&server->documents, uri) != NULL;
        if (file == known->file || open || cJSON_GetObjectItemCaseSensitive(now, uri))
            continue;
        cJSON *diagnostics = diag_file_json(known->diags, file);
        if (cJSON_GetArraySize(diagnostics) > 0) {
            cJSON_AddTrueToObject(now, uri);
            publish(server, uri, diagnostics);
        } else {
            cJSON_Delete(diagnostics);
        }
    }
    for (const cJSON *old = d->foreign ? d->foreign->child : NULL; old; old = old->next)
        if (!cJSON_GetObjectItemCaseSensitive(now, old->string))
            publish(server, old->string, cJSON_CreateArray());
    cJSON_Delete(d->foreign);
    d->foreign = now;
}

static void report_one(lsp_server *server, lsp_document *d)
{
    const lsp_analysis *known = lsp_document_analyse(d, &server->documents, server->library);
    publish(server, d->uri, diag_file_json(known->diags, known->file));
    publish_foreign(server, d, known);
}

/* The document, and those that import it. */
static void report(lsp_server *server, lsp_document *d)
{
    report_one(server, d);
    for (lsp_document *other = server->documents.first; other; other = other->next) {
        if (other == d || !other->analysis || !lsp_analysis_reads(other->analysis, d->path))
            continue;
        lsp_document_forget(other);
        report_one(server, other);
    }
}

static int version_of(const cJSON *params)
{
    const cJSON *version =
        cJSON_GetObjectItem(cJSON_GetObjectItem(params, "textDocument"), "version");
    return cJSON_IsNumber(version) ? version->valueint : 0;
}

static void did_open(lsp_server *server, const cJSON *params)
{
    const cJSON *document = cJSON_GetObjectItem(params, "textDocument");
    const char *uri = text_of(document, "uri"), *bytes = text_of(document, "text");
    if (!uri || !bytes)
        return;
    lsp_document *d = lsp_documents_put(&server->documents, uri, bytes);
    d->version = version_of(params);
    report(server, d);
}

static lsp_document *document_of(lsp_server *server, const cJSON *params)
{
    const char *uri = text_of(cJSON_GetObjectItem(params, "textDocument"), "uri");
    return uri ? lsp_documents_find(&server->documents, uri) : NULL;
}

static const lsp_analysis *analysis_of(lsp_server *server, const cJSON *params)
{
    lsp_document *d = document_of(server, params);
    return d ? lsp_document_analyse(d, &server->documents, server->library) : NULL;
}

static void did_change(lsp_server *server, const cJSON *params)
{
    lsp_document *d = document_of(server, params);
    const cJSON *change = NULL, *changes = cJSON_GetObjectItem(params, "contentChanges");
    if (!d || !cJSON_IsArray(changes))
        return;
    cJSON_ArrayForEach(change, changes)
    {
        const cJSON *range = cJSON_GetObjectItem(change, "range");
        const char *bytes = text_of(change, "text");
        if (bytes && cJSON_IsObject(range))
            lsp_document_edit(d, range, bytes);
        else if (bytes)
            lsp_documents_put(&server->documents, d->uri, bytes);
    }
    d->version = version_of(params);
    report(server, d);
}

/* What was saved may be imported by what is open. */
static void did_save(lsp_server *server, const cJSON *params)
{
    (void)params;
    for (lsp_document *d = server->documents.first; d; d = d->next) {
        lsp_document_forget(d);
        report_one(server, d);
    }
}

static void did_close(lsp_server *server, const cJSON *params)
{
    lsp_document *d = document_of(server, params);
    if (!d)
        return;
    publish(server, d->uri, cJSON_CreateArray());
    lsp_documents_drop(&server->documents, d->uri);
}

static void leave(lsp_server *server, const cJSON *params)
{
    (void)params;
    server->left = true;
}

static void add_trigger(cJSON *can, const char *provider, const char *first, const char *second)
{
    cJSON *list =
        cJSON_AddArrayToObject(cJSON_AddObjectToObject(can, provider), "triggerCharacters");
    cJSON_AddItemToArray(list, cJSON_CreateString(first));
    cJSON_AddItemToArray(list, cJSON_CreateString(second));
}

static cJSON *initialize(lsp_server *server, const cJSON *params)
{
    static const char *const provided[] = {
        "hoverProvider",          "definitionProvider",         "referencesProvider",
        "documentSymbolProvider", "documentFormattingProvider", "documentRangeFormattingProvider",
        "codeActionProvider",     "documentHighlightProvider",
    };
    (void)params;
    server->initialized = true;
    cJSON *result = cJSON_CreateObject();
    cJSON *can = cJSON_AddObjectToObject(result, "capabilities");
    cJSON_AddStringToObject(can, "positionEncoding", "utf-16");
    cJSON *sync = cJSON_AddObjectToObject(can, "textDocumentSync");
    cJSON_AddTrueToObject(sync, "openClose");
    cJSON_AddNumberToObject(sync, "change", 2);
    cJSON_AddTrueToObject(sync, "save");
    for (size_t i = 0; i < sizeof provided / sizeof *provided; i++)
        cJSON_AddTrueToObject(can, provided[i]);
    cJSON_AddTrueToObject(cJSON_AddObjectToObject(can, "renameProvider"), "prepareProvider");
    add_trigger(can, "completionProvider", ".", "(");
    add_trigger(can, "signatureHelpProvider", "(", ",");
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

/* ------------------------------------------------------------------ requests about a document */

typedef cJSON *document_fn(const lsp_analysis *known);
typedef cJSON *place_fn(const lsp_analysis *known, uint32_t offset);
typedef cJSON *range_fn(const lsp_analysis *known, uint32_t begin, uint32_t end);

static cJSON *rename_answer(const lsp_analysis *known, const cJSON *params)
{
    const char *name = text_of(params, "newName");
    uint32_t offset = lsp_offset(lsp_text(known), cJSON_GetObjectItem(params, "position"));
    cJSON *edits = name ? lsp_rename(known, offset, name) : NULL;
    if (!edits)
        return NULL;
    cJSON *answer = cJSON_CreateObject();
    cJSON *changes = cJSON_AddObjectToObject(answer, "changes");
    cJSON_AddItemToObject(changes, text_of(cJSON_GetObjectItem(params, "textDocument"), "uri"),
                          edits);
    return answer;
}

/* One of the functions is set: what a request needs to know is told by which. */
static const struct request_row {
    const char *method;
    request_fn *answer;
    document_fn *about;
    place_fn *at_place;
    range_fn *in_range;
} requests[] = {
    {"initialize", .answer = initialize},
    {"shutdown", .answer = shut_down},
    {"textDocument/hover", .at_place = lsp_hover},
    {"textDocument/definition", .at_place = lsp_definition},
    {"textDocument/references", .at_place = lsp_references},
    {"textDocument/documentHighlight", .at_place = lsp_highlights},
    {"textDocument/prepareRename", .at_place = lsp_prepare_rename},
    {"textDocument/rename", .answer = NULL},
    {"textDocument/completion", .at_place = lsp_completion},
    {"textDocument/signatureHelp", .at_place = lsp_signature},
    {"textDocument/documentSymbol", .about = lsp_symbols},
    {"textDocument/codeAction", .in_range = lsp_actions},
    {"textDocument/formatting", .about = lsp_formatting},
    {"textDocument/rangeFormatting", .in_range = lsp_range_formatting},
};

static const struct {
    const char *method;
    notification_fn *take;
} notifications[] = {
    {"textDocument/didOpen", did_open},
    {"textDocument/didChange", did_change},
    {"textDocument/didClose", did_close},
    {"textDocument/didSave", did_save},
    {"exit", leave},
};

static cJSON *answer_of(lsp_server *server, const struct request_row *row, const cJSON *params)
{
    if (row->answer)
        return row->answer(server, params);
    const lsp_analysis *known = analysis_of(server, params);
    if (!known)
        return NULL;
    const cJSON *range = cJSON_GetObjectItem(params, "range");
    if (row->about)
        return row->about(known);
    if (row->at_place)
        return row->at_place(known,
                             lsp_offset(lsp_text(known), cJSON_GetObjectItem(params, "position")));
    if (row->in_range)
        return row->in_range(known,
                             lsp_offset(lsp_text(known), cJSON_GetObjectItem(range, "start")),
                             lsp_offset(lsp_text(known), cJSON_GetObjectItem(range, "end")));
    return rename_answer(known, params);
}

/* Answers take memory from the analysis; one that has grown large is made anew when it is next asked for. */
static void trim(lsp_server *server, const cJSON *params)
{
    lsp_document *d = document_of(server, params);
    if (d && d->analysis && arena_used(d->analysis->memory) > LARGEST_ANALYSIS)
        lsp_document_forget(d);
}

static void handle_request(lsp_server *server, const char *method, const cJSON *id,
                           const cJSON *params)
{
    if (server->shut_down) {
        lsp_reply_error(&server->stream, id, LSP_INVALID_REQUEST, "the server is shut down");
        return;
    }
    if (!server->initialized && strcmp(method, "initialize") != 0) {
        lsp_reply_error(&server->stream, id, LSP_NOT_INITIALIZED, "'initialize' comes first");
        return;
    }
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        if (strcmp(requests[i].method, method) == 0) {
            lsp_reply(&server->stream, id, answer_of(server, &requests[i], params));
            trim(server, params);
            return;
        }
    }
    lsp_reply_error(&server->stream, id, LSP_METHOD_NOT_FOUND, method);
}

static void handle_notification(lsp_server *server, const char *method, const cJSON *params)
{
    for (size_t i = 0; i < sizeof notifications / sizeof *notifications; i++) {
        bool fits = server->initialized || strcmp(method, "exit") == 0;
        if (fits && strcmp(notifications[i].method, method) == 0)
            notifications[i].take(server, params);
    }
}

static void handle(lsp_server *server, const cJSON *message)
{
    const char *method = text_of(message, "method");
    const cJSON *id = cJSON_GetObjectItem(message, "id");
    const cJSON *params = cJSON_GetObjectItem(message, "params");
    bool answer = id && !method && cJSON_IsObject(message) &&
                  (cJSON_HasObjectItem(message, "result") || cJSON_HasObjectItem(message, "error"));
    if (answer)
        return; /* to something that this server never asked */
    if (!cJSON_IsObject(message) || !method)
        lsp_reply_error(&server->stream, id, LSP_INVALID_REQUEST, "a request has a method");
    else if (id && !cJSON_IsString(id) && !cJSON_IsNumber(id))
        lsp_reply_error(&server->stream, NULL, LSP_INVALID_REQUEST, "an id is a number or a text");
    else if (id)
        handle_request(server, method, id, params);
    else
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
