#include "parse/format.h"

#include "base/text.h"
#include "parse/layout.h"
#include "parse/parser.h"
#include "parse/tokens.h"

#include <string.h>

/* Nothing is put in a column behind what is wider than WIDEST. */
enum { INDENT = 2, BEFORE_COMMENT = 2, DEEPEST = 256, WIDEST = 120 };

typedef struct formatter {
    const token_list *list;
    layout lines;
    size_t *pads;            /* per line: blanks to put behind its first word */
    text *rendered;          /* per line: its code */
    size_t columns[DEEPEST]; /* of what stands in each open bracket */
    size_t open;
    size_t width;   /* characters of the line that is rendered, */
    size_t counted; /* of so many of its bytes */
} formatter;

/* ------------------------------------------------------------------ blanks between tokens */

static bool touches(const formatter *f, const token *a, const token *b)
{
    (void)f;
    return a->end == b->begin;
}

static bool is_edge_sign(const token *t)
{
    return t->type == TOKEN_MINUS || t->type == TOKEN_ARROW || t->type == TOKEN_BOTH_WAYS;
}

static bool is_binary(const token *t)
{
    if (t->flags & TOKEN_PREFIX)
        return false;
    switch (t->type) {
    case TOKEN_PLUS:
    case TOKEN_MINUS:
    case TOKEN_TIMES:
    case TOKEN_OVER_SIGN:
    case TOKEN_WHOLE:
    case TOKEN_PERCENT:
    case TOKEN_POWER:
    case TOKEN_TO_BEFORE:
        return true;
    default:
        return false;
    }
}

static bool ends_operand(int type)
{
    return type == TOKEN_NAME || type == TOKEN_RIGHT || type == TOKEN_RIGHT_SQUARE ||
           type == TOKEN_STRING || type == TOKEN_NUMBER;
}

/* `1/16` and `n-1` stay as tight as they were written; any blank makes two. */
static bool is_tight(const formatter *f, const token *before, const token *sign,
                     const token *behind)
{
    return before && behind && touches(f, before, sign) && touches(f, sign, behind);
}

static bool no_blank_behind(int type)
{
    return type == TOKEN_LEFT || type == TOKEN_LEFT_SQUARE || type == TOKEN_DOT ||
           type == TOKEN_TO_LAST;
}

static bool no_blank_before(int type)
{
    return type == TOKEN_RIGHT || type == TOKEN_RIGHT_SQUARE || type == TOKEN_COMMA ||
           type == TOKEN_END || type == TOKEN_COLON || type == TOKEN_DOT;
}

/* The blank between tokens i - 1 and i of a line. */
static bool blank_between(const formatter *f, const layout_line *line, size_t i)
{
    const token *a = line->code.items[i - 1], *b = line->code.items[i];
    const token *before = i >= 2 ? line->code.items[i - 2] : NULL;
    const token *behind = i + 1 < line->code.count ? line->code.items[i + 1] : NULL;
    if (no_blank_behind(a->type) || no_blank_before(b->type))
        return false;
    if (a->type == TOKEN_MINUS && (a->flags & TOKEN_PREFIX))
        return false;
    if (b->type == TOKEN_TO_LAST)
        return a->type == TOKEN_COMMA || a->type == TOKEN_IS || !ends_operand(a->type);
    if (is_binary(b))
        return !is_tight(f, a, b, behind);
    if (is_binary(a))
        return !is_tight(f, before, a, b);
    bool opening = b->type == TOKEN_LEFT || b->type == TOKEN_LEFT_SQUARE;
    return !opening || !ends_operand(a->type);
}

/* In the braces of a link: 0-1 x2. */
static bool blank_in_edges(const token *a, const token *b)
{
    bool sign = is_edge_sign(a) || is_edge_sign(b);
    bool index = b->type == TOKEN_LEFT_SQUARE || a->type == TOKEN_LEFT_SQUARE ||
                 b->type == TOKEN_RIGHT_SQUARE;
    return !sign && !index && b->type != TOKEN_COMMA;
}

/* ------------------------------------------------------------------ columns */

typedef enum column_kind { NO_COLUMN, CLAUSE_COLUMN, ASSIGN_COLUMN } column_kind;

