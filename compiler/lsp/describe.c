#include "lsp/describe.h"

#include "diag/diag_json.h"
#include "graph/text_form.h"
#include "sema/scope.h"

#include <inttypes.h>
#include <string.h>

/* ------------------------------------------------------------------ text of a definition */

/* Bytes of a line before its end or its comment. */
static uint32_t code_length(const char *line)
{
    const char *at = line;
    for (bool quoted = false; *at && *at != '\n' && (quoted || *at != '#'); at++)
        quoted = quoted != (*at == '"');
    return (uint32_t)(at - line);
}

/* Where the head of a definition ends: before its body; of another statement, at the end of its line. */
static uint32_t head_end(const ast_node *node, const char *bytes, uint32_t begin)
{
    const ast_node *body = ast_child(node, AST_BODY);
    uint32_t end = begin;
    if (body && ast_is_item(node->kind) && body->at.begin > begin)
        end = body->at.begin;
    else
        end += code_length(bytes + begin);
    while (end > begin && strchr(" \t\r\n{", bytes[end - 1]))
        end--;
    return end;
}

/* Blanks and line breaks become one blank. */
static void add_squeezed(text *out, const char *from, const char *to)
{
    bool blank = false;
    for (; from < to; from++) {
        bool is_blank = strchr(" \t\r\n", *from) != NULL;
        if (!is_blank)
            text_add(out, "%s%c", blank ? " " : "", *from);
        blank = is_blank;
    }
}

const char *lsp_head(const lsp_analysis *known, const ast_node *node)
{
    size_t length;
    const char *bytes = source_bytes(known->sources, node->at.file, &length);
    uint32_t begin = node->at.begin;
    if (!ast_is_item(node->kind))
        while (begin > 0 && bytes[begin - 1] != '\n' && bytes[begin - 1] != ';')
            begin--;
    while (bytes[begin] == ' ' || bytes[begin] == '\t')
        begin++;
    text words = text_in(known->memory);
    add_squeezed(&words, bytes + begin, bytes + head_end(node, bytes, begin));
    return text_done(&words);
}

const char *lsp_comment_above(const lsp_analysis *known, const ast_node *node)
{
    int line = source_locate(known->sources, node->at).line, first = line;
    size_t length;
    for (; first > 1; first--) {
        const char *above = source_line(known->sources, node->at.file, first - 1, &length);
        if (!above || length == 0 || above[0] != '#')
            break;
    }
    text words = text_in(known->memory);
    for (; first < line; first++) {
        const char *comment = source_line(known->sources, node->at.file, first, &length);
        size_t sign = length > 1 && comment[1] == ' ' ? 2 : 1;
        text_add(&words, "%.*s\n", (int)(length - sign), comment + sign);
    }
    return text_done(&words);
}

const char *lsp_uri(const lsp_analysis *known, int file)
{
    const char *path = source_path(known->sources, file);
    for (size_t i = 0; known->meaning && i < known->meaning->files.count; i++) {
        const sema_file *one = known->meaning->files.items[i];
        if (one->tree->at.file == file)
            path = one->path;
    }
    return diag_uri(known->memory, path);
}

cJSON *lsp_location(const lsp_analysis *known, const ast_node *node)
{
    span at = node->name_at.file >= 0 ? node->name_at : node->at;
    if (node->kind == AST_FILE)
        at.begin = at.end = 0;
    cJSON *location = cJSON_CreateObject();
    cJSON_AddStringToObject(location, "uri", lsp_uri(known, at.file));
    cJSON_AddItemToObject(location, "range", diag_range_json(known->sources, at));
    return location;
}

/* ------------------------------------------------------------------ types and sizes in the file's plans */

typedef struct value_search {
    const lsp_analysis *known;
    const ast_node *node; /* the statement that binds the value */
    int line;             /* where it stands */
    const graph_value *found;
} value_search;

