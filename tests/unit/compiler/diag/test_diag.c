/* diag/: places, printing, JSON, suggestions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "diag/diag_json.h"
#include "diag/suggest.h"

typedef struct fixture {
    arena *memory;
    source_set *sources;
    diag_sink *sink;
} fixture;

static fixture fixture_with(const char *bytes)
{
    fixture f = {.memory = arena_new()};
    f.sources = source_set_new(f.memory);
    f.sink = diag_sink_new(f.memory, f.sources);
    source_add(f.sources, "gpt.plan", bytes, strlen(bytes));
    return f;
}

static const char *printed(const fixture *f, bool colour)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);
    diag_print(f->sink, out, colour);
    fclose(out);
    const char *kept = arena_copy_text(f->memory, bytes, length);
    free(bytes);
    return kept;
}

static span at(uint32_t begin, uint32_t end)
{
    return (span){0, begin, end};
}

static void expect_place(const fixture *f, uint32_t begin, uint32_t end, int line, int column,
                         int end_line, int end_column)
{
    source_place p = source_locate(f->sources, at(begin, end));
    assert_int_equal(p.line, line);
    assert_int_equal(p.column, column);
    assert_int_equal(p.end_line, end_line);
    assert_int_equal(p.end_column, end_column);
}

static void places_count_lines_and_characters(void **state)
{
    (void)state;
    fixture f = fixture_with("ab\n\xc3\xa4\xe2\x82\xac x\n");
    expect_place(&f, 0, 2, 1, 1, 1, 3);
    expect_place(&f, 3, 5, 2, 1, 2, 2);
    expect_place(&f, 9, 10, 2, 4, 2, 5);
    expect_place(&f, 1, 9, 1, 2, 2, 4);
    expect_place(&f, 11, 11, 3, 1, 3, 1);
    assert_string_equal(source_locate(f.sources, SPAN_NONE).path, "");
    assert_string_equal(source_line_name(f.sources, at(9, 10), f.memory), "gpt.plan:2");
    size_t length;
    assert_memory_equal(source_line(f.sources, 0, 1, &length), "ab", 2);
    assert_int_equal(length, 2);
    source_line(f.sources, 0, 3, &length);
    assert_int_equal(length, 0);
    arena_free(f.memory);
}

static void the_example_of_the_language_is_printed(void **state)
{
    (void)state;
    fixture f = fixture_with("  mesh tp = 4\n  split      A, F, V over tp\n");
    diag *d = diag_report(f.sink, E0214, at(27, 28),
                          "axis '%s' of %d does not divide dimension '%s' of %d", "tp", 4, "A", 10);
    diag_label(d, "'A' = %d", 10);
    diag_note(d, at(7, 9), "axis 'tp' declared here");
    diag_fix(d, "tp = 2 or 5, or A = 8 or 12");
    assert_string_equal(
        printed(&f, false),
        "gpt.plan:2:14: error: axis 'tp' of 4 does not divide dimension 'A' of 10 [E0214]\n"
        "    2 |   split      A, F, V over tp\n"
        "      |              ^ 'A' = 10\n"
        "gpt.plan:1:8: note: axis 'tp' declared here\n"
        "fix: tp = 2 or 5, or A = 8 or 12\n");
    assert_non_null(strstr(printed(&f, true), "\033[1;31merror:\033[0m"));
    arena_free(f.memory);
}

static void spans_are_underlined_where_they_stand(void **state)
{
    (void)state;
    fixture f = fixture_with("\tx = \xc3\xa4\xc3\xa4 + f(1,\n  2)\n");
    diag_report(f.sink, E0101, at(5, 9), "wide");
    diag_report(f.sink, E0102, at(12, 20), "two lines");
    diag_report(f.sink, E0103, at(16, 16), "behind");
    assert_string_equal(printed(&f, false), "gpt.plan:1:6: error: wide [E0101]\n"
                                            "    1 | \tx = \xc3\xa4\xc3\xa4 + f(1,\n"
                                            "      | \t    ^~\n"
                                            "gpt.plan:1:11: error: two lines [E0102]\n"
                                            "    1 | \tx = \xc3\xa4\xc3\xa4 + f(1,\n"
                                            "      | \t         ^~~~\n"
                                            "gpt.plan:1:15: error: behind [E0103]\n"
                                            "    1 | \tx = \xc3\xa4\xc3\xa4 + f(1,\n"
                                            "      | \t             ^\n");
    arena_free(f.memory);
}

static void hostile_lines_are_shown_harmlessly(void **state)
{
    (void)state;
    char line[2000];
    memset(line, 'y', sizeof line);
    memcpy(line + 1000, "HERE\033[31m\xff", 10);
    line[sizeof line - 1] = '\0';
    fixture f = fixture_with(line);
    diag_report(f.sink, E0101, at(1000, 1004), "far out");
    const char *shown = printed(&f, false);
    assert_null(strchr(shown, '\033'));
    assert_null(strchr(shown, '\xff'));
    assert_true(strlen(shown) < 500);
    const char *here = strstr(shown, "HERE"), *mark = strstr(shown, "^~~~");
    assert_non_null(here);
    const char *above = strstr(shown, "    1 | "), *below = strstr(shown, "      | ");
    assert_int_equal(here - above, mark - below);
    arena_free(f.memory);
}

static void errors_are_ordered_and_at_most_twenty(void **state)
{
    (void)state;
    fixture f = fixture_with("0123456789012345678901234567890\n");
    for (uint32_t i = 30; i > 0; i--)
        diag_report(f.sink, E0102, at(i, i + 1), "number %u", i);
    assert_null(diag_report(f.sink, E0102, at(7, 8), "number 7"));
    assert_int_equal(diag_error_count(f.sink), 30);
    const char *shown = printed(&f, false);
    assert_true(strncmp(shown, "gpt.plan:1:2: error: number 1 ", 30) == 0);
    assert_non_null(strstr(shown, "number 20 "));
    assert_null(strstr(shown, "number 21 "));
    assert_non_null(strstr(shown, "\n10 more errors\n"));
    size_t count;
    const diag *const *all = diag_ordered(f.sink, &count);
    for (size_t i = 1; i < count; i++)
        assert_true(all[i - 1]->at.begin < all[i]->at.begin);
    arena_free(f.memory);
}

static void more_than_are_kept_are_counted(void **state)
{
    (void)state;
    fixture f = fixture_with("x\n");
    for (int i = 0; i < 3 * DIAG_KEPT; i++) {
        diag *d = diag_report(f.sink, E0102, at(0, 1), "number %d", i);
        diag_note(d, at(0, 1), "note");
        diag_label(d, "label");
        diag_fix_edit(d, at(0, 1), "y", "fix");
    }
    assert_int_equal(diag_error_count(f.sink), 3 * DIAG_KEPT);
    assert_non_null(strstr(printed(&f, false), "2980 more errors"));
    arena_free(f.memory);
}

static void an_error_without_a_place_has_none(void **state)
{
    (void)state;
    fixture f = fixture_with("x\n");
    diag_report(f.sink, E0102, SPAN_NONE, "nowhere");
    assert_string_equal(printed(&f, false), "espalier: error: nowhere [E0102]\n");
    arena_free(f.memory);
}

static int number_in(const cJSON *object, const char *outer, const char *inner)
{
    return cJSON_GetObjectItem(cJSON_GetObjectItem(object, outer), inner)->valueint;
}

static void json_has_the_shape_of_the_protocol(void **state)
{
    (void)state;
    fixture f = fixture_with("a\n\xf0\x9f\x8c\xb3\xc3\xa4 b\n");
    diag *d = diag_report(f.sink, E0214, at(9, 10), "it is \"b\"");
    diag_note(d, at(0, 1), "a is here");
    diag_fix_edit(d, at(9, 10), "c", "write 'c'");
    cJSON *array = diag_file_json(f.sink, 0);
    assert_int_equal(cJSON_GetArraySize(array), 1);
    cJSON *one = cJSON_GetArrayItem(array, 0), *range = cJSON_GetObjectItem(one, "range");
    assert_int_equal(number_in(range, "start", "line"), 1);
    assert_int_equal(number_in(range, "start", "character"), 4); /* a tree is two units of UTF-16 */
    assert_int_equal(number_in(range, "end", "character"), 5);
    assert_string_equal(cJSON_GetObjectItem(one, "code")->valuestring, "E0214");
    assert_string_equal(cJSON_GetObjectItem(one, "message")->valuestring, "it is \"b\"");
    assert_int_equal(cJSON_GetObjectItem(one, "severity")->valueint, 1);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(one, "relatedInformation")), 1);
    cJSON *fix =
        cJSON_GetArrayItem(cJSON_GetObjectItem(cJSON_GetObjectItem(one, "data"), "fixes"), 0);
    assert_string_equal(
        cJSON_GetObjectItem(cJSON_GetObjectItem(fix, "edit"), "newText")->valuestring, "c");
    cJSON_Delete(array);
    arena_free(f.memory);
}

