#include "lsp/lookup.h"

#include "sema/scope.h"

#include <string.h>

const ast_node *lsp_item_around(const ast_node *node)
{
    for (; node; node = node->parent) {
        if (ast_is_item(node->kind))
            return node;
    }
    return NULL;
}

void lsp_walk(const ast_node *root, lsp_visit_fn *visit, void *state)
{
    visit(root, state);
    for (size_t i = 0; i < root->count; i++)
        lsp_walk(root->children[i], visit, state);
}

typedef struct search {
    atom name;
    uint32_t
        before; /* a later binding hides the earlier: the last one that starts before this byte */
    const ast_node *found;
    const ast_node
        *later; /* the first one behind it, for what is used before it is made (dimensions) */
} search;

static bool binds_here(const ast_node *node)
{
    switch (node->kind) {
    case AST_ASSIGN:
    case AST_PARAM:
    case AST_STATE:
    case AST_INPUT:
    case AST_METRIC:
    case AST_PARAMETER:
    case AST_INDEX:
    case AST_UNIT:
    case AST_SWITCH:
        return true;
    default:
        return false;
    }
}

static void offer(search *s, const ast_node *node)
{
    if (node->at.begin < s->before)
        s->found = node;
    else if (!s->later)
        s->later = node;
}

static void visit_binder(const ast_node *node, void *state)
{
    search *s = state;
    if (node->name == s->name && binds_here(node))
        offer(s, node);
}

/* Dimensions are made where a tensor's type lists them and by NAME = size in a call. */
static void visit_dimension(const ast_node *node, void *state)
{
    search *s = state;
    bool listed = node->kind == AST_NAME && node->parent && node->parent->kind == AST_DIMS;
    if (node->name == s->name && !s->found && (listed || node->kind == AST_NAMED))
        s->found = node;
}

static const char *kind_of_binder(const ast_node *node)
{
    switch (node->kind) {
    case AST_PARAMETER:
        return "parameter";
    case AST_PARAM:
        return "trained parameter";
    case AST_STATE:
        return "state";
    case AST_INPUT:
        return "input";
    case AST_METRIC:
        return "metric";
    case AST_UNIT:
        return "device";
    case AST_SWITCH:
        return "switch";
    case AST_INDEX:
        return "index";
    default:
        return "value";
    }
}

static bool find_binder(lsp_meaning *m, const ast_node *item)
{
    search s = {.name = m->name, .before = m->at.end};
    lsp_walk(item, visit_binder, &s);
    const ast_node *binder = s.found ? s.found : s.later;
    if (!binder)
        return false;
    m->target = binder;
    m->kind = kind_of_binder(binder);
    return true;
}

static bool find_dimension(lsp_meaning *m, const ast_node *item, const char *kind)
{
    search s = {.name = m->name};
    lsp_walk(item, visit_dimension, &s);
    if (!s.found)
        return false;
    m->target = s.found;
    m->kind = kind;
    return true;
}

/* ------------------------------------------------------------------ definitions */

static bool is_about(lsp_meaning *m, const definition *d)
{
    if (!d)
        return false;
    m->target = d->node;
    m->kind = ast_kind_name(d->kind);
    return true;
}

const definition *lsp_definition_of(const lsp_analysis *known, ast_kind kind, atom name)
{
    sema *meaning = known->meaning;
    const definition *d = meaning ? scope_find(meaning, meaning->main, kind, name) : NULL;
    if (d || !meaning || kind != AST_TOPOLOGY)
        return d;
    /* The library's topologies are known without `use`. */
    const sema_file *library = scope_library(meaning, atom_of(known->atoms, "topology"));
    return library ? scope_find(meaning, library, kind, name) : NULL;
}

static const definition *any_definition(const lsp_analysis *known, ast_kind first, atom name)
{
    static const ast_kind kinds[] = {AST_LAYER,    AST_OPTIMIZER, AST_SCHEDULE,
                                     AST_TOPOLOGY, AST_MODEL,     AST_TRAIN,
                                     AST_CLUSTER,  AST_PLAN,      AST_WEIGHTS};
    const definition *d = lsp_definition_of(known, first, name);
    for (size_t i = 0; !d && i < sizeof kinds / sizeof *kinds; i++)
        d = lsp_definition_of(known, kinds[i], name);
    return d;
}

