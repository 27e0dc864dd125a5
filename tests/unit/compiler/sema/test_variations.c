/* The examples of the language's contract and variations of them that a reader would guess: other order, comments, line
 * breaks, `;`, other names and numbers. Each gives the errors that its example gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "parse/tokens.h"
#include "support/checked.h"

#define LANGUAGE TEST_SOURCE_DIR "/tests/golden/language/"

typedef VEC(const char *) lines;

static uint32_t random_state;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % n;
}

/* ------------------------------------------------------------- what is compared */

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Its words and signs with one blank between, comments left out. */
static void add_squeezed(text *out, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '#')
            i += strcspn(bytes + i, "\n");
        else if (!isspace((unsigned char)bytes[i]))
            text_add(out, i && is_word(bytes[i]) && is_word(bytes[i - 1]) ? "%c" : " %c", bytes[i]);
    }
}

/* Code and message of each error, and `whole`: the words under its underline; in an order that places have no part in. */
static const char *errors_of(arena *a, const char *bytes, bool whole)
{
    checked c = checked_whole("variation.plan", bytes, strlen(bytes));
    size_t count;
    const diag *const *all = diag_ordered(c.diags, &count);
    lines list = {0};
    for (size_t i = 0; i < count; i++) {
        text line = text_in(a);
        text_add(&line, "%s %s", diag_code_text(all[i]->code), all[i]->message);
        if (whole)
            add_squeezed(&line, bytes + all[i]->at.begin, all[i]->at.end - all[i]->at.begin);
        vec_push(a, &list, text_done(&line));
    }
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, compare_words);
    text out = text_in(a);
    for (size_t i = 0; i < list.count; i++)
        text_add(&out, "%s\n", list.items[i]);
    checked_free(&c);
    return text_done(&out);
}

static int tried;

/* The first text that gives other errors is shown whole. */
static void check_same(const char *bytes, const char *now, const char *errors, text *faults)
{
    tried++;
    if (strcmp(now, errors) == 0)
        return;
    if (!faults->length)
        print_message("%s", bytes);
    if (faults->length < 700)
        text_add(faults, "%s-- and not\n%s", now, errors);
}

/* ------------------------------------------------------------------- variations */

typedef const char *vary_fn(arena *a, const char *bytes);

static lines lines_of(arena *a, const char *bytes)
{
    lines list = {0};
    while (*bytes) {
        size_t length = strcspn(bytes, "\n");
        vec_push(a, &list, arena_copy_text(a, bytes, length));
        bytes += length + (bytes[length] == '\n');
    }
    return list;
}

static const char *joined(arena *a, const lines *list)
{
    text out = text_in(a);
    for (size_t i = 0; i < list->count; i++)
        text_add(&out, "%s\n", list->items[i]);
    return text_done(&out);
}

/* No string of the examples holds a '#'. */
static char *without_comment(arena *a, const char *line)
{
    size_t length = strcspn(line, "#");
    while (length && isspace((unsigned char)line[length - 1]))
        length--;
    return arena_copy_text(a, line, length);
}

static const char *with_comments(arena *a, const char *bytes)
{
    lines list = lines_of(a, bytes), out = {0};
    for (size_t i = 0; i < list.count; i++) {
        if (random_below(3) == 0)
            vec_push(a, &out, "  # a line { of ( its [ own");
        vec_push(a, &out,
                 random_below(2) ? arena_format(a, "%s # }); and more", list.items[i])
                                 : list.items[i]);
    }
    return joined(a, &out);
}

static const char *with_blanks(arena *a, const char *bytes)
{
    lines list = lines_of(a, bytes), out = {0};
    for (size_t i = 0; i < list.count; i++) {
        for (uint32_t k = random_below(3); k > 0; k--)
            vec_push(a, &out, k == 1 ? "" : "\t ");
        const char *line = list.items[i] + strspn(list.items[i], " ");
        vec_push(a, &out,
                 arena_format(a, "%s%s%s", random_below(2) ? "\t" : "", line,
                              random_below(2) ? "  " : ""));
    }
    return joined(a, &out);
}

