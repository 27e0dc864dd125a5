#include "parse/brackets.h"

#include "parse/parser.h"

#include <assert.h>
#include <string.h>

static const char *const item_words[] = {
#define ITEM(word, token) word,
#include "grammar/keywords.def"
};

typedef struct opener {
    size_t index;
    int closer; /* token type that closes it */
} opener;

typedef struct pairing {
    const parse_context *context;
    token_list *list;
    opener stack[PARSE_DEEPEST_NESTING];
    size_t depth;
    size_t after_block; /* index behind the last '}' that closed a block of the top */
    size_t head;        /* a head of the top whose line has no '{', plus 1; 0: none */
    size_t early;   /* a '}' behind code that closed a block of several lines, plus 1; 0: none */
    size_t suspect; /* a '{' whose '}' is indented less than its own line, plus 1; 0: none */
    size_t rescans_left; /* bounds the work on files of nothing but open brackets */
    size_t before;       /* the token before, comments aside, plus 1; 0: none */
} pairing;

enum { MOST_RESCANS = 64 };

static token *item(const pairing *p, size_t i)
{
    return &p->list->items[i];
}

static span span_at(const pairing *p, size_t i)
{
    return token_span(p->list, item(p, i));
}

static bool is_item_word(const pairing *p, const token *t)
{
    for (size_t k = 0; k < sizeof item_words / sizeof *item_words; k++)
        if (token_is(p->list, t, item_words[k]))
            return true;
    return false;
}

static int closer_of(int type)
{
    switch (type) {
    case TOKEN_LEFT:
        return TOKEN_RIGHT;
    case TOKEN_LEFT_SQUARE:
        return TOKEN_RIGHT_SQUARE;
    case TOKEN_LEFT_BRACE:
        return TOKEN_RIGHT_BRACE;
    default:
        return 0;
    }
}

static const char *sign_of(int type)
{
    switch (type) {
    case TOKEN_LEFT:
        return "(";
    case TOKEN_RIGHT:
        return ")";
    case TOKEN_LEFT_SQUARE:
        return "[";
    case TOKEN_RIGHT_SQUARE:
        return "]";
    case TOKEN_LEFT_BRACE:
        return "{";
    default:
        return "}";
    }
}

/* Blanks before the first token of the line in which `i` stands. */
static size_t indent_of(const pairing *p, size_t i)
{
    const char *bytes = p->list->bytes;
    uint32_t start = item(p, i)->begin;
    while (start > 0 && bytes[start - 1] != '\n')
        start--;
    return strspn(bytes + start, " \t");
}

static bool is_first_of_line(const pairing *p, size_t i)
{
    return i == 0 || item(p, i - 1)->type == TOKEN_NEWLINE;
}

static size_t line_end(const pairing *p, size_t i)
{
    while (i < p->list->count && item(p, i)->type != TOKEN_NEWLINE)
        i++;
    return i;
}

static bool top_is_brace(const pairing *p)
{
    return p->depth > 0 && p->stack[p->depth - 1].closer == TOKEN_RIGHT_BRACE;
}

/* The '(' or '[' above the innermost block, the outermost of them. */
static size_t outermost_round(const pairing *p)
{
    size_t at = p->depth;
    while (at > 0 && p->stack[at - 1].closer != TOKEN_RIGHT_BRACE)
        at--;
    return at;
}

static void report_unclosed(pairing *p, size_t i)
{
    const char *sign = sign_of(item(p, i)->type);
    diag *d = diag_report(p->context->diags, E0105, span_at(p, i), "'%s' is never closed", sign);
    diag_fix(d, "close it with '%s'", sign_of(closer_of(item(p, i)->type)));
}

/* The brackets open above the innermost block cannot close any more: the outermost is at fault, and its statement ends
 * with its line, or before `stop` if that stands on it. Returns where pairing goes on. */
static size_t give_up_round(pairing *p, size_t stop)
{
    size_t at = outermost_round(p), opened = p->stack[at].index;
    bool reported_already = item(p, opened)->type == TOKEN_BAD;
    if (!reported_already)
        report_unclosed(p, opened);
    item(p, opened)->type = TOKEN_BAD;
    p->depth = at;
    size_t end = line_end(p, opened);
    bool in_head = at == 0 && stop < p->list->count && item(p, stop)->type == TOKEN_LEFT_BRACE;
    if (in_head || p->rescans_left == 0)
        return stop;
    p->rescans_left--;
    return stop < end ? stop : end;
}

