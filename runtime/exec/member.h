/* member.h: members of a JSON object, each with its type and range, and errors that name the place.
 *
 * The first member that is missing, of another type or out of range sets the reader's status and error; what is asked after
 * that gives zeros, so that a caller checks once at the end of an object rather than after each member.
 *
 *     rt_reader reader = {.error = error};
 *     rt_place place = rt_place_index(&variables, 3);          // "variables[3]"
 *     int64_t offset = rt_member_int(&reader, &place, "offset", 0, INT64_MAX);
 *     if (reader.status != RT_OK) ...                          // "plan image: variables[3].offset is missing"
 */
#ifndef ESPALIER_RUNTIME_EXEC_MEMBER_H
#define ESPALIER_RUNTIME_EXEC_MEMBER_H

#include <cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct rt_reader {
    rt_status status;
    rt_error *error;
} rt_reader;

/* A value and the way to it. */
typedef struct rt_place {
    const cJSON *value; /* may be NULL after an error */
    char path[96];
} rt_place;

rt_place rt_place_root(const cJSON *value);
rt_place rt_place_index(const rt_place *array, int index);
/* Walks an array faster than by index: the element after `before`, whose number is `index`. */
rt_place rt_place_next(const rt_place *array, const rt_place *before, int index);

/* Sets the reader's error, if it has none yet, to the place, the member (may be NULL) and the text. */
void rt_reader_fail(rt_reader *reader, const rt_place *place, const char *member, const char *text);

/* Integers may be written as decimal strings. */
int64_t rt_member_int(rt_reader *reader, const rt_place *object, const char *name, int64_t least,
                      int64_t most);
uint64_t rt_member_uint(rt_reader *reader, const rt_place *object, const char *name);
double rt_member_number(rt_reader *reader, const rt_place *object, const char *name);
bool rt_member_bool(rt_reader *reader, const rt_place *object, const char *name);
const char *rt_member_text(rt_reader *reader, const rt_place *object, const char *name);
rt_place rt_member_object(rt_reader *reader, const rt_place *object, const char *name);
rt_place rt_member_array(rt_reader *reader, const rt_place *object, const char *name, int64_t most,
                         int *count);

/* The value of the place itself. */
int64_t rt_place_int(rt_reader *reader, const rt_place *place, int64_t least, int64_t most);
double rt_place_number(rt_reader *reader, const rt_place *place);
const char *rt_place_text(rt_reader *reader, const rt_place *place);

/* Whether the object has the member, other than null. */
bool rt_member_given(const rt_place *object, const char *name);

#endif
