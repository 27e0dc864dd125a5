/* parse/: the examples of the language, where words are free, and files that are not meant well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/checked.h"

static const char *errors_of(arena *a, const checked *c)
{
    size_t count;
    const diag *const *all = diag_ordered(c->diags, &count);
    text t = text_in(a);
    for (size_t i = 0; i < count; i++) {
        source_place p = source_locate(c->sources, all[i]->at);
        text_add(&t, "%d:%d %s; ", p.line, p.column, diag_code_text(all[i]->code));
    }
    return text_done(&t);
}

/* The errors as "line:column code; ", after the tree has been held against ast.def. */
static void expect(const char *bytes, size_t length, const char *errors)
{
    checked c = checked_text("case.plan", bytes, length);
    const char *fault = ast_check(c.file, c.memory);
    if (fault)
        fail_msg("%s", fault);
    assert_string_equal(errors_of(c.memory, &c), errors);
    assert_int_equal(c.file->poisoned, *errors != '\0');
    checked_free(&c);
}

static void expect_text(const char *bytes, const char *errors)
{
    expect(bytes, strlen(bytes), errors);
}

static void the_examples_of_the_language_parse(void **state)
{
    (void)state;
    arena *a = arena_new();
    path_list paths = files_below(a, TEST_SOURCE_DIR "/tests/golden/language", ".plan");
    assert_true(paths.count >= 5);
    for (size_t i = 0; i < paths.count; i++) {
        size_t length;
        char *bytes = read_whole_file(paths.items[i], &length);
        print_message("%s\n", paths.items[i]);
        expect(bytes, length, "");
        free(bytes);
    }
    arena_free(a);
}

/* Rule 9. */
static void clause_words_are_names_elsewhere(void **state)
{
    (void)state;
    static const char *const words[] = {
        "data",   "batch",  "train",   "plan",   "model",  "param", "state", "input",
        "metric", "init",   "below",   "for",    "in",     "on",    "by",    "as",
        "with",   "to",     "from",    "every",  "send",   "link",  "node",  "chunks",
        "split",  "reduce", "updates", "repeat", "return", "use",
    };
    arena *a = arena_new();
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *w = words[i];
        const char *file = arena_format(
            a,
            "model %s(%s: dim) {\n input %s: f32[%s, P]\n %s = relu(%s) + %s * 2\n param %s: [%s] "
            "init %s\n"
            " metric %s = top1(%s, %s = %s)\n return %s\n}\n"
            "train %s for %s(%s = 3) { data csv(\"x\", %s = 3) }\n"
            "plan %s for %s on %s { mesh %s = 4; split %s over %s; place %s over %s }\n"
            "topology %s(%s) { chunks %s; for %s in 0 ..< %s: send %s from %s to %s copy }\n",
            w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w,
            w, w, w, w, w, w);
        checked c = checked_text(w, file, strlen(file));
        if (diag_error_count(c.diags) > 0)
            fail_msg("'%s': %s\n%s", w, errors_of(a, &c), file);
        checked_free(&c);
    }
    arena_free(a);
}

static void statements_end_with_their_line(void **state)
{
    (void)state;
    expect_text("model m {\n y = f(1,\n  2,\n  3)\n z = [1,\n 2]\n}\n", "");
    expect_text("model m { y = 1; z = 2; }\n", "");
    expect_text("model m\n{\n y = 1\n}\nuse nn; use optim\n", "");
    expect_text(
        "layer l(b) { if b { y = 1 }\n else if b == 2 { y = 2 } else { y = 3 }\n return y }\n", "");
    expect_text("model m {\n y = 1 +\n 2\n}\n", "2:9 E0102; ");
    expect_text("model m { y = 1 }\r\nuse nn # why\r\n", "");
    expect_text("\xef\xbb\xbfuse nn\n", "");
    expect_text("", "");
    expect_text("\n\n# nothing\n", "");
    expect_text(";;;\n", "");
}

