#include "parse/brackets.h"

#include "parse/pairing.h"
#include "parse/parser.h"

#include <assert.h>
#include <string.h>

enum { MOST_RESCANS = 24 };

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

/* What is left open on the line of `opened`, it among them, closes with it. */
static void drop_open(pairing *p, size_t at, size_t end)
{
    for (size_t k = at; k < p->depth; k++)
        if (p->stack[k].index < end)
            pairing_item(p, p->stack[k].index)->type = TOKEN_BAD;
    p->depth = at;
}

/* The brackets open above the innermost block cannot close any more: the outermost is at fault, and its statement ends
 * with its line, or before `stop` if that stands on it. Returns where pairing goes on. */
static size_t give_up_round(pairing *p, size_t stop)
{
    size_t at = outermost_round(p), opened = p->stack[at].index;
    size_t end = pairing_line_end(p, opened);
    bool reported_already = pairing_item(p, opened)->type == TOKEN_BAD;
    if (!reported_already && p->rescans_left && pairing_means_open(p, opened)) {
        pairing_take_for(p, opened, TOKEN_LEFT_BRACE);
        return pairing_restart(p);
    }
    if (!reported_already)
        pairing_report_unclosed(p, opened);
    pairing_give_up_line(p, opened);
    drop_open(p, at, end);
    bool in_head =
        at == 0 && stop < p->list->count && pairing_item(p, stop)->type == TOKEN_LEFT_BRACE;
    if (in_head || p->rescans_left == 0)
        return stop;
    p->rescans_left--;
    return stop < end ? stop : end;
}

static void truncate_at(pairing *p, size_t i)
{
    pairing_item(p, i)->type = TOKEN_BAD;
    pairing_item(p, i)->pair = 0;
    p->list->count = i + 1;
    p->depth = 0;
}

/* `{ {`: no statement begins with a brace. */
static bool is_doubled(const pairing *p, size_t i)
{
    return pairing_item(p, i)->type == TOKEN_LEFT_BRACE && p->before > 0 &&
           pairing_item(p, p->before - 1)->type == TOKEN_LEFT_BRACE;
}

static size_t close_bracket(pairing *p, size_t i);

/* `{ {` may be a `{ }` that was mistyped. */
static size_t settle_doubled(pairing *p, size_t i)
{
    if (pairing_is_last(p, i) && !pairing_opens_block(p, i) && !pairing_is_first(p, i)) {
        pairing_take_for(p, i, TOKEN_RIGHT_BRACE);
        return close_bracket(p, i);
    }
    if (pairing_item(p, i - 1)->type != TOKEN_SKIPPED) {
        diag *d = pairing_report(p, E0102, i, "'{' stands where a statement belongs");
        diag_fix_edit(d, pairing_span(p, i), "", "take it out");
    }
    pairing_item(p, i)->type = TOKEN_SKIPPED;
    return i + 1;
}

/* A '{' between '(' and ')'. */
static size_t skip_brace_in_round(pairing *p, size_t i)
{
    diag *d = pairing_report(p, E0102, i, "'{' stands where an expression belongs");
    diag_note(d, pairing_span(p, p->stack[p->depth - 1].index), "'%s' is open here",
              pairing_sign(pairing_item(p, p->stack[p->depth - 1].index)->type));
    pairing_drop(p, i);
    return i + 1;
}

static size_t open_in_round(pairing *p, size_t i)
{
    if (pairing_closes_on_line(p, i, p->stack[p->depth - 1].closer))
        return skip_brace_in_round(p, i);
    size_t next = give_up_round(p, i);
    if (next == i && !pairing_opens_block(p, i) && !pairing_closes_on_line(p, i, TOKEN_RIGHT_BRACE))
        pairing_drop(p, i);
    return next;
}

static size_t open_too_deep(pairing *p, size_t i)
{
    diag *d = diag_report(p->context->diags, E0109, pairing_span(p, i),
                          "brackets nested deeper than %d; the file is read up to here",
                          PARSE_DEEPEST_NESTING);
    diag_fix(d, "give the inner parts names of their own");
    truncate_at(p, i);
    return p->list->count;
}