/* What of a line stands in a column with its neighbours: the values of clauses, the '=' of assignments. */
static column_kind column_of(const layout_line *line)
{
    if (line->continues || line->code.count < 2)
        return NO_COLUMN;
    const token *first = line->code.items[0], *second = line->code.items[1];
    bool bound = first->type == TOKEN_NAME || first->type == TOKEN_TENSOR_NAME;
    if (bound && second->type == TOKEN_IS)
        return ASSIGN_COLUMN;
    bool clause =
        first->type == TOKEN_WORD && second->type != TOKEN_LEFT_BRACE && second->type != TOKEN_END;
    return clause ? CLAUSE_COLUMN : NO_COLUMN;
}

static size_t width_of(const token *t)
{
    return t->end - t->begin;
}

/* Lines from `from` on that form one group; continued lines of its statements are among them. */
static size_t group_end(const formatter *f, size_t from)
{
    const layout_line *first = &f->lines.items[from];
    column_kind kind = column_of(first);
    size_t end = from + 1;
    for (; end < f->lines.count; end++) {
        const layout_line *line = &f->lines.items[end];
        bool same = column_of(line) == kind && line->depth == first->depth && !line->blank_before;
        if (!same && !line->continues)
            break;
    }
    return end;
}

static void pad_group(formatter *f, size_t from, size_t to)
{
    size_t widest = 0;
    for (size_t i = from; i < to; i++)
        if (!f->lines.items[i].continues && width_of(f->lines.items[i].code.items[0]) > widest)
            widest = width_of(f->lines.items[i].code.items[0]);
    for (size_t i = from; i < to; i++)
        if (!f->lines.items[i].continues)
            f->pads[i] = widest - width_of(f->lines.items[i].code.items[0]);
}

static void set_pads(formatter *f)
{
    for (size_t i = 0; i < f->lines.count;) {
        if (column_of(&f->lines.items[i]) == NO_COLUMN) {
            i++;
            continue;
        }
        size_t end = group_end(f, i);
        pad_group(f, i, end);
        i = end;
    }
}

/* ------------------------------------------------------------------ lines */

static void render_token(const formatter *f, const token *t, text *out)
{
    const char *bytes = f->list->bytes;
    if (!t->unit) {
        if (t->type == TOKEN_END)
            text_add(out, ";");
        else
            text_add_bytes(out, bytes + t->begin, width_of(t));
        return;
    }
    size_t length = width_of(t) - strlen(t->unit->name);
    while (length > 0 && strchr(" \t\r", bytes[t->begin + length - 1]))
        length--;
    text_add_bytes(out, bytes + t->begin, length);
    text_add(out, "%s%s", t->unit->measures == SHARE ? "" : " ", t->unit->name);
}

static size_t characters(const text *t, size_t from)
{
    size_t count = 0;
    for (size_t i = from; i < t->length; i++)
        count += ((unsigned char)t->bytes[i] & 0xc0) != 0x80;
    return count;
}

static bool opens(int type)
{
    return type == TOKEN_LEFT || type == TOKEN_LEFT_SQUARE || type == TOKEN_LEFT_EDGES;
}

static bool closes(int type)
{
    return type == TOKEN_RIGHT || type == TOKEN_RIGHT_SQUARE || type == TOKEN_RIGHT_EDGES;
}

/* What goes on below an open bracket stands under what follows the bracket, or indented where nothing does. */
static void track(formatter *f, const layout_line *line, size_t i, const text *out)
{
    const token *t = line->code.items[i];
    f->width += characters(out, f->counted);
    f->counted = out->length;
    if (opens(t->type)) {
        size_t column = f->width + (t->type == TOKEN_LEFT_EDGES);
        bool last = i + 1 == line->code.count || column > WIDEST;
        size_t hanging = strspn(out->bytes, " ") + INDENT;
        f->columns[f->open++ % DEEPEST] = last ? hanging : column;
    } else if (closes(t->type) && f->open > 0) {
        f->open--;
    }
}

