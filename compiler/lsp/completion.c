/* What may stand at a place: clauses of the block, names of the definition, layers and operators. */
#include "lsp/lookup.h"
#include "lsp/server.h"
#include "sema/builtin.h"
#include "sema/scope.h"

#include <string.h>

/* CompletionItemKind of the protocol. */
enum { KIND_FUNCTION = 3, KIND_VARIABLE = 6, KIND_CLASS = 7, KIND_KEYWORD = 14 };

static const struct {
    ast_kind block;
    const char *word;
} clauses[] = {
#define CLAUSE(block, word, ...) {AST_##block, word},
#include "sema/clause.def"
#undef CLAUSE
};

static const char *const item_words[] = {"use",      "import",  "model", "layer", "optimizer",
                                         "schedule", "cluster", "train", "plan",  "topology"};

static const char *const operators[] = {
#define BUILTIN(name, ...) name,
#include "sema/builtin.def"
#undef BUILTIN
};

static void offer(cJSON *list, const char *word, int kind, const char *detail)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "label", word);
    cJSON_AddNumberToObject(item, "kind", kind);
    if (detail)
        cJSON_AddStringToObject(item, "detail", detail);
    cJSON_AddItemToArray(list, item);
}

static bool is_offered(const cJSON *list, const char *word)
{
    for (const cJSON *item = list->child; item; item = item->next) {
        if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(item, "label")), word) == 0)
            return true;
    }
    return false;
}

static void visit_name(const ast_node *node, void *state)
{
    cJSON *list = state;
    bool binder = node->kind == AST_ASSIGN || node->kind == AST_PARAM || node->kind == AST_INPUT ||
                  node->kind == AST_PARAMETER || node->kind == AST_STATE;
    bool dimension = node->kind == AST_NAME && node->parent && node->parent->kind == AST_DIMS;
    if (!node->name || (!binder && !dimension))
        return;
    if (is_offered(list, node->name))
        return;
    offer(list, node->name, KIND_VARIABLE, binder ? ast_kind_name(node->kind) : "dimension");
}

static void offer_clauses(cJSON *list, ast_kind block)
{
    for (size_t i = 0; i < sizeof clauses / sizeof *clauses; i++) {
        if (clauses[i].block == block)
            offer(list, clauses[i].word, KIND_KEYWORD, "clause");
    }
}

static void offer_definitions(cJSON *list, const sema_file *file, ast_kind kind)
{
    for (size_t i = 0; i < file->definitions.count; i++) {
        const definition *d = file->definitions.items[i];
        if (d->kind == kind)
            offer(list, d->name, KIND_FUNCTION, ast_kind_name(kind));
    }
    for (size_t i = 0; i < file->sees.count; i++)
        offer_definitions(list, file->sees.items[i], kind);
}

static void offer_for_plan(cJSON *list, const lsp_analysis *known, const ast_node *plan)
{
    offer_clauses(list, AST_PLAN);
    const ast_node *train =
        plan->count && plan->children[0]->kind == AST_NAME ? plan->children[0] : NULL;
    const definition *d =
        train ? scope_find(known->meaning, known->meaning->main, AST_TRAIN, train->name) : NULL;
    const ast_node *called = d && d->node->count ? d->node->children[0] : NULL;
    if (called && called->kind == AST_CALL)
        called = called->children[0];
    d = called ? scope_find(known->meaning, known->meaning->main, AST_MODEL, called->name) : NULL;
    if (d)
        lsp_walk(d->node, visit_name, list);
    const sema_file *library = scope_library(known->meaning, atom_of(known->atoms, "topology"));
    offer_definitions(list, library ? library : known->meaning->main, AST_TOPOLOGY);
}

cJSON *lsp_completion(const lsp_analysis *known, uint32_t offset)
{
    cJSON *list = cJSON_CreateArray();
    const ast_node *item = lsp_item_around(lsp_node_at(known, offset));
    if (!item) {
        for (size_t i = 0; i < sizeof item_words / sizeof *item_words; i++)
            offer(list, item_words[i], KIND_KEYWORD, NULL);
    } else if (item->kind == AST_PLAN && known->meaning) {
        offer_for_plan(list, known, item);
    } else if (item->kind == AST_TRAIN && known->meaning) {
        offer_clauses(list, AST_TRAIN);
        offer_definitions(list, known->meaning->main, AST_OPTIMIZER);
        offer_definitions(list, known->meaning->main, AST_SCHEDULE);
    } else {
        lsp_walk(item, visit_name, list);
        if (known->meaning)
            offer_definitions(list, known->meaning->main, AST_LAYER);
        for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
            offer(list, operators[i], KIND_FUNCTION, "operator");
    }
    return list;
}