static const char *with_carriage_returns(arena *a, const char *bytes)
{
    text out = text_in(a);
    for (; *bytes; bytes++)
        text_add(&out, *bytes == '\n' ? "\r\n" : "%c", *bytes);
    return text_done(&out);
}

/* A line goes on inside round and square brackets. */
static const char *with_breaks(arena *a, const char *bytes)
{
    source_set *sources = source_set_new(a);
    parse_context context = {a, atom_table_new(a), sources, diag_sink_new(a, sources)};
    token_list list = {.memory = a};
    parse_tokens(&context, source_add(sources, "breaks", bytes, strlen(bytes)), &list, false);
    text out = text_in(a);
    int depth = 0;
    uint32_t at = 0;
    for (size_t i = 0; i < list.count; i++) {
        const token *t = &list.items[i];
        if (t->end <= t->begin || t->begin < at)
            continue;
        char first = bytes[t->begin];
        depth -= first == ')' || first == ']';
        text_add_bytes(&out, bytes + at, t->begin - at);
        if (depth > 0 && random_below(3) == 0)
            text_add(&out, random_below(4) ? "\n      " : " # why\n");
        text_add_bytes(&out, bytes + t->begin, t->end - t->begin);
        depth += first == '(' || first == '[';
        at = t->end;
    }
    text_add(&out, "%s", bytes + at);
    return text_done(&out);
}

static bool goes_on(const char *line)
{
    size_t length = strlen(line);
    return length == 0 || strchr("{(,[", line[length - 1]) != NULL;
}

/* Statements of a block side by side. */
static const char *with_semicolons(arena *a, const char *bytes)
{
    lines list = lines_of(a, bytes);
    text out = text_in(a);
    for (size_t i = 0; i < list.count; i++) {
        const char *line = without_comment(a, list.items[i]);
        const char *next = i + 1 < list.count ? list.items[i + 1] : "";
        bool inside = *line == ' ' && *next == ' ', closes = next[strspn(next, " ")] == '}';
        bool alone = next[strspn(next, " ")] == '#' || goes_on(next);
        text_add(&out, "%s%s", line,
                 inside && !closes && !alone && !goes_on(line) && random_below(3) ? "; " : "\n");
    }
    return text_done(&out);
}

static void shuffle(const char **items, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t k = random_below((uint32_t)i);
        const char *other = items[k];
        items[k] = items[i - 1];
        items[i - 1] = other;
    }
}

/* The clauses of train and plan in another order. */
static const char *with_clauses_elsewhere(arena *a, const char *bytes)
{
    lines list = lines_of(a, bytes);
    for (size_t i = 0; i < list.count; i++) {
        bool block =
            strncmp(list.items[i], "train ", 6) == 0 || strncmp(list.items[i], "plan ", 5) == 0;
        size_t end = i + 1;
        while (block && end < list.count && *list.items[end] == ' ')
            end++;
        if (block)
            shuffle(&list.items[i + 1], end - i - 1);
    }
    return joined(a, &list);
}

/* Blocks in another order: a definition may stand behind its use. */
static const char *with_blocks_elsewhere(arena *a, const char *bytes)
{
    lines list = lines_of(a, bytes), blocks = {0};
    text block = text_in(a);
    for (size_t i = 0; i < list.count; i++) {
        if (isalpha((unsigned char)*list.items[i])) {
            vec_push(a, &blocks, text_done(&block));
            block = text_in(a);
        }
        text_add(&block, "%s\n", list.items[i]);
    }
    vec_push(a, &blocks, text_done(&block));
    shuffle(blocks.items, blocks.count);
    return joined(a, &blocks);
}

static vary_fn *const variations[] = {
    with_clauses_elsewhere, with_blocks_elsewhere, with_semicolons,
    with_comments,          with_breaks,           with_blanks,
    with_carriage_returns};
enum { VARIATIONS = sizeof variations / sizeof *variations };

/* ------------------------------------------------------------------------ names */

