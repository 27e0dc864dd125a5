/* json_line.h: JSON objects, written a line each.
 *
 * The buffer grows while the first lines are written and is kept between lines, so that a step allocates nothing.
 * NaN and infinities are not JSON: they are written as null. Text is taken as UTF-8; bytes that are not become U+FFFD.
 *
 *     rt_json_line line = {0};
 *     rt_json_begin(&line);
 *     rt_json_int(&line, "step", 7);
 *     rt_json_float(&line, "loss", 0.25f);
 *     rt_json_open(&line, "memory", '{');
 *     rt_json_int(&line, "total", 4096);
 *     rt_json_close(&line, '}');
 *     status = rt_json_end(&line, file, &error);       # {"step": 7, "loss": 0.25, "memory": {"total": 4096}}
 *     rt_json_free(&line);
 */
#ifndef ESPALIER_RUNTIME_JSON_LINE_H
#define ESPALIER_RUNTIME_JSON_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

typedef struct rt_json_line {
    char *text; /* NUL-terminated after rt_json_finish */
    size_t length;
    size_t room;
    bool wants_comma;
    bool failed; /* an allocation was refused; the line is not written */
} rt_json_line;

/* Starts an object, forgetting what was there. */
void rt_json_begin(rt_json_line *line);

/* One member each; a NULL name is for elements of an array. */
void rt_json_int(rt_json_line *line, const char *name, int64_t value);
void rt_json_uint(rt_json_line *line, const char *name, uint64_t value);
void rt_json_float(rt_json_line *line, const char *name, float value);
void rt_json_double(rt_json_line *line, const char *name, double value);
void rt_json_bool(rt_json_line *line, const char *name, bool value);
void rt_json_text(rt_json_line *line, const char *name, const char *value);

/* An object '{' or array '[' inside; the close takes '}' or ']'. */
void rt_json_open(rt_json_line *line, const char *name, char bracket);
void rt_json_close(rt_json_line *line, char bracket);

/* Closes the object: line->text is the whole of it, without a line end. RT_NO_MEMORY if it could not be held. */
rt_status rt_json_finish(rt_json_line *line, rt_error *error);

/* rt_json_finish, then writes the line and flushes. Errors: RT_NO_MEMORY, RT_IO. */
rt_status rt_json_end(rt_json_line *line, FILE *file, rt_error *error);

void rt_json_free(rt_json_line *line);

#endif
