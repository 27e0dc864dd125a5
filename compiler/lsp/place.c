/* Hover and go to definition. */
#include "diag/diag_json.h"
#include "graph/text_form.h"
#include "lsp/lookup.h"
#include "lsp/server.h"
#include "sema/builtin.h"
#include "sema/scope.h"

#include <string.h>

/* The part of a definition that is worth showing: its first line, without an opening brace. */
static void add_head(const lsp_analysis *known, const ast_node *target, text *words)
{
    size_t length;
    int line = source_locate(known->sources, target->at).line;
    const char *head = source_line(known->sources, target->at.file, line, &length);
    while (length && (*head == ' ' || *head == '\t')) {
        head++;
        length--;
    }
    while (length && strchr(" \t{", head[length - 1]))
        length--;
    text_add(words, "%.*s", (int)length, head);
}

typedef struct value_search {
    const lsp_analysis *known;
    atom name;
    int line; /* of the statement that binds it */
    const graph_value *found;
} value_search;

static void search_region(value_search *s, const graph_region *region)
{
    for (size_t i = 0; i < region->ops.count && !s->found; i++) {
        const graph_op *op = region->ops.items[i];
        for (size_t k = 0; k < op->outputs.count && !s->found; k++) {
            const graph_value *made = op->outputs.items[k];
            span at = op->trail.count ? op->trail.items[op->trail.count - 1] : op->at;
            if (made->name == s->name && at.file == s->known->file &&
                source_locate(s->known->sources, at).line == s->line)
                s->found = made;
        }
        if (op->body)
            search_region(s, op->body);
    }
}

/* A value's type in the file's first plan; the graph interns names in the same table, so they compare by pointer. */
static void add_type(const lsp_analysis *known, const ast_node *target, text *words)
{
    const graph *g = known->planned.graph;
    if (!g || !target->name || target->at.file != known->file)
        return;
    value_search s = {known, target->name, source_locate(known->sources, target->at).line, NULL};
    for (size_t i = 0; i < g->functions.count && !s.found; i++)
        search_region(&s, &g->functions.items[i]->region);
    if (s.found)
        text_add(words, "\n\n`%s : %s`", target->name,
                 graph_print_type(g, &s.found->type, &s.found->layout, known->memory));
}

static cJSON *markdown(const lsp_analysis *known, span at, const char *words)
{
    cJSON *result = cJSON_CreateObject();
    cJSON *contents = cJSON_AddObjectToObject(result, "contents");
    cJSON_AddStringToObject(contents, "kind", "markdown");
    cJSON_AddStringToObject(contents, "value", words);
    cJSON_AddItemToObject(result, "range", diag_range_json(known->sources, at));
    return result;
}

cJSON *lsp_hover(const lsp_analysis *known, uint32_t offset)
{
    lsp_meaning m = lsp_lookup(known, lsp_node_at(known, offset), offset);
    if (!m.name)
        return NULL;
    text words = text_in(known->memory);
    if (m.target) {
        text_add(&words, "%s `%s`\n\n```plan\n", m.kind, m.name);
        add_head(known, m.target, &words);
        text_add(&words, "\n```\n%s",
                 source_line_name(known->sources, m.target->at, known->memory));
        add_type(known, m.target, &words);
    } else {
        const builtin *called = known->meaning ? builtin_find(known->meaning, m.name) : NULL;
        if (!called)
            return NULL;
        text_add(&words, "operator\n\n```plan\n%s\n```", called->signature);
    }
    return markdown(known, m.at, text_done(&words));
}

cJSON *lsp_definition(const lsp_analysis *known, uint32_t offset)
{
    lsp_meaning m = lsp_lookup(known, lsp_node_at(known, offset), offset);
    if (!m.target)
        return NULL;
    span at = m.target->name_at.file >= 0 ? m.target->name_at : m.target->at;
    cJSON *location = cJSON_CreateObject();
    cJSON_AddStringToObject(location, "uri",
                            diag_uri(known->memory, source_path(known->sources, at.file)));
    cJSON_AddItemToObject(location, "range", diag_range_json(known->sources, at));
    return location;
}
