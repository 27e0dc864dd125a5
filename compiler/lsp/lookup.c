#include "lsp/lookup.h"

#include "sema/scope.h"

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

static bool find_definition(lsp_meaning *m, const sema *known)
{
    static const ast_kind kinds[] = {AST_LAYER, AST_OPTIMIZER, AST_SCHEDULE, AST_TOPOLOGY,
                                     AST_MODEL, AST_TRAIN,     AST_CLUSTER,  AST_PLAN};
    for (size_t i = 0; known && i < sizeof kinds / sizeof *kinds; i++) {
        const definition *d = scope_find(known, known->main, kinds[i], m->name);
        if (d) {
            m->target = d->node;
            m->kind = ast_kind_name(kinds[i]);
            return true;
        }
    }
    return false;
}

/* A plan's words lead to its mesh, then to the model of its train: dimensions, layers and values. */
static bool find_in_model(lsp_meaning *m, const sema *known, const ast_node *plan)
{
    if (!known || plan->count < 1 || plan->children[0]->kind != AST_NAME)
        return false;
    const definition *train = scope_find(known, known->main, AST_TRAIN, plan->children[0]->name);
    const ast_node *called = train && train->node->count ? train->node->children[0] : NULL;
    if (called && called->kind == AST_CALL)
        called = called->children[0];
    const definition *model =
        called ? scope_find(known, known->main, AST_MODEL, called->name) : NULL;
    return model && (find_binder(m, model->node) || find_dimension(m, model->node, "dimension"));
}

lsp_meaning lsp_lookup(const lsp_analysis *known, const ast_node *node, uint32_t offset)
{
    lsp_meaning m = {.name = node->name, .at = node->at};
    if (node->name_at.file >= 0)
        m.at = node->name_at;
    if (!m.name || offset < m.at.begin || offset > m.at.end ||
        (node->kind != AST_NAME && node->kind != AST_NAMED && node->name_at.file < 0))
        return (lsp_meaning){0};
    const ast_node *item = lsp_item_around(node);
    bool planning = item && item->kind == AST_PLAN;
    bool local = item && (planning ? find_dimension(&m, item, "mesh axis") : find_binder(&m, item));
    if (!local && !find_definition(&m, known->meaning) && item) {
        if (planning)
            find_in_model(&m, known->meaning, item);
        else
            find_dimension(&m, item, "dimension");
    }
    return m;
}
