#include "ast/ast.h"

#include <string.h>

static void print_span(const ast_node *node, const source_set *sources, FILE *out)
{
    source_place p = source_locate(sources, node->at);
    fprintf(out, "  %d:%d-%d:%d", p.line, p.column, p.end_line, p.end_column);
}

static void print_head(const ast_node *node, FILE *out)
{
    fputs(ast_kind_name(node->kind), out);
    if (node->kind == AST_STRING)
        fprintf(out, " \"%s\"", node->name);
    else if (node->name)
        fprintf(out, " %s", node->name);
    if (node->unit)
        fprintf(out, " %s", node->unit->name);
    if (node->word)
        fprintf(out, " '%s'", node->word);
    if (node->kind == AST_EDGE && node->number > 1)
        fprintf(out, " x%g", node->number);
    if (node->in_brackets)
        fputs(" ()", out);
}

static void print_deep(const ast_node *node, const source_set *sources, FILE *out, int depth)
{
    fprintf(out, "%*s", 2 * depth, "");
    print_head(node, out);
    print_span(node, sources, out);
    fputc('\n', out);
    for (size_t i = 0; i < node->count; i++)
        print_deep(node->children[i], sources, out, depth + 1);
}

void ast_print(const ast_node *node, const source_set *sources, FILE *out)
{
    print_deep(node, sources, out, 0);
}

static void write_list(const ast_node *node, size_t from, text *out)
{
    for (size_t i = from; i < node->count; i++) {
        if (i > from)
            text_add(out, ", ");
        ast_write(node->children[i], out);
    }
}

static void write_string(const char *bytes, text *out)
{
    text_add(out, "\"");
    for (; *bytes; bytes++) {
        const char *escape = strchr("\"\"\\\\\nn\tt\rr", *bytes);
        if (escape)
            text_add(out, "\\%c", escape[1]);
        else
            text_add_bytes(out, bytes, 1);
    }
    text_add(out, "\"");
}

static void write_operator(const ast_node *node, text *out)
{
    ast_write(node->children[0], out);
    text_add(out, node->kind == AST_RANGE ? "%s" : " %s ", node->word);
    ast_write(node->children[1], out);
}

static void write_around(const ast_node *node, size_t from, const char *open, const char *close,
                         text *out)
{
    text_add(out, "%s", open);
    write_list(node, from, out);
    text_add(out, "%s", close);
}

static void write_choice(const ast_node *node, text *out)
{
    static const char *const words[] = {"if ", " then ", " else "};
    for (size_t i = 0; i < node->count; i++) {
        text_add(out, "%s", words[i]);
        ast_write(node->children[i], out);
    }
}

static void write_over(const ast_node *node, text *out)
{
    ast_write(node->children[0], out);
    text_add(out, " over ");
    write_list(node, 1, out);
}

static void write_bare(const ast_node *node, text *out);

/* Nodes that a broken file left short are written as an error node is. */
static bool is_whole(const ast_node *node)
{
    switch (node->kind) {
    case AST_CHOICE:
        return node->count == 3;
    case AST_BINARY:
    case AST_RANGE:
    case AST_OVER:
    case AST_REPEAT:
        return node->count >= 2;
    case AST_UNARY:
    case AST_NAMED:
    case AST_MEMBER:
    case AST_CALL:
    case AST_AT:
        return node->count >= 1;
    default:
        return true;
    }
}

void ast_write(const ast_node *expression, text *out)
{
    if (!is_whole(expression)) {
        text_add(out, "?");
        return;
    }
    if (expression->in_brackets)
        text_add(out, "(");
    write_bare(expression, out);
    if (expression->in_brackets)
        text_add(out, ")");
}

static void write_after_first(const ast_node *node, const char *open, const char *close, text *out)
{
    ast_write(node->children[0], out);
    write_around(node, 1, open, close, out);
}

static void write_bare(const ast_node *node, text *out)
{
    switch (node->kind) {
    case AST_NAME:
        text_add(out, "%s", node->name);
        break;
    case AST_NUMBER:
        text_add(out, "%s", node->name);
        if (node->unit)
            text_add(out, node->unit->measures == SHARE ? "%s" : " %s", node->unit->name);
        break;
    case AST_STRING:
        write_string(node->name, out);
        break;
    case AST_WILDCARD:
        text_add(out, "*");
        break;
    case AST_CALL:
        write_after_first(node, "(", ")", out);
        break;
    case AST_AT:
        write_after_first(node, "[", "]", out);
        break;
    case AST_NAMED:
        text_add(out, "%s = ", node->name);
        ast_write(node->children[0], out);
        break;
    case AST_OVER:
        write_over(node, out);
        break;
    case AST_MEMBER:
        ast_write(node->children[0], out);
        text_add(out, ".%s", node->name);
        break;
    case AST_UNARY:
        text_add(out, strcmp(node->word, "not") == 0 ? "%s " : "%s", node->word);
        ast_write(node->children[0], out);
        break;
    case AST_BINARY:
    case AST_RANGE:
        write_operator(node, out);
        break;
    case AST_CHOICE:
        write_choice(node, out);
        break;
    case AST_REPEAT:
        text_add(out, "repeat ");
        ast_write(node->children[0], out);
        text_add(out, ": ");
        ast_write(node->children[1], out);
        break;
    case AST_TUPLE:
        write_around(node, 0, "(", node->count == 1 ? ",)" : ")", out);
        break;
    case AST_LIST:
        write_around(node, 0, "[", "]", out);
        break;
    default:
        text_add(out, "?");
    }
}
