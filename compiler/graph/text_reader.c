#include "graph/text_reader.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

text_reader text_reader_at(arena *a, atom_table *atoms, source_set *sources, const char *text)
{
    return (text_reader){.memory = a,
                         .atoms = atoms,
                         .sources = sources,
                         .all = text,
                         .at = text,
                         .next = text,
                         .end = text};
}

bool text_reader_failed(const text_reader *r)
{
    return r->error.text != NULL;
}

void text_reader_fail(text_reader *r, const char *format, ...)
{
    if (text_reader_failed(r))
        return;
    char words[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    r->error.line = r->line;
    r->error.text = arena_copy_text(r->memory, words, strlen(words));
}

static void skip_blanks(text_reader *r)
{
    while (r->at < r->end && *r->at == ' ')
        r->at++;
}

bool text_reader_line(text_reader *r)
{
    while (!text_reader_failed(r) && *r->next) {
        r->at = r->next;
        r->end = r->at + strcspn(r->at, "\n");
        r->next = *r->end ? r->end + 1 : r->end;
        r->line++;
        skip_blanks(r);
        if (r->at < r->end)
            return true;
    }
    return false;
}

bool text_reader_sees(text_reader *r, const char *sign)
{
    if (text_reader_failed(r))
        return false;
    skip_blanks(r);
    size_t length = strlen(sign);
    return (size_t)(r->end - r->at) >= length && memcmp(r->at, sign, length) == 0;
}

bool text_reader_take(text_reader *r, const char *sign)
{
    if (!text_reader_sees(r, sign))
        return false;
    r->at += strlen(sign);
    return true;
}

void text_reader_expect(text_reader *r, const char *sign)
{
    if (!text_reader_take(r, sign))
        text_reader_fail(r, "expected '%s'", sign);
}

static bool is_word_byte(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("_./'$-", c));
}

bool text_reader_take_word(text_reader *r, const char *word)
{
    const char *before = r->at;
    if (text_reader_take(r, word) && (r->at == r->end || !is_word_byte(*r->at)))
        return true;
    r->at = before;
    return false;
}

atom text_reader_word(text_reader *r)
{
    skip_blanks(r);
    const char *begin = r->at;
    while (!text_reader_failed(r) && r->at < r->end && is_word_byte(*r->at))
        r->at++;
    if (r->at == begin)
        text_reader_fail(r, "expected a word");
    return atom_intern(r->atoms, begin, (size_t)(r->at - begin));
}

atom text_reader_quoted(text_reader *r)
{
    text_reader_expect(r, "\"");
    const char *begin = r->at;
    while (!text_reader_failed(r) && r->at < r->end && *r->at != '"')
        r->at++;
    atom content = atom_intern(r->atoms, begin, (size_t)(r->at - begin));
    text_reader_expect(r, "\"");
    return content;
}

int64_t text_reader_integer(text_reader *r)
{
    skip_blanks(r);
    char *after = NULL;
    long long value = text_reader_failed(r) ? 0 : strtoll(r->at, &after, 10);
    if (!after || after == r->at || after > r->end) {
        text_reader_fail(r, "expected an integer");
        return 0;
    }
    r->at = after;
    return value;
}

double text_reader_number(text_reader *r)
{
    skip_blanks(r);
    char *after = NULL;
    double value = text_reader_failed(r) ? 0 : strtod(r->at, &after);
    if (!after || after == r->at || after > r->end) {
        text_reader_fail(r, "expected a number");
        return 0;
    }
    r->at = after;
    return value;
}

static int source_named(const text_reader *r, const char *path)
{
    for (int file = 0; file < source_count(r->sources); file++)
        if (strcmp(source_path(r->sources, file), path) == 0)
            return file;
    return -1;
}

enum { LINES_LIMIT = 10 * 1000 * 1000 };

/* A line number, or 0 where there is none or it is out of range. */
static int line_number(const char *digits)
{
    long line = strtol(digits, NULL, 10);
    return line < 1 || line > LINES_LIMIT ? 0 : (int)line;
}

/* The largest line of `path`, which is not empty, that the text names. */
static int last_line_of(const text_reader *r, const char *path)
{
    int last = 1;
    size_t length = strlen(path);
    for (const char *hit = strstr(r->all, path); hit; hit = strstr(hit + 1, path))
        if (hit[length] == ':' && line_number(hit + length + 1) > last)
            last = line_number(hit + length + 1);
    return last;
}

/* A source of empty lines that stands for a file which is not at hand. */
static int source_stand_in(text_reader *r, const char *path)
{
    int lines = last_line_of(r, path);
    char *bytes = arena_alloc(r->memory, (size_t)lines);
    memset(bytes, '\n', (size_t)lines);
    return source_add(r->sources, path, bytes, (size_t)lines);
}

static span span_of_line(const text_reader *r, int file, int line)
{
    size_t length;
    const char *bytes = source_bytes(r->sources, file, &length);
    uint32_t begin = 0;
    for (int l = 1; l < line && begin < length; begin++)
        l += bytes[begin] == '\n';
    uint32_t end = begin;
    while (end < length && bytes[end] != '\n')
        end++;
    return (span){file, begin, end};
}

/* "file:line" in `length` bytes. */
static span place_of(text_reader *r, const char *text, size_t length)
{
    const char *name = arena_copy_text(r->memory, text, length);
    char *colon = strrchr(name, ':');
    int line = colon ? line_number(colon + 1) : 0;
    if (text_reader_failed(r) || !line || colon == name) {
        text_reader_fail(r, "expected file:line");
        return SPAN_NONE;
    }
    *colon = '\0';
    int file = source_named(r, name);
    if (file < 0)
        file = source_stand_in(r, name);
    return span_of_line(r, file, line);
}

span text_reader_place(text_reader *r)
{
    text_reader_expect(r, "@");
    skip_blanks(r);
    const char *begin = r->at;
    r->at = r->end;
    if (r->end - begin == 1 && *begin == '-')
        return SPAN_NONE;
    return place_of(r, begin, (size_t)(r->end - begin));
}

span text_reader_named_place(text_reader *r)
{
    atom name = text_reader_quoted(r);
    return place_of(r, name, strlen(name));
}
