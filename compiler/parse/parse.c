#include "parse/parse.h"

#include "parse/brackets.h"
#include "parse/bytes.h"
#include "parse/classify.h"
#include "parse/feed.h"
#include "parse/tokens.h"
#include "parse/words.h"
#include "parse/parser.h"

#include <assert.h>

bool parse_tokens(const parse_context *context, int file, token_list *list, bool expression)
{
    size_t length;
    list->file = file;
    list->bytes = source_bytes(context->sources, file, &length);
    if (!bytes_check(context, file))
        return false;
    token_list_lex(list, list->bytes, length);
    words_settle(context, list);
    brackets_pair(context, list);
    if (expression)
        classify_expression(context, list);
    else
        classify(context, list);
    return true;
}

/* The tokens are as large as the tree and are gone when it stands, so they have an arena of their own. */
static parser parse_with(const parse_context *context, int file, int start)
{
    arena *scratch = arena_new();
    token_list list = {.memory = scratch};
    size_t length;
    source_bytes(context->sources, file, &length);
    span whole = {file, 0, (uint32_t)length};
    parser p = {.context = context, .list = &list, .start = start};
    p.file = ast_new(context->memory, AST_FILE, whole);
    size_t errors = diag_report_count(context->diags);
    bool expression = start == TOKEN_START_EXPRESSION;
    if (parse_tokens(context, file, &list, expression)) {
        p.quiet = expression && diag_report_count(context->diags) > errors;
        plan_parse_parse(&p);
    }
    p.file->poisoned |= diag_report_count(context->diags) > errors;
    p.list = NULL;
    arena_free(scratch);
    return p;
}

ast_node *parse_file(const parse_context *context, int file)
{
    parser p = parse_with(context, file, TOKEN_START_FILE);
    return p.file;
}

ast_node *parse_expression(const parse_context *context, int file)
{
    size_t errors = diag_report_count(context->diags);
    parser p = parse_with(context, file, TOKEN_START_EXPRESSION);
    return diag_report_count(context->diags) > errors ? NULL : p.expression;
}