/* `int8(block = 256)`: an option keeps its name. */
static bool is_option(const char *bytes, const char *p)
{
    while (p > bytes && (p[-1] == ' ' || p[-1] == '('))
        p--;
    return p >= bytes + 4 && memcmp(p - 4, "int8", 4) == 0;
}

/* Every word `from` outside strings and comments becomes `to`. */
static const char *renamed(arena *a, const char *bytes, const char *from, const char *to)
{
    text out = text_in(a);
    size_t length = strlen(from);
    for (const char *p = bytes; *p;) {
        size_t skip = *p == '#' ? strcspn(p, "\n") : *p == '"' ? 2 + strcspn(p + 1, "\"") : 0;
        if (!skip)
            while (is_word(p[skip]))
                skip++;
        skip += !skip;
        bool it = skip == length && memcmp(p, from, length) == 0 && !is_option(bytes, p);
        text_add_bytes(&out, it ? to : p, it ? strlen(to) : skip);
        p += skip;
    }
    return text_done(&out);
}

static const char *const clause_words[] = {"data",
                                           "batch",
                                           "optimizer",
                                           "epochs",
                                           "steps",
                                           "seed",
                                           "clip",
                                           "freeze",
                                           "mesh",
                                           "split",
                                           "reduce",
                                           "precision",
                                           "require",
                                           "place",
                                           "pipeline",
                                           "shard",
                                           "recompute",
                                           "save",
                                           "grad",
                                           "memory",
                                           "deterministic",
                                           "checkpoint",
                                           "init",
                                           "sample",
                                           "by",
                                           "as",
                                           "with",
                                           "to",
                                           "every",
                                           "use",
                                           "model",
                                           "layer",
                                           "train",
                                           "plan",
                                           "cluster",
                                           "topology",
                                           "schedule",
                                           "node",
                                           "link",
                                           "switch",
                                           "chunks",
                                           "send",
                                           "for",
                                           "input",
                                           "state",
                                           "metric",
                                           "param",
                                           "return",
                                           "repeat",
                                           "a_rather_long_name_of_the_readers_own"};
enum { CLAUSE_WORDS = sizeof clause_words / sizeof *clause_words };

