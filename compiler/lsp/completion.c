/* What may stand at a place: clauses where a clause may start, and in them what each clause takes. */
#include "lsp/context.h"
#include "lsp/describe.h"
#include "lsp/lookup.h"
#include "lsp/server.h"
#include "sema/note.h"
#include "sema/scope.h"

#include <string.h>

/* CompletionItemKind of the protocol. */
enum {
    KIND_FUNCTION = 3,
    KIND_FIELD = 5,
    KIND_VARIABLE = 6,
    KIND_MODULE = 9,
    KIND_UNIT = 11,
    KIND_VALUE = 12,
    KIND_KEYWORD = 14
};

typedef struct offering {
    const lsp_analysis *known;
    const lsp_context *context;
    cJSON *list;
} offering;

/* ------------------------------------------------------------------ items */

static bool is_offered(const cJSON *list, const char *word)
{
    for (const cJSON *item = list->child; item; item = item->next)
        if (strcmp(cJSON_GetStringValue(item->child), word) == 0)
            return true;
    return false;
}

/* `label` is the first of an item's fields. */
static void offer(const offering *o, const char *word, int kind, const char *detail,
                  const char *words)
{
    if (!word || !*word || is_offered(o->list, word))
        return;
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "label", word);
    cJSON_AddNumberToObject(item, "kind", kind);
    if (*detail)
        cJSON_AddStringToObject(item, "detail", detail);
    if (*words)
        cJSON_AddStringToObject(item, "documentation", words);
    cJSON_AddItemToArray(o->list, item);
}

static void offer_words(const offering *o, const char *words, const char *detail)
{
    char *save = NULL, *copy = arena_format(o->known->memory, "%s", words);
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
        offer(o, word, KIND_KEYWORD, detail, "");
}

static void offer_notes(const offering *o, ast_kind block, int kind)
{
    for (int i = 0; note_at(i).word; i++) {
        note n = note_at(i);
        if (n.block == block)
            offer(o, n.word, kind, n.form, n.text);
    }
}

static void offer_seen(const offering *o, const sema_file *file, ast_kind kind, int depth)
{
    for (size_t i = 0; i < file->definitions.count; i++) {
        const definition *d = file->definitions.items[i];
        if (d->kind == kind)
            offer(o, d->name, KIND_FUNCTION, lsp_head(o->known, d->node),
                  lsp_comment_above(o->known, d->node));
    }
    for (size_t i = 0; depth > 0 && i < file->sees.count; i++)
        offer_seen(o, file->sees.items[i], kind, depth - 1);
}

static void offer_definitions(const offering *o, ast_kind kind)
{
    if (!o->known->meaning)
        return;
    offer_seen(o, o->known->meaning->main, kind, 4);
    sema_file *library = NULL;
    if (kind == AST_TOPOLOGY)
        library = scope_library(o->known->meaning, atom_of(o->known->atoms, "topology"));
    if (library)
        offer_seen(o, library, kind, 0);
}

/* ------------------------------------------------------------------ names of a block */

typedef struct naming {
    const offering *to;
    bool values, dimensions, calls;
} naming;

static bool is_dimension(const ast_node *node)
{
    bool listed = node->kind == AST_NAME && node->parent && node->parent->kind == AST_DIMS;
    const ast_node *type = node->kind == AST_PARAMETER ? ast_child(node, AST_TYPE) : NULL;
    return listed || (type && type->name && strcmp(type->name, "dim") == 0);
}

static bool is_value(const ast_node *node)
{
    return node->kind == AST_ASSIGN || node->kind == AST_PARAM || node->kind == AST_INPUT ||
           node->kind == AST_PARAMETER || node->kind == AST_STATE || node->kind == AST_INDEX;
}

static void visit_name(const ast_node *node, void *state)
{
    const naming *n = state;
    bool callee = node->kind == AST_NAME && node->parent && node->parent->kind == AST_CALL &&
                  node->parent->children[0] == node;
    if (!node->name)
        return;
    if (n->dimensions && is_dimension(node))
        offer(n->to, node->name, KIND_FIELD, "dimension", "");
    else if (n->values && is_value(node))
        offer(n->to, node->name, KIND_VARIABLE, lsp_head(n->to->known, node), "");
    else if (n->calls && callee && lsp_called(n->to->known, node))
        offer(n->to, node->name, KIND_FUNCTION, "layer", "");
}

static void offer_names(const offering *o, const ast_node *item, naming what)
{
    what.to = o;
    if (item)
        lsp_walk(item, visit_name, &what);
}

/* For lsp_walk, whose visitors change what they are given: the list. */
static void *walker(const offering *o)
{
    return (void *)(uintptr_t)o;
}

/* Axes stand in the block's own `mesh`, written or not yet whole. */
static void visit_axis(const ast_node *node, void *state)
{
    const ast_node *clause = ast_above(node, AST_CLAUSE);
    if (node->kind == AST_NAMED && clause && clause->name && strcmp(clause->name, "mesh") == 0)
        offer(state, node->name, KIND_FIELD, "mesh axis", "");
}

