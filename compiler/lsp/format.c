/* Formatting: of the whole document, or of the statements that a range touches. */
#include "lsp/server.h"

#include "diag/diag_json.h"
#include "parse/format.h"

#include <string.h>

static void add_edit(const lsp_analysis *known, cJSON *edits, span at, const char *replacement)
{
    cJSON *edit = cJSON_CreateObject();
    cJSON_AddItemToObject(edit, "range", diag_range_json(known->sources, at));
    cJSON_AddStringToObject(edit, "newText", replacement);
    cJSON_AddItemToArray(edits, edit);
}

/* NULL while the document has errors of syntax; these are said already. */
static const char *formatted_text(const lsp_analysis *known)
{
    diag_sink *unheard = diag_sink_new(known->memory, known->sources);
    parse_context context = {known->memory, known->atoms, known->sources, unheard};
    return format_file(&context, known->file);
}

cJSON *lsp_formatting(const lsp_analysis *known)
{
    size_t length;
    const char *before = source_bytes(known->sources, known->file, &length);
    const char *formatted = formatted_text(known);
    cJSON *edits = cJSON_CreateArray();
    if (formatted && (strlen(formatted) != length || memcmp(before, formatted, length) != 0))
        add_edit(known, edits, (span){known->file, 0, (uint32_t)length}, formatted);
    return edits;
}

/* Neighbours among a node's children, with the same ones of the formatted tree. */
typedef struct stretch {
    const ast_node *list, *formatted; /* a file or a body, before and after */
    size_t first, last;
} stretch;

/* False: the range touches none of the children. */
static bool narrow(stretch *s, uint32_t begin, uint32_t end)
{
    bool found = false;
    for (size_t i = 0; i < s->list->count; i++) {
        span at = s->list->children[i]->at;
        if (at.begin > end || at.end < begin)
            continue;
        s->first = found ? s->first : i;
        s->last = i;
        found = true;
    }
    return found;
}

/* The deepest list of statements that holds the range; the formatted file has the same tree. */
static bool find_stretch(stretch *s, uint32_t begin, uint32_t end)
{
    if (!narrow(s, begin, end))
        return false;
    while (s->first == s->last) {
        const ast_node *one = s->list->children[s->first];
        const ast_node *body = ast_child(one, AST_BODY);
        if (!body || body->at.begin >= begin || body->at.end <= end)
            break;
        stretch inner = {body, ast_child(s->formatted->children[s->first], AST_BODY), 0, 0};
        if (!narrow(&inner, begin, end))
            break;
        *s = inner;
    }
    return true;
}

/* Whole lines where nothing else stands on them. */
static span lines_of(const char *bytes, span first, span last)
{
    span at = {first.file, first.begin, last.end};
    while (at.begin > 0 && strchr(" \t", bytes[at.begin - 1]))
        at.begin--;
    if (at.begin > 0 && bytes[at.begin - 1] != '\n')
        at.begin = first.begin;
    return at;
}

cJSON *lsp_range_formatting(const lsp_analysis *known, uint32_t begin, uint32_t end)
{
    cJSON *edits = cJSON_CreateArray();
    const char *after = formatted_text(known), *before = lsp_text(known);
    if (!after)
        return edits;
    int file = source_add(known->sources, "formatted", after, strlen(after));
    diag_sink *unheard = diag_sink_new(known->memory, known->sources);
    parse_context context = {known->memory, known->atoms, known->sources, unheard};
    stretch s = {known->tree, parse_file(&context, file), 0, 0};
    if (!find_stretch(&s, begin, end))
        return edits;
    span old = lines_of(before, s.list->children[s.first]->at, s.list->children[s.last]->at);
    span new =
        lines_of(after, s.formatted->children[s.first]->at, s.formatted->children[s.last]->at);
    size_t length = new.end - new.begin;
    if (length != old.end - old.begin || memcmp(before + old.begin, after + new.begin, length) != 0)
        add_edit(known, edits, old, arena_copy_text(known->memory, after + new.begin, length));
    return edits;
}