static void truncate_at(pairing *p, size_t i)
{
    item(p, i)->type = TOKEN_BAD;
    item(p, i)->pair = 0;
    p->list->count = i + 1;
    p->depth = 0;
}

/* `{ {`: no statement begins with a brace. */
static bool is_doubled(const pairing *p, size_t i)
{
    return item(p, i)->type == TOKEN_LEFT_BRACE && p->before > 0 &&
           item(p, p->before - 1)->type == TOKEN_LEFT_BRACE;
}

static size_t skip_doubled(pairing *p, size_t i)
{
    if (item(p, i - 1)->type != TOKEN_SKIPPED) {
        diag *d = diag_report(p->context->diags, E0102, span_at(p, i),
                              "'{' stands where a statement belongs");
        diag_fix_edit(d, span_at(p, i), "", "take it out");
    }
    item(p, i)->type = TOKEN_SKIPPED;
    return i + 1;
}

static size_t open_bracket(pairing *p, size_t i)
{
    int type = item(p, i)->type;
    if (is_doubled(p, i))
        return skip_doubled(p, i);
    if (type == TOKEN_LEFT_BRACE && p->depth > 0 && !top_is_brace(p))
        return give_up_round(p, i);
    if (p->depth == PARSE_DEEPEST_NESTING) {
        diag *d = diag_report(p->context->diags, E0109, span_at(p, i),
                              "brackets nested deeper than %d; the file is read up to here",
                              PARSE_DEEPEST_NESTING);
        diag_fix(d, "give the inner parts names of their own");
        truncate_at(p, i);
        return p->list->count;
    }
    bool own_line = type == TOKEN_LEFT_BRACE && p->depth == 0 && is_first_of_line(p, i);
    if (own_line)
        p->head = 0;
    p->stack[p->depth++] = (opener){i, closer_of(type)};
    return i + 1;
}

static bool spans_lines(const pairing *p, size_t from, size_t to)
{
    while (from < to && item(p, from)->type != TOKEN_NEWLINE)
        from++;
    return from < to;
}

static void pair_up(pairing *p, size_t i)
{
    opener o = p->stack[--p->depth];
    item(p, o.index)->pair = (uint32_t)i;
    item(p, i)->pair = (uint32_t)o.index;
    if (o.closer != TOKEN_RIGHT_BRACE)
        return;
    if (p->depth == 0)
        p->after_block = i + 1;
    if (!p->early && !is_first_of_line(p, i) && spans_lines(p, o.index, i))
        p->early = i + 1;
    if (!p->suspect && is_first_of_line(p, i) && indent_of(p, i) < indent_of(p, o.index))
        p->suspect = o.index + 1;
}

/* Statements behind a '}' that came too early are part of the same mistake. */
static void skip_statements(pairing *p, size_t from, size_t to)
{
    for (size_t k = from; k < to; k++)
        if (item(p, k)->type != TOKEN_COMMENT && item(p, k)->type != TOKEN_NEWLINE)
            item(p, k)->type = TOKEN_SKIPPED;
}

static bool holds_brace(const pairing *p, size_t from, size_t to)
{
    for (size_t k = from; k < to; k++)
        if (item(p, k)->type == TOKEN_LEFT_BRACE)
            return true;
    return false;
}

/* The '}' before it may be the one that is too much: then what stands between belongs to the block. */
static bool came_early(const pairing *p, size_t i)
{
    if (item(p, i)->type != TOKEN_RIGHT_BRACE || p->after_block == 0 ||
        holds_brace(p, p->after_block, i))
        return false;
    size_t first = token_next(p->list, p->after_block);
    return first < i && !is_item_word(p, item(p, first));
}

/* A head without its '{' makes the '}' of its block the one too many: the end of its line opens the block. */
static bool open_at_head(pairing *p, size_t i)
{
    if (item(p, i)->type != TOKEN_RIGHT_BRACE || !p->head)
        return false;
    size_t end = line_end(p, p->head - 1);
    if (end >= i) {
        item(p, i)->type = TOKEN_SKIPPED; /* the grammar misses the '{' before it */
        p->head = 0;
        return true;
    }
    uint32_t behind = item(p, end - 1)->end;
    span gap = {p->list->file, behind, behind};
    diag *d = diag_report(p->context->diags, E0102, gap, "the line ends where '{' belongs");
    diag_fix_edit(d, gap, " {", "put '{' behind the head");
    item(p, end)->type = TOKEN_LEFT_BRACE;
    item(p, end)->pair = (uint32_t)i;
    item(p, i)->pair = (uint32_t)end;
    p->head = 0;
    p->after_block = i + 1;
    return true;
}