static ast_node *expression_of(checked *c, const char *written)
{
    const char *file = arena_format(c->memory, "%s", written);
    parse_context context = {c->memory, atom_table_new(c->memory), c->sources, c->diags};
    return parse_expression(&context, source_add(c->sources, "--set", file, strlen(file)));
}

/* Brackets put where the grammar puts them. */
static void bracket(const ast_node *n, text *t)
{
    if (n->kind == AST_BINARY || n->kind == AST_RANGE) {
        text_add(t, "(");
        bracket(n->children[0], t);
        text_add(t, "%s", n->word);
        bracket(n->children[1], t);
        text_add(t, ")");
    } else if (n->kind == AST_UNARY) {
        text_add(t, "(%s ", n->word);
        bracket(n->children[0], t);
        text_add(t, ")");
    } else {
        ast_write(n, t);
    }
}

static void expect_grouping(const char *written, const char *grouped)
{
    checked c = checked_text("empty.plan", "", 0);
    text t = text_in(c.memory);
    ast_node *n = expression_of(&c, written);
    assert_non_null(n);
    bracket(n, &t);
    assert_string_equal(text_done(&t), grouped);
    checked_free(&c);
}

static void operators_group_as_in_arithmetic(void **state)
{
    (void)state;
    expect_grouping("a + b * c - d", "((a+(b*c))-d)");
    expect_grouping("-a ^ 2 * b", "((- (a^2))*b)");
    expect_grouping("2 ^ 3 ^ 4", "(2^(3^4))");
    expect_grouping("0 ..< n - 1", "(0..<(n-1))");
    expect_grouping("not a == b and c or d", "(((not (a==b))andc)ord)");
    expect_grouping("a // 2 % 3", "((a//2)%3)");
    expect_grouping("memory <= 72 GiB", "(memory<=72 GiB)");
    expect_grouping("20% * n % 2", "((20%*n)%2)");
    expect_grouping("block[0..5].w.*", "block[0..5].w.*");
    expect_grouping("if a < 1 then b + 1 else c + 1", "if a < 1 then b + 1 else c + 1");
}

static void an_expression_alone_is_read_or_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "1 +", "1 2", "a = ", ")", "(", "\"x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        checked c = checked_text("empty.plan", "", 0);
        assert_null(expression_of(&c, wrong[i]));
        assert_int_equal(diag_error_count(c.diags), 1);
        checked_free(&c);
    }
}

static void numbers_keep_value_and_unit(void **state)
{
    (void)state;
    static const struct {
        const char *written;
        double value;
    } numbers[] = {{"100_000", 100000},
                   {"3e-4", 3e-4},
                   {"80 GiB", 85899345920.0},
                   {"80GiB", 85899345920.0},
                   {"10 Gb/s", 1.25e9},
                   {"1.5 us", 1.5e-6},
                   {"20%", 0.2},
                   {"989 TFLOP/s", 989e12}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        checked c = checked_text("empty.plan", "", 0);
        ast_node *n = expression_of(&c, numbers[i].written);
        assert_int_equal(n->kind, AST_NUMBER);
        double off = ast_value(n) / numbers[i].value - 1;
        assert_true(off < 1e-15 && off > -1e-15);
        checked_free(&c);
    }
}

/* ------------------------------------------------------------------ ill will */

static char *repeated(arena *a, const char *head, const char *piece, int times, const char *tail)
{
    text t = text_in(a);
    text_add(&t, "%s", head);
    for (int i = 0; i < times; i++)
        text_add(&t, "%s", piece);
    text_add(&t, "%s", tail);
    text_done(&t);
    return t.bytes;
}

static void bytes_that_are_no_text(void **state)
{
    (void)state;
    expect("use nn\0\n", 8, "1:7 E0101; ");
    expect_text("use nn # caf\xe9\n", "1:13 E0101; ");
    expect_text("use nn # \xed\xa0\x80 \xc0\x80\n", "1:10 E0101; ");
    expect_text("\xff\xfeu\n", "1:1 E0101; ");
    expect_text("use nn \x1bm\n", "1:8 E0101; ");
    expect_text("use \xcf\x80\n", "1:5 E0101; ");
}

