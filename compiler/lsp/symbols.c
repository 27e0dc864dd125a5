/* Document symbols: the blocks of a file, and what each binds. */
#include "diag/diag_json.h"
#include "lsp/describe.h"
#include "lsp/lookup.h"
#include "lsp/server.h"

/* SymbolKind of the protocol. */
enum {
    SYMBOL_MODULE = 2,
    SYMBOL_CLASS = 5,
    SYMBOL_PROPERTY = 7,
    SYMBOL_FIELD = 8,
    SYMBOL_FUNCTION = 12,
    SYMBOL_VARIABLE = 13,
    SYMBOL_OBJECT = 19,
    SYMBOL_EVENT = 24
};

static int symbol_kind(ast_kind kind)
{
    switch (kind) {
    case AST_MODEL:
    case AST_TRAIN:
        return SYMBOL_CLASS;
    case AST_LAYER:
    case AST_OPTIMIZER:
    case AST_SCHEDULE:
    case AST_TOPOLOGY:
        return SYMBOL_FUNCTION;
    case AST_CLUSTER:
        return SYMBOL_OBJECT;
    case AST_PLAN:
        return SYMBOL_MODULE;
    case AST_CLAUSE:
        return SYMBOL_EVENT;
    case AST_PARAM:
    case AST_STATE:
    case AST_UNIT:
    case AST_SWITCH:
        return SYMBOL_PROPERTY;
    case AST_INPUT:
    case AST_PARAMETER:
        return SYMBOL_FIELD;
    case AST_ASSIGN:
    case AST_METRIC:
        return SYMBOL_VARIABLE;
    default:
        return 0;
    }
}

static void add_symbols(const lsp_analysis *known, const ast_node *around, cJSON *list);

static void add_symbol(const lsp_analysis *known, const ast_node *node, cJSON *list)
{
    cJSON *symbol = cJSON_CreateObject();
    cJSON_AddStringToObject(symbol, "name", node->name);
    cJSON_AddStringToObject(symbol, "detail", lsp_head(known, node));
    cJSON_AddNumberToObject(symbol, "kind", symbol_kind(node->kind));
    cJSON_AddItemToObject(symbol, "range", diag_range_json(known->sources, node->at));
    cJSON_AddItemToObject(symbol, "selectionRange", diag_range_json(known->sources, node->name_at));
    cJSON *inside = cJSON_AddArrayToObject(symbol, "children");
    if (ast_is_item(node->kind) || node->kind == AST_UNIT)
        add_symbols(known, node, inside);
    cJSON_AddItemToArray(list, symbol);
}

static void add_symbols(const lsp_analysis *known, const ast_node *around, cJSON *list)
{
    for (size_t i = 0; i < around->count; i++) {
        const ast_node *node = around->children[i];
        bool named = node->name && *node->name && node->name_at.file >= 0;
        if (named && symbol_kind(node->kind))
            add_symbol(known, node, list);
        else if (node->kind == AST_BODY || node->kind == AST_IF || node->kind == AST_ELSE)
            add_symbols(known, node, list);
    }
}

cJSON *lsp_symbols(const lsp_analysis *known)
{
    cJSON *list = cJSON_CreateArray();
    add_symbols(known, known->tree, list);
    return list;
}
