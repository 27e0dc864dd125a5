/* ast.h: the tree of a plan file, as it was written.
 *
 * Every node has a kind of ast.def, a span, a parent and its children in the order of ast.def's row. Nothing is
 * resolved: numbers keep their unit, clauses their order, names are bare atoms. Nodes live in the arena they were
 * parsed into; nothing changes a tree after parsing.
 *
 *     ast_node *file = parse_file(sources, index, &context);          // parse/parse.h
 *     for (size_t i = 0; i < file->count; i++)
 *         if (file->children[i]->kind == AST_MODEL)
 *             check_body(ast_child(file->children[i], AST_BODY));
 *
 * A tree is at most AST_DEPTH_LIMIT nodes deep, so walking it by recursion is safe.
 */
#ifndef ESPALIER_AST_AST_H
#define ESPALIER_AST_AST_H

#include "ast/unit.h"
#include "base/atom.h"
#include "base/text.h"
#include "diag/source.h"
#include <stdbool.h>
#include <stdio.h>

typedef enum ast_kind {
#define NODE(kind, printed, children) AST_##kind,
#include "ast/ast.def"
#undef NODE
    AST_KIND_COUNT
} ast_kind;

enum { AST_DEPTH_LIMIT = 400 };

typedef struct ast_node ast_node;

struct ast_node {
    ast_kind kind;
    uint16_t depth;   /* 1 for a leaf */
    bool in_brackets; /* an expression written in ( ) of its own; the span includes them */
    bool poisoned;    /* holds an error node, or is one: reported already */
    bool broken;      /* could not be read itself: parts of it are lost */
    bool spoiled;     /* an item whose first line holds a mistake that is reported */
    span at;          /* the whole construct */
    span name_at;     /* where `name` stands; SPAN_NONE without a name */
    atom name;
    atom word;
    double number;
    const unit *unit; /* of a NUMBER; NULL: bare */
    ast_node *parent; /* NULL for the file */
    ast_node **children;
    size_t count;
    size_t room;
};

ast_node *ast_new(arena *a, ast_kind kind, span at);

/* Appends, sets the parent, widens the parent's span and passes `poisoned` up. NULL is ignored. */
void ast_add(arena *a, ast_node *parent, ast_node *child);

const char *ast_kind_name(ast_kind kind); /* "train" */
bool ast_is_expression(ast_kind kind);
bool ast_is_statement(ast_kind kind);
bool ast_is_item(ast_kind kind);

/* The first child of that kind; NULL if there is none. */
ast_node *ast_child(const ast_node *node, ast_kind kind);

/* The part of a phrase that opens with `word` (compared as text); NULL if there is none. */
ast_node *ast_part(const ast_node *phrase, const char *word);

/* Has something with an unknown name been lost from this file or body? Then a name that nothing has may be that one. */
bool ast_has_gap(const ast_node *node);

/* The nearest node above of that kind; NULL if there is none. */
ast_node *ast_above(const ast_node *node, ast_kind kind);

/* Value of a NUMBER in the base unit of its quantity. */
double ast_value(const ast_node *number);

/* The same tree, spans and brackets aside. */
bool ast_equal(const ast_node *a, const ast_node *b);

/* NULL, or words that name the first node that breaks ast.def's row, its parent link, the nesting of spans or the
 * depth. For asserts and tests; allocates its answer in `a`. */
const char *ast_check(const ast_node *file, arena *a);

/* --emit=ast: one node a line, indented, with line and columns: `assign h  12:3-12:34`. */
void ast_print(const ast_node *node, const source_set *sources, FILE *out);

/* The source text of an expression on one line, for messages and intermediate forms: "relu(linear(h, H2 = H / 2))". */
void ast_write(const ast_node *expression, text *out);

#endif
