/* References, highlights and rename: every name of the document that stands for the same thing. */
#include "diag/diag_json.h"
#include "lsp/describe.h"
#include "lsp/lookup.h"
#include "lsp/server.h"

#include <ctype.h>
#include <string.h>

typedef VEC(span) place_list;

typedef struct gathering {
    const lsp_analysis *known;
    atom name;
    const ast_node *target;
    place_list *places;
} gathering;

static void add_place(gathering *g, span at)
{
    for (size_t i = 0; i < g->places->count; i++)
        if (g->places->items[i].begin == at.begin)
            return;
    vec_push(g->known->memory, g->places, at);
}

static void visit(const ast_node *node, void *state)
{
    gathering *g = state;
    if (node->name != g->name)
        return;
    uint32_t begin = node->name_at.file >= 0 ? node->name_at.begin : node->at.begin;
    lsp_meaning m = lsp_lookup(g->known, node, begin);
    if (node == g->target || (m.name && m.target == g->target))
        add_place(g, node->name_at.file >= 0 ? node->name_at : node->at);
}

/* Where the thing at that place is named in the document; `target` NULL when nothing is known of it. */
static place_list places_of(const lsp_analysis *known, uint32_t offset, const ast_node **target)
{
    place_list places = {0};
    lsp_meaning m = lsp_lookup(known, lsp_node_at(known, offset), offset);
    *target = m.target;
    if (!m.target || m.target->kind == AST_FILE)
        return places;
    gathering g = {known, m.name, m.target, &places};
    lsp_walk(known->tree, visit, &g);
    return places;
}

cJSON *lsp_references(const lsp_analysis *known, uint32_t offset)
{
    const ast_node *target;
    place_list places = places_of(known, offset, &target);
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < places.count; i++) {
        cJSON *location = cJSON_CreateObject();
        cJSON_AddStringToObject(location, "uri", lsp_uri(known, known->file));
        cJSON_AddItemToObject(location, "range", diag_range_json(known->sources, places.items[i]));
        cJSON_AddItemToArray(list, location);
    }
    return list;
}

cJSON *lsp_highlights(const lsp_analysis *known, uint32_t offset)
{
    const ast_node *target;
    place_list places = places_of(known, offset, &target);
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < places.count; i++) {
        cJSON *highlight = cJSON_CreateObject();
        cJSON_AddItemToObject(highlight, "range", diag_range_json(known->sources, places.items[i]));
        cJSON_AddItemToArray(list, highlight);
    }
    return list;
}

static bool is_name(const char *word)
{
    if (!isalpha((unsigned char)*word) && *word != '_')
        return false;
    for (; *word; word++)
        if (!isalnum((unsigned char)*word) && *word != '_')
            return false;
    return true;
}

/* What this file defines can be renamed here; what the library or another file defines cannot. */
static bool can_rename(const lsp_analysis *known, const ast_node *target)
{
    return target && target->kind != AST_FILE && target->at.file == known->file;
}

cJSON *lsp_prepare_rename(const lsp_analysis *known, uint32_t offset)
{
    lsp_meaning m = lsp_lookup(known, lsp_node_at(known, offset), offset);
    return can_rename(known, m.target) ? diag_range_json(known->sources, m.at) : NULL;
}

cJSON *lsp_rename(const lsp_analysis *known, uint32_t offset, const char *name)
{
    const ast_node *target;
    place_list places = places_of(known, offset, &target);
    if (!can_rename(known, target) || !is_name(name))
        return NULL;
    cJSON *edits = cJSON_CreateArray();
    for (size_t i = 0; i < places.count; i++) {
        cJSON *edit = cJSON_CreateObject();
        cJSON_AddItemToObject(edit, "range", diag_range_json(known->sources, places.items[i]));
        cJSON_AddStringToObject(edit, "newText", name);
        cJSON_AddItemToArray(edits, edit);
    }
    return edits;
}
