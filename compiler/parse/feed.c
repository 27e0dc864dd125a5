#include "parse/feed.h"

#include "parse/parser.h"

static const token *token_at(const parser *p, size_t i)
{
    return &p->list->items[i];
}

/* Where something made up stands: behind the last token that is there. */
static span place_before(const parser *p, size_t i)
{
    uint32_t at = 0;
    while (i > 0) {
        const token *t = token_at(p, --i);
        if (t->type == TOKEN_COMMENT || t->type == TOKEN_NEWLINE || t->type == TOKEN_SKIPPED)
            continue;
        at = t->end;
        break;
    }
    return (span){p->list->file, at, at};
}

static int make_up(parser *p, int type, span *at, size_t index)
{
    *at = place_before(p, index);
    p->last = type;
    p->last_index = index;
    p->made_up = true;
    return type;
}

static int hand_out(parser *p, size_t index, PLAN_PARSE_STYPE *value, span *at)
{
    const token *t = token_at(p, index);
    value->TOKEN_NAME = t;
    *at = token_span(p->list, t);
    if (t->type == TOKEN_END)
        *at = place_before(p, index);
    p->cursor = index + 1;
    p->last = t->type;
    p->last_index = index;
    p->made_up = false;
    return t->type;
}

static bool needs_end(const parser *p)
{
    return p->last != TOKEN_END && p->last != TOKEN_LEFT_BRACE && p->last != TOKEN_START_FILE;
}

static int feed_brace(parser *p)
{
    p->braces -= p->braces > 0;
    p->owes_end = true;
    return TOKEN_RIGHT_BRACE;
}

/* At the end of the file, or before the head of another block: whatever is open is closed. */
static int feed_closing(parser *p, size_t index, span *at)
{
    if (needs_end(p))
        return make_up(p, TOKEN_END, at, index);
    if (p->braces > 0) {
        make_up(p, TOKEN_RIGHT_BRACE, at, index);
        return feed_brace(p);
    }
    return make_up(p, 0, at, index);
}

static bool closes_here(const parser *p, size_t i)
{
    if (i >= p->list->count)
        return true;
    return (token_at(p, i)->flags & TOKEN_CLOSES) && p->braces > 0;
}

/* An END stands behind every '}' unless an else does. */
static bool end_is_due(parser *p, const token *t)
{
    bool due = p->owes_end && t->type != TOKEN_END && t->type != TOKEN_ELSE;
    p->owes_end = false;
    return due;
}

static int feed_token(parser *p, size_t i, PLAN_PARSE_STYPE *value, span *at)
{
    const token *t = token_at(p, i);
    if (end_is_due(p, t) || (t->type == TOKEN_RIGHT_BRACE && needs_end(p)))
        return make_up(p, TOKEN_END, at, i);
    if ((t->flags & TOKEN_JOINS) && !(p->made_up && p->last == TOKEN_JOIN))
        return make_up(p, TOKEN_JOIN, at, i);
    if (t->flags & TOKEN_STARTS) {
        p->statement = t->type;
        p->statement_begin = t->begin;
    }
    if (t->type == TOKEN_LEFT_BRACE)
        p->braces++;
    hand_out(p, i, value, at);
    return t->type == TOKEN_RIGHT_BRACE ? feed_brace(p) : t->type;
}

/* Ends of empty statements mean nothing. */
static size_t next_index(const parser *p)
{
    size_t i = token_next(p->list, p->cursor);
    while (i < p->list->count && token_at(p, i)->type == TOKEN_END && !needs_end(p))
        i = token_next(p->list, i + 1);
    return i;
}

int feed_next(PLAN_PARSE_STYPE *value, span *at, parser *p)
{
    if (p->start) {
        int type = p->start;
        p->start = 0;
        make_up(p, type, at, 0);
        p->last = TOKEN_START_FILE;
        return type;
    }
    size_t i = next_index(p);
    p->cursor = i;
    if (closes_here(p, i))
        return feed_closing(p, i, at);
    return feed_token(p, i, value, at);
}

static bool has_body(int statement)
{
    switch (statement) {
    case TOKEN_MODEL:
    case TOKEN_LAYER:
    case TOKEN_OPTIMIZER:
    case TOKEN_SCHEDULE:
    case TOKEN_TRAIN:
    case TOKEN_CLUSTER:
    case TOKEN_PLAN:
    case TOKEN_TOPOLOGY:
    case TOKEN_WEIGHTS:
    case TOKEN_WHEN:
    case TOKEN_FOR:
    case TOKEN_UNIT_WORD:
        return true;
    default:
        return false;
    }
}

/* Index of the END, the '}' around the statement, or the '{' of its body, from `i` on. */
static size_t statement_stop(const parser *p, size_t i)
{
    bool at_brace = has_body(p->statement);
    while (i < p->list->count) {
        const token *t = token_at(p, i);
        if (t->type == TOKEN_END || t->type == TOKEN_RIGHT_BRACE ||
            (t->type == TOKEN_LEFT_BRACE && at_brace) || (t->flags & TOKEN_CLOSES))
            return i;
        i = t->pair > i ? t->pair + 1 : i + 1;
    }
    return i;
}

/* `y = a +` and on the next line `b`: what cannot begin a statement is the rest of the one before. */
static void skip_rest_on_next_line(parser *p)
{
    size_t next = token_next(p->list, p->cursor);
    if (next >= p->list->count || p->made_up)
        return;
    switch (token_at(p, next)->type) {
    case TOKEN_NUMBER:
    case TOKEN_STRING:
    case TOKEN_MINUS:
    case TOKEN_PLUS:
    case TOKEN_TIMES:
    case TOKEN_OVER_SIGN:
    case TOKEN_LEFT:
    case TOKEN_LEFT_SQUARE:
        p->cursor = statement_stop(p, next);
        break;
    default:
        break;
    }
}

void feed_skip(parser *p)
{
    if (p->last == TOKEN_END)
        skip_rest_on_next_line(p);
    if (p->last == TOKEN_END || (p->made_up && p->last != TOKEN_JOIN))
        return;
    size_t stop = statement_stop(p, p->last_index);
    if (stop == p->last_index)
        return;
    p->braces -= p->last == TOKEN_LEFT_BRACE;
    p->last = TOKEN_BAD;
    p->cursor = stop;
}