/* The line is given up: what else is wrong with it comes from the same mistake. */
static void spoil_line(pairing *p, size_t i)
{
    item(p, i)->type = TOKEN_BAD;
    while (i > 0 && item(p, i - 1)->type != TOKEN_NEWLINE)
        i--;
    for (; i < p->list->count && item(p, i)->type != TOKEN_NEWLINE; i++)
        item(p, i)->flags |= TOKEN_SPOILED;
}

/* A '}' that stands behind code and closed a block of several lines is the one too many, now that one is. */
static bool blame_early(pairing *p, size_t i)
{
    if (item(p, i)->type != TOKEN_RIGHT_BRACE || !p->early || p->rescans_left == 0)
        return false;
    size_t early = p->early - 1;
    bool behind_brace = item(p, early - 1)->type == TOKEN_RIGHT_BRACE;
    diag *d = diag_report(p->context->diags, E0106, span_at(p, early), "'}' closes nothing");
    if (behind_brace)
        diag_fix_edit(d, span_at(p, early), "", "take it out");
    else
        diag_fix(d, "a '{' is missing before it, or it is one too many");
    if (behind_brace)
        item(p, early)->type = TOKEN_SKIPPED;
    else
        spoil_line(p, early);
    *p = (pairing){.context = p->context, .list = p->list, .rescans_left = p->rescans_left - 1};
    return true;
}

static void stray(pairing *p, size_t i)
{
    if (open_at_head(p, i))
        return;
    const char *sign = sign_of(item(p, i)->type);
    diag *d = diag_report(p->context->diags, E0106, span_at(p, i), "'%s' closes nothing", sign);
    if (came_early(p, i)) {
        size_t early = p->after_block - 1;
        diag_note(d, span_at(p, early), "the block ended here already");
        diag_fix_edit(d, span_at(p, early), "", "take out the '}' above");
        skip_statements(p, p->after_block, i);
    } else {
        diag_fix_edit(d, span_at(p, i), "", "take it out");
    }
    if (item(p, i)->type != TOKEN_RIGHT_BRACE) {
        spoil_line(p, i);
        return;
    }
    p->after_block = i + 1;
    item(p, i)->type = TOKEN_SKIPPED;
}

static bool is_open(const pairing *p, int closer)
{
    for (size_t at = outermost_round(p); at < p->depth; at++)
        if (p->stack[at].closer == closer)
            return true;
    return false;
}

/* `f(x: [B, D)`: what is open above the bracket that is closed is at fault. */
static void close_over_unclosed(pairing *p, size_t i)
{
    while (p->stack[p->depth - 1].closer != item(p, i)->type) {
        size_t opened = p->stack[--p->depth].index;
        report_unclosed(p, opened);
        item(p, opened)->type = TOKEN_BAD;
    }
    pair_up(p, i);
}

/* `f(a]`: the bracket that closes is taken for the one that was meant. */
static void close_with(pairing *p, size_t i)
{
    opener o = p->stack[p->depth - 1];
    const char *right = sign_of(o.closer);
    diag *d = diag_report(p->context->diags, E0106, span_at(p, i), "'%s' cannot close '%s'",
                          sign_of(item(p, i)->type), sign_of(item(p, o.index)->type));
    diag_note(d, span_at(p, o.index), "'%s' opened here", sign_of(item(p, o.index)->type));
    diag_fix_edit(d, span_at(p, i), right, "write '%s'", right);
    item(p, i)->type = (uint16_t)o.closer;
    pair_up(p, i);
}

static size_t close_bracket(pairing *p, size_t i)
{
    int type = item(p, i)->type;
    bool round_open = p->depth > 0 && !top_is_brace(p);
    if (p->depth > 0 && p->stack[p->depth - 1].closer == type)
        pair_up(p, i);
    else if (type == TOKEN_RIGHT_BRACE && round_open)
        return give_up_round(p, i);
    else if (round_open && is_open(p, type))
        close_over_unclosed(p, i);
    else if (round_open)
        close_with(p, i);
    else if (blame_early(p, i))
        return 0;
    else
        stray(p, i);
    return i + 1;
}

/* A line that begins at the margin with the head of a block is taken for one, whatever is open above it. */
static bool is_head_at_margin(const pairing *p, size_t i)
{
    const token *t = item(p, i);
    if (t->type != TOKEN_NAME || !is_first_of_line(p, i) || indent_of(p, i) > 0)
        return false;
    if (!is_item_word(p, t) || i + 1 >= p->list->count || item(p, i + 1)->type != TOKEN_NAME)
        return false;
    return holds_brace(p, i, line_end(p, i));
}

