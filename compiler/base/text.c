#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

text text_in(arena *a)
{
    return (text){.memory = a};
}

static void text_reserve(text *t, size_t more)
{
    if (t->length + more + 1 <= t->room)
        return;
    size_t room = t->room ? t->room : 128;
    while (room < t->length + more + 1)
        room *= 2;
    char *bytes = arena_alloc(t->memory, room);
    if (t->length)
        memcpy(bytes, t->bytes, t->length);
    t->bytes = bytes;
    t->room = room;
}

void text_add_bytes(text *t, const char *bytes, size_t length)
{
    text_reserve(t, length);
    if (length)
        memcpy(t->bytes + t->length, bytes, length);
    t->length += length;
    t->bytes[t->length] = '\0';
}

void text_add(text *t, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length > 0) {
        text_reserve(t, (size_t)length);
        vsnprintf(t->bytes + t->length, (size_t)length + 1, format, again);
        t->length += (size_t)length;
    }
    va_end(again);
}

const char *text_done(text *t)
{
    text_reserve(t, 0);
    return t->bytes;
}