/* The kind of definition that a name at this place is most probably of. */
static ast_kind expected_kind(const ast_node *node)
{
    const ast_node *item = lsp_item_around(node), *clause = ast_above(node, AST_CLAUSE);
    const ast_node *part = ast_above(node, AST_PART);
    if (!item || item->kind == AST_MODEL || item->kind == AST_LAYER)
        return AST_LAYER;
    bool heads = item->kind == AST_TRAIN && !clause;
    if (heads)
        return AST_MODEL;
    if (item->kind == AST_PLAN && !clause)
        return item->count > 1 && item->children[1] == node ? AST_CLUSTER : AST_TRAIN;
    if (part && part->name && strcmp(part->name, "by") == 0)
        return AST_TOPOLOGY;
    bool nested = node->parent && node->parent->kind == AST_CALL && node->parent->parent &&
                  node->parent->parent->kind != AST_PHRASE;
    return item->kind == AST_TRAIN && nested ? AST_SCHEDULE : AST_OPTIMIZER;
}

const definition *lsp_called(const lsp_analysis *known, const ast_node *name)
{
    return name->name ? any_definition(known, expected_kind(name), name->name) : NULL;
}

const ast_node *lsp_model_of(const lsp_analysis *known, const ast_node *item)
{
    if (item->kind == AST_PLAN) {
        const ast_node *name = item->count ? item->children[0] : NULL;
        const definition *train =
            name && name->name ? lsp_definition_of(known, AST_TRAIN, name->name) : NULL;
        item = train ? train->node : NULL;
    }
    const ast_node *called =
        item && item->kind == AST_TRAIN && item->count ? item->children[0] : NULL;
    if (called && called->kind == AST_CALL)
        called = called->children[0];
    const definition *model =
        called && called->name ? lsp_definition_of(known, AST_MODEL, called->name) : NULL;
    return model ? model->node : NULL;
}

/* ------------------------------------------------------------------ names by where they stand */

static bool ends_with(const char *path, const char *name)
{
    size_t length = strlen(path), wanted = strlen(name);
    return length >= wanted && strcmp(path + length - wanted, name) == 0;
}

/* `use nn`, `import "mine.plan"`: the file itself. */
static bool find_file(lsp_meaning *m, const lsp_analysis *known, const ast_node *node)
{
    const sema_file *file = NULL;
    if (!known->meaning)
        return false;
    if (node->parent->kind == AST_USE)
        file = scope_library(known->meaning, node->name);
    for (size_t i = 0; node->parent->kind == AST_IMPORT && i < known->meaning->main->sees.count;
         i++) {
        const sema_file *seen = known->meaning->main->sees.items[i];
        if (!seen->library && ends_with(seen->path, node->name))
            file = seen;
    }
    if (!file)
        return false;
    m->target = file->tree;
    m->kind = "file";
    return true;
}

/* `bias = no` in a call: the parameter of what is called; in `data`, the model's input. */
static bool find_argument(lsp_meaning *m, const lsp_analysis *known, const ast_node *named)
{
    const ast_node *call = named->parent;
    if (!call || call->kind != AST_CALL || call->children[0]->kind != AST_NAME)
        return false;
    const ast_node *clause = ast_above(named, AST_CLAUSE), *item = lsp_item_around(named);
    if (clause && clause->name && strcmp(clause->name, "data") == 0) {
        const ast_node *model = lsp_model_of(known, item);
        return model && find_binder(m, model);
    }
    const definition *called = lsp_called(known, call->children[0]);
    const parameter *p = called ? definition_parameter(called, m->name) : NULL;
    if (!p)
        return false;
    m->target = p->node;
    m->kind = "parameter";
    return true;
}

/* Axes are made by the clause `mesh`. */
static bool find_axis(lsp_meaning *m, const ast_node *plan)
{
    const ast_node *body = ast_child(plan, AST_BODY);
    for (size_t i = 0; body && i < body->count; i++) {
        const ast_node *clause = body->children[i];
        bool mesh = clause->kind == AST_CLAUSE && clause->name && !strcmp(clause->name, "mesh");
        if (mesh && find_dimension(m, clause, "mesh axis"))
            return true;
    }
    return false;
}