static size_t open_bracket(pairing *p, size_t i)
{
    int type = pairing_item(p, i)->type;
    bool in_round = p->depth > 0 && !top_is_brace(p);
    if (type != TOKEN_LEFT_BRACE && p->depth > 0 && !in_round && pairing_means_close(p, i)) {
        pairing_take_for(p, i, TOKEN_RIGHT_BRACE);
        return close_bracket(p, i);
    }
    if (is_doubled(p, i))
        return settle_doubled(p, i);
    if (type == TOKEN_LEFT_BRACE && in_round)
        return open_in_round(p, i);
    if (p->depth == PARSE_DEEPEST_NESTING)
        return open_too_deep(p, i);
    bool own_line = type == TOKEN_LEFT_BRACE && p->depth == 0 && pairing_is_first(p, i);
    if (own_line)
        p->head = 0;
    p->stack[p->depth++] = (opener){i, pairing_closer(type)};
    return i + 1;
}

static void pair_up(pairing *p, size_t i)
{
    opener o = p->stack[--p->depth];
    pairing_item(p, o.index)->pair = (uint32_t)i;
    pairing_item(p, i)->pair = (uint32_t)o.index;
    if (o.closer != TOKEN_RIGHT_BRACE)
        return;
    if (p->depth == 0)
        p->after_block = i + 1;
    if (!p->early && !pairing_is_first(p, i) && pairing_came_early(p, o.index, i))
        p->early = i + 1;
    if (!p->suspect && pairing_is_first(p, i) && pairing_indent(p, i) < pairing_indent(p, o.index))
        p->suspect = o.index + 1;
}

/* Statements behind a '}' that came too early are part of the same mistake. */
static void skip_statements(pairing *p, size_t from, size_t to)
{
    for (size_t k = from; k < to; k++)
        if (pairing_item(p, k)->type != TOKEN_COMMENT && pairing_item(p, k)->type != TOKEN_NEWLINE)
            pairing_item(p, k)->type = TOKEN_SKIPPED;
}

/* The '}' before it may be the one that is too much: then what stands between belongs to the block. */
static bool came_early(const pairing *p, size_t i)
{
    if (pairing_item(p, i)->type != TOKEN_RIGHT_BRACE || p->after_block == 0 ||
        pairing_holds_brace(p, p->after_block, i))
        return false;
    size_t first = token_next(p->list, p->after_block);
    return first < i && !pairing_is_item_word(p, pairing_item(p, first));
}

static void report_no_brace(const pairing *p, size_t end)
{
    bool colon = pairing_item(p, end - 1)->type == TOKEN_COLON;
    uint32_t behind = pairing_item(p, end - 1)->end;
    span gap = {p->list->file, colon ? behind - 1 : behind, behind};
    diag *d = pairing_is_spoiled(p, end - 1)
                  ? NULL
                  : diag_report(p->context->diags, E0102, gap,
                                colon ? "':' stands where '{' belongs"
                                      : "the line ends where '{' belongs");
    diag_fix_edit(d, gap, " {", colon ? "write '{'" : "put '{' at its end");
    if (colon)
        pairing_item(p, end - 1)->type = TOKEN_SKIPPED;
}

/* The line end behind the head, which goes on inside its brackets. */
static size_t head_end(const pairing *p)
{
    size_t i = p->head - 1;
    while (i < p->list->count && pairing_item(p, i)->type != TOKEN_NEWLINE)
        i = pairing_item(p, i)->pair > i ? pairing_item(p, i)->pair + 1 : i + 1;
    return i;
}

/* A head without its '{' makes the '}' of its block the one too many: the end of its line opens the block. */
static bool open_at_head(pairing *p, size_t i)
{
    if (pairing_item(p, i)->type != TOKEN_RIGHT_BRACE || !p->head)
        return false;
    size_t end = head_end(p);
    if (end >= i)
        return false;
    report_no_brace(p, end);
    pairing_item(p, end)->type = TOKEN_LEFT_BRACE;
    pairing_item(p, end)->pair = (uint32_t)i;
    pairing_item(p, i)->pair = (uint32_t)end;
    p->head = 0;
    p->after_block = i + 1;
    return true;
}

