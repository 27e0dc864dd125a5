#include "base/json_read.h"

#include <string.h>

enum { DEEPEST = 64 };

rt_json_reader rt_json_reader_of(const char *text, size_t size)
{
    if (!text) /* an empty file is mapped nowhere */
        text = "";
    return (rt_json_reader){.start = text, .at = text, .end = text + size};
}

bool rt_json_refuse(rt_json_reader *r, const char *problem)
{
    if (!r->problem)
        r->problem = problem;
    return false;
}

size_t rt_json_offset(const rt_json_reader *r)
{
    return (size_t)(r->at - r->start);
}

static void skip_blanks(rt_json_reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

char rt_json_peek(rt_json_reader *r)
{
    skip_blanks(r);
    return r->at < r->end ? *r->at : '\0';
}

static bool take(rt_json_reader *r, char c, const char *problem)
{
    if (r->problem || rt_json_peek(r) != c || r->at == r->end)
        return rt_json_refuse(r, problem);
    r->at++;
    return true;
}

bool rt_json_enter(rt_json_reader *r, char bracket)
{
    return take(r, bracket, bracket == '{' ? "an object is expected" : "an array is expected");
}

bool rt_json_more(rt_json_reader *r, char closing, bool *first)
{
    if (r->problem)
        return false;
    if (rt_json_peek(r) == closing) {
        r->at++;
        return false;
    }
    bool begins = *first;
    *first = false;
    if (begins ? r->at < r->end : take(r, ',', "a comma or the end of a list is expected"))
        return true;
    return rt_json_refuse(r, "the text ends inside a list");
}

static bool hex4(rt_json_reader *r, uint32_t *value)
{
    *value = 0;
    if (r->end - r->at < 4)
        return rt_json_refuse(r, "a cut \\u escape");
    for (int i = 0; i < 4; i++, r->at++) {
        char c = *r->at;
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16)
            return rt_json_refuse(r, "a \\u escape that is not hexadecimal");
        *value = *value * 16 + digit;
    }
    return true;
}

/* After "\u": one code point, of two escapes when the first is a high surrogate. */
static bool code_point(rt_json_reader *r, uint32_t *code)
{
    uint32_t low;
    if (!hex4(r, code))
        return false;
    if (*code < 0xd800 || *code > 0xdfff)
        return *code != 0 || rt_json_refuse(r, "a NUL in a string");
    if (*code > 0xdbff || r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u')
        return rt_json_refuse(r, "half a surrogate pair");
    r->at += 2;
    if (!hex4(r, &low))
        return false;
    if (low < 0xdc00 || low > 0xdfff)
        return rt_json_refuse(r, "half a surrogate pair");
    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static size_t utf8(uint32_t code, char out[4])
{
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(lead[length] | code);
    return length;
}

/* After a backslash. */
static bool escape(rt_json_reader *r, char out[4], size_t *length)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (r->at == r->end)
        return rt_json_refuse(r, "the text ends inside a string");
    char c = *r->at++;
    const char *known = c ? strchr(letters, c) : NULL;
    uint32_t code;
    if (known) {
        out[0] = meant[known - letters];
        *length = 1;
        return true;
    }
    if (c != 'u')
        return rt_json_refuse(r, "an unknown escape");
    if (!code_point(r, &code))
        return false;
    *length = utf8(code, out);
    return true;
}

/* With out NULL the string is only passed over. */
static bool read_string(rt_json_reader *r, char *out, size_t room)
{
    size_t used = 0;
    if (!take(r, '"', "a string is expected"))
        return false;
    while (r->at < r->end && *r->at != '"') {
        char bytes[4];
        size_t length = 1;
        bytes[0] = *r->at++;
        if ((unsigned char)bytes[0] < 0x20)
            return rt_json_refuse(r, "a control character in a string");
        if (bytes[0] == '\\' && !escape(r, bytes, &length))
            return false;
        if (!out)
            continue;
        if (room - used <= length)
            return rt_json_refuse(r, "a string that is too long");
        memcpy(out + used, bytes, length);
        used += length;
    }
    if (r->at == r->end)
        return rt_json_refuse(r, "the text ends inside a string");
    r->at++;
    if (out)
        out[used] = '\0';
    return true;
}

bool rt_json_read_text(rt_json_reader *r, char *out, size_t room)
{
    if (room == 0)
        return rt_json_refuse(r, "a string that is too long");
    return read_string(r, out, room);
}

bool rt_json_key(rt_json_reader *r, char *out, size_t room)
{
    return rt_json_read_text(r, out, room) && take(r, ':', "a colon is expected");
}

bool rt_json_read_uint(rt_json_reader *r, uint64_t *value)
{
    char c = rt_json_peek(r);
    if (r->problem || c < '0' || c > '9')
        return rt_json_refuse(r, "a whole number is expected");
    *value = 0;
    bool leading_zero = c == '0';
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
        uint64_t digit = (uint64_t)(*r->at - '0');
        if (*value > (UINT64_MAX - digit) / 10)
            return rt_json_refuse(r, "a number beyond 64 bits");
        *value = *value * 10 + digit;
        if (leading_zero && *value)
            return rt_json_refuse(r, "a number that begins with 0");
    }
    if (r->at < r->end && (*r->at == '.' || *r->at == 'e' || *r->at == 'E'))
        return rt_json_refuse(r, "a whole number is expected");
    return true;
}

static bool skip_word(rt_json_reader *r)
{
    const char *from = r->at;
    while (r->at < r->end && *r->at && strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", *r->at))
        r->at++;
    size_t length = (size_t)(r->at - from);
    if (length == 0)
        return rt_json_refuse(r, "a value is expected");
    if ((*from >= '0' && *from <= '9') || *from == '-')
        return true;
    bool word = (length == 4 && (!memcmp(from, "true", 4) || !memcmp(from, "null", 4))) ||
                (length == 5 && !memcmp(from, "false", 5));
    return word || rt_json_refuse(r, "an unknown word");
}

/* One value that is no list, or the beginning of one, which is pushed. */
static bool skip_one(rt_json_reader *r, char *open, size_t *depth, bool *first)
{
    char c = rt_json_peek(r);
    if (c == '"')
        return read_string(r, NULL, 0);
    if (c != '{' && c != '[')
        return skip_word(r);
    if (*depth == DEEPEST)
        return rt_json_refuse(r, "values nested more than 64 deep");
    r->at++;
    open[(*depth)++] = c == '{' ? '}' : ']';
    *first = true;
    return true;
}

bool rt_json_skip(rt_json_reader *r)
{
    char open[DEEPEST];
    size_t depth = 0;
    bool first = false;
    if (r->problem || !skip_one(r, open, &depth, &first))
        return false;
    while (depth) {
        if (!rt_json_more(r, open[depth - 1], &first)) {
            if (r->problem)
                return false;
            depth--;
            first = false;
            continue;
        }
        if (open[depth - 1] == '}' &&
            !(read_string(r, NULL, 0) && take(r, ':', "a colon is expected")))
            return false;
        if (!skip_one(r, open, &depth, &first))
            return false;
    }
    return true;
}

bool rt_json_at_end(rt_json_reader *r)
{
    if (r->problem)
        return false;
    skip_blanks(r);
    return r->at == r->end || rt_json_refuse(r, "text after the end");
}
