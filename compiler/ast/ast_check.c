#include "ast/ast.h"

#include <string.h>

static const char *const shapes[] = {
#define NODE(kind, printed, children) children,
#include "ast/ast.def"
#undef NODE
};

/* One entry of a row: alternatives between |, then ?, * or + or nothing. */
typedef struct entry {
    const char *begin;
    const char *end;
    char repeat; /* '1', '?', '*', '+' */
} entry;

static const char *entry_read(const char *shape, entry *e)
{
    while (*shape == ' ')
        shape++;
    if (!*shape)
        return NULL;
    size_t length = strcspn(shape, " ");
    e->begin = shape;
    e->end = shape + length;
    e->repeat = '1';
    if (strchr("?*+", e->end[-1]))
        e->repeat = *--e->end;
    return shape + length;
}

static bool is_word(const char *begin, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(begin, word, length) == 0;
}

static bool alternative_takes(const char *begin, size_t length, ast_kind kind)
{
    if (is_word(begin, length, "expression"))
        return ast_is_expression(kind);
    if (is_word(begin, length, "statement"))
        return ast_is_statement(kind);
    if (is_word(begin, length, "item"))
        return ast_is_item(kind);
    return kind == AST_ERROR || is_word(begin, length, ast_kind_name(kind));
}

static bool entry_takes(const entry *e, ast_kind kind)
{
    for (const char *at = e->begin; at < e->end;) {
        const char *bar = memchr(at, '|', (size_t)(e->end - at));
        const char *end = bar ? bar : e->end;
        if (alternative_takes(at, (size_t)(end - at), kind))
            return true;
        at = end + 1;
    }
    return false;
}

/* A poisoned node may lack what could not be read. */
static bool children_fit(const ast_node *node)
{
    size_t next = 0;
    entry e;
    for (const char *shape = shapes[node->kind]; (shape = entry_read(shape, &e));) {
        size_t taken = 0;
        bool many = e.repeat == '*' || e.repeat == '+';
        while (next < node->count && (many || taken == 0) &&
               entry_takes(&e, node->children[next]->kind)) {
            taken++;
            next++;
        }
        bool needed = e.repeat == '1' || e.repeat == '+';
        if (needed && taken == 0 && !node->poisoned)
            return false;
    }
    return next == node->count;
}

static const char *fault_of_child(const ast_node *node, const ast_node *child)
{
    if (child->parent != node)
        return "does not know its parent";
    if (child->depth >= node->depth)
        return "is as deep as its parent";
    if (child->poisoned && !node->poisoned)
        return "is poisoned and its parent is not";
    if (child->at.file != node->at.file || child->at.begin < node->at.begin ||
        child->at.end > node->at.end)
        return "has a span outside its parent's";
    return NULL;
}

static const char *fault_of(const ast_node *node)
{
    if (node->kind >= AST_KIND_COUNT)
        return "has no kind";
    if (node->depth > AST_DEPTH_LIMIT)
        return "is too deep";
    if (node->at.begin > node->at.end)
        return "has a span that ends before it begins";
    return children_fit(node) ? NULL : "has children that its row does not allow";
}

static const char *fault_words(const ast_node *node, const char *fault, arena *a)
{
    return arena_format(a, "node '%s' at bytes %u to %u %s", ast_kind_name(node->kind),
                        node->at.begin, node->at.end, fault);
}

const char *ast_check(const ast_node *file, arena *a)
{
    const char *fault = fault_of(file);
    if (fault)
        return fault_words(file, fault, a);
    for (size_t i = 0; i < file->count; i++) {
        const ast_node *child = file->children[i];
        if ((fault = fault_of_child(file, child)))
            return fault_words(child, fault, a);
        if ((fault = ast_check(child, a)))
            return fault;
    }
    return NULL;
}