/* The same inside a block, where a line goes deeper though it opens nothing. */
static bool open_at_line(pairing *p, size_t i)
{
    if (pairing_item(p, i)->type != TOKEN_RIGHT_BRACE || p->rescans_left == 0)
        return false;
    p->rescans_left--; /* the search is as long as the file */
    size_t from = i;
    while (from > 0 && !(pairing_is_first(p, from) && pairing_indent(p, from) == 0 &&
                         pairing_is_item_word(p, pairing_item(p, from))))
        from--;
    size_t end = pairing_line_without_brace(p, from, i);
    if (end == 0)
        return false;
    report_no_brace(p, end);
    pairing_item(p, end)->type = TOKEN_LEFT_BRACE;
    return true;
}

/* A '}' that stands behind code and closed a block of several lines is the one too many, now that one is. */
static size_t blame_early(pairing *p)
{
    size_t early = p->early - 1;
    bool behind_brace = pairing_item(p, early - 1)->type == TOKEN_RIGHT_BRACE;
    if (pairing_means_open(p, early)) {
        pairing_take_for(p, early, TOKEN_LEFT_BRACE);
        return pairing_restart(p);
    }
    diag *d = pairing_report(p, E0106, early, "'}' closes nothing");
    if (behind_brace)
        diag_fix_edit(d, pairing_span(p, early), "", "take it out");
    else
        diag_fix(d, "a '{' is missing before it, or it is one too many");
    pairing_drop(p, early);
    return pairing_restart(p);
}

static bool is_early_to_blame(const pairing *p, size_t i)
{
    if (!p->early || p->rescans_left == 0)
        return false;
    size_t early = p->early - 1;
    return pairing_item(p, i)->type == TOKEN_RIGHT_BRACE ||
           (early < i && pairing_line_end(p, early) == pairing_line_end(p, i));
}

/* `plan p for t on c } }`: a '}' where the '{' of the head is due. */
static bool opens_head(const pairing *p, size_t i)
{
    if (p->depth > 0 || !p->head || pairing_line_end(p, p->head - 1) < i)
        return false;
    bool empty = i + 1 < p->list->count && pairing_item(p, i + 1)->type == TOKEN_LEFT_BRACE;
    return empty || pairing_means_open(p, i) || pairing_closes_on_line(p, i, TOKEN_RIGHT_BRACE);
}

static size_t stray(pairing *p, size_t i)
{
    if (open_at_head(p, i))
        return i + 1;
    if (open_at_line(p, i)) {
        p->rescans_left++;
        return pairing_restart(p);
    }
    diag *d = pairing_report(p, E0106, i, pairing_quoted(p, i, "closes nothing"));
    if (came_early(p, i)) {
        size_t early = p->after_block - 1;
        diag_note(d, pairing_span(p, early), "the block ended here already");
        diag_fix_edit(d, pairing_span(p, early), "", "take out the '}' above");
        skip_statements(p, p->after_block, i);
    } else {
        diag_fix_edit(d, pairing_span(p, i), "", "take it out");
    }
    if (pairing_item(p, i)->type == TOKEN_RIGHT_BRACE && p->depth == 0)
        p->after_block = i + 1;
    pairing_drop(p, i);
    return i + 1;
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
    while (p->stack[p->depth - 1].closer != pairing_item(p, i)->type) {
        size_t opened = p->stack[--p->depth].index;
        pairing_report_unclosed(p, opened);
        pairing_item(p, opened)->type = TOKEN_BAD;
        pairing_give_up_line(p, opened);
    }
    pair_up(p, i);
}

/* `int8{block = 256)`, and `-> {B, D] {` in a head: the '{' is the wrong one of the two. */
static bool is_wrong_opener(const pairing *p, size_t opened, size_t i)
{
    if (pairing_item(p, opened)->type != TOKEN_LEFT_BRACE || pairing_is_first(p, opened))
        return false;
    return !pairing_means_close(p, i) &&
           (!pairing_is_last(p, i) ||
            pairing_item(p, opened - 1)->end == pairing_item(p, opened)->begin);
}

