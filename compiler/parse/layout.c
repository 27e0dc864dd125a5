#include "parse/layout.h"

#include "parse/parser.h"

typedef struct layer {
    const token_list *list;
    layout lines;
    layout_line current;
    size_t depth;        /* blocks open */
    size_t rounds;       /* brackets open that are no blocks */
    size_t next;         /* code behind the last token that was asked for, */
    bool behind_comment; /* and whether a comment stands between */
    int breaks;          /* line ends since the last token or comment */
    const token *last;   /* code; NULL before the first */
    const token *late;   /* a comment between a head and its '{', which goes behind it */
    bool one_line[128];  /* per block: it stands on one line */
} layer;

static bool is_empty(const layout_line *line)
{
    return line->code.count == 0 && !line->comment;
}

static void flush(layer *l)
{
    if (!is_empty(&l->current))
        vec_push(l->list->memory, &l->lines, l->current);
    l->current = (layout_line){.depth = l->depth, .continues = l->rounds > 0};
}

/* Empty lines are kept between statements, not at the edges of blocks or inside brackets. */
static void begin_if_first(layer *l, bool closes)
{
    if (!is_empty(&l->current))
        return;
    const token *before = l->last;
    bool at_edge =
        closes || (l->lines.count == 0) ||
        (before && before->type == TOKEN_LEFT_BRACE && vec_last(&l->lines).code.count > 0);
    l->current.blank_before = l->breaks > 1 && !at_edge && l->rounds == 0;
    l->current.depth = l->depth;
    l->current.continues = l->rounds > 0;
}

static void add_code(layer *l, const token *t)
{
    begin_if_first(l, t->type == TOKEN_RIGHT_BRACE);
    vec_push(l->list->memory, &l->current.code, t);
    l->last = t;
    l->breaks = 0;
}

static void add_comment(layer *l, const token *t)
{
    begin_if_first(l, false);
    l->current.comment = t;
    flush(l);
    l->breaks = 0;
}

/* A block on one line keeps to it. */
static bool spans_lines(const token_list *list, size_t open)
{
    for (size_t i = open; i < list->items[open].pair; i++)
        if (list->bytes[list->items[i].begin] == '\n' || list->items[i].type == TOKEN_COMMENT)
            return true;
    return false;
}

static void open_block(layer *l, size_t i)
{
    add_code(l, &l->list->items[i]);
    l->one_line[l->depth % 128] = !l->late && !spans_lines(l->list, i);
    l->depth++;
    if (l->late) {
        const token *comment = l->late;
        l->late = NULL;
        add_comment(l, comment);
    }
}

static void close_block(layer *l, const token *t)
{
    l->depth--;
    if (!l->one_line[l->depth % 128])
        flush(l);
    l->current.depth = l->depth;
    add_code(l, t);
}

/* What stands behind the '}' of a block begins a line, unless it belongs to it. */
static bool breaks_before(const layer *l, const token *t)
{
    if (l->current.code.count == 0)
        return false;
    const token *before = vec_last(&l->current.code);
    if (before->type == TOKEN_LEFT_BRACE)
        return t->type != TOKEN_COMMENT && t->type != TOKEN_RIGHT_BRACE &&
               !l->one_line[(l->depth - 1) % 128];
    return before->type == TOKEN_RIGHT_BRACE && t->type != TOKEN_ELSE && t->type != TOKEN_COMMENT &&
           t->type != TOKEN_RIGHT_BRACE && t->type != TOKEN_END && l->rounds == 0;
}

static bool is_line_end(const token_list *list, const token *t)
{
    return t->type == TOKEN_NEWLINE || (t->type == TOKEN_END && list->bytes[t->begin] == '\n');
}

/* The code at or behind token `i`, which grows from call to call. */
static size_t next_code(layer *l, size_t i)
{
    if (l->next > i)
        return l->next;
    l->next = token_next(l->list, i);
    l->behind_comment = false;
    for (size_t k = i; k < l->next; k++)
        l->behind_comment = l->behind_comment || l->list->items[k].type == TOKEN_COMMENT;
    return l->next;
}

/* Is the next thing that means something the '{' of a head, or the else behind a '}' that stands alone? An else below an
 * if of one line stays there, and so does one behind comments. */
static bool joins_next(layer *l, size_t i)
{
    if (l->rounds > 0 || l->list->items[i].type != TOKEN_NEWLINE || l->current.code.count == 0)
        return false;
    size_t next = next_code(l, i);
    if (next >= l->list->count)
        return false;
    int type = l->list->items[next].type;
    if (type == TOKEN_LEFT_BRACE)
        return true;
    return type == TOKEN_ELSE && !l->behind_comment && l->current.code.count == 1;
}

/* A ';' stays between two statements of one line. */
static void add_semicolon(layer *l, size_t i)
{
    size_t next = i + 1;
    while (next < l->list->count && l->list->items[next].type == TOKEN_SKIPPED)
        next++;
    if (next >= l->list->count || l->current.code.count == 0)
        return;
    const token *t = &l->list->items[next];
    bool ends = is_line_end(l->list, t) || t->type == TOKEN_COMMENT ||
                t->type == TOKEN_RIGHT_BRACE || t->type == TOKEN_END;
    const token *before = vec_last(&l->current.code);
    if (!ends && before->type != TOKEN_LEFT_BRACE && before->type != TOKEN_END)
        add_code(l, &l->list->items[i]);
}

/* A comment between a head and its '{' goes behind the '{'; of several, the rest follow on lines of their own. */
static bool is_between_head_and_brace(layer *l, size_t i)
{
    size_t next = next_code(l, i);
    return l->rounds == 0 && l->current.code.count > 0 && next < l->list->count &&
           l->list->items[next].type == TOKEN_LEFT_BRACE && !l->late &&
           !(l->list->items[next].flags & TOKEN_STARTS);
}

static void lay_out_comment(layer *l, size_t i)
{
    const token *t = &l->list->items[i];
    if (is_between_head_and_brace(l, i))
        l->late = t;
    else
        add_comment(l, t);
}

static void lay_out(layer *l, size_t i)
{
    const token *t = &l->list->items[i];
    if (is_line_end(l->list, t)) {
        l->breaks++;
        if (!joins_next(l, i))
            flush(l);
        return;
    }
    if (t->type == TOKEN_END) {
        add_semicolon(l, i);
        return;
    }
    if (breaks_before(l, t))
        flush(l);
    switch (t->type) {
    case TOKEN_COMMENT:
        lay_out_comment(l, i);
        break;
    case TOKEN_LEFT_BRACE:
        open_block(l, i);
        break;
    case TOKEN_RIGHT_BRACE:
        close_block(l, t);
        break;
    case TOKEN_LEFT:
    case TOKEN_LEFT_SQUARE:
    case TOKEN_LEFT_EDGES:
        add_code(l, t);
        l->rounds++;
        break;
    case TOKEN_RIGHT:
    case TOKEN_RIGHT_SQUARE:
    case TOKEN_RIGHT_EDGES:
        add_code(l, t);
        l->rounds--;
        break;
    default:
        add_code(l, t);
        break;
    }
}

layout layout_of(const token_list *list)
{
    layer l = {.list = list};
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].type != TOKEN_SKIPPED)
            lay_out(&l, i);
    flush(&l);
    return l.lines;
}
