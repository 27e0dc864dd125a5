#include "base/json_line.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

static void add(rt_json_line *line, const char *bytes, size_t count)
{
    if (line->failed)
        return;
    if (line->room - line->length <= count) {
        size_t room = (line->length + count + 1) * 2;
        char *grown = realloc(line->text, room);
        if (!grown) {
            line->failed = true;
            return;
        }
        line->text = grown;
        line->room = room;
    }
    memcpy(line->text + line->length, bytes, count);
    line->length += count;
}

/* How many bytes of UTF-8 start here; 0 if they are not UTF-8 (overlong and surrogate forms included). */
static size_t utf8_length(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return length;
}

static void add_escaped(rt_json_line *line, unsigned char c)
{
    char escape[8];
    const char *simple = c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : NULL;
    if (simple)
        add(line, simple, 2);
    else if (c == '"' || c == '\\')
        add(line, (char[]){'\\', (char)c}, 2);
    else
        add(line, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", c));
}

static void add_text(rt_json_line *line, const char *text)
{
    add(line, "\"", 1);
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t length = utf8_length(s);
        if (length == 0)
            add(line, "\xef\xbf\xbd", 3);
        else if (length == 1 && (*s < 0x20 || *s == '"' || *s == '\\' || *s == 0x7f))
            add_escaped(line, *s);
        else
            add(line, (const char *)s, length);
        s += length ? length : 1;
    }
    add(line, "\"", 1);
}

static void add_name(rt_json_line *line, const char *name)
{
    if (line->wants_comma)
        add(line, ", ", 2);
    line->wants_comma = true;
    if (name) {
        add_text(line, name);
        add(line, ": ", 2);
    }
}

void rt_json_begin(rt_json_line *line)
{
    line->length = 0;
    line->failed = false;
    line->wants_comma = false;
    add(line, "{", 1);
}

void rt_json_int(rt_json_line *line, const char *name, int64_t value)
{
    char text[RT_NUMBER_TEXT];
    add_name(line, name);
    add(line, text, (size_t)snprintf(text, sizeof text, "%" PRId64, value));
}

void rt_json_uint(rt_json_line *line, const char *name, uint64_t value)
{
    char text[RT_NUMBER_TEXT];
    add_name(line, name);
    add(line, text, (size_t)snprintf(text, sizeof text, "%" PRIu64, value));
}

void rt_json_float(rt_json_line *line, const char *name, float value)
{
    char text[RT_NUMBER_TEXT];
    add_name(line, name);
    if (isfinite(value))
        add(line, text, rt_format_float(value, text));
    else
        add(line, "null", 4);
}

void rt_json_double(rt_json_line *line, const char *name, double value)
{
    char text[RT_NUMBER_TEXT];
    add_name(line, name);
    if (isfinite(value))
        add(line, text, rt_format_double(value, text));
    else
        add(line, "null", 4);
}

void rt_json_bool(rt_json_line *line, const char *name, bool value)
{
    add_name(line, name);
    add(line, value ? "true" : "false", value ? 4 : 5);
}

void rt_json_text(rt_json_line *line, const char *name, const char *value)
{
    add_name(line, name);
    add_text(line, value);
}

void rt_json_open(rt_json_line *line, const char *name, char bracket)
{
    add_name(line, name);
    add(line, &bracket, 1);
    line->wants_comma = false;
}

void rt_json_close(rt_json_line *line, char bracket)
{
    add(line, &bracket, 1);
    line->wants_comma = true;
}

rt_status rt_json_finish(rt_json_line *line, rt_error *error)
{
    add(line, "}", 2); /* with its NUL, which is not counted */
    if (line->failed)
        return rt_fail(error, RT_NO_MEMORY, "out of memory for a line of JSON");
    line->length--;
    return RT_OK;
}

rt_status rt_json_end(rt_json_line *line, FILE *file, rt_error *error)
{
    rt_status status = rt_json_finish(line, error);
    if (status != RT_OK)
        return status;
    line->text[line->length] = '\n'; /* in the NUL's place */
    if (fwrite(line->text, 1, line->length + 1, file) != line->length + 1 || fflush(file) != 0)
        return rt_fail_errno(error, RT_IO, "cannot write a line of JSON");
    return RT_OK;
}

void rt_json_free(rt_json_line *line)
{
    free(line->text);
    *line = (rt_json_line){0};
}