/* `f(a]`: the bracket that closes is taken for the one that was meant. */
static void close_with(pairing *p, size_t i)
{
    opener o = p->stack[p->depth - 1];
    if (is_wrong_opener(p, o.index, i)) {
        pairing_take_for(p, o.index, pairing_opener(pairing_item(p, i)->type));
        p->stack[p->depth - 1].closer = pairing_item(p, i)->type;
        pair_up(p, i);
        return;
    }
    const char *right = pairing_sign(o.closer),
               *left = pairing_sign(pairing_item(p, o.index)->type);
    diag *d = pairing_report(
        p, E0106, i,
        pairing_quoted(p, i, arena_format(p->context->memory, "cannot close '%s'", left)));
    diag_note(d, pairing_span(p, o.index), "'%s' opened here", left);
    diag_fix_edit(d, pairing_span(p, i), right, "write '%s'", right);
    pairing_item(p, i)->type = (uint16_t)o.closer;
    pair_up(p, i);
    pairing_give_up_line(p, i);
}

/* Is the bracket below the innermost one closed further on in the line? Then this one closes the innermost. */
static bool outer_closes_behind(const pairing *p, size_t i)
{
    return p->depth > 1 && p->stack[p->depth - 2].closer != TOKEN_RIGHT_BRACE &&
           pairing_closes_on_line(p, i, p->stack[p->depth - 2].closer);
}

/* `{ memory 1 GiB )`, and a ')' alone on the line where '}' is due. */
static bool closes_brace(const pairing *p, size_t i)
{
    size_t opened = p->depth ? p->stack[p->depth - 1].index : 0;
    if (p->depth == 0 || pairing_item(p, i)->type == TOKEN_RIGHT_BRACE)
        return false;
    if (pairing_means_close(p, i))
        return true;
    bool goes_on =
        !pairing_is_last(p, opened) && pairing_is_last(p, i) && !pairing_opens_block(p, i);
    return (goes_on || pairing_line_end(p, opened) == pairing_line_end(p, i)) &&
           !pairing_closes_on_line(p, i, TOKEN_RIGHT_BRACE);
}

/* `plan p for t on c ( mesh dp = 2 }`: behind a blank and a word, and closed by a '}' that stands behind code. */
static bool is_brace_mistyped(const pairing *p, size_t i)
{
    size_t at = outermost_round(p), opened = p->stack[at].index;
    if (at > 0 && !pairing_is_last(p, p->stack[at - 1].index))
        return false;
    return p->rescans_left && !pairing_is_first(p, i) && pairing_is_last(p, i) &&
           pairing_is_behind_word(p, opened);
}

static size_t open_mistyped(pairing *p)
{
    pairing_take_for(p, p->stack[outermost_round(p)].index, TOKEN_LEFT_BRACE);
    return pairing_restart(p);
}

/* `relu(linear(x, H])`: behind it the line closes what is open around, and not the innermost, which this one was meant for. */
static bool is_one_short(const pairing *p, size_t i)
{
    enum { MOST_OPEN = 32, FAR = 256 };
    int due = p->stack[p->depth - 1].closer;
    size_t open = 0, closed = 0;
    if (pairing_item(p, i)->type == TOKEN_RIGHT_BRACE || p->depth > MOST_OPEN)
        return false;
    for (size_t at = outermost_round(p); at < p->depth; at++)
        open += p->stack[at].closer == due;
    for (size_t k = i + 1; k < p->list->count && k < i + FAR; k++) {
        if (pairing_item(p, k)->type == TOKEN_NEWLINE)
            break;
        open += pairing_closer(pairing_item(p, k)->type) == due;
        closed += pairing_item(p, k)->type == due;
    }
    return closed + 1 == open;
}

static size_t close_in_round(pairing *p, size_t i)
{
    int type = pairing_item(p, i)->type, due = p->stack[p->depth - 1].closer;
    bool closes_behind =
        !pairing_is_spoiled(p, i) && pairing_closes_on_line(p, i, due) && !is_one_short(p, i);
    if (type == TOKEN_RIGHT_BRACE && !closes_behind)
        return is_brace_mistyped(p, i) ? open_mistyped(p) : give_up_round(p, i);
    if (type != TOKEN_RIGHT_BRACE && is_open(p, type) && !outer_closes_behind(p, i))
        close_over_unclosed(p, i);
    else if (closes_behind)
        return stray(p, i);
    else
        close_with(p, i);
    return i + 1;
}