static bool stands_on_line(const value_search *s, span at)
{
    return at.file == s->node->at.file && source_locate(s->known->sources, at).line == s->line;
}

/* An operator's own place, or one of the calls around it. */
static bool comes_from_line(const value_search *s, const graph_op *op)
{
    if (stands_on_line(s, op->at))
        return true;
    for (size_t i = 0; i < op->trail.count; i++)
        if (stands_on_line(s, op->trail.items[i]))
            return true;
    return false;
}

/* "wide" in "h.doubled.wide.linear": the names that results are bound to are part of an operator's path. */
static bool path_has(const char *path, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = path; at && (at = strstr(at, name)) != NULL; at++) {
        bool begins = at == path || at[-1] == '.', ends = at[length] == '.' || at[length] == '\0';
        if (begins && ends)
            return true;
    }
    return false;
}

static bool makes(const value_search *s, const graph_op *op)
{
    if (s->node->kind == AST_INPUT)
        return op->kind == OP_input && op->attrs.name == s->node->name;
    bool named = path_has(op->path, s->node->name);
    for (size_t i = 0; i < op->outputs.count; i++)
        named = named || op->outputs.items[i]->name == s->node->name;
    return named && comes_from_line(s, op);
}

/* The last operator that a statement writes makes its value. */
static void search_region(value_search *s, const graph_region *region)
{
    for (size_t i = 0; i < region->ops.count; i++) {
        const graph_op *op = region->ops.items[i];
        if (op->body)
            search_region(s, op->body);
        if (op->outputs.count > 0 && makes(s, op))
            s->found = op->outputs.items[0];
    }
}

/* A parameter's or state's variable: its path ends in the name, and it was made on that line. */
static const graph_variable *variable_of(const value_search *s, const graph *g)
{
    for (size_t i = 0; i < g->variables.count; i++) {
        const graph_variable *v = &g->variables.items[i];
        const char *dot = strrchr(v->path, '.');
        if (strcmp(dot ? dot + 1 : v->path, s->node->name) == 0 && stands_on_line(s, v->at))
            return v;
    }
    return NULL;
}

/* In the function without gradients, whose operators are those of the file. */
static const char *type_in(value_search *s, const graph *g)
{
    const graph_variable *v = variable_of(s, g);
    if (v)
        return graph_print_type(g, &v->type, &v->layout, s->known->memory);
    const graph_function *eval = graph_function_find(g, "eval");
    s->found = NULL;
    if (eval)
        search_region(s, &eval->region);
    return s->found ? graph_print_type(g, &s->found->type, &s->found->layout, s->known->memory)
                    : NULL;
}

const char *lsp_type_words(const lsp_analysis *known, const ast_node *node)
{
    const lsp_plans *plans = lsp_plans_of(known);
    value_search s = {known, node, source_locate(known->sources, node->at).line, NULL};
    text words = text_in(known->memory);
    const char *before = "";
    for (size_t i = 0; node->name && i < plans->all.count; i++) {
        const lsp_plan *plan = &plans->all.items[i];
        const char *type = type_in(&s, plan->graph);
        if (type && strcmp(type, before) != 0)
            text_add(&words, "`%s : %s` in plan %s\n\n", node->name, type, plan->name);
        before = type ? type : before;
    }
    return text_done(&words);
}

const char *lsp_size_words(const lsp_analysis *known, atom dimension)
{
    const lsp_plans *plans = lsp_plans_of(known);
    text words = text_in(known->memory);
    int64_t said = 0;
    for (size_t i = 0; i < plans->all.count; i++) {
        const graph *g = plans->all.items[i].graph;
        for (size_t k = 0; k < g->dims.count; k++) {
            const graph_dim *dim = &g->dims.items[k];
            if (dim->name != dimension || dim->size == said)
                continue;
            text_add(&words, "%s%" PRId64, words.length ? ", " : "", dim->size);
            said = dim->size;
        }
    }
    return text_done(&words);
}
