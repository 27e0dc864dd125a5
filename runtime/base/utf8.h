/* utf8.h: bytes of a text as they come, written so that a terminal shows them and obeys none.
 *
 *     rt_utf8 text = {.out = stdout};
 *     rt_utf8_put(&text, byte);            // whole characters are written as soon as they are whole
 *     rt_utf8_end(&text);
 *
 * A byte that belongs to no character of UTF-8, and a control character other than newline and tab, is written as \xHH.
 */
#ifndef ESPALIER_RUNTIME_BASE_UTF8_H
#define ESPALIER_RUNTIME_BASE_UTF8_H

#include <stdint.h>
#include <stdio.h>

typedef struct rt_utf8 {
    FILE *out;
    uint8_t bytes[4]; /* of a character that is not whole yet */
    int count;
} rt_utf8;

void rt_utf8_put(rt_utf8 *text, uint8_t byte);
void rt_utf8_end(rt_utf8 *text);

#endif