static size_t close_bracket(pairing *p, size_t i)
{
    bool round_open = p->depth > 0 && !top_is_brace(p);
    if (p->depth > 0 && p->stack[p->depth - 1].closer == pairing_item(p, i)->type) {
        pair_up(p, i);
        return i + 1;
    }
    if (round_open)
        return close_in_round(p, i);
    if (pairing_is_spoiled(p, i)) {
        pairing_item(p, i)->type = TOKEN_SKIPPED;
        return i + 1;
    }
    if (p->rescans_left && pairing_item(p, i)->type != TOKEN_RIGHT_BRACE &&
        pairing_means_open(p, i)) {
        pairing_take_for(p, i, TOKEN_LEFT_BRACE);
        return open_bracket(p, i);
    }
    if (closes_brace(p, i)) {
        close_with(p, i);
        return i + 1;
    }
    if (opens_head(p, i)) {
        pairing_take_for(p, i, TOKEN_LEFT_BRACE);
        pairing_give_up_line(p, i);
        return open_bracket(p, i);
    }
    return is_early_to_blame(p, i) ? blame_early(p) : stray(p, i);
}

/* A line that begins at the margin with the head of a block is taken for one, whatever is open above it. */
static bool is_head_at_margin(const pairing *p, size_t i)
{
    const token *t = pairing_item(p, i);
    if (t->type != TOKEN_NAME || !pairing_is_first(p, i) || pairing_indent(p, i) > 0)
        return false;
    if (!pairing_is_item_word(p, t) || i + 1 >= p->list->count ||
        pairing_item(p, i + 1)->type != TOKEN_NAME)
        return false;
    size_t third = token_next(p->list, i + 2);
    int type = third < p->list->count ? pairing_item(p, third)->type : TOKEN_NEWLINE;
    if (type == TOKEN_NAME ? !token_is(p->list, pairing_item(p, third), "for")
                           : type != TOKEN_LEFT && type != TOKEN_LEFT_BRACE)
        return false;
    return pairing_holds_brace(p, i, pairing_line_end(p, i));
}

/* The block of a '{' that is never closed ends before the first line that is indented no deeper than its own. */
static size_t end_of_unclosed(const pairing *p, size_t opened)
{
    size_t indent = pairing_indent(p, opened);
    for (size_t i = pairing_line_end(p, opened); i + 1 < p->list->count;
         i = pairing_line_end(p, i + 1)) {
        int first = pairing_item(p, i + 1)->type;
        bool blank = first == TOKEN_NEWLINE || first == TOKEN_COMMENT;
        if (!blank && pairing_indent(p, i + 1) <= indent)
            return first == TOKEN_RIGHT_BRACE ? 0 : i;
    }
    return 0;
}

/* Closes it there, or drops a '{' that begins no block, and pairs anew; false where nothing shows where it ends. */
static bool close_by_indent(pairing *p, size_t opened)
{
    if (p->rescans_left == 0)
        return false;
    if (!pairing_opens_block(p, opened)) {
        pairing_drop(p, opened);
        pairing_spoil_deeper(p, opened);
        pairing_restart(p);
        return true;
    }
    size_t end = end_of_unclosed(p, opened);
    if (end == 0 || pairing_item(p, end)->type != TOKEN_NEWLINE)
        return false;
    pairing_item(p, end)->type = TOKEN_RIGHT_BRACE;
    pairing_restart(p);
    return true;
}

/* A '{' in a '}''s place leaves itself open and the block that it should close. */
static bool close_mistyped(pairing *p)
{
    for (size_t at = p->depth; at > 1 && p->rescans_left; at--)
        if (pairing_means_close(p, p->stack[at - 1].index)) {
            pairing_take_for(p, p->stack[at - 1].index, TOKEN_RIGHT_BRACE);
            pairing_restart(p);
            return true;
        }
    return false;
}

/* Of several '{' on one line the last is the one that is not closed, unless its block follows. */
static size_t unclosed(const pairing *p, size_t at)
{
    size_t opened = p->suspect ? p->suspect - 1 : p->stack[at].index;
    size_t last = pairing_last_brace(p, opened);
    return pairing_opens_block(p, last) ? opened : last;
}

