/* Diagnostics for people: place, message, the source line with the span underlined, notes, fixes. */
#include "base/text.h"
#include "diag/diag_sink.h"

#include <string.h>

enum {
    WIDEST = 160 /* characters shown of a line */,
    LEAD = 60 /* kept before the span of a longer one */
};

typedef struct palette {
    const char *place, *error, *note, *fix, *code, *mark, *off;
} palette;

static const palette plain = {"", "", "", "", "", "", ""};
static const palette coloured = {"\033[1m", "\033[1;31m", "\033[1;36m", "\033[1;32m",
                                 "\033[2m", "\033[1;32m", "\033[0m"};

/* Bytes of the UTF-8 character at `at`; 0 where the bytes are none, or are control characters. */
static size_t character_length(const char *at, const char *end)
{
    unsigned char first = (unsigned char)*at;
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (length == 0 || first > 0xf4 || (size_t)(end - at) < length)
        return 0;
    if (length == 1)
        return first >= ' ' && first != 0x7f ? 1 : first == '\t';
    for (size_t i = 1; i < length; i++)
        if (((unsigned char)at[i] & 0xc0) != 0x80)
            return 0;
    return length == 2 && first == 0xc2 && (unsigned char)at[1] < 0xa0 ? 0 : length;
}

static const char *next_character(const char *at, const char *end)
{
    size_t length = character_length(at, end);
    return at + (length ? length : 1);
}

/* A line as shown, and the line that underlines a part of it. */
typedef struct excerpt {
    text shown;
    text marks;
} excerpt;

static void excerpt_add(excerpt *e, const char *at, const char *end, char mark)
{
    size_t length = character_length(at, end);
    if (length)
        text_add_bytes(&e->shown, at, length);
    else
        text_add(&e->shown, "\xef\xbf\xbd");
    text_add(&e->marks, "%c", mark == ' ' && *at == '\t' ? '\t' : mark);
}

/* Where showing begins: the start of the line, or LEAD characters before the span of a very long one. */
static const char *window_begin(const char *line, const char *end, const char *begin)
{
    size_t before = 0;
    for (const char *at = line; at < begin; at = next_character(at, end))
        before++;
    if (before <= WIDEST / 2)
        return line;
    for (size_t skip = before - LEAD; skip > 0; skip--)
        line = next_character(line, end);
    return line;
}

/* Of a span over several lines the first is shown, underlined to its end. */
static excerpt excerpt_of(arena *a, const source_set *sources, span at, int line_number)
{
    size_t file_length, length;
    const char *file = source_bytes(sources, at.file, &file_length);
    const char *line = source_line(sources, at.file, line_number, &length);
    const char *end = line + length, *begin = file + at.begin, *stop = file + at.end;
    excerpt e = {text_in(a), text_in(a)};
    const char *from = window_begin(line, end, begin);
    if (from > line) {
        text_add(&e.shown, "...");
        text_add(&e.marks, "   ");
    }
    size_t shown = 0;
    for (; from < end && shown < WIDEST; from = next_character(from, end), shown++)
        excerpt_add(&e, from, end,
                    from < begin    ? ' '
                    : from == begin ? '^'
                    : from < stop   ? '~'
                                    : ' ');
    if (from < end)
        text_add(&e.shown, "...");
    if (begin >= end)
        text_add(&e.marks, "^");
    return e;
}

static void trim(text *t)
{
    text_done(t);
    while (t->length > 0 && t->bytes[t->length - 1] == ' ')
        t->bytes[--t->length] = '\0';
}

static void print_excerpt(const diag_sink *sink, const diag *d, FILE *out, const palette *p)
{
    int line = source_locate(sink->sources, d->at).line;
    excerpt e = excerpt_of(sink->memory, sink->sources, d->at, line);
    trim(&e.marks);
    fprintf(out, "%5d | %s\n", line, text_done(&e.shown));
    fprintf(out, "      | %s%s%s%s%s\n", p->mark, text_done(&e.marks), d->label ? " " : "",
            d->label ? d->label : "", p->off);
}

static void print_place(const diag_sink *sink, span at, FILE *out, const palette *p)
{
    if (at.file < 0) {
        fprintf(out, "%sespalier:%s ", p->place, p->off);
        return;
    }
    source_place place = source_locate(sink->sources, at);
    fprintf(out, "%s%s:%d:%d:%s ", p->place, place.path, place.line, place.column, p->off);
}

static void print_one(const diag_sink *sink, const diag *d, FILE *out, const palette *p)
{
    print_place(sink, d->at, out, p);
    fprintf(out, "%serror:%s %s %s[%s]%s\n", p->error, p->off, d->message, p->code,
            diag_code_text(d->code), p->off);
    if (d->at.file >= 0)
        print_excerpt(sink, d, out, p);
    for (size_t i = 0; i < d->notes.count; i++) {
        print_place(sink, d->notes.items[i].at, out, p);
        fprintf(out, "%snote:%s %s\n", p->note, p->off, d->notes.items[i].words);
    }
    for (size_t i = 0; i < d->fixes.count; i++)
        fprintf(out, "%sfix:%s %s\n", p->fix, p->off, d->fixes.items[i].words);
}

void diag_print(const diag_sink *sink, FILE *out, bool colour)
{
    size_t count;
    const diag *const *ordered = diag_ordered(sink, &count);
    size_t shown = count < DIAG_LIMIT ? count : DIAG_LIMIT;
    for (size_t i = 0; i < shown; i++)
        print_one(sink, ordered[i], out, colour ? &coloured : &plain);
    size_t more = (size_t)diag_error_count(sink) - shown;
    if (more > 0)
        fprintf(out, "%zu more error%s\n", more, more == 1 ? "" : "s");
}
