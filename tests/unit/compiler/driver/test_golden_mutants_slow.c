/* One mistake, one error: each token of the digits example, taken out or written twice, gives at most one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "parse/tokens.h"
#include "support/checked.h"

static int mutants, wrong_ones;

static void check_mutant(const char *bytes, text *faults)
{
    checked c = checked_whole("mutant.plan", bytes, strlen(bytes));
    int errors = diag_error_count(c.diags);
    mutants++;
    wrong_ones += errors > 0;
    if (errors > 1) {
        size_t count;
        const diag *const *all = diag_ordered(c.diags, &count);
        for (size_t i = 0; i < count; i++)
            text_add(faults, "%d: %s\n", source_locate(c.sources, all[i]->at).line,
                     all[i]->message);
        text_add(faults, "--\n");
    }
    checked_free(&c);
}

static bool is_code(const char *bytes, const token *t)
{
    return t->end > t->begin && bytes[t->begin] != '#' && bytes[t->begin] != '\n';
}

static void mutate(arena *a, const char *bytes, const token *t, bool twice, text *faults)
{
    text mutant = text_in(a);
    text_add_bytes(&mutant, bytes, twice ? t->end : t->begin);
    if (twice) {
        text_add(&mutant, " ");
        text_add_bytes(&mutant, bytes + t->begin, t->end - t->begin);
    }
    text_add(&mutant, "%s", bytes + t->end);
    check_mutant(text_done(&mutant), faults);
}

static void a_token_too_few_or_too_many_is_one_error(void **state)
{
    (void)state;
    arena *a = arena_new();
    source_set *sources = source_set_new(a);
    parse_context context = {a, atom_table_new(a), sources, diag_sink_new(a, sources)};
    int file = source_read(sources, TEST_SOURCE_DIR "/tests/golden/language/digits.plan");
    assert_int_equal(file, 0);
    token_list list = {.memory = a};
    assert_true(parse_tokens(&context, file, &list, false));
    text faults = text_in(a);
    for (size_t i = 0; i < list.count; i++) {
        if (!is_code(list.bytes, &list.items[i]))
            continue;
        mutate(a, list.bytes, &list.items[i], false, &faults);
        mutate(a, list.bytes, &list.items[i], true, &faults);
    }
    print_message("%d mutants, %d of them wrong\n", mutants, wrong_ones);
    assert_true(wrong_ones > mutants * 9 / 10);
    if (faults.length > 0)
        fail_msg("%s", text_done(&faults));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_too_few_or_too_many_is_one_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
