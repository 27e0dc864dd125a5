/* Every file of tests/golden/diag reports exactly what it says, and the runner notices what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "support/checked.h"
#include "support/golden.h"

static void every_file_reports_what_it_says(void **state)
{
    (void)state;
    arena *a = arena_new();
    path_list paths = files_below(a, TEST_SOURCE_DIR "/tests/golden/diag", ".plan");
    text faults = text_in(a);
    int wrong = 0, edits = 0;
    for (size_t i = 0; i < paths.count; i++) {
        size_t length;
        char *bytes = read_whole_file(paths.items[i], &length);
        assert_non_null(bytes);
        wrong += golden_check(paths.items[i], bytes, length, &faults, &edits);
        free(bytes);
    }
    print_message("%zu files, %d edits applied, %d faults\n", paths.count, edits, wrong);
    if (wrong)
        fail_msg("%s", text_done(&faults));
    assert_true(paths.count > 0 && edits > 0);
    arena_free(a);
}

static int faults_of(const char *bytes)
{
    arena *a = arena_new();
    text faults = text_in(a);
    int edits = 0, count = golden_check("case.plan", bytes, strlen(bytes), &faults, &edits);
    arena_free(a);
    return count;
}

static void the_runner_notices_what_is_wrong(void **state)
{
    (void)state;
    assert_int_equal(faults_of("use nn\n"), 0);
    assert_int_equal(faults_of("use 3  #! error E0102: '3' stands where a name belongs\n"), 0);
    assert_int_equal(faults_of("use 3\n"), 1);
    assert_int_equal(faults_of("use nn #! error E0102: '3'\n"), 1);
    assert_int_equal(faults_of("use 3  #! error E0103: '3' stands\n"), 2);
    assert_int_equal(faults_of("use 3  #! error E0102: '4' stands\n"), 2);
    assert_int_equal(faults_of("use 3  #! error E0102: '3' #! twice\n"), 2);
    assert_int_equal(faults_of("use 3  #! error E0102: '3'\n#! fix: none\n"), 1);
    assert_int_equal(faults_of("use nn #! perhaps\n"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_reports_what_it_says),
        cmocka_unit_test(the_runner_notices_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
