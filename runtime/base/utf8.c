#include "base/utf8.h"

#include <stdbool.h>

static void escape(rt_utf8 *text, uint8_t byte)
{
    fprintf(text->out, "\\x%02x", byte);
}

/* Bytes of the character that begins so; 0 where none does. */
static int length_of(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first < 0xE0)
        return 2;
    if (first >= 0xE0 && first < 0xF0)
        return 3;
    return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

/* Whether `byte` may follow: no overlong form, no surrogate, nothing beyond U+10FFFF (Unicode, table 3-7). */
static bool follows(const rt_utf8 *text, uint8_t byte)
{
    uint8_t first = text->bytes[0], least = 0x80, most = 0xBF;
    if (text->count == 1) {
        least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : least;
        most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : most;
    }
    return byte >= least && byte <= most;
}

void rt_utf8_end(rt_utf8 *text)
{
    for (int i = 0; i < text->count; i++)
        escape(text, text->bytes[i]);
    text->count = 0;
}

static void write_whole(rt_utf8 *text)
{
    uint8_t first = text->bytes[0];
    bool control = (first < 0x20 && first != '\n' && first != '\t') || first == 0x7F ||
                   (first == 0xC2 && text->bytes[1] < 0xA0);
    if (control) {
        rt_utf8_end(text);
        return;
    }
    fwrite(text->bytes, 1, (size_t)text->count, text->out);
    text->count = 0;
}

void rt_utf8_put(rt_utf8 *text, uint8_t byte)
{
    if (text->count > 0 && !follows(text, byte))
        rt_utf8_end(text);
    if (text->count == 0 && length_of(byte) == 0) {
        escape(text, byte);
        return;
    }
    text->bytes[text->count++] = byte;
    if (text->count == length_of(text->bytes[0]))
        write_whole(text);
}
