#include "parse/bytes.h"

/* Rejects overlong forms, surrogates and what lies beyond U+10FFFF. */
size_t bytes_character(const char *at, const char *end)
{
    const unsigned char *b = (const unsigned char *)at;
    size_t left = (size_t)(end - at);
    if (b[0] < 0x80)
        return 1;
    size_t length = b[0] < 0xc2 ? 0 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : b[0] < 0xf5 ? 4 : 0;
    if (length == 0 || left < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((b[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xf0 && b[1] < 0x90);
    bool surrogate = b[0] == 0xed && b[1] >= 0xa0;
    bool beyond = b[0] == 0xf4 && b[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : length;
}

bool bytes_is_control(char c)
{
    unsigned char byte = (unsigned char)c;
    return (byte < ' ' && c != '\n' && c != '\t' && c != '\r') || byte == 0x7f;
}

static bool is_utf16(const char *bytes, size_t length)
{
    const unsigned char *b = (const unsigned char *)bytes;
    return length >= 2 && ((b[0] == 0xff && b[1] == 0xfe) || (b[0] == 0xfe && b[1] == 0xff));
}

static void report_not_utf8(const parse_context *c, int file, const char *bytes, size_t at)
{
    span place = {file, (uint32_t)at, (uint32_t)at + 1};
    diag *d = diag_report(c->diags, E0101, place, "byte 0x%02x is not UTF-8",
                          (unsigned)(unsigned char)bytes[at]);
    diag_fix(d, "save the file as UTF-8");
}

static void report_control(const parse_context *c, int file, const char *bytes, size_t at)
{
    span place = {file, (uint32_t)at, (uint32_t)at + 1};
    diag *d = diag_report(c->diags, E0101, place, "control character 0x%02x in a plan file",
                          (unsigned)(unsigned char)bytes[at]);
    diag_fix_edit(d, place, "", "take it out");
}

/* The first of each kind: a file in another encoding is one mistake. */
static void check_characters(const parse_context *c, int file, const char *bytes, size_t length)
{
    bool utf8_said = false, control_said = false;
    for (size_t i = 0; i < length && !(utf8_said && control_said);) {
        size_t step = bytes_character(bytes + i, bytes + length);
        if (step == 0 && !utf8_said) {
            report_not_utf8(c, file, bytes, i);
            utf8_said = true;
        } else if (step == 1 && bytes_is_control(bytes[i]) && !control_said) {
            report_control(c, file, bytes, i);
            control_said = true;
        }
        i += step ? step : 1;
    }
}

bool bytes_check(const parse_context *c, int file)
{
    size_t length;
    const char *bytes = source_bytes(c->sources, file, &length);
    if (length > PARSE_LARGEST_FILE) {
        span first = {file, 0, 1};
        diag *d =
            diag_report(c->diags, E0107, first, "the file has %zu bytes, a plan file at most %d",
                        length, PARSE_LARGEST_FILE);
        diag_fix(d, "'repeat' writes a layer once, and data have files of their own");
        return false;
    }
    if (is_utf16(bytes, length)) {
        report_not_utf8(c, file, bytes, 0);
        return false;
    }
    check_characters(c, file, bytes, length);
    return true;
}