static const char *best_of(const char *name, const char *const *candidates)
{
    suggestion s = suggest_for(name);
    for (; *candidates; candidates++)
        suggest_offer(&s, *candidates);
    return s.best;
}

static void the_nearest_name_is_suggested(void **state)
{
    (void)state;
    static const char *const names[] = {"linear", "relu", "gelu", "softmax",
                                        "conv2d", "B",    "dp",   NULL};
    assert_int_equal(suggest_distance("lineer", "linear"), 1);
    assert_int_equal(suggest_distance("lniear", "linear"), 1);
    assert_int_equal(suggest_distance("", "abc"), 3);
    assert_int_equal(suggest_distance("kitten", "sitting"), 3);
    assert_string_equal(best_of("lineer", names), "linear");
    assert_string_equal(best_of("Relu", names), "relu");
    assert_string_equal(best_of("rleu", names), "relu");
    assert_string_equal(best_of("sofmax", names), "softmax");
    assert_string_equal(best_of("DP", names), "dp");
    assert_null(best_of("attention", names));
    assert_null(best_of("C", names));
    assert_null(
        best_of("linearlinearlinearlinearlinearlinearlinearlinearlinearlinearlinear", names));
}

static void codes_have_texts(void **state)
{
    (void)state;
    diag_code code;
    assert_true(diag_code_find("e0214", &code));
    assert_int_equal(code, E0214);
    assert_false(diag_code_find("E9999", &code));
    for (int i = 0; i < DIAG_CODE_COUNT; i++) {
        assert_true(diag_code_find(diag_code_text((diag_code)i), &code));
        assert_int_equal(code, i);
        assert_true(strlen(diag_code_title((diag_code)i)) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_count_lines_and_characters),
        cmocka_unit_test(the_example_of_the_language_is_printed),
        cmocka_unit_test(spans_are_underlined_where_they_stand),
        cmocka_unit_test(hostile_lines_are_shown_harmlessly),
        cmocka_unit_test(errors_are_ordered_and_at_most_twenty),
        cmocka_unit_test(more_than_are_kept_are_counted),
        cmocka_unit_test(an_error_without_a_place_has_none),
        cmocka_unit_test(json_has_the_shape_of_the_protocol),
        cmocka_unit_test(the_nearest_name_is_suggested),
        cmocka_unit_test(codes_have_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
