#include "parse/pairing.h"

#include "parse/parser.h"

#include <string.h>

enum {
    SIGHT = 256
}; /* tokens of a line that are looked at: a line of brackets alone takes no time */

static const char *const item_words[] = {
#define ITEM(word, token) word,
#include "grammar/keywords.def"
};

token *pairing_item(const pairing *p, size_t i)
{
    return &p->list->items[i];
}

span pairing_span(const pairing *p, size_t i)
{
    return token_span(p->list, pairing_item(p, i));
}

int pairing_closer(int type)
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

int pairing_opener(int type)
{
    return type == TOKEN_RIGHT          ? TOKEN_LEFT
           : type == TOKEN_RIGHT_SQUARE ? TOKEN_LEFT_SQUARE
                                        : TOKEN_LEFT_BRACE;
}

const char *pairing_sign(int type)
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

size_t pairing_indent(const pairing *p, size_t i)
{
    const char *bytes = p->list->bytes;
    uint32_t start = pairing_item(p, i)->begin;
    while (start > 0 && bytes[start - 1] != '\n')
        start--;
    return strspn(bytes + start, " \t");
}

bool pairing_is_first(const pairing *p, size_t i)
{
    return i == 0 || pairing_item(p, i - 1)->type == TOKEN_NEWLINE;
}

bool pairing_is_last(const pairing *p, size_t i)
{
    if (i + 1 >= p->list->count)
        return true;
    int next = pairing_item(p, i + 1)->type;
    return next == TOKEN_NEWLINE || next == TOKEN_COMMENT;
}

size_t pairing_line_end(const pairing *p, size_t i)
{
    line_found *known = p->line;
    size_t count = p->list->count;
    bool here = known->count == count && known->begin <= i && i <= known->end;
    /* A line end may have become a bracket. */
    if (here && (known->end == count || pairing_item(p, known->end)->type == TOKEN_NEWLINE))
        return known->end;
    size_t end = i;
    while (end < count && pairing_item(p, end)->type != TOKEN_NEWLINE)
        end++;
    *known = (line_found){i, end, count};
    return end;
}

bool pairing_closes_on_line(const pairing *p, size_t i, int closer)
{
    size_t open = 0, end = i + SIGHT < p->list->count ? i + SIGHT : p->list->count;
    for (size_t k = i + 1; k < end && pairing_item(p, k)->type != TOKEN_NEWLINE; k++) {
        int type = pairing_item(p, k)->type;
        if (pairing_closer(type) == closer)
            open++;
        else if (type == closer && open-- == 0)
            return true;
    }
    return false;
}

size_t pairing_last_brace(const pairing *p, size_t i)
{
    size_t last = i, end = i + SIGHT < p->list->count ? i + SIGHT : p->list->count;
    for (size_t k = i + 1; k < end && pairing_item(p, k)->type != TOKEN_NEWLINE; k++)
        if (pairing_item(p, k)->type == TOKEN_LEFT_BRACE)
            last = k;
    return last;
}

/* Is the next line that holds code indented deeper? */
static bool goes_deeper(const pairing *p, size_t i)
{
    size_t sight = i + SIGHT;
    while (i < p->list->count && i < sight && pairing_item(p, i)->type != TOKEN_NEWLINE)
        i++;
    size_t next = i < sight ? token_next(p->list, i) : p->list->count;
    return next < p->list->count && i > 0 && pairing_indent(p, next) > pairing_indent(p, i - 1);
}

bool pairing_opens_block(const pairing *p, size_t i)
{
    return pairing_is_last(p, i) && goes_deeper(p, i);
}

bool pairing_is_behind_word(const pairing *p, size_t i)
{
    if (pairing_is_first(p, i) || pairing_item(p, i - 1)->end == pairing_item(p, i)->begin)
        return false;
    switch (pairing_item(p, i - 1)->type) {
    case TOKEN_NAME:
    case TOKEN_NUMBER:
    case TOKEN_SKIPPED:
    case TOKEN_RIGHT:
    case TOKEN_RIGHT_SQUARE:
        return true;
    default:
        return false;
    }
}

/* A line that binds a name, or a clause with its arguments, is no head. */
static bool is_behind_head(const pairing *p, size_t i)
{
    size_t rounds = 0;
    if (!pairing_is_behind_word(p, i))
        return false;
    for (size_t k = i; k > 0 && pairing_item(p, k - 1)->type != TOKEN_NEWLINE; k--) {
        int type = pairing_item(p, k - 1)->type;
        rounds += type == TOKEN_RIGHT;
        rounds -= type == TOKEN_LEFT && rounds > 0;
        if (type == TOKEN_IS && rounds == 0)
            return false;
    }
    return true;
}

bool pairing_means_open(const pairing *p, size_t i)
{
    return pairing_opens_block(p, i) && is_behind_head(p, i);
}

