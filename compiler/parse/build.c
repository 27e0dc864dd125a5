#include "parse/build.h"

#include "parse/feed.h"
#include "parse/parser.h"

#include <stdlib.h>
#include <string.h>

span build_span(const span *first, int count)
{
    span at = first[0];
    if (count == 0)
        return (span){at.file, at.end, at.end};
    for (int i = 1; i < count; i++)
        if (first[i].end > first[i].begin)
            at = at.end > at.begin ? span_join(at, first[i]) : first[i];
    return at;
}

span build_join(span a, span b)
{
    return span_join(a, b);
}

static arena *memory(const parser *p)
{
    return p->context->memory;
}

static ast_node *make(parser *p, ast_kind kind, span at)
{
    return ast_new(memory(p), kind, at);
}

static void add(parser *p, ast_node *parent, ast_node *child)
{
    ast_add(memory(p), parent, child);
}

static void add_all(parser *p, ast_node *parent, ast_node *list)
{
    for (size_t i = 0; list && i < list->count; i++)
        add(p, parent, list->children[i]);
}

/* The depth of a tree is bounded here, so that nobody who walks it needs to look. Said once a statement. */
static ast_node *checked(parser *p, ast_node *node)
{
    if (node->depth < AST_DEPTH_LIMIT - 1)
        return node;
    if (p->deep_statement != p->statement_begin + 1) {
        p->deep_statement = p->statement_begin + 1;
        diag *d = diag_report(p->context->diags, E0109, node->at, "nested deeper than %d",
                              AST_DEPTH_LIMIT);
        diag_fix(d, "give the inner parts names of their own");
    }
    return build_error(p, node->at);
}

static void set_name(parser *p, ast_node *node, const token *t)
{
    if (!t)
        return;
    const char *bytes = p->list->bytes + t->begin;
    node->name = t->name ? t->name : atom_intern(p->context->atoms, bytes, t->end - t->begin);
    node->name_at = token_span(p->list, t);
    node->at = span_join(node->at, node->name_at);
}

static atom spelling(const parser *p, const token *t)
{
    return atom_intern(p->context->atoms, p->list->bytes + t->begin, t->end - t->begin);
}

void build_root(parser *p, ast_node *expression)
{
    p->expression = expression;
}

/* Does it begin in a line whose mistake is reported already? */
static bool is_spoiled(const parser *p, const ast_node *node)
{
    const token *items = p->list->items;
    size_t low = 0, high = p->list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (items[middle].end > node->at.begin)
            high = middle;
        else
            low = middle + 1;
    }
    return low < p->list->count && (items[low].flags & TOKEN_SPOILED);
}

void build_item(parser *p, ast_node *added)
{
    added->spoiled = is_spoiled(p, added);
    added->poisoned |= added->spoiled;
    add(p, p->file, added);
}

ast_node *build_statement(parser *p, ast_node *list, ast_node *more)
{
    more->poisoned |= is_spoiled(p, more);
    return build_list(p, list, more);
}

ast_node *build_error(parser *p, span at)
{
    return make(p, AST_ERROR, at);
}

ast_node *build_list(parser *p, ast_node *list, ast_node *more)
{
    if (!list)
        list = make(p, AST_LIST, more->at);
    add(p, list, more);
    return list;
}

ast_node *build_kind(parser *p, ast_kind kind, span at, ast_node *list)
{
    ast_node *node = make(p, kind, at);
    add_all(p, node, list);
    return checked(p, node);
}

ast_node *build_node(parser *p, ast_kind kind, span at, ast_node *first, ast_node *second)
{
    ast_node *node = make(p, kind, at);
    add(p, node, first);
    add(p, node, second);
    return checked(p, node);
}

ast_node *build_named(parser *p, ast_kind kind, span at, const token *name, ast_node *first,
                      ast_node *second, ast_node *third)
{
    ast_node *node = make(p, kind, at);
    set_name(p, node, name);
    add(p, node, first);
    add(p, node, second);
    add(p, node, third);
    return checked(p, node);
}

ast_node *build_block(parser *p, ast_kind kind, span at, const token *name, ast_node *parameters,
                      ast_node *middle, ast_node *body)
{
    ast_node *node = make(p, kind, at);
    set_name(p, node, name);
    add_all(p, node, parameters);
    add(p, node, middle);
    add(p, node, body);
    return checked(p, node);
}