static size_t indent_of(const formatter *f, const layout_line *line)
{
    if (!line->continues || f->open == 0)
        return line->depth * INDENT;
    size_t column = f->columns[(f->open - 1) % DEEPEST];
    bool closing = line->code.count > 0 && closes(line->code.items[0]->type);
    return closing && column >= INDENT ? column - INDENT : column;
}

static bool in_edges(const layout_line *line, size_t i, bool inside)
{
    const token *t = line->code.items[i];
    if (t->type == TOKEN_LEFT_EDGES)
        return true;
    return t->type == TOKEN_RIGHT_EDGES ? false : inside;
}

static void render_line(formatter *f, size_t at, bool *inside_edges)
{
    const layout_line *line = &f->lines.items[at];
    text *out = &f->rendered[at];
    f->width = f->counted = 0;
    text_add(out, "%*s", (int)indent_of(f, line), "");
    for (size_t i = 0; i < line->code.count; i++) {
        const token *t = line->code.items[i];
        if (i == 1)
            text_add(out, "%*s", (int)f->pads[at], "");
        bool edge = *inside_edges && t->type != TOKEN_RIGHT_EDGES && i > 0 &&
                    line->code.items[i - 1]->type != TOKEN_LEFT_EDGES;
        if (i > 0 &&
            (edge ? blank_in_edges(line->code.items[i - 1], t) : blank_between(f, line, i)))
            text_add(out, " ");
        *inside_edges = in_edges(line, i, *inside_edges);
        render_token(f, t, out);
        track(f, line, i, out);
    }
}

static bool has_code_and_comment(const layout_line *line)
{
    return line->code.count > 0 && line->comment;
}

/* Comments behind the lines of one paragraph stand in one column. */
static size_t comment_column(const formatter *f, size_t from, size_t *end)
{
    size_t column = 0, i = from;
    for (; i < f->lines.count; i++) {
        const layout_line *line = &f->lines.items[i];
        if (i > from && (line->blank_before || line->code.count == 0))
            break;
        size_t width = characters(&f->rendered[i], 0);
        if (has_code_and_comment(line) && width > column && width <= WIDEST)
            column = width;
    }
    *end = i;
    return column + BEFORE_COMMENT;
}

static void add_comment(const formatter *f, const token *t, text *out)
{
    const char *begin = f->list->bytes + t->begin;
    size_t length = width_of(t);
    while (length > 0 && strchr(" \t\r", begin[length - 1]))
        length--;
    text_add_bytes(out, begin, length);
}

static void write_line(formatter *f, size_t i, size_t column, text *out)
{
    const layout_line *line = &f->lines.items[i];
    if (line->blank_before)
        text_add(out, "\n");
    text_add_bytes(out, f->rendered[i].bytes, f->rendered[i].length);
    size_t width = characters(&f->rendered[i], 0);
    if (has_code_and_comment(line))
        text_add(out, "%*s", width < column ? (int)(column - width) : BEFORE_COMMENT, "");
    if (line->comment)
        add_comment(f, line->comment, out);
    text_add(out, "\n");
}

static const char *format_tokens(arena *memory, arena *scratch, const token_list *list)
{
    formatter f = {.list = list, .lines = layout_of(list)};
    f.pads = arena_array(scratch, size_t, f.lines.count + 1);
    f.rendered = arena_array(scratch, text, f.lines.count + 1);
    set_pads(&f);
    bool inside_edges = false;
    for (size_t i = 0; i < f.lines.count; i++) {
        f.rendered[i] = text_in(scratch);
        text_done(&f.rendered[i]);
        render_line(&f, i, &inside_edges);
    }
    text out = text_in(memory);
    for (size_t i = 0; i < f.lines.count;) {
        size_t end, column = comment_column(&f, i, &end);
        for (; i < end; i++)
            write_line(&f, i, column, &out);
    }
    return text_done(&out);
}

const char *format_file(const parse_context *context, int file)
{
    if (parse_file(context, file)->poisoned)
        return NULL;
    arena *scratch = arena_new();
    token_list list = {.memory = scratch};
    parse_tokens(context, file, &list, false);
    const char *formatted = format_tokens(context->memory, scratch, &list);
    arena_free(scratch);
    return formatted;
}
