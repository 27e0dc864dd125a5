/* base/json_read.h and number.h: skipping a text agrees with what the writer makes of it, numbers agree with strtod. */
#include <stdlib.h>
#include <string.h>

#include "base/json_line.h"
#include "base/json_read.h"
#include "base/number.h"
#include "fuzz.h"

/* A string that reads is written and read back the same, unless it was not UTF-8. */
static void round_trip(const char *text)
{
    rt_json_line line = {0};
    rt_json_begin(&line);
    rt_json_text(&line, "k", text);
    fuzz_require(rt_json_finish(&line, NULL) == RT_OK, "no memory");
    rt_json_reader r = rt_json_reader_of(line.text, line.length);
    char key[8], *back = malloc(line.length + 1);
    bool first = true;
    fuzz_require(back && rt_json_enter(&r, '{') && rt_json_more(&r, '}', &first) &&
                     rt_json_key(&r, key, sizeof key) &&
                     rt_json_read_text(&r, back, line.length + 1),
                 "a written text cannot be read");
    if (!strstr(back, "\xef\xbf\xbd"))
        fuzz_require(strcmp(text, back) == 0, "a text changed on the way");
    free(back);
    rt_json_free(&line);
}

static void numbers(const char *text, size_t size)
{
    double value;
    int64_t whole;
    if (rt_parse_double(text, size, &value) && size < 100) {
        char copy[100];
        memcpy(copy, text, size);
        copy[size] = '\0';
        double expected = strtod(copy, NULL);
        fuzz_require(memcmp(&value, &expected, sizeof value) == 0 || value != value,
                     "a number is not strtod's");
    }
    if (rt_parse_int64(text, size, &whole))
        fuzz_require(rt_parse_double(text, size, &value) && (double)whole == value,
                     "a whole number has two values");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *text = (const char *)bytes;
    rt_json_reader r = rt_json_reader_of(text, size);
    bool whole = rt_json_skip(&r) && rt_json_at_end(&r);
    fuzz_require(whole == !r.problem && rt_json_offset(&r) <= size, "a place outside the text");
    char *string = malloc(size + 1);
    fuzz_require(string != NULL, "no memory");
    r = rt_json_reader_of(text, size);
    if (rt_json_read_text(&r, string, size + 1))
        round_trip(string);
    free(string);
    numbers(text, size);
    return 0;
}