static void visit_unit(const ast_node *node, void *state)
{
    if (node->kind == AST_UNIT || node->kind == AST_SWITCH)
        offer(state, node->name, KIND_FIELD, node->word ? node->word : "switch", "");
}

static void visit_input(const ast_node *node, void *state)
{
    const offering *o = state;
    if (node->kind == AST_INPUT)
        offer(o, node->name, KIND_FIELD, lsp_head(o->known, node), "");
}

/* The block that is being written, by the name in its head. */
static const ast_node *block_of(const offering *o)
{
    const lsp_words *head = &o->context->head;
    for (size_t i = 0; head->count > 1 && i < o->known->tree->count; i++) {
        const ast_node *item = o->known->tree->children[i];
        if (item->name && strcmp(item->name, head->items[1]) == 0 &&
            strcmp(ast_kind_name(item->kind), head->items[0]) == 0)
            return item;
    }
    return NULL;
}

static const ast_node *cluster_of(const offering *o, const ast_node *plan)
{
    const ast_node *name = plan && plan->count > 1 ? plan->children[1] : NULL;
    const definition *d =
        name && name->name && o->known->meaning
            ? scope_find(o->known->meaning, o->known->meaning->main, AST_CLUSTER, name->name)
            : NULL;
    return d ? d->node : NULL;
}

/* ------------------------------------------------------------------ by block */

static bool follows(const offering *o, const char *word)
{
    return strcmp(o->context->last, word) == 0;
}

static void offer_parameters(const offering *o, ast_kind kind)
{
    const lsp_context *c = o->context;
    if (!*c->callee || !o->known->meaning || *c->named)
        return;
    const definition *d = lsp_definition_of(o->known, kind, atom_of(o->known->atoms, c->callee));
    for (int i = 0; d && i < d->parameter_count; i++)
        offer(o, d->parameters[i].name, KIND_FIELD, lsp_head(o->known, d->node), "");
}

static void for_top(const offering *o)
{
    const lsp_context *c = o->context;
    if (c->words.count == 0) {
        offer_notes(o, AST_FILE, KIND_KEYWORD);
    } else if (lsp_context_opens(c, "use")) {
        offer_words(o, "nn optim topology weights", "standard library");
    } else if (lsp_context_opens(c, "plan")) {
        if (follows(o, "for"))
            offer_definitions(o, AST_TRAIN);
        else if (follows(o, "on"))
            offer_definitions(o, AST_CLUSTER);
        else
            offer_words(o, "for on", "");
    } else if (lsp_context_opens(c, "train")) {
        if (*c->callee)
            offer_parameters(o, AST_MODEL);
        else if (follows(o, "for"))
            offer_definitions(o, AST_MODEL);
        else
            offer_words(o, "for", "");
    } else {
        offer_words(o, "dim int f32 id updates by", "");
    }
}

static void for_train(const offering *o)
{
    const lsp_context *c = o->context;
    const ast_node *model = block_of(o) ? lsp_model_of(o->known, block_of(o)) : NULL;
    if (c->words.count == 0) {
        offer_notes(o, AST_TRAIN, KIND_KEYWORD);
    } else if (lsp_context_opens(c, "data") && !*c->callee) {
        offer_words(o, "csv npy npz idx safetensors bytes tokens", "data format");
    } else if (lsp_context_opens(c, "data")) {
        if (model)
            lsp_walk(model, visit_input, walker(o));
        offer_words(o, "scale shift mean std holdout delimiter header", "of the data");
    } else if (lsp_context_opens(c, "optimizer") && c->words.count == 1 && !*c->callee) {
        offer_definitions(o, AST_OPTIMIZER);
    } else if (lsp_context_opens(c, "optimizer")) {
        offer_parameters(o, AST_OPTIMIZER);
        offer_parameters(o, AST_SCHEDULE);
        offer_definitions(o, AST_SCHEDULE);
    } else if (lsp_context_opens(c, "init") && follows(o, "as")) {
        offer_definitions(o, AST_WEIGHTS);
    } else if (lsp_context_opens(c, "init")) {
        offer_words(o, "from as except", "");
        offer_names(o, model, (naming){.values = true, .calls = true});
    } else if (lsp_context_opens(c, "average")) {
        offer_words(o, "ema swa decay from every", "");
    } else if (lsp_context_opens(c, "freeze")) {
        offer_names(o, model, (naming){.values = true, .calls = true});
    } else if (lsp_context_opens(c, "clip")) {
        offer_words(o, "norm value", "");
    } else if (lsp_context_opens(c, "sample")) {
        offer_words(o, "length temperature top_k top_p seed every steps ids context scores",
                    "of a sample");
    } else {
        offer_words(o, "every from to keep steps epochs epoch", "");
    }
}

