#include "data/npy_header.h"

#include <string.h>

/* A reader of the header's text: the literal of a Python dictionary with three keys. */
typedef struct literal {
    const char *start, *at, *end;
    const char *problem;
} literal;

static bool refuse(literal *l, const char *problem)
{
    if (!l->problem)
        l->problem = problem;
    return false;
}

static void skip_blanks(literal *l)
{
    while (l->at < l->end && (*l->at == ' ' || *l->at == '\n' || *l->at == '\t'))
        l->at++;
}

static bool next_is(literal *l, char c)
{
    skip_blanks(l);
    return l->at < l->end && *l->at == c;
}

static bool take(literal *l, char c, const char *problem)
{
    if (!next_is(l, c))
        return refuse(l, problem);
    l->at++;
    return true;
}

static bool take_word(literal *l, const char *word)
{
    size_t length = strlen(word);
    skip_blanks(l);
    if ((size_t)(l->end - l->at) < length || memcmp(l->at, word, length) != 0)
        return false;
    l->at += length;
    return true;
}

static bool read_string(literal *l, char *out, size_t room)
{
    size_t length = 0;
    skip_blanks(l);
    char quote = l->at < l->end ? *l->at : '\0';
    if (quote != '\'' && quote != '"')
        return refuse(l, "a string is expected");
    for (l->at++; l->at < l->end && *l->at != quote; l->at++) {
        if (length + 1 == room)
            return refuse(l, "a string that is too long");
        out[length++] = *l->at;
    }
    out[length] = '\0';
    return take(l, quote, "the header ends inside a string");
}

static bool read_size(literal *l, uint64_t *size)
{
    skip_blanks(l);
    if (l->at == l->end || *l->at < '0' || *l->at > '9')
        return refuse(l, "a size is expected");
    *size = 0;
    for (; l->at < l->end && *l->at >= '0' && *l->at <= '9'; l->at++) {
        uint64_t digit = (uint64_t)(*l->at - '0');
        if (*size > (UINT64_MAX - digit) / 10)
            return refuse(l, "a size beyond 64 bits");
        *size = *size * 10 + digit;
    }
    if (l->at < l->end && *l->at == 'L') /* as Python 2 wrote long integers */
        l->at++;
    return true;
}

static bool read_shape(literal *l, array_view *view)
{
    view->rank = 0;
    if (!take(l, '(', "a shape in parentheses is expected"))
        return false;
    while (!next_is(l, ')')) {
        if (view->rank == RT_SLICE_MAX_RANK)
            return refuse(l, "more than 8 dimensions");
        if (!read_size(l, &view->shape[view->rank++]))
            return false;
        if (!next_is(l, ')') && !take(l, ',', "a comma is expected"))
            return false;
    }
    return take(l, ')', "the header ends inside a shape");
}

/* "<f4": byte order, kind, bytes. */
static bool read_type(literal *l, array_view *view)
{
    static const struct {
        const char *text;
        rt_element type;
    } types[] = {{"f8", RT_F64}, {"f4", RT_F32}, {"f2", RT_F16}, {"i8", RT_I64},
                 {"i4", RT_I32}, {"i2", RT_I16}, {"i1", RT_I8},  {"u8", RT_U64},
                 {"u4", RT_U32}, {"u2", RT_U16}, {"u1", RT_U8},  {"b1", RT_BOOL}};
    char text[32];
    if (!next_is(l, '\'') && !next_is(l, '"'))
        return refuse(l, "a type of several members, which is not read");
    const char *start = l->at;
    if (!read_string(l, text, sizeof text))
        return false;
    view->big_endian = text[0] == '>';
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (text[0] && strchr("<>|=", text[0]) && strcmp(text + 1, types[i].text) == 0) {
            view->type = types[i].type;
            return true;
        }
    l->at = start;
    return refuse(l, "a type that is not plain numbers, which is not read");
}

static bool read_order(literal *l, array_view *view)
{
    view->fortran = take_word(l, "True");
    return view->fortran || take_word(l, "False") || refuse(l, "True or False is expected");
}

enum { HAS_TYPE = 1, HAS_ORDER = 2, HAS_SHAPE = 4, HAS_ALL = 7 };

static bool read_members(literal *l, array_view *view)
{
    unsigned has = 0;
    if (!take(l, '{', "a dictionary is expected"))
        return false;
    while (!next_is(l, '}')) {
        char key[16];
        if (!read_string(l, key, sizeof key) || !take(l, ':', "a colon is expected"))
            return false;
        unsigned which = !strcmp(key, "descr")           ? HAS_TYPE
                         : !strcmp(key, "fortran_order") ? HAS_ORDER
                         : !strcmp(key, "shape")         ? HAS_SHAPE
                                                         : 0;
        if (!which || (has & which))
            return refuse(l, "the keys are descr, fortran_order and shape, once each");
        has |= which;
        if (!(which == HAS_TYPE    ? read_type(l, view)
              : which == HAS_ORDER ? read_order(l, view)
                                   : read_shape(l, view)))
            return false;
        if (!next_is(l, '}') && !take(l, ',', "a comma is expected"))
            return false;
    }
    l->at++;
    skip_blanks(l);
    if (has != HAS_ALL)
        return refuse(l, "descr, fortran_order or shape is missing");
    return l->at == l->end || refuse(l, "text after the header's dictionary");
}

rt_status npy_parse(const char *label, const uint8_t *bytes, uint64_t size, array_view *view,
                    rt_error *error)
{
    *view = (array_view){0};
    if (size < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return rt_fail(error, RT_DAMAGED, "'%s' does not begin as a NumPy array", label);
    unsigned version = bytes[6];
    if (version < 1 || version > 3)
        return rt_fail(error, RT_UNSUPPORTED, "'%s' is of NumPy format %u; 1 to 3 are read", label,
                       version);
    uint64_t begin = version == 1 ? 10 : 12;
    if (size < begin)
        return rt_fail(error, RT_DAMAGED, "'%s' ends inside its header", label);
    uint64_t length = (uint64_t)bytes[8] | (uint64_t)bytes[9] << 8;
    if (version > 1)
        length |= (uint64_t)bytes[10] << 16 | (uint64_t)bytes[11] << 24;
    if (length > size - begin)
        return rt_fail(error, RT_DAMAGED, "'%s': a header of %llu bytes in %llu", label,
                       (unsigned long long)length, (unsigned long long)size);
    const char *text = (const char *)bytes + begin;
    literal l = {.start = text, .at = text, .end = text + length};
    if (!read_members(&l, view))
        return rt_fail(error, RT_DAMAGED, "'%s' byte %llu: %s", label,
                       (unsigned long long)(begin + (uint64_t)(l.at - l.start)), l.problem);
    view->bytes = bytes + begin + length;
    return array_view_check(view, label, size - begin - length, error);
}