bool pairing_means_close(const pairing *p, size_t i)
{
    bool alone = pairing_is_last(p, i) || token_is(p->list, pairing_item(p, i + 1), "else");
    if (i == 0 || !pairing_is_first(p, i) || !alone)
        return false;
    size_t before = i - 1;
    while (before > 0 && (pairing_item(p, before)->type == TOKEN_NEWLINE ||
                          pairing_item(p, before)->type == TOKEN_COMMENT))
        before--;
    return pairing_indent(p, before) > pairing_indent(p, i);
}

/* Do the brackets of the line that `first` begins leave nothing open? */
static bool is_closed_line(const pairing *p, size_t first, size_t end)
{
    size_t open = 0;
    for (size_t k = first; k < end; k++) {
        int type = pairing_item(p, k)->type;
        if (pairing_closer(type))
            open++;
        else if (open > 0 &&
                 (type == TOKEN_RIGHT || type == TOKEN_RIGHT_SQUARE || type == TOKEN_RIGHT_BRACE))
            open--;
    }
    return open == 0;
}

static bool begins_body(const pairing *p, size_t first)
{
    static const char *const words[] = {"if", "else", "for", "node"};
    if (pairing_item(p, first)->type == TOKEN_RIGHT_BRACE)
        first++;
    for (size_t k = 0; first < p->list->count && k < sizeof words / sizeof *words; k++)
        if (token_is(p->list, pairing_item(p, first), words[k]))
            return true;
    return false;
}

size_t pairing_line_without_brace(const pairing *p, size_t from, size_t to)
{
    for (size_t first = token_next(p->list, from); first < to;) {
        size_t end = pairing_line_end(p, first);
        if (begins_body(p, first) && goes_deeper(p, first) && is_closed_line(p, first, end))
            return end;
        first = token_next(p->list, end);
    }
    return 0;
}

static bool spans_lines(const pairing *p, size_t from, size_t to)
{
    while (from < to && pairing_item(p, from)->type != TOKEN_NEWLINE)
        from++;
    return from < to;
}

bool pairing_came_early(const pairing *p, size_t opened, size_t i)
{
    bool same_line = !spans_lines(p, opened, i);
    return same_line ? !pairing_is_last(p, opened) && goes_deeper(p, i)
                     : pairing_is_last(p, opened) || pairing_opens_block(p, i);
}

void pairing_spoil_deeper(const pairing *p, size_t opened)
{
    size_t indent = pairing_indent(p, opened);
    size_t next = token_next(p->list, pairing_line_end(p, opened));
    while (next < p->list->count && pairing_indent(p, next) > indent) {
        token_spoil_line(p->list, next);
        next = token_next(p->list, pairing_line_end(p, next));
    }
}

bool pairing_is_spoiled(const pairing *p, size_t i)
{
    return pairing_item(p, i)->flags & TOKEN_SPOILED;
}

diag *pairing_report(const pairing *p, diag_code code, size_t i, const char *words)
{
    return pairing_is_spoiled(p, i)
               ? NULL
               : diag_report(p->context->diags, code, pairing_span(p, i), "%s", words);
}

const char *pairing_quoted(const pairing *p, size_t i, const char *rest)
{
    return arena_format(p->context->memory, "'%s' %s", pairing_sign(pairing_item(p, i)->type),
                        rest);
}

void pairing_report_unclosed(const pairing *p, size_t i)
{
    const char *right = pairing_sign(pairing_closer(pairing_item(p, i)->type));
    diag *d = pairing_report(p, E0105, i, pairing_quoted(p, i, "is never closed"));
    diag_fix(d, "close it with '%s'", right);
}

size_t pairing_restart(pairing *p)
{
    size_t left = p->rescans_left - 1;
    *p = (pairing){.context = p->context, .list = p->list, .rescans_left = left, .line = p->line};
    return 0;
}

void pairing_take_for(pairing *p, size_t i, int type)
{
    const char *right = pairing_sign(type);
    diag *d = pairing_report(p, E0102, i,
                             arena_format(p->context->memory, "'%s' stands where '%s' belongs",
                                          pairing_sign(pairing_item(p, i)->type), right));
    diag_fix_edit(d, pairing_span(p, i), right, "write '%s'", right);
    pairing_item(p, i)->type = (uint16_t)type;
}

void pairing_give_up_line(pairing *p, size_t i)
{
    if (!pairing_is_spoiled(p, i))
        token_spoil_line(p->list, i);
}

void pairing_drop(pairing *p, size_t i)
{
    pairing_item(p, i)->type = pairing_is_last(p, i) ? TOKEN_SKIPPED : TOKEN_BAD;
    pairing_item(p, i)->pair = 0;
    pairing_give_up_line(p, i);
}

bool pairing_is_item_word(const pairing *p, const token *t)
{
    for (size_t k = 0; k < sizeof item_words / sizeof *item_words; k++)
        if (token_is(p->list, t, item_words[k]))
            return true;
    return false;
}

bool pairing_holds_brace(const pairing *p, size_t from, size_t to)
{
    for (size_t k = from; k < to; k++)
        if (pairing_item(p, k)->type == TOKEN_LEFT_BRACE)
            return true;
    return false;
}
