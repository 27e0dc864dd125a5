/* base/: status, numbers in text, JSON lines, mapped files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_line.h"
#include "base/mapping.h"
#include "base/number.h"
#include "base/status.h"

static void errors_carry_their_place(void **state)
{
    (void)state;
    rt_error error = {0};
    assert_int_equal(rt_fail(&error, RT_DAMAGED, "line %d: no number", 3), RT_DAMAGED);
    assert_int_equal(rt_error_prefix(&error, "'%s'", "a.csv"), RT_DAMAGED);
    assert_string_equal(error.text, "'a.csv': line 3: no number");
    errno = ENOENT;
    assert_int_equal(rt_fail_errno(&error, RT_IO, "cannot open 'x'"), RT_NOT_FOUND);
    assert_string_equal(error.text, "cannot open 'x': No such file or directory");
    assert_int_equal(rt_fail(NULL, RT_RANGE, "nobody reads this"), RT_RANGE);
    for (int i = 0; i < RT_STATUS_COUNT; i++)
        assert_non_null(rt_status_text((rt_status)i));
}

static void a_long_error_is_cut_not_overrun(void **state)
{
    (void)state;
    rt_error error = {0};
    char text[3000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    rt_fail(&error, RT_IO, "%s", text);
    for (int i = 0; i < 4; i++)
        rt_error_prefix(&error, "%s", text);
    assert_int_equal(strlen(error.text), RT_ERROR_TEXT - 1);
}

static void numbers_equal_strtod(void **state)
{
    (void)state;
    static const char *const texts[] = {"0",
                                        "-0",
                                        "1",
                                        "+7",
                                        "16",
                                        "0.0625",
                                        "3.",
                                        ".5",
                                        "1e3",
                                        "-1.5E-3",
                                        "123456789012345678",
                                        "0.1",
                                        "0.30000000000000004",
                                        "1e308",
                                        "4.9e-324",
                                        "9007199254740993",
                                        "2.2250738585072011e-308",
                                        "99999999999999999999999999",
                                        " 12 ",
                                        "inf",
                                        "-inf",
                                        "123456.789012345"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double value, expected = strtod(texts[i], NULL);
        assert_true(rt_parse_double(texts[i], strlen(texts[i]), &value));
        assert_memory_equal(&value, &expected, sizeof value);
    }
    double value;
    assert_true(rt_parse_double("nan", 3, &value));
    assert_true(isnan(value));
    static const char *const wrong[] = {"",     " ",  "-",   ".",   "1..2", "1,5",
                                        "0x10", "1e", "1 2", "abc", "--1",  "nan(1)"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(rt_parse_double(wrong[i], strlen(wrong[i]), &value));
}

static void integers_stop_at_64_bits(void **state)
{
    (void)state;
    int64_t value;
    assert_true(rt_parse_int64("9223372036854775807", 19, &value));
    assert_true(value == INT64_MAX);
    assert_true(rt_parse_int64("-9223372036854775808", 20, &value));
    assert_true(value == INT64_MIN);
    assert_false(rt_parse_int64("9223372036854775808", 19, &value));
    assert_false(rt_parse_int64("-9223372036854775809", 20, &value));
    assert_false(rt_parse_int64("99999999999999999999", 20, &value));
    assert_false(rt_parse_int64("1.0", 3, &value));
    assert_false(rt_parse_int64("-", 1, &value));
    assert_true(rt_parse_int64(" 42\r", 4, &value));
    assert_true(value == 42);
}

static void formats_read_back(void **state)
{
    (void)state;
    char text[RT_NUMBER_TEXT];
    uint64_t bits = 1;
    for (int i = 0; i < 20000; i++) {
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        double value, back;
        memcpy(&value, &bits, sizeof value);
        float narrow = (float)ldexp((double)(int64_t)bits, -63 - i % 40);
        if (isfinite(value)) {
            assert_true(rt_parse_double(text, rt_format_double(value, text), &back));
            assert_true(back == value);
        }
        assert_true(rt_parse_double(text, rt_format_float(narrow, text), &back));
        assert_true((float)back == narrow);
    }
    rt_format_float(0.1f, text);
    assert_string_equal(text, "0.1");
    rt_format_double(-INFINITY, text);
    assert_string_equal(text, "-inf");
}

static void json_is_escaped(void **state)
{
    (void)state;
    rt_json_line line = {0};
    for (int round = 0; round < 2; round++) {
        rt_json_begin(&line);
        rt_json_int(&line, "a", -3);
        rt_json_float(&line, "nan", NAN);
        rt_json_double(&line, "half", 0.5);
        rt_json_text(&line, "t\"", "q\"\\\n\x01\xc3\xa9\xff\xed\xa0\x80");
        rt_json_open(&line, "list", '[');
        rt_json_uint(&line, NULL, UINT64_MAX);
        rt_json_bool(&line, NULL, true);
        rt_json_open(&line, NULL, '{');
        rt_json_close(&line, '}');
        rt_json_close(&line, ']');
        assert_int_equal(rt_json_finish(&line, NULL), RT_OK);
        assert_string_equal(line.text,
                            "{\"a\": -3, \"nan\": null, \"half\": 0.5, "
                            "\"t\\\"\": \"q\\\"\\\\\\n\\u0001\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd"
                            "\xef\xbf\xbd\xef\xbf\xbd\", "
                            "\"list\": [18446744073709551615, true, {}]}");
    }
    FILE *file = tmpfile();
    rt_json_begin(&line);
    assert_int_equal(rt_json_end(&line, file, NULL), RT_OK);
    rewind(file);
    char back[8] = "";
    assert_non_null(fgets(back, sizeof back, file));
    assert_string_equal(back, "{}\n");
    fclose(file);
    rt_json_free(&line);
}

static void files_are_mapped_or_refused(void **state)
{
    (void)state;
    rt_mapping map;
    rt_error error;
    assert_int_equal(rt_map_file("/nonexistent/file", &map, &error), RT_NOT_FOUND);
    assert_non_null(strstr(error.text, "/nonexistent/file"));
    assert_int_equal(rt_map_file("/", &map, &error), RT_IO);
    char path[] = "/tmp/espalier-map-XXXXXX";
    int file = mkstemp(path);
    assert_int_equal(rt_map_file(path, &map, &error), RT_OK);
    assert_int_equal(map.size, 0);
    rt_unmap(&map);
    assert_int_equal(write(file, "hello", 5), 5);
    assert_int_equal(rt_map_file(path, &map, &error), RT_OK);
    assert_int_equal(map.size, 5);
    assert_memory_equal(map.bytes, "hello", 5);
    rt_unmap(&map);
    close(file);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_carry_their_place),
        cmocka_unit_test(a_long_error_is_cut_not_overrun),
        cmocka_unit_test(numbers_equal_strtod),
        cmocka_unit_test(integers_stop_at_64_bits),
        cmocka_unit_test(formats_read_back),
        cmocka_unit_test(json_is_escaped),
        cmocka_unit_test(files_are_mapped_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
