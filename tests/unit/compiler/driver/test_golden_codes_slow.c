/* Every code has its page, whose wrong example causes it and whose right one has no error, and a golden case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "support/checked.h"

/* What no example can show: files too large for a page, and what the text of a plan has no part in. */
static const char *const without_example[] = {
    "E0107",          /* a file too large: test_parse.c */
    "E0239",          /* --set: tests/unit/compiler/sema */
    "E0240",          /* a plan asked for by name: tests/unit/compiler/sema */
    "E0340",          /* the text of a collective program: tests/unit/compiler/coll */
    "E0404", "E0405", /* files of weights: tests/run/published.sh */
    "E0520", "E0521", "E0522", "E0523", "E0524", /* linking, files, the code generator */
    "E0920", /* an operator that has no code yet: those become fewer */
};

static bool has_no_example(const char *code)
{
    for (size_t i = 0; i < sizeof without_example / sizeof *without_example; i++)
        if (strcmp(without_example[i], code) == 0)
            return true;
    return false;
}

/* The text between "```plan wrong" and "```"; NULL: there is none. */
static const char *fenced(arena *a, const char *page, const char *opening)
{
    const char *begin = strstr(page, opening);
    if (!begin)
        return NULL;
    begin = strchr(begin, '\n') + 1;
    const char *end = strstr(begin, "\n```");
    return end ? arena_copy_text(a, begin, (size_t)(end + 1 - begin)) : NULL;
}

static const char *all_errors(arena *a, const checked *c)
{
    size_t count;
    const diag *const *all = diag_ordered(c->diags, &count);
    text t = text_in(a);
    for (size_t i = 0; i < count; i++)
        text_add(&t, "%s %s; ", diag_code_text(all[i]->code), all[i]->message);
    return text_done(&t);
}

static void check_examples(arena *a, const char *code, const char *page, text *faults)
{
    const char *wrong = fenced(a, page, "```plan wrong"), *right = fenced(a, page, "```plan right");
    if (!wrong && !has_no_example(code))
        text_add(faults, "%s: the page shows nothing wrong\n", code);
    if (!right && !has_no_example(code))
        text_add(faults, "%s: the page shows nothing right\n", code);
    if (wrong) {
        checked c = checked_whole("docs/wrong.plan", wrong, strlen(wrong));
        const char *errors = all_errors(a, &c);
        if (strncmp(errors, code, 5) != 0 || diag_error_count(c.diags) != 1)
            text_add(faults, "%s: the wrong example gives: %s\n", code, errors);
        checked_free(&c);
    }
    if (right) {
        checked c = checked_whole("docs/right.plan", right, strlen(right));
        if (diag_error_count(c.diags) != 0)
            text_add(faults, "%s: the right example gives: %s\n", code, all_errors(a, &c));
        checked_free(&c);
    }
}

static void check_page(arena *a, diag_code which, text *faults)
{
    const char *code = diag_code_text(which);
    size_t length;
    char *page =
        read_whole_file(arena_format(a, TEST_SOURCE_DIR "/docs/codes/%s.md", code), &length);
    if (!page) {
        text_add(faults, "%s (%s): no page\n", code, diag_code_title(which));
        return;
    }
    const char *heading = arena_format(a, "# %s: %s\n", code, diag_code_title(which));
    if (strncmp(page, heading, strlen(heading)) != 0)
        text_add(faults, "%s: the page is not headed '%s'\n", code, diag_code_title(which));
    check_examples(a, code, page, faults);
    free(page);
}

static void every_code_has_a_page_that_holds(void **state)
{
    (void)state;
    arena *a = arena_new();
    text faults = text_in(a);
    for (int i = 0; i < DIAG_CODE_COUNT; i++)
        check_page(a, (diag_code)i, &faults);
    if (faults.length > 0) {
        print_error("%s", text_done(&faults));
        fail();
    }
    print_message("%d codes\n", DIAG_CODE_COUNT);
    arena_free(a);
}

static const char *all_cases(arena *a)
{
    text t = text_in(a);
    path_list paths = files_below(a, TEST_SOURCE_DIR "/tests/golden/diag", ".plan");
    for (size_t i = 0; i < paths.count; i++) {
        size_t length;
        char *bytes = read_whole_file(paths.items[i], &length);
        text_add(&t, "%s\n", bytes);
        free(bytes);
    }
    return text_done(&t);
}

static void every_code_has_a_golden_case(void **state)
{
    (void)state;
    arena *a = arena_new();
    const char *cases = all_cases(a);
    text missing = text_in(a);
    for (int i = 0; i < DIAG_CODE_COUNT; i++) {
        const char *code = diag_code_text((diag_code)i);
        if (!has_no_example(code) && !strstr(cases, arena_format(a, "#! error %s", code)))
            text_add(&missing, "%s ", code);
    }
    size_t expected = 0;
    for (const char *at = cases; (at = strstr(at, "#! error ")); at++)
        expected++;
    print_message("%zu golden diagnostics\n", expected);
    if (missing.length > 0) {
        print_error("without a golden case: %s\n", text_done(&missing));
        fail();
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_page_that_holds),
        cmocka_unit_test(every_code_has_a_golden_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
