/* driver/options: the command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "driver/options.h"

static bool parse(options *o, const char *said, char *const *argv)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    char *text = NULL;
    size_t length = 0;
    FILE *errors = open_memstream(&text, &length);
    bool fine = options_parse(o, argc, argv, errors);
    fclose(errors);
    if (!fine && !strstr(text, said))
        fail_msg("'%s' is not in '%s'", said, text);
    free(text);
    return fine;
}

#define ARGV(...) ((char *const[]){(char *)"espalier", __VA_ARGS__, NULL})

static void values_follow_or_are_joined(void **state)
{
    (void)state;
    options o;
    assert_true(parse(&o, "", ARGV("run", "--metrics", "m.jsonl", "a.plan:four", "--cpu=native")));
    assert_int_equal(o.command, COMMAND_RUN);
    assert_string_equal(o.value[OPTION_METRICS], "m.jsonl");
    assert_string_equal(o.value[OPTION_CPU], "native");
    assert_int_equal(o.operand_count, 1);
    assert_string_equal(o.operands[0], "a.plan:four");
    assert_null(o.rest[0]);
}

static void sets_gather(void **state)
{
    (void)state;
    options o;
    assert_true(parse(&o, "", ARGV("check", "--set", "H=64", "--set=batch=32", "a.plan")));
    assert_int_equal(o.set_count, 2);
    assert_string_equal(o.sets[0], "H=64");
    assert_string_equal(o.sets[1], "batch=32");
}

static void what_follows_two_dashes_is_left_alone(void **state)
{
    (void)state;
    options o;
    assert_true(parse(&o, "", ARGV("run", "a.plan", "--", "--metrics", "x")));
    assert_int_equal(o.operand_count, 1);
    assert_null(o.value[OPTION_METRICS]);
    assert_string_equal(o.rest[0], "--metrics");
    assert_string_equal(o.rest[1], "x");
    assert_null(o.rest[2]);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    options o;
    assert_false(parse(&o, "no such command: 'trian'", ARGV("trian")));
    assert_false(parse(&o, "no such option: '--metric'", ARGV("run", "--metric", "x")));
    assert_false(parse(&o, "does not take '--metrics'", ARGV("check", "--metrics", "x")));
    assert_false(parse(&o, "missing after '--cpu'", ARGV("build", "a.plan", "--cpu")));
    assert_false(parse(&o, "takes no value: '--json'", ARGV("explain", "--json=yes", "a.plan")));
    assert_false(parse(&o, "said twice: '--cpu'", ARGV("build", "--cpu=native", "--cpu=native")));
    assert_false(parse(&o, "does not take 'xml'", ARGV("check", "--diagnostics=xml", "a.plan")));
    assert_false(parse(&o, "does not take 'red'", ARGV("check", "--color", "red", "a.plan")));
    assert_true(parse(&o, "", ARGV("check", "--color", "never", "a.plan")));
    assert_false(parse(&o, "NAME=VALUE, not 'H'", ARGV("check", "--set", "H")));
}

static void too_many_words_are_refused(void **state)
{
    (void)state;
    char *argv[OPTIONS_MOST_OPERANDS + 4] = {(char *)"espalier", (char *)"check"};
    for (int i = 0; i < OPTIONS_MOST_OPERANDS + 1; i++)
        argv[i + 2] = (char *)"a.plan";
    options o;
    assert_false(parse(&o, "too many operands", argv));
}

static void every_command_has_a_page(void **state)
{
    (void)state;
    for (int i = 0; i < COMMAND_COUNT; i++) {
        char *text = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&text, &length);
        options_print_command((command_id)i, out);
        fclose(out);
        const char *name = options_command((command_id)i)->name;
        assert_non_null(strstr(text, name));
        assert_int_equal(options_find_command(name), i);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_follow_or_are_joined),
        cmocka_unit_test(sets_gather),
        cmocka_unit_test(what_follows_two_dashes_is_left_alone),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(too_many_words_are_refused),
        cmocka_unit_test(every_command_has_a_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