static void for_plan(const offering *o)
{
    const lsp_context *c = o->context;
    const ast_node *plan = block_of(o), *model = plan ? lsp_model_of(o->known, plan) : NULL;
    const ast_node *cluster = cluster_of(o, plan);
    bool places = lsp_context_opens(c, "place");
    if (c->words.count == 0) {
        offer_notes(o, AST_PLAN, KIND_KEYWORD);
    } else if (follows(o, "by")) {
        offer_definitions(o, AST_TOPOLOGY);
        offer_words(o, "trees auto", "topology");
    } else if (*c->callee) {
        offer_parameters(o, AST_TOPOLOGY);
    } else if (places && (follows(o, "over") || follows(o, "."))) {
        if (cluster)
            lsp_walk(cluster, visit_unit, walker(o));
    } else if (follows(o, "over") || places) {
        if (plan)
            lsp_walk(plan, visit_axis, walker(o));
    } else if (lsp_context_opens(c, "split")) {
        offer_names(o, model, (naming){.dimensions = true});
        offer_words(o, "over", "");
    } else if (lsp_context_opens(c, "reduce")) {
        offer_words(o, "grad over by as with feedback int8 int4 bf16", "");
    } else if (lsp_context_opens(c, "precision")) {
        offer_words(o, "f32 f64 bf16 master moments", "");
    } else if (lsp_context_opens(c, "require")) {
        offer_words(o, "memory deterministic canonical", "");
    } else if (lsp_context_opens(c, "shard")) {
        offer_words(o, "optimizer gradients parameters over", "");
    } else {
        offer_names(o, model, (naming){.values = true, .calls = true});
        offer_words(o, "over every auto within as schedule microbatches", "");
    }
}

/* Statements of model, layer, optimizer and schedule, and what expressions are made of. */
static void for_body(const offering *o)
{
    const lsp_context *c = o->context;
    const ast_node *item = block_of(o);
    bool types = follows(o, ":");
    if (types && !*c->callee) {
        offer_words(o, "f32 id int dim", "type");
        return;
    }
    if (c->words.count == 0)
        offer_words(o,
                    strcmp(c->item, "model") == 0 ? "input metric param state if"
                                                  : "param state if return require",
                    "statement");
    if (follows(o, "init")) {
        offer_words(o, "zeros ones constant normal uniform", "first values");
        return;
    }
    offer_parameters(o, AST_LAYER);
    offer_names(o, item, (naming){.values = true, .dimensions = true});
    if (c->in_brackets)
        return;
    offer_definitions(o, AST_LAYER);
    offer_notes(o, AST_CALL, KIND_FUNCTION);
    if (c->words.count > 0)
        offer_words(o, "if then else and or not over repeat yes no training", "");
}

static void for_cluster(const offering *o)
{
    const lsp_context *c = o->context;
    bool device = strcmp(c->block, "node") != 0 && strcmp(c->block, "cluster") != 0;
    if (c->words.count == 0 || (device && follows(o, ",")))
        offer_words(o, device ? "memory compute bandwidth" : "node cpu gpu link switch", "");
    else if (lsp_context_opens(c, "link") || lsp_context_opens(c, "switch")) {
        offer_words(o, "over", "");
        if (block_of(o))
            lsp_walk(block_of(o), visit_unit, walker(o));
    }
    if (c->words.count > 0)
        offer_words(o, "GiB MiB GB/s Gb/s GiB/s TFLOP/s us ns ms", "unit");
}

static void for_topology(const offering *o)
{
    const lsp_context *c = o->context;
    if (c->words.count == 0)
        offer_words(o, "chunks collective root require for send if", "statement");
    else if (lsp_context_opens(c, "collective"))
        offer_words(o, "all_reduce reduce_scatter all_gather broadcast reduce all_to_all",
                    "collective");
    else {
        offer_names(o, block_of(o), (naming){.values = true});
        offer_words(
            o, "in from to reduce copy send if then else and or not log log2 min max abs gcd mod",
            "");
    }
}

/* A row's path may go through any model of the file. */
static void for_weights(const offering *o)
{
    if (o->context->words.count == 0)
        offer_words(o, "prefix tied ignore", "clause");
    else
        offer_words(o, "concat transpose", "of a tensor");
    for (size_t i = 0; o->context->words.count > 0 && i < o->known->tree->count; i++)
        if (o->known->tree->children[i]->kind == AST_MODEL)
            offer_names(o, o->known->tree->children[i], (naming){.values = true, .calls = true});
}

static const struct {
    const char *item;
    void (*complete)(const offering *o);
} blocks[] = {
    {"", for_top},
    {"train", for_train},
    {"plan", for_plan},
    {"cluster", for_cluster},
    {"topology", for_topology},
    {"model", for_body},
    {"layer", for_body},
    {"optimizer", for_body},
    {"schedule", for_body},
    {"weights", for_weights},
};

cJSON *lsp_completion(const lsp_analysis *known, uint32_t offset)
{
    lsp_context context = lsp_context_at(known->memory, lsp_text(known), offset);
    offering o = {known, &context, cJSON_CreateArray()};
    for (size_t i = 0; !context.quiet && i < sizeof blocks / sizeof *blocks; i++)
        if (strcmp(blocks[i].item, context.item) == 0)
            blocks[i].complete(&o);
    return o.list;
}
