/* utf8.h against iconv: what iconv takes for a character is written as it is, unless it is a control character; every other byte
 * as \xHH. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static iconv_t converter;

/* Bytes of the character at `at`, 0 where iconv sees none; its number in *code. */
static size_t character(const uint8_t *at, size_t left, uint32_t *code)
{
    for (size_t n = 1; n <= 4 && n <= left; n++) {
        char bytes[4], *in = bytes, *out = (char *)code;
        size_t in_left = n, out_left = sizeof *code;
        memcpy(bytes, at, n);
        iconv(converter, NULL, NULL, NULL, NULL);
        if (iconv(converter, &in, &in_left, &out, &out_left) == 0 && in_left == 0 && out_left == 0)
            return n;
    }
    return 0;
}

static size_t expected(const uint8_t *bytes, size_t count, char *out)
{
    size_t length = 0;
    for (size_t i = 0; i < count;) {
        uint32_t code = 0;
        size_t n = character(bytes + i, count - i, &code);
        bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
        if (n && (!control || code == '\n' || code == '\t')) {
            memcpy(out + length, bytes + i, n);
            length += n;
            i += n;
            continue;
        }
        for (size_t k = 0; k < (n ? n : 1); k++)
            length += (size_t)sprintf(out + length, "\\x%02x", bytes[i++]);
    }
    return length;
}

static void compare(const uint8_t *bytes, size_t count)
{
    static char wanted[4096];
    char *found = NULL;
    size_t length = 0, right = expected(bytes, count, wanted);
    FILE *out = open_memstream(&found, &length);
    rt_utf8 text = {.out = out};
    for (size_t i = 0; i < count; i++)
        rt_utf8_put(&text, bytes[i]);
    rt_utf8_end(&text);
    fclose(out);
    assert_int_equal(length, right);
    assert_memory_equal(found, wanted, right);
    free(found);
}

static void every_sequence_of_two_bytes(void **state)
{
    (void)state;
    for (int a = 0; a < 256; a++)
        for (int b = 0; b < 256; b++)
            compare((uint8_t[]){(uint8_t)a, (uint8_t)b, 'x'}, 3);
}

/* Bytes at the ends of the ranges of Unicode's table 3-7, in all orders. */
static void ends_of_ranges(void **state)
{
    (void)state;
    static const uint8_t ends[] = {'a',  0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2,
                                   0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5};
    enum { ENDS = sizeof ends };
    for (int i = 0; i < ENDS * ENDS * ENDS * ENDS; i++)
        compare((uint8_t[]){ends[i / ENDS / ENDS / ENDS], ends[i / ENDS / ENDS % ENDS],
                            ends[i / ENDS % ENDS], ends[i % ENDS]},
                4);
}

static void random_bytes(void **state)
{
    (void)state;
    uint64_t random = 3;
    for (int n = 0; n < 2000; n++) {
        uint8_t bytes[200];
        for (size_t i = 0; i < sizeof bytes; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            bytes[i] = (uint8_t)(random >> 33) | (random >> 62 ? 0x80 : 0);
        }
        compare(bytes, sizeof bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sequence_of_two_bytes),
        cmocka_unit_test(ends_of_ranges),
        cmocka_unit_test(random_bytes),
    };
    converter = iconv_open("UTF-32LE", "UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
