/* Code actions: a quick fix for each fix-it of a diagnostic in the range that was asked for. */
#include "diag/diag_json.h"
#include "lsp/describe.h"
#include "lsp/server.h"

static cJSON *edit_of_file(const lsp_analysis *known, const diag_repair *fix)
{
    cJSON *edit = cJSON_CreateObject();
    cJSON *changes = cJSON_AddObjectToObject(edit, "changes");
    cJSON *edits = cJSON_AddArrayToObject(changes, lsp_uri(known, fix->at.file));
    cJSON *change = cJSON_CreateObject();
    cJSON_AddItemToObject(change, "range", diag_range_json(known->sources, fix->at));
    cJSON_AddStringToObject(change, "newText", fix->replacement);
    cJSON_AddItemToArray(edits, change);
    return edit;
}

static cJSON *action_of(const lsp_analysis *known, const diag *d, const diag_repair *fix)
{
    cJSON *action = cJSON_CreateObject();
    cJSON_AddStringToObject(action, "title", fix->words);
    cJSON_AddStringToObject(action, "kind", "quickfix");
    cJSON_AddItemToArray(cJSON_AddArrayToObject(action, "diagnostics"), diag_json(known->diags, d));
    cJSON_AddItemToObject(action, "edit", edit_of_file(known, fix));
    return action;
}

cJSON *lsp_actions(const lsp_analysis *known, uint32_t begin, uint32_t end)
{
    size_t count;
    const diag *const *all = diag_ordered(known->diags, &count);
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++) {
        const diag *d = all[i];
        bool here = d->at.file == known->file && d->at.begin <= end && d->at.end >= begin;
        for (size_t k = 0; here && k < d->fixes.count; k++)
            if (d->fixes.items[k].replacement)
                cJSON_AddItemToArray(list, action_of(known, d, &d->fixes.items[k]));
    }
    return list;
}
