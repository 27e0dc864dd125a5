/* build.h: the constructors that grammar/parser.y calls. Lists are nodes of kind AST_LIST until the construct that
 * holds them takes their children; NULL is an empty list and an absent child. */
#ifndef ESPALIER_PARSE_BUILD_H
#define ESPALIER_PARSE_BUILD_H

#include "ast/ast.h"
#include "parse/token.h"

struct parser;

span build_span(const span *first, int count);
span build_join(span a, span b);

void build_root(struct parser *p, ast_node *expression);
void build_item(struct parser *p, ast_node *item);

ast_node *build_error(struct parser *p, span at);
ast_node *build_list(struct parser *p, ast_node *list, ast_node *more);

/* A list goes on with a statement; one on a line whose mistake is reported already is poisoned. */
ast_node *build_statement(struct parser *p, ast_node *list, ast_node *more);

/* A node of `kind` with the children of `list`. */
ast_node *build_kind(struct parser *p, ast_kind kind, span at, ast_node *list);

/* A node of `kind` with up to two children. */
ast_node *build_node(struct parser *p, ast_kind kind, span at, ast_node *first, ast_node *second);

/* A node of `kind` called `name`, with up to three children. */
ast_node *build_named(struct parser *p, ast_kind kind, span at, const token *name, ast_node *first,
                      ast_node *second, ast_node *third);

/* model, layer, optimizer, schedule, topology: parameters, then `middle`, then the body. */
ast_node *build_block(struct parser *p, ast_kind kind, span at, const token *name,
                      ast_node *parameters, ast_node *middle, ast_node *body);

/* What is known of a construct that could not be read: its name, and its body if that could. */
ast_node *build_broken(struct parser *p, ast_kind kind, span at, const token *name, ast_node *body);

ast_node *build_name(struct parser *p, const token *t);
ast_node *build_number(struct parser *p, const token *t);
ast_node *build_string(struct parser *p, const token *t);
ast_node *build_call(struct parser *p, span at, ast_node *called, ast_node *arguments);
ast_node *build_node_at(struct parser *p, span at, ast_node *of, ast_node *indices);
ast_node *build_tuple(struct parser *p, span at, ast_node *first, ast_node *rest);
ast_node *build_bracketed(struct parser *p, span at, ast_node *expression);
ast_node *build_node_unary(struct parser *p, span at, const token *sign, ast_node *operand);
ast_node *build_node_binary(struct parser *p, ast_kind kind, const token *sign, ast_node *left,
                            ast_node *right);
ast_node *build_choice(struct parser *p, span at, ast_node *condition, ast_node *yes, ast_node *no);

ast_node *build_if(struct parser *p, span at, ast_node *condition, ast_node *body,
                   ast_node *otherwise);
ast_node *build_for(struct parser *p, span at, ast_node *indices, ast_node *body);
ast_node *build_inline_body(struct parser *p, ast_node *statement);
ast_node *build_send(struct parser *p, span at, ast_node *chunk, ast_node *from, ast_node *to,
                     const token *how);

ast_node *build_clause(struct parser *p, span at, const token *word, ast_node *phrases,
                       ast_node *body);
ast_node *build_phrase(struct parser *p, ast_node *phrase, ast_node *part);
ast_node *build_part(struct parser *p, ast_kind kind, span at, const token *word, ast_node *terms);
ast_node *build_setting(struct parser *p, span at, ast_node *left, ast_node *right);

ast_node *build_unit(struct parser *p, span at, const token *word, const token *name,
                     ast_node *count, ast_node *body);
ast_node *build_pair(struct parser *p, ast_node *first, ast_node *second);
ast_node *build_link(struct parser *p, span at, const token *sign, ast_node *ends,
                     ast_node *quantities, ast_node *edges);
ast_node *build_switch(struct parser *p, span at, const token *name, ast_node *ends,
                       ast_node *quantities);
ast_node *build_edge(struct parser *p, span at, const token *sign, ast_node *from, ast_node *to,
                     const token *times);

#endif