static size_t close_before_head(pairing *p, size_t i)
{
    if (!top_is_brace(p))
        return give_up_round(p, i);
    if (close_mistyped(p))
        return 0;
    size_t opened = unclosed(p, 0);
    pairing_report_unclosed(p, opened);
    if (close_by_indent(p, opened))
        return 0;
    pairing_item(p, i)->flags |= TOKEN_CLOSES;
    p->suspect = 0;
    p->depth = 0;
    return i + 1;
}

/* A string that does not end takes the brackets open on its line with it. */
static void drop_open_on_line(pairing *p)
{
    while (p->depth > 0 && !top_is_brace(p)) {
        size_t opened = p->stack[p->depth - 1].index;
        pairing_item(p, opened)->type = TOKEN_BAD;
        p->depth--;
    }
}

/* It takes their ends with it too. */
static void close_in_string(pairing *p, size_t i)
{
    const token *t = pairing_item(p, i);
    bool lost = memchr(p->list->bytes + t->begin, '}', t->end - t->begin) != NULL;
    if (!lost || !top_is_brace(p) || pairing_opens_block(p, p->stack[p->depth - 1].index))
        return;
    pairing_item(p, i)->type = TOKEN_RIGHT_BRACE;
    pair_up(p, i);
}

/* use and import open none. */
static bool opens_no_block(const pairing *p, size_t i)
{
    bool line = token_is(p->list, pairing_item(p, i), "use") ||
                token_is(p->list, pairing_item(p, i), "import");
    return !line && !pairing_holds_brace(p, i, pairing_line_end(p, i));
}

static size_t step(pairing *p, size_t i)
{
    const token *t = pairing_item(p, i);
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
        if (p->list->bytes[t->begin] == '"') {
            drop_open_on_line(p);
            close_in_string(p, i);
        }
        return i + 1;
    case TOKEN_NAME:
        if (p->depth > 0 && is_head_at_margin(p, i))
            return close_before_head(p, i);
        if (p->depth == 0 && pairing_is_first(p, i) && pairing_is_item_word(p, t) &&
            (!p->head || pairing_indent(p, i) <= pairing_indent(p, p->head - 1)))
            p->head = opens_no_block(p, i) ? i + 1 : 0;
        return i + 1;
    default:
        return i + 1;
    }
}

static size_t step_over(pairing *p, size_t i)
{
    size_t next = step(p, i);
    int type = i < p->list->count ? pairing_item(p, i)->type : TOKEN_COMMENT;
    if (next > i && type != TOKEN_SKIPPED && type != TOKEN_COMMENT)
        p->before = i + 1;
    return next;
}

/* A file that ends inside a block and inside a line is cut off, and that line with it: one mistake, whatever is open. */
static void spoil_cut_line(pairing *p)
{
    size_t last = p->list->count ? p->list->count - 1 : 0, first = last;
    if (p->depth == 0 || pairing_item(p, last)->type == TOKEN_NEWLINE)
        return;
    while (!pairing_is_first(p, first))
        first--;
    size_t end = pairing_line_end(p, p->stack[0].index);
    for (size_t at = 1; at < p->depth; at++)
        if (p->stack[at].index > end)
            pairing_give_up_line(p, p->stack[at].index);
    if (p->stack[0].index >= first)
        return;
    pairing_item(p, last)->type = TOKEN_BAD;
    pairing_give_up_line(p, last);
}

/* A block is open at the end of the file. True: pair anew. */
static bool close_unclosed(pairing *p)
{
    if (close_mistyped(p))
        return true;
    size_t opened = unclosed(p, p->depth - 1);
    if (pairing_is_spoiled(p, opened))
        opened = p->stack[0].index;
    pairing_report_unclosed(p, opened);
    return close_by_indent(p, opened);
}

void brackets_pair(const parse_context *context, token_list *list)
{
    line_found line = {0};
    pairing p = {.context = context, .list = list, .rescans_left = MOST_RESCANS, .line = &line};
    size_t i = 0;
    do {
        while (i < list->count)
            i = step_over(&p, i);
        spoil_cut_line(&p);
        if (p.depth > 0 && !top_is_brace(&p))
            i = give_up_round(&p, list->count);
        if (i >= list->count && p.depth > 0 && close_unclosed(&p))
            i = 0;
    } while (i < list->count);
}
