/* parse/format.h: formatting twice is formatting once, and the tree stays the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "parse/format.h"
#include "support/checked.h"
#include "support/random_plan.h"

typedef struct formatted {
    ast_node *tree;
    const char *text; /* NULL: has errors */
} formatted;

static formatted format_bytes(arena *a, const char *bytes)
{
    source_set *sources = source_set_new(a);
    parse_context context = {a, atom_table_new(a), sources, diag_sink_new(a, sources)};
    int file = source_add(sources, "a.plan", bytes, strlen(bytes));
    formatted f = {parse_file(&context, file), format_file(&context, file)};
    return f;
}

/* The comments in their order, a line each, without the blanks that end them. */
static const char *comments_of(arena *a, const char *bytes)
{
    text found = text_in(a);
    for (const char *at = bytes; *at; at++) {
        if (*at == '"') {
            for (at++; *at && *at != '"'; at++)
                at += *at == '\\' && at[1];
        } else if (*at == '#') {
            size_t length = strcspn(at, "\n"), kept = length;
            while (strchr(" \t\r", at[kept - 1]))
                kept--;
            text_add(&found, "%.*s\n", (int)kept, at);
            at += length - 1;
        }
    }
    return text_done(&found);
}

/* False: the file has errors and no canonical form. */
static bool check_format(const char *name, const char *bytes)
{
    arena *a = arena_new();
    formatted once = format_bytes(a, bytes);
    if (!once.text) {
        arena_free(a);
        return false;
    }
    formatted twice = format_bytes(a, once.text);
    if (!twice.text)
        fail_msg("%s: the formatted file has errors\n%s\n-->\n%s", name, bytes, once.text);
    if (strcmp(once.text, twice.text) != 0)
        fail_msg("%s: not the same again\n%s\n-->\n%s\n-->\n%s", name, bytes, once.text,
                 twice.text);
    if (!ast_equal(once.tree, twice.tree))
        fail_msg("%s: another tree\n%s\n-->\n%s", name, bytes, once.text);
    if (strcmp(comments_of(a, bytes), comments_of(a, once.text)) != 0)
        fail_msg("%s: other comments\n%s\n-->\n%s", name, bytes, once.text);
    arena_free(a);
    return true;
}

static void every_plan_file_keeps_its_tree(void **state)
{
    (void)state;
    static const char *const folders[] = {"/tests", "/stdlib", "/examples"};
    arena *a = arena_new();
    size_t formatted_files = 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        path_list paths =
            files_below(a, arena_format(a, TEST_SOURCE_DIR "%s", folders[i]), ".plan");
        for (size_t k = 0; k < paths.count; k++) {
            size_t length;
            char *bytes = read_whole_file(paths.items[k], &length);
            formatted_files += check_format(paths.items[k], bytes);
            free(bytes);
        }
    }
    print_message("%zu files\n", formatted_files);
    assert_true(formatted_files >= 5);
    arena_free(a);
}

static void random_plans_keep_their_tree(void **state)
{
    (void)state;
    enum { PLANS = 3000 };
    int formatted_plans = 0;
    for (uint64_t seed = 0; seed < PLANS; seed++) {
        arena *a = arena_new();
        formatted_plans +=
            check_format(arena_format(a, "seed %d", (int)seed), random_plan(a, seed));
        arena_free(a);
    }
    print_message("%d of %d random plans\n", formatted_plans, PLANS);
    assert_true(formatted_plans >= PLANS * 99 / 100);
}

static void expect_format(const char *written, const char *canonical)
{
    arena *a = arena_new();
    formatted f = format_bytes(a, written);
    assert_non_null(f.text);
    assert_string_equal(f.text, canonical);
    arena_free(a);
}

static void blanks_and_columns_are_canonical(void **state)
{
    (void)state;
    expect_format("plan p for t on c{mesh dp=4;split B over dp}",
                  "plan p for t on c { mesh dp = 4; split B over dp }\n");
    expect_format(
        "plan p for t on c {\nmesh dp=4\n   reduce grad over dp by ring # why\n clip 1 # so\n}",
        "plan p for t on c {\n  mesh   dp = 4\n  reduce grad over dp by ring  # why\n"
        "  clip   1                     # so\n}\n");
    expect_format("model m(H:dim)\n{ y=f( -x,a-b , n - 1,2*3 )\n\n\n\n  loss = [ 1,2 ]\n}\n",
                  "model m(H: dim) {\n  y = f(-x, a-b, n - 1, 2*3)\n\n  loss = [1, 2]\n}\n");
    expect_format("cluster c { gpu g[4] { memory 80GiB,  bandwidth 3.35TB/s } }",
                  "cluster c { gpu g[4] { memory 80 GiB, bandwidth 3.35 TB/s } }\n");
    expect_format("model m {\n y = f(1,\n 2,\n # two\n 3)\n}\n",
                  "model m {\n  y = f(1,\n        2,\n        # two\n        3)\n}\n");
    expect_format("model m {\n y = f(\n 1,\n 2\n )\n}\n",
                  "model m {\n  y = f(\n    1,\n    2\n  )\n}\n");
    expect_format("layer l(b) {\n if b { y = 1 }\n else { y = 2 }\n}\n",
                  "layer l(b) {\n  if b { y = 1 }\n  else { y = 2 }\n}\n");
    expect_format("layer l(b) {\n if b { y = 1\n }\n else { y = 2 }\n}\n",
                  "layer l(b) {\n  if b {\n    y = 1\n  } else { y = 2 }\n}\n");
    expect_format("train t for m { # first\n batch 3 }\n",
                  "train t for m {  # first\n  batch 3\n}\n");
    expect_format("train t for m # first\n{ batch 20 % }\n",
                  "train t for m {  # first\n  batch 20%\n}\n");
    expect_format("", "");
    expect_format("\n\n\n# alone  \n\n\n", "# alone\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_plan_file_keeps_its_tree),
        cmocka_unit_test(random_plans_keep_their_tree),
        cmocka_unit_test(blanks_and_columns_are_canonical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
