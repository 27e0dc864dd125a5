/* Hover and go to definition. */
#include "diag/diag_json.h"
#include "lsp/describe.h"
#include "lsp/lookup.h"
#include "lsp/server.h"
#include "sema/note.h"

#include <string.h>

static cJSON *markdown(const lsp_analysis *known, span at, const char *words)
{
    cJSON *result = cJSON_CreateObject();
    cJSON *contents = cJSON_AddObjectToObject(result, "contents");
    cJSON_AddStringToObject(contents, "kind", "markdown");
    cJSON_AddStringToObject(contents, "value", words);
    cJSON_AddItemToObject(result, "range", diag_range_json(known->sources, at));
    return result;
}

/* A clause word, a block word, or an operator: what the language itself says. */
static note note_about(const ast_node *node, const char *name)
{
    const ast_node *item = lsp_item_around(node);
    if (node->kind == AST_CLAUSE && item)
        return note_find(item->kind, name);
    return note_find(AST_CALL, name);
}

static void describe_target(const lsp_analysis *known, const lsp_meaning *m, text *words)
{
    const ast_node *target = m->target;
    if (target->kind == AST_FILE) {
        text_add(words, "file %s", source_path(known->sources, target->at.file));
        return;
    }
    text_add(words, "%s `%s`\n\n```plan\n%s\n```\n", m->kind, m->name, lsp_head(known, target));
    text_add(words, "%s\n\n", source_line_name(known->sources, target->at, known->memory));
    if (ast_is_item(target->kind))
        text_add(words, "%s", lsp_comment_above(known, target));
    else
        text_add(words, "%s", lsp_type_words(known, target));
    const char *sizes = lsp_size_words(known, m->name);
    bool dimension = strcmp(m->kind, "dimension") == 0 || strcmp(m->kind, "parameter") == 0;
    if (dimension && *sizes)
        text_add(words, "`%s = %s`\n", m->name, sizes);
}

cJSON *lsp_hover(const lsp_analysis *known, uint32_t offset)
{
    const ast_node *node = lsp_node_at(known, offset);
    lsp_meaning m = lsp_lookup(known, node, offset);
    if (!m.name)
        return NULL;
    text words = text_in(known->memory);
    if (m.target) {
        describe_target(known, &m, &words);
    } else {
        note n = note_about(node, m.name);
        if (!n.word)
            return NULL;
        text_add(&words, "%s\n\n```plan\n%s\n```\n%s", n.block == AST_CALL ? "operator" : "clause",
                 n.form, n.text);
    }
    return markdown(known, m.at, text_done(&words));
}

cJSON *lsp_definition(const lsp_analysis *known, uint32_t offset)
{
    lsp_meaning m = lsp_lookup(known, lsp_node_at(known, offset), offset);
    return m.target ? lsp_location(known, m.target) : NULL;
}
