/* json_read.h: JSON read in one pass over memory, without a tree, for headers that may be hostile.
 *
 * The caller says what it expects next; the first thing that is not so ends the reading, and `problem` and the position
 * say what and where. Integers are exact up to 64 bits. Nothing is allocated and nothing recurses.
 *
 *     rt_json_reader r = rt_json_reader_of(text, size);
 *     rt_json_enter(&r, '{');
 *     for (bool first = true; rt_json_more(&r, '}', &first);) {
 *         rt_json_key(&r, name, sizeof name);
 *         rt_json_read_uint(&r, &value);
 *     }
 *     if (!rt_json_at_end(&r))
 *         ... r.problem at byte rt_json_offset(&r) ...
 */
#ifndef ESPALIER_RUNTIME_JSON_READ_H
#define ESPALIER_RUNTIME_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rt_json_reader {
    const char *start, *at, *end;
    const char *problem; /* NULL while all is well; once set, every call returns false */
} rt_json_reader;

rt_json_reader rt_json_reader_of(const char *text, size_t size);

/* Goes into '{' or '['. */
bool rt_json_enter(rt_json_reader *r, char bracket);

/* True before each element; false after the closing bracket, or on a problem. */
bool rt_json_more(rt_json_reader *r, char closing, bool *first);

/* A string, unescaped and NUL-terminated, or the problem that it does not fit or holds a NUL. A string never takes more
 * room than it takes in the text, quotes included. */
bool rt_json_read_text(rt_json_reader *r, char *out, size_t room);

/* A string and the colon behind it. */
bool rt_json_key(rt_json_reader *r, char *out, size_t room);

/* A whole number without sign, fraction or exponent. */
bool rt_json_read_uint(rt_json_reader *r, uint64_t *value);

/* The bracket or first character of what comes next; 0 at the end. */
char rt_json_peek(rt_json_reader *r);

/* Any one value, nested up to 64 deep. */
bool rt_json_skip(rt_json_reader *r);

/* True if all is well and only blanks are left. */
bool rt_json_at_end(rt_json_reader *r);

/* Records a problem that the caller found, unless there is one. Returns false. */
bool rt_json_refuse(rt_json_reader *r, const char *problem);

size_t rt_json_offset(const rt_json_reader *r);

#endif
