#include "exec/member.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

/* Integers beyond this are not exact in a JSON number, and are written as strings. */
static const double exact_limit = 9007199254740992.0;

rt_place rt_place_root(const cJSON *value)
{
    return (rt_place){.value = value};
}

static rt_place child(const rt_place *parent, const cJSON *value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static rt_place child(const rt_place *parent, const cJSON *value, const char *format, ...)
{
    rt_place place = {.value = value};
    int length = snprintf(place.path, sizeof place.path, "%s", parent->path);
    if (length < 0 || (size_t)length >= sizeof place.path)
        return place;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(place.path + length, sizeof place.path - (size_t)length, format, arguments);
    va_end(arguments);
    return place;
}

static rt_place member_place(const rt_place *object, const char *name)
{
    const cJSON *value =
        object->value ? cJSON_GetObjectItemCaseSensitive(object->value, name) : NULL;
    return child(object, value, "%s%s", object->path[0] ? "." : "", name);
}

rt_place rt_place_index(const rt_place *array, int index)
{
    return child(array, array->value ? cJSON_GetArrayItem(array->value, index) : NULL, "[%d]",
                 index);
}

rt_place rt_place_next(const rt_place *array, const rt_place *before, int index)
{
    return child(array, before->value ? before->value->next : NULL, "[%d]", index);
}

void rt_reader_fail(rt_reader *reader, const rt_place *place, const char *member, const char *text)
{
    if (reader->status != RT_OK)
        return;
    const char *dot = member && place->path[0] ? "." : "";
    reader->status = rt_fail(reader->error, RT_DAMAGED, "plan image: %s%s%s %s", place->path, dot,
                             member ? member : "", text);
}

/* The member's place; fails unless the test holds for its value. */
static rt_place expect(rt_reader *reader, const rt_place *object, const char *name,
                       cJSON_bool (*test)(const cJSON *), const char *wanted)
{
    rt_place place = member_place(object, name);
    if (reader->status == RT_OK && !place.value)
        rt_reader_fail(reader, &place, NULL, "is missing");
    else if (reader->status == RT_OK && !test(place.value))
        rt_reader_fail(reader, &place, NULL, wanted);
    if (reader->status != RT_OK)
        place.value = NULL;
    return place;
}

static cJSON_bool anything(const cJSON *value)
{
    return value != NULL;
}

int64_t rt_place_int(rt_reader *reader, const rt_place *place, int64_t least, int64_t most)
{
    if (reader->status != RT_OK)
        return least > 0 ? least : 0;
    int64_t value = 0;
    const cJSON *v = place->value;
    bool good = false;
    if (v && cJSON_IsNumber(v) && fabs(v->valuedouble) <= exact_limit) {
        value = (int64_t)v->valuedouble;
        good = (double)value == v->valuedouble;
    } else if (v && cJSON_IsString(v)) {
        good = rt_parse_int64(v->valuestring, strlen(v->valuestring), &value);
    }
    if (!good)
        rt_reader_fail(reader, place, NULL, v ? "is not an integer" : "is missing");
    else if (value < least || value > most)
        rt_reader_fail(reader, place, NULL, "is out of range");
    return reader->status == RT_OK ? value : least > 0 ? least : 0;
}

int64_t rt_member_int(rt_reader *reader, const rt_place *object, const char *name, int64_t least,
                      int64_t most)
{
    rt_place place = member_place(object, name);
    return rt_place_int(reader, &place, least, most);
}

uint64_t rt_member_uint(rt_reader *reader, const rt_place *object, const char *name)
{
    rt_place place = expect(reader, object, name, anything, "is missing");
    if (reader->status != RT_OK)
        return 0;
    if (!cJSON_IsString(place.value))
        return (uint64_t)rt_place_int(reader, &place, 0, INT64_MAX);
    const char *text = place.value->valuestring;
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || strlen(text) > 20)
        rt_reader_fail(reader, &place, NULL, "is not an unsigned integer");
    return value;
}

double rt_place_number(rt_reader *reader, const rt_place *place)
{
    if (reader->status != RT_OK)
        return 0;
    if (!place->value || !cJSON_IsNumber(place->value) || !isfinite(place->value->valuedouble)) {
        rt_reader_fail(reader, place, NULL, place->value ? "is not a finite number" : "is missing");
        return 0;
    }
    return place->value->valuedouble;
}

double rt_member_number(rt_reader *reader, const rt_place *object, const char *name)
{
    rt_place place = member_place(object, name);
    return rt_place_number(reader, &place);
}

bool rt_member_bool(rt_reader *reader, const rt_place *object, const char *name)
{
    rt_place place = expect(reader, object, name, cJSON_IsBool, "is not true or false");
    return place.value && cJSON_IsTrue(place.value);
}

const char *rt_place_text(rt_reader *reader, const rt_place *place)
{
    if (reader->status == RT_OK && (!place->value || !cJSON_IsString(place->value)))
        rt_reader_fail(reader, place, NULL, place->value ? "is not a text" : "is missing");
    return reader->status == RT_OK ? place->value->valuestring : "";
}

const char *rt_member_text(rt_reader *reader, const rt_place *object, const char *name)
{
    rt_place place = member_place(object, name);
    return rt_place_text(reader, &place);
}

rt_place rt_member_object(rt_reader *reader, const rt_place *object, const char *name)
{
    return expect(reader, object, name, cJSON_IsObject, "is not an object");
}

rt_place rt_member_array(rt_reader *reader, const rt_place *object, const char *name, int64_t most,
                         int *count)
{
    rt_place place = expect(reader, object, name, cJSON_IsArray, "is not an array");
    *count = place.value ? cJSON_GetArraySize(place.value) : 0;
    if (*count > most) {
        rt_reader_fail(reader, &place, NULL, "has too many elements");
        *count = 0;
    }
    return place;
}

bool rt_member_given(const rt_place *object, const char *name)
{
    rt_place place = member_place(object, name);
    return place.value && !cJSON_IsNull(place.value);
}