/* The block of a '{' that is never closed ends before the first line that is indented no deeper than its own. */
static size_t end_of_unclosed(const pairing *p, size_t opened)
{
    size_t indent = indent_of(p, opened);
    for (size_t i = line_end(p, opened); i + 1 < p->list->count; i = line_end(p, i + 1)) {
        int first = item(p, i + 1)->type;
        bool blank = first == TOKEN_NEWLINE || first == TOKEN_COMMENT;
        if (!blank && indent_of(p, i + 1) <= indent)
            return first == TOKEN_RIGHT_BRACE ? 0 : i;
    }
    return 0;
}

/* Closes it there and pairs anew; false where nothing shows where it ends. */
static bool close_by_indent(pairing *p, size_t opened)
{
    size_t end = p->rescans_left ? end_of_unclosed(p, opened) : 0;
    if (end == 0 || item(p, end)->type != TOKEN_NEWLINE)
        return false;
    item(p, end)->type = TOKEN_RIGHT_BRACE;
    size_t left = p->rescans_left - 1;
    *p = (pairing){.context = p->context, .list = p->list, .rescans_left = left};
    return true;
}

static size_t close_before_head(pairing *p, size_t i)
{
    if (!top_is_brace(p))
        return give_up_round(p, i);
    size_t opened = p->suspect ? p->suspect - 1 : p->stack[0].index;
    report_unclosed(p, opened);
    if (close_by_indent(p, opened))
        return 0;
    item(p, i)->flags |= TOKEN_CLOSES;
    p->suspect = 0;
    p->depth = 0;
    return i + 1;
}

/* A string that does not end takes the brackets open on its line with it. */
static void drop_open_on_line(pairing *p)
{
    while (p->depth > 0 && !top_is_brace(p)) {
        size_t opened = p->stack[p->depth - 1].index;
        item(p, opened)->type = TOKEN_BAD;
        p->depth--;
    }
}

/* use and import open none. */
static bool opens_no_block(const pairing *p, size_t i)
{
    bool line = token_is(p->list, item(p, i), "use") || token_is(p->list, item(p, i), "import");
    return !line && !holds_brace(p, i, line_end(p, i));
}

static size_t step(pairing *p, size_t i)
{
    const token *t = item(p, i);
    switch (t->type) {
    case TOKEN_LEFT:
    case TOKEN_LEFT_SQUARE:
    case TOKEN_LEFT_BRACE:
        return open_bracket(p, i);
    case TOKEN_RIGHT:
    case TOKEN_RIGHT_SQUARE:
    case TOKEN_RIGHT_BRACE:
        return close_bracket(p, i);
    case TOKEN_BAD:
        if (p->list->bytes[t->begin] == '"')
            drop_open_on_line(p);
        return i + 1;
    case TOKEN_NAME:
        if (p->depth > 0 && is_head_at_margin(p, i))
            return close_before_head(p, i);
        if (p->depth == 0 && is_first_of_line(p, i) && is_item_word(p, t) &&
            (!p->head || indent_of(p, i) <= indent_of(p, p->head - 1)))
            p->head = opens_no_block(p, i) ? i + 1 : 0;
        return i + 1;
    default:
        return i + 1;
    }
}

static size_t step_over(pairing *p, size_t i)
{
    size_t next = step(p, i);
    int type = i < p->list->count ? item(p, i)->type : TOKEN_COMMENT;
    if (next > i && type != TOKEN_SKIPPED && type != TOKEN_COMMENT)
        p->before = i + 1;
    return next;
}

/* A block is open at the end of the file. True: pair anew. */
static bool close_unclosed(pairing *p)
{
    size_t opened = p->suspect ? p->suspect - 1 : p->stack[p->depth - 1].index;
    report_unclosed(p, opened);
    return close_by_indent(p, opened);
}

void brackets_pair(const parse_context *context, token_list *list)
{
    pairing p = {.context = context, .list = list, .rescans_left = MOST_RESCANS};
    size_t i = 0;
    do {
        while (i < list->count)
            i = step_over(&p, i);
        if (p.depth > 0 && !top_is_brace(&p))
            i = give_up_round(&p, list->count);
        if (i >= list->count && p.depth > 0 && close_unclosed(&p))
            i = 0;
    } while (i < list->count);
}