/* Poisoned, so that ast_check allows the children that are missing, and nobody reports on it. */
ast_node *build_broken(parser *p, ast_kind kind, span at, const token *name, ast_node *body)
{
    ast_node *node = make(p, kind, at);
    set_name(p, node, name);
    add(p, node, body);
    node->poisoned = node->broken = true;
    return checked(p, node);
}

ast_node *build_name(parser *p, const token *t)
{
    return build_named(p, AST_NAME, token_span(p->list, t), t, NULL, NULL, NULL);
}

ast_node *build_number(parser *p, const token *t)
{
    ast_node *node = make(p, AST_NUMBER, token_span(p->list, t));
    const char *bytes = p->list->bytes + t->begin;
    size_t length = t->end - t->begin;
    if (t->unit)
        length -= strlen(t->unit->name);
    while (length > 0 && strchr(" \t\r", bytes[length - 1]))
        length--;
    node->name = atom_intern(p->context->atoms, bytes, length);
    node->name_at = (span){p->list->file, t->begin, t->begin + (uint32_t)length};
    node->number = t->number;
    node->unit = t->unit;
    return node;
}

static char escaped(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    default:
        return c;
    }
}

ast_node *build_string(parser *p, const token *t)
{
    ast_node *node = make(p, AST_STRING, token_span(p->list, t));
    char *inside = arena_alloc(memory(p), t->end - t->begin);
    size_t length = 0;
    for (uint32_t i = t->begin + 1; i + 1 < t->end; i++) {
        char c = p->list->bytes[i];
        inside[length++] = c == '\\' ? escaped(p->list->bytes[++i]) : c;
    }
    node->name = atom_intern(p->context->atoms, inside, length);
    node->name_at = node->at;
    return node;
}

/* dot(x, w over D, E), mean(x over B, ..): names and `..` behind an over are further dimensions of it. */
static bool continues_over(const ast_node *call, const ast_node *argument)
{
    return call->count > 1 && call->children[call->count - 1]->kind == AST_OVER &&
           (argument->kind == AST_NAME || argument->kind == AST_REST) && !argument->in_brackets;
}

ast_node *build_call(parser *p, span at, ast_node *called, ast_node *arguments)
{
    ast_node *node = make(p, AST_CALL, at);
    add(p, node, called);
    for (size_t i = 0; arguments && i < arguments->count; i++) {
        ast_node *argument = arguments->children[i];
        bool further = continues_over(node, argument);
        add(p, further ? node->children[node->count - 1] : node, argument);
    }
    return checked(p, node);
}

ast_node *build_node_at(parser *p, span at, ast_node *of, ast_node *indices)
{
    ast_node *node = make(p, AST_AT, at);
    add(p, node, of);
    add_all(p, node, indices);
    return checked(p, node);
}

ast_node *build_tuple(parser *p, span at, ast_node *first, ast_node *rest)
{
    ast_node *node = make(p, AST_TUPLE, at);
    add(p, node, first);
    add_all(p, node, rest);
    return checked(p, node);
}

ast_node *build_bracketed(parser *p, span at, ast_node *expression)
{
    (void)p;
    expression->in_brackets = true;
    expression->at = at;
    return expression;
}

ast_node *build_node_unary(parser *p, span at, const token *sign, ast_node *operand)
{
    ast_node *node = make(p, AST_UNARY, at);
    node->word = atom_of(p->context->atoms, sign->type == TOKEN_NOT ? "not" : "-");
    add(p, node, operand);
    return checked(p, node);
}

ast_node *build_node_binary(parser *p, ast_kind kind, const token *sign, ast_node *left,
                            ast_node *right)
{
    ast_node *node = make(p, kind, span_join(left->at, right->at));
    bool is_word = sign->type == TOKEN_AND || sign->type == TOKEN_OR || sign->type == TOKEN_POWER;
    node->word = is_word && sign->name ? sign->name : spelling(p, sign);
    add(p, node, left);
    add(p, node, right);
    return checked(p, node);
}

ast_node *build_choice(parser *p, span at, ast_node *condition, ast_node *yes, ast_node *no)
{
    ast_node *node = make(p, AST_CHOICE, at);
    add(p, node, condition);
    add(p, node, yes);
    add(p, node, no);
    return checked(p, node);
}

ast_node *build_if(parser *p, span at, ast_node *condition, ast_node *body, ast_node *otherwise)
{
    ast_node *node = make(p, AST_IF, at);
    add(p, node, condition);
    add(p, node, body);
    add(p, node, otherwise);
    return checked(p, node);
}

