#include "lsp/server.h"

#include "diag/diag_json.h"
#include "parse/format.h"

#include <string.h>

cJSON *lsp_formatting(const lsp_analysis *known)
{
    size_t length;
    const char *before = source_bytes(known->sources, known->file, &length);
    diag_sink *unheard = diag_sink_new(known->memory, known->sources); /* said already */
    parse_context context = {known->memory, known->atoms, known->sources, unheard};
    const char *formatted = format_file(&context, known->file);
    cJSON *edits = cJSON_CreateArray();
    if (!formatted || (strlen(formatted) == length && memcmp(before, formatted, length) == 0))
        return edits;
    cJSON *edit = cJSON_CreateObject();
    span whole = {known->file, 0, (uint32_t)length};
    cJSON_AddItemToObject(edit, "range", diag_range_json(known->sources, whole));
    cJSON_AddStringToObject(edit, "newText", formatted);
    cJSON_AddItemToArray(edits, edit);
    return edits;
}
