/* text.h: text that grows, for printers.
 *
 *     text t = text_in(arena);
 *     text_add(&t, "%s = %d", name, 7);
 *     fputs(text_done(&t), out);
 */
#ifndef ESPALIER_BASE_TEXT_H
#define ESPALIER_BASE_TEXT_H

#include "base/arena.h"

typedef struct text {
    arena *memory;
    char *bytes;
    size_t length;
    size_t room;
} text;

text text_in(arena *a);
void text_add(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(text *t, const char *bytes, size_t length);

/* The NUL-terminated text so far; valid until the next addition. */
const char *text_done(text *t);

#endif