ast_node *build_for(parser *p, span at, ast_node *indices, ast_node *body)
{
    ast_node *node = make(p, AST_FOR, at);
    add_all(p, node, indices);
    add(p, node, body);
    bool braced = p->list->bytes[body->at.begin] == '{';
    if (!braced)
        node->word = atom_of(p->context->atoms, ":");
    return checked(p, node);
}

ast_node *build_inline_body(parser *p, ast_node *statement)
{
    return build_node(p, AST_BODY, statement->at, statement, NULL);
}

ast_node *build_send(parser *p, span at, ast_node *chunk, ast_node *from, ast_node *to,
                     const token *how)
{
    ast_node *node = make(p, AST_SEND, at);
    node->word = spelling(p, how);
    node->name_at = token_span(p->list, how);
    add(p, node, chunk);
    add(p, node, from);
    add(p, node, to);
    return checked(p, node);
}

ast_node *build_clause(parser *p, span at, const token *word, ast_node *phrases, ast_node *body)
{
    ast_node *node = make(p, AST_CLAUSE, at);
    set_name(p, node, word);
    add_all(p, node, phrases);
    add(p, node, body);
    return checked(p, node);
}

ast_node *build_phrase(parser *p, ast_node *phrase, ast_node *part)
{
    if (phrase->kind == AST_ERROR)
        return phrase;
    add(p, phrase, part);
    return checked(p, phrase);
}

ast_node *build_part(parser *p, ast_kind kind, span at, const token *word, ast_node *terms)
{
    ast_node *node = make(p, kind, at);
    set_name(p, node, word);
    add_all(p, node, terms);
    return checked(p, node);
}

ast_node *build_setting(parser *p, span at, ast_node *left, ast_node *right)
{
    bool is_name = left->kind == AST_NAME && !left->in_brackets;
    ast_node *node = make(p, is_name ? AST_NAMED : AST_BINARY, at);
    if (is_name) {
        node->name = left->name;
        node->name_at = left->at;
    } else {
        node->word = atom_of(p->context->atoms, "=");
        add(p, node, left);
    }
    add(p, node, right);
    return checked(p, node);
}

ast_node *build_unit(parser *p, span at, const token *word, const token *name, ast_node *count,
                     ast_node *body)
{
    ast_node *node = make(p, AST_UNIT, at);
    node->word = word->name;
    set_name(p, node, name);
    add(p, node, count);
    add(p, node, body);
    return checked(p, node);
}

ast_node *build_pair(parser *p, ast_node *first, ast_node *second)
{
    return build_node(p, AST_ENDS, span_join(first->at, second->at), first, second);
}

ast_node *build_link(parser *p, span at, const token *sign, ast_node *ends, ast_node *quantities,
                     ast_node *edges)
{
    ast_node *node = make(p, AST_LINK, at);
    if (sign)
        node->word = spelling(p, sign);
    add(p, node, ends);
    add(p, node, quantities);
    add(p, node, edges);
    return checked(p, node);
}

ast_node *build_switch(parser *p, span at, const token *name, ast_node *ends, ast_node *quantities)
{
    ast_node *node = make(p, AST_SWITCH, at);
    set_name(p, node, name);
    add(p, node, ends);
    add(p, node, quantities);
    return checked(p, node);
}

/* `x2`: how many links there are. 0: not readable, reported. */
static double read_times(parser *p, const token *t)
{
    char *end = NULL;
    const char *digits = t->name + 1;
    long times = strtol(digits, &end, 10);
    bool readable = t->name[0] == 'x' && *digits >= '0' && *digits <= '9' && *end == '\0';
    if (readable && times >= 1 && times <= 1000000)
        return (double)times;
    diag *d = diag_report(p->context->diags, E0115, token_span(p->list, t),
                          "'%s' does not say how many links there are", t->name);
    diag_fix(d, "write 'x2' for two links");
    return 0;
}

ast_node *build_edge(parser *p, span at, const token *sign, ast_node *from, ast_node *to,
                     const token *times)
{
    ast_node *node = make(p, AST_EDGE, at);
    node->word = spelling(p, sign);
    node->number = times ? read_times(p, times) : 1;
    node->poisoned = node->number == 0;
    add(p, node, from);
    add(p, node, to);
    return checked(p, node);
}