static void depth_is_bounded(void **state)
{
    (void)state;
    arena *a = arena_new();
    static const struct {
        const char *head, *piece;
    } deep[] = {
        {"model m { y = ", "("},
        {"model m { y = ", "f("},
        {"model m { y = ", "["},
        {"model m { y = ", "- "},
        {"model m { y = ", "not "},
        {"model m { y = 1", " + 1"},
        {"model m { y = 1", " ^ 1"},
        {"model m { y = a", ".b"},
        {"model m { y = a", "[0]"},
        {"model m { y = ", "if 1 then 1 else "},
        {"model m { y = ", "if "},
        {"layer m(c) { ", "if c { "},
        {"topology t(n) { ", "for s in n: "},
        {"cluster c { ", "node a { "},
        {"layer m(c) { if c { } ", "else if c { } "},
    };
    for (size_t i = 0; i < sizeof deep / sizeof *deep; i++) {
        char *bytes = repeated(a, deep[i].head, deep[i].piece, 30000, "\n}\n");
        checked c = checked_text("deep.plan", bytes, strlen(bytes));
        size_t count;
        const diag *const *all = diag_ordered(c.diags, &count);
        if (count == 0 || count > 2)
            fail_msg("%s%s: %zu errors", deep[i].head, deep[i].piece, count);
        bool said = false;
        for (size_t k = 0; k < count; k++)
            said |= all[k]->code == E0109 || all[k]->code == E0103;
        assert_true(said);
        const char *fault = ast_check(c.file, c.memory);
        if (fault)
            fail_msg("%s%s: %s", deep[i].head, deep[i].piece, fault);
        checked_free(&c);
    }
    arena_free(a);
}

static void long_names_and_files_are_refused(void **state)
{
    (void)state;
    arena *a = arena_new();
    expect_text(repeated(a, "use ", "n", 255, "\n"), "");
    expect_text(repeated(a, "use ", "n", 256, "\n"), "1:5 E0108; ");
    clock_t start = clock();
    expect_text(repeated(a, "", "use nn\n", 1500000, ""), "1:1 E0107; ");
    assert_true(clock() - start < CLOCKS_PER_SEC);
    arena_free(a);
}

/* As large as a file may be, of what costs most. */
static void the_largest_files_are_read_in_time(void **state)
{
    (void)state;
    arena *a = arena_new();
    static const char *const pieces[] = {
        "{}", "{\n}", "x {\n y }\n",      "y=1;",       "f(\n",  "(a]\n", "}\n",
        "{",  "\"\n", "y=f(1,1,1,1,1)\n", "\xcf\x80\n", "a:=\n", ". .",   "if a{}else{}\n"};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        int times = (PARSE_LARGEST_FILE - 20) / (int)strlen(pieces[i]);
        char *bytes = repeated(a, "model m {\n", pieces[i], times, "\n}\n");
        clock_t start = clock();
        checked c = checked_text("large.plan", bytes, strlen(bytes));
        double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
        print_message("%-16.*s %6.3f s, %4zu MiB, %d errors\n", (int)strcspn(pieces[i], "\n"),
                      pieces[i], seconds, arena_used(c.memory) >> 20, diag_error_count(c.diags));
        assert_true(arena_used(c.memory) < 200u << 20);
        assert_null(ast_check(c.file, c.memory));
        checked_free(&c);
        assert_true(seconds < 2);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_language_parse),
        cmocka_unit_test(clause_words_are_names_elsewhere),
        cmocka_unit_test(statements_end_with_their_line),
        cmocka_unit_test(operators_group_as_in_arithmetic),
        cmocka_unit_test(an_expression_alone_is_read_or_refused),
        cmocka_unit_test(numbers_keep_value_and_unit),
        cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(long_names_and_files_are_refused),
        cmocka_unit_test(the_largest_files_are_read_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