static const struct {
    const char *files[3];
    const char *names[32];     /* that the reader may choose */
    const char *numbers[8][2]; /* and that may be others */
} examples[] = {
    {{"digits.plan"},
     {"laptop", "box", "worker", "mlp", "H", "C", "image", "digit", "h", "H2", "y", "B", "P",
      "digits", "ring4", "alone", "dp", "accuracy"},
     {{"H = 128", "H = 30"},
      {"dp = 4", "dp = 2"},
      {"batch     64", "batch     2 * 48"},
      {"worker[4]", "worker[16]"},
      {"1 GiB", "512 MiB"},
      {"epochs    20", "epochs    0.5"},
      {"10 GB/s, 1 us", "3.2 Gb/s, 900 ns"}}},
    {{"digits.plan", "dgx1v.plan"},
     {"dgx1v", "box", "g", "packed", "digits", "dp", "B"},
     {{"25 GB/s, 1.5 us", "50 GB/s"}, {"0-1 x2", "0-1 x3"}, {"0 ..< n", "0 ..< n"}}},
    {{"gpt.plan"},
     {"duo", "host", "g",    "nvs",  "ib", "block",    "attn", "h",  "mlp", "gpt", "V", "S", "D",
      "A",   "L",    "text", "next", "x",  "pretrain", "p222", "pp", "dp",  "tp",  "F", "B"},
     {{"V = 50304", "V = 256"},
      {"S = 1024", "S = 64"},
      {"D = 1024", "D = 64"},
      {"L = 24", "L = 6"},
      {"batch     512", "batch     16"},
      {"block = 256", "block = 64"},
      {"60 GiB", "1 TiB"},
      {"tp = 2", "tp = 1 + 1"}}},
    {{"../diag/meaning/clusters_right.plan"},
     {"racks", "rack", "host", "g", "n", "nvs", "tor", "store", "w", "spine", "boxes", "box",
      "flat"},
     {{"rack[2]", "rack[1 + 2]"},
      {"host[4]", "host[3]"},
      {"0-1 x2", "0-1 x12"},
      {"400 Gb/s", "1 GB/s"},
      {"n[1..3]", "n[0..3]"}}},
    {{"my_ring.plan"}, {"my_ring", "n", "s", "r"}, {{NULL}}},
    {{"stdlib.plan"}, {"sgd", "p", "g", "v", "t", "y", "w", "x", "D"}, {{NULL}}},
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

static const char *example_text(arena *a, int i)
{
    text out = text_in(a);
    for (int k = 0; k < 3 && examples[i].files[k]; k++) {
        size_t length;
        char *bytes =
            read_whole_file(arena_format(a, LANGUAGE "%s", examples[i].files[k]), &length);
        assert_non_null(bytes);
        text_add_bytes(&out, bytes, length);
        free(bytes);
    }
    return text_done(&out);
}

static void finish(arena *a, const text *faults, const char *what)
{
    print_message("%d %s\n", tried, what);
    assert_true(tried > 0);
    tried = 0;
    if (faults->length)
        fail_msg("%.*s", (int)faults->length, faults->bytes);
    arena_free(a);
}

static void each_variation_alone_and_several_together(void **state)
{
    (void)state;
    arena *a = arena_new();
    text faults = text_in(a);
    for (int i = 0; i < EXAMPLES; i++) {
        const char *bytes = example_text(a, i), *errors = errors_of(a, bytes, true);
        for (uint32_t seed = 0; seed < 50; seed++) {
            const char *now = bytes;
            bool alone = seed < 2 * VARIATIONS;
            random_state = seed;
            for (uint32_t k = 0; k < VARIATIONS; k++)
                if (alone ? k == seed % VARIATIONS : random_below(2))
                    now = variations[k](a, now);
            check_same(now, errors_of(a, now, true), errors, &faults);
        }
    }
    finish(a, &faults, "variations of form");
}

/* Each name is each fourth word; the next name begins with the next word. */
static void names_may_be_others_and_clause_words(void **state)
{
    (void)state;
    arena *a = arena_new();
    text faults = text_in(a);
    for (int i = 0; i < EXAMPLES; i++) {
        const char *bytes = example_text(a, i), *errors = errors_of(a, bytes, true);
        for (int k = 0; k < 32 && examples[i].names[k]; k++)
            for (int w = k % 4; w < CLAUSE_WORDS; w += 4) {
                const char *name = examples[i].names[k], *word = clause_words[w];
                const char *now = renamed(a, bytes, name, word);
                check_same(now, errors_of(a, now, true), renamed(a, errors, name, word), &faults);
            }
    }
    finish(a, &faults, "variations of names");
}

static const char *replaced(arena *a, const char *bytes, const char *from, const char *to)
{
    text out = text_in(a);
    const char *at = strstr(bytes, from);
    assert_non_null(at);
    text_add_bytes(&out, bytes, (size_t)(at - bytes));
    text_add(&out, "%s%s", to, at + strlen(from));
    return text_done(&out);
}

static void numbers_may_be_others(void **state)
{
    (void)state;
    arena *a = arena_new();
    text faults = text_in(a);
    for (int i = 0; i < EXAMPLES; i++) {
        const char *bytes = example_text(a, i), *errors = errors_of(a, bytes, false);
        for (int k = 0; k < 8 && examples[i].numbers[k][0]; k++) {
            const char *from = examples[i].numbers[k][0], *to = examples[i].numbers[k][1];
            const char *now = strstr(bytes, from) ? replaced(a, bytes, from, to) : bytes;
            check_same(now, errors_of(a, now, false), errors, &faults);
        }
    }
    finish(a, &faults, "variations of numbers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_variation_alone_and_several_together),
        cmocka_unit_test(names_may_be_others_and_clause_words),
        cmocka_unit_test(numbers_may_be_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