/* `split F over tp`: a dimension that a layer of the file makes. */
static bool find_layer_dimension(lsp_meaning *m, const lsp_analysis *known)
{
    for (size_t i = 0; i < known->tree->count; i++) {
        const ast_node *item = known->tree->children[i];
        if (item->kind == AST_LAYER && find_dimension(m, item, "dimension"))
            return true;
    }
    return false;
}

static bool find_device(lsp_meaning *m, const lsp_analysis *known, const ast_node *plan)
{
    const ast_node *name = plan->count > 1 ? plan->children[1] : NULL;
    const definition *cluster =
        name && name->name ? lsp_definition_of(known, AST_CLUSTER, name->name) : NULL;
    return cluster && find_binder(m, cluster->node);
}

/* A plan's words lead to its mesh, to its cluster in `place`, then to the model of its train: dimensions, values, layers. */
static bool find_for_plan(lsp_meaning *m, const lsp_analysis *known, const ast_node *node)
{
    const ast_node *plan = lsp_item_around(node), *clause = ast_above(node, AST_CLAUSE);
    bool places = clause && clause->name && strcmp(clause->name, "place") == 0;
    if (find_axis(m, plan) || (places && find_device(m, known, plan)))
        return true;
    const ast_node *model = lsp_model_of(known, plan);
    if (model && (find_binder(m, model) || find_dimension(m, model, "dimension")))
        return true;
    return find_layer_dimension(m, known);
}

/* `attn` of `block.attn`: what the layer called block binds. */
static bool find_member(lsp_meaning *m, const lsp_analysis *known, const ast_node *member)
{
    const ast_node *base = member->children[0];
    const definition *layer = base->name ? lsp_definition_of(known, AST_LAYER, base->name) : NULL;
    if (!layer)
        return false;
    uint32_t begin = m->at.begin;
    m->at.begin = 0; /* the names of another definition: the last binding counts */
    m->at.end = UINT32_MAX;
    bool found =
        find_binder(m, layer->node) || is_about(m, lsp_definition_of(known, AST_LAYER, m->name));
    m->at = member->name_at;
    m->at.begin = begin;
    return found;
}

static bool find_by_place(lsp_meaning *m, const lsp_analysis *known, const ast_node *node)
{
    const ast_node *item = lsp_item_around(node), *parent = node->parent;
    if (parent && (parent->kind == AST_USE || parent->kind == AST_IMPORT))
        return find_file(m, known, node);
    if (ast_is_item(node->kind))
        return is_about(m, lsp_definition_of(known, node->kind, m->name));
    if (node->kind == AST_NAMED && find_argument(m, known, node))
        return true;
    if (node->kind == AST_MEMBER && item->kind == AST_PLAN)
        return find_member(m, known, node);
    bool calls = parent && parent->kind == AST_CALL && parent->children[0] == node;
    bool heads = parent == item && (item->kind == AST_PLAN || item->kind == AST_TRAIN);
    if (calls || heads)
        return is_about(m, lsp_called(known, node));
    return false;
}

static bool find_by_name(lsp_meaning *m, const lsp_analysis *known, const ast_node *node)
{
    const ast_node *item = lsp_item_around(node);
    if (!item)
        return is_about(m, lsp_called(known, node));
    if (item->kind == AST_PLAN)
        return find_for_plan(m, known, node) || is_about(m, lsp_called(known, node));
    if (find_binder(m, item) || find_dimension(m, item, "dimension"))
        return true;
    const ast_node *model = item->kind == AST_TRAIN ? lsp_model_of(known, item) : NULL;
    return (model && find_binder(m, model)) || is_about(m, lsp_called(known, node));
}

lsp_meaning lsp_lookup(const lsp_analysis *known, const ast_node *node, uint32_t offset)
{
    lsp_meaning m = {.name = node->name, .at = node->at};
    if (node->name_at.file >= 0)
        m.at = node->name_at;
    bool quoted = node->kind == AST_STRING && node->parent && node->parent->kind == AST_IMPORT;
    if (!m.name || offset < m.at.begin || offset > m.at.end || node->kind == AST_NUMBER ||
        (node->kind == AST_STRING && !quoted) ||
        (node->kind != AST_NAME && !quoted && node->name_at.file < 0))
        return (lsp_meaning){0};
    if (!find_by_place(&m, known, node) && node->kind != AST_CLAUSE && node->kind != AST_PART)
        find_by_name(&m, known, node);
    return m;
}
