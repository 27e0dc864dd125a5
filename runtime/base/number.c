#define _GNU_SOURCE
#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More digits than this in one number are refused rather than read slowly. */
enum { LONGEST_NUMBER = 512 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void trim(const char **text, size_t *length)
{
    while (*length && is_blank(**text)) {
        ++*text;
        --*length;
    }
    while (*length && is_blank((*text)[*length - 1]))
        --*length;
}

/* The fast path (Clinger 1990): up to 15 digits and a power of ten up to 22 are exact doubles, so one multiplication
 * or division rounds correctly. False: leave it to the C library. */
static bool parse_simple(const char *text, size_t length, double *value)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    size_t i = 0, digits = 0, fraction = 0;
    bool negative = text[0] == '-', point = false;
    if (text[0] == '-' || text[0] == '+')
        i++;
    uint64_t mantissa = 0;
    for (; i < length; i++) {
        if (text[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(text[i]) || ++digits > 15)
            return false;
        mantissa = mantissa * 10 + (uint64_t)(text[i] - '0');
        fraction += point;
    }
    if (!digits)
        return false;
    double magnitude = (double)mantissa / powers[fraction];
    *value = negative ? -magnitude : magnitude;
    return true;
}

/* The "C" locale as an object, made once: strtod_l does not look at the program's locale. */
static locale_t c_locale(void)
{
    static _Atomic(locale_t) made;
    locale_t locale = atomic_load(&made);
    if (!locale) {
        locale_t none = (locale_t)0;
        locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        if (!atomic_compare_exchange_strong(&made, &none, locale)) {
            freelocale(locale);
            locale = none;
        }
    }
    return locale;
}

bool rt_parse_double(const char *text, size_t length, double *value)
{
    trim(&text, &length);
    if (!length || length > LONGEST_NUMBER)
        return false;
    if (parse_simple(text, length, value))
        return true;
    for (size_t i = 0; i < length; i++) /* strtod would take hexadecimal and "nan(chars)" */
        if (text[i] == 'x' || text[i] == 'X' || text[i] == '(' || !text[i])
            return false;
    char copy[LONGEST_NUMBER + 1], *end;
    memcpy(copy, text, length);
    copy[length] = '\0';
    *value = strtod_l(copy, &end, c_locale());
    return end == copy + length;
}

bool rt_parse_int64(const char *text, size_t length, int64_t *value)
{
    trim(&text, &length);
    size_t i = length && (*text == '-' || *text == '+');
    bool negative = length && *text == '-';
    if (i == length)
        return false;
    uint64_t magnitude = 0, limit = (uint64_t)INT64_MAX + negative;
    for (; i < length; i++) {
        if (!is_digit(text[i]))
            return false;
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (magnitude > (limit - digit) / 10)
            return false;
        magnitude = magnitude * 10 + digit;
    }
    *value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

/* Whatever a locale uses for the decimal point becomes '.'. */
static size_t with_point(char *text)
{
    size_t out = 0;
    bool pointed = false;
    for (const char *in = text; *in; in++) {
        if (strchr("0123456789+-eainf", *in)) {
            text[out++] = *in;
        } else if (!pointed) {
            text[out++] = '.';
            pointed = true;
        }
    }
    text[out] = '\0';
    return out;
}

static size_t format_shortest(double value, bool single, char text[RT_NUMBER_TEXT])
{
    if (!isfinite(value))
        return (size_t)snprintf(text, RT_NUMBER_TEXT, "%s",
                                isnan(value) ? "nan" : (value < 0 ? "-inf" : "inf"));
    int last = single ? 9 : 17;
    size_t length = 0;
    for (int digits = single ? 6 : 15; digits <= last; digits++) {
        snprintf(text, RT_NUMBER_TEXT, "%.*g", digits, value);
        length = with_point(text);
        double back;
        if (rt_parse_double(text, length, &back) &&
            (single ? (float)back == (float)value : back == value))
            break;
    }
    return length;
}

size_t rt_format_double(double value, char text[RT_NUMBER_TEXT])
{
    return format_shortest(value, false, text);
}

size_t rt_format_float(float value, char text[RT_NUMBER_TEXT])
{
    return format_shortest((double)value, true, text);
}
