#include "ast/ast.h"

#include "base/vec.h"

#include <assert.h>
#include <string.h>

static const char *const kind_names[] = {
#define NODE(kind, printed, children) printed,
#include "ast/ast.def"
#undef NODE
};

const char *ast_kind_name(ast_kind kind)
{
    assert(kind < AST_KIND_COUNT);
    return kind_names[kind];
}

/* The rows of ast.def stand in the order of their classes. */
bool ast_is_expression(ast_kind kind)
{
    return (kind >= AST_NAME && kind <= AST_CALL) || (kind >= AST_AT && kind <= AST_ERROR);
}

bool ast_is_statement(ast_kind kind)
{
    switch (kind) {
    case AST_ASSIGN:
    case AST_PARAM:
    case AST_STATE:
    case AST_INPUT:
    case AST_METRIC:
    case AST_IF:
    case AST_RETURN:
    case AST_REQUIRE:
    case AST_FOR:
    case AST_SEND:
    case AST_CLAUSE:
    case AST_UNIT:
    case AST_ATTRIBUTES:
    case AST_LINK:
    case AST_SWITCH:
    case AST_TENSOR:
    case AST_ERROR:
        return true;
    default:
        return false;
    }
}

bool ast_is_item(ast_kind kind)
{
    return (kind >= AST_USE && kind <= AST_WEIGHTS) || kind == AST_ERROR;
}

ast_node *ast_new(arena *a, ast_kind kind, span at)
{
    ast_node *node = arena_make(a, ast_node);
    node->kind = kind;
    node->depth = 1;
    node->at = at;
    node->name_at = SPAN_NONE;
    node->poisoned = node->broken = kind == AST_ERROR;
    return node;
}

static void children_push(arena *a, ast_node *parent, ast_node *child)
{
    if (parent->count == parent->room)
        parent->children =
            vec_grow(a, parent->children, sizeof *parent->children, parent->count, &parent->room);
    parent->children[parent->count++] = child;
}

void ast_add(arena *a, ast_node *parent, ast_node *child)
{
    if (!child)
        return;
    children_push(a, parent, child);
    child->parent = parent;
    parent->at = span_join(parent->at, child->at);
    parent->poisoned |= child->poisoned;
    if (child->depth >= parent->depth)
        parent->depth = (uint16_t)(child->depth + 1);
}

ast_node *ast_child(const ast_node *node, ast_kind kind)
{
    for (size_t i = 0; i < node->count; i++)
        if (node->children[i]->kind == kind)
            return node->children[i];
    return NULL;
}

ast_node *ast_part(const ast_node *phrase, const char *word)
{
    for (size_t i = 0; i < phrase->count; i++) {
        ast_node *child = phrase->children[i];
        if (child->kind == AST_PART && strcmp(child->name, word) == 0)
            return child;
    }
    return NULL;
}

/* The name of a file's broken item may itself be wrong. */
bool ast_has_gap(const ast_node *node)
{
    for (size_t i = 0; node->poisoned && i < node->count; i++) {
        const ast_node *child = node->children[i];
        if (child->broken && (!child->name || node->kind == AST_FILE))
            return true;
        bool nests = child->kind == AST_IF || child->kind == AST_ELSE || child->kind == AST_BODY;
        if (nests && node->kind != AST_FILE && ast_has_gap(child))
            return true;
        if (child->poisoned && (child->kind == AST_USE || child->kind == AST_IMPORT))
            return true;
    }
    return false;
}

ast_node *ast_above(const ast_node *node, ast_kind kind)
{
    for (ast_node *above = node->parent; above; above = above->parent)
        if (above->kind == kind)
            return above;
    return NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool ast_equal(const ast_node *a, const ast_node *b)
{
    if (a->kind != b->kind || a->count != b->count || a->unit != b->unit)
        return false;
    if (!same_text(a->name, b->name) || !same_text(a->word, b->word))
        return false;
    if (memcmp(&a->number, &b->number, sizeof a->number) != 0)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!ast_equal(a->children[i], b->children[i]))
            return false;
    return true;
}

double ast_value(const ast_node *number)
{
    return number->unit ? number->number * number->unit->scale : number->number;
}
