/* Signature help: the head of what is being called, and which of its parameters is being written. */
#include "lsp/context.h"
#include "lsp/describe.h"
#include "lsp/lookup.h"
#include "lsp/server.h"
#include "sema/note.h"
#include "sema/scope.h"

#include <string.h>

static const definition *called_by(const lsp_analysis *known, const lsp_context *c)
{
    static const ast_kind for_model[] = {AST_LAYER};
    static const ast_kind for_train[] = {AST_OPTIMIZER, AST_SCHEDULE, AST_MODEL};
    static const ast_kind for_plan[] = {AST_TOPOLOGY};
    bool train = strcmp(c->item, "train") == 0 || strcmp(c->item, "") == 0;
    bool plan = strcmp(c->item, "plan") == 0;
    const ast_kind *kinds = plan ? for_plan : train ? for_train : for_model;
    int count = train && !plan ? 3 : 1;
    atom name = atom_of(known->atoms, c->callee);
    for (int i = 0; i < count; i++) {
        const definition *d = lsp_definition_of(known, kinds[i], name);
        if (d)
            return d;
    }
    return NULL;
}

static cJSON *signature_json(const char *label, const char *words)
{
    cJSON *signature = cJSON_CreateObject();
    cJSON_AddStringToObject(signature, "label", label);
    if (*words)
        cJSON_AddStringToObject(signature, "documentation", words);
    return signature;
}

static void add_parameter(cJSON *list, const char *label)
{
    cJSON *made = cJSON_CreateObject();
    cJSON_AddStringToObject(made, "label", label);
    cJSON_AddItemToArray(list, made);
}

/* The parameter that the argument being written goes to: by name, else by place. */
static int active_of(const lsp_analysis *known, const definition *d, const lsp_context *c,
                     cJSON *signature)
{
    size_t length;
    int active = c->argument;
    cJSON *list = cJSON_AddArrayToObject(signature, "parameters");
    for (int i = 0; i < d->parameter_count; i++) {
        const ast_node *node = d->parameters[i].node;
        const char *bytes = source_bytes(known->sources, node->at.file, &length);
        add_parameter(list, arena_copy_text(known->memory, bytes + node->at.begin,
                                            node->at.end - node->at.begin));
        if (strcmp(d->parameters[i].name, c->named) == 0)
            active = i;
    }
    return active;
}

cJSON *lsp_signature(const lsp_analysis *known, uint32_t offset)
{
    lsp_context c = lsp_context_at(known->memory, lsp_text(known), offset);
    if (c.quiet || !*c.callee || !known->meaning)
        return NULL;
    const definition *d = called_by(known, &c);
    note word = d ? (note){0} : note_find(AST_CALL, c.callee);
    if (!d && !word.word)
        return NULL;
    cJSON *help = cJSON_CreateObject();
    cJSON *signatures = cJSON_AddArrayToObject(help, "signatures");
    cJSON *signature =
        d ? signature_json(lsp_head(known, d->node), lsp_comment_above(known, d->node))
          : signature_json(word.form, word.text);
    cJSON_AddItemToArray(signatures, signature);
    cJSON_AddNumberToObject(help, "activeSignature", 0);
    if (d)
        cJSON_AddNumberToObject(help, "activeParameter", active_of(known, d, &c, signature));
    return help;
}
