/* coll/evaluate.h and what a user sees of a topology of their own: language.md's my_ring, wrong ones, hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "coll/text_form.h"
#include "coll/verify.h"
#include "support/blocks.h"

static const char my_ring[] =
    "# Ring all-reduce: a reduce-scatter, then an all-gather, n-1 steps each.\n"
    "topology my_ring(n) {\n"
    "  chunks n\n"
    "  for s in 0 ..< n-1, r in 0 ..< n: send (r - s)     from r to r + 1 reduce\n"
    "  for s in 0 ..< n-1, r in 0 ..< n: send (r + 1 - s) from r to r + 1 copy\n"
    "}\n";

static void the_ring_of_the_manual(void **state)
{
    (void)state;
    blocks t = blocks_of("ring.plan", my_ring);
    blocks library = blocks_stdlib();
    for (int n = 1; n <= 64; n++) {
        coll_program *mine = blocks_evaluate(&t, "my_ring", n, 0);
        coll_program *standard = blocks_evaluate(&library, "ring", n, 0);
        assert_non_null(mine);
        assert_true(coll_verify(mine, t.sink));
        assert_int_equal(mine->sends.count, standard->sends.count);
        for (size_t i = 0; i < mine->sends.count; i++) {
            const coll_send *a = &mine->sends.items[i], *b = &standard->sends.items[i];
            assert_true(a->step == b->step && a->chunk == b->chunk && a->from == b->from &&
                        a->to == b->to && a->op == b->op);
            assert_string_equal(coll_place_of(mine, a).line,
                                a->op == COLL_REDUCE ? "ring.plan:4" : "ring.plan:5");
        }
    }
    assert_string_equal(blocks_diagnostics(&t), "");
    arena_free(t.memory);
    arena_free(library.memory);
}

/* Evaluates and proves the one block `x` on `ranks` ranks; what is printed about it. */
static void check(const char *bytes, int ranks, const char *expected)
{
    blocks t = blocks_of("x.plan", bytes);
    coll_program *p = blocks_evaluate(&t, "x", ranks, 0);
    if (p)
        coll_verify(p, t.sink);
    assert_string_equal(blocks_diagnostics(&t), expected);
    assert_int_equal(diag_error_count(t.sink), expected[0] != '\0');
    arena_free(t.memory);
}

/* The gather begins with the chunk that the rank has not summed. */
static void a_ring_that_is_subtly_wrong(void **state)
{
    (void)state;
    check("topology x(n) {\n"
          "  chunks n\n"
          "  for s in 0 ..< n-1, r in 0 ..< n: send (r - s) from r to r + 1 reduce\n"
          "  for s in 0 ..< n-1, r in 0 ..< n: send (r - s) from r to r + 1 copy\n"
          "}\n",
          4,
          "x.plan:1:10: error: topology 'x' is no all_reduce on 4 ranks: in none of its 6 steps "
          "does rank 0 get the "
          "contribution of rank 1 in chunk 0 [E0330]\n"
          "    1 | topology x(n) {\n"
          "      |          ^\n"
          "x.plan:4:37: note: step 3 copies chunk 0 of rank 0 over that of rank 1, where the "
          "contribution of rank 1 "
          "is lost\n");
}

/* One step too many, and the sums go round once more. */
static void a_ring_that_goes_too_far(void **state)
{
    (void)state;
    check("topology x(n) {\n"
          "  collective reduce_scatter\n"
          "  chunks n\n"
          "  for s in 0 ..< n, r in 0 ..< n: send (r - s) from r to r + 1 reduce\n"
          "}\n",
          3,
          "x.plan:1:10: error: topology 'x' is no reduce_scatter on 3 ranks: chunk 0 on rank 0 has "
          "the contribution of "
          "rank 0 twice, the second time from step 2 [E0331]\n"
          "    1 | topology x(n) {\n"
          "      |          ^\n"
          "x.plan:4:35: note: step 2 adds chunk 0 of rank 2 to that of rank 0, and both have it\n");
}

/* Each is wrong in one way: its code, and words of the message. */
static void mistakes_of_a_block(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *code, *words;
    } cases[] = {
        {"topology x(n) { for s in 0 ..< 1: send 0 from 1 to 0 reduce }", "E0338",
         "into how many chunks"},
        {"topology x() { chunks 1 }", "E0338", "no parameter for the number of ranks"},
        {"topology x(n) { chunks 0 }", "E0336", "has 0 chunks on 4 ranks"},
        {"topology x(n) { chunks n - 5 }", "E0336", "has -1 chunks"},
        {"topology x(n) { chunks n\n chunks n }", "E0338", "has 'chunks' twice"},
        {"topology x(n) { chunks m }", "E0335", "has no 'm'"},
        {"topology x(n) { chunks n + 1 / 2 }", "E0336", "is 1 / 2, not a whole number"},
        {"topology x(n) { chunks n % (n - 4) }", "E0336", "divides by zero"},
        {"topology x(n) { chunks 2 ^ (0 - 1) }", "E0336", "negative exponent"},
        {"topology x(n) { chunks 9 ^ 99 }", "E0336", "does not fit into 64 bits"},
        {"topology x(n) { chunks 1.5 }", "E0336", "not a whole number"},
        {"topology x(n) { chunks 4 KiB }", "E0336", "has a unit"},
        {"topology x(n) { chunks sqrt(n) }", "E0335", "no such function"},
        {"topology x(n) { chunks log2(n, 2) }", "E0336", "'log2' takes 1 number, not 2"},
        {"topology x(n) { chunks log2(0) }", "E0336", "logarithm of a number below 1"},
        {"topology x(n) { collective gossip\n chunks n }", "E0338", "no such collective"},
        {"topology x(n) { collective broadcast\n root n\n chunks n }", "E0336", "root 4"},
        {"topology x(n) { require n == 8\n chunks n }", "E0339", "it requires n == 8"},
        {"topology x(n, m) { chunks m }", "E0339", "needs a value for 'm'"},
        {"topology x(n) { chunks n\n for s in n: send 0 from s to 0 reduce }", "E0336",
         "needs a range"},
        {"topology x(n) { chunks n\n send 0 from 0 to 0 reduce }", "E0333",
         "rank 0 sends chunk 0 to itself"},
        {"topology x(n) { chunks n\n send 0 from 1 to 0 add }", "E0338", "a send can not 'add'"},
        {"topology x(n) { collective all_to_all\n chunks n }", "E0336",
         "takes a multiple of 16 chunks"},
        {"topology x(n) { collective broadcast\n chunks 1\n for s in 1 ..< n: send 0 from s to 0 "
         "copy }",
         "E0332", "in step 0, rank 1 has nothing in chunk 0 to send"},
        {"topology x(n) { chunks 1\n for s in 0 ..< 1, r in 1 ..< n: send 0 from r to 0 reduce\n "
         "chunks 2 }",
         "E0338", "after the first send"},
        {"topology x(n) { chunks 1\n send 0 from 1 to 0 reduce\n require n > 1 }", "E0338",
         "after the first send"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        blocks t = blocks_of("x.plan", cases[i].bytes);
        coll_program *p = blocks_evaluate(&t, "x", 4, 0);
        if (p)
            coll_verify(p, t.sink);
        const char *said = blocks_diagnostics(&t);
        if (!strstr(said, cases[i].code) || !strstr(said, cases[i].words) ||
            diag_error_count(t.sink) != 1)
            fail_msg("%s\n%s", cases[i].bytes, said);
        arena_free(t.memory);
    }
}

/* What would run for ever, or fill the memory, ends in time with an error. */
static void hostile_blocks_end(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "topology x(n) { chunks 1\n for s in 0 ..< 2 ^ 62, r in 0 ..< 2 ^ 62 { } }",
        "topology x(n) { chunks 1\n for s in 0 .. 9223372036854775807 { a = s * 3 } }",
        "topology x(n) { chunks 1\n for s in 0 ..< 2 ^ 40: send 0 from 0 to 1 copy }",
        "topology x(n) { chunks 1\n for s in 0 ..< 1, r in 0 ..< 2 ^ 40: send 0 from 0 to 1 copy }",
        "topology x(n) { chunks 2 ^ 40 }",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        blocks t = blocks_of("x.plan", cases[i]);
        clock_t begin = clock();
        assert_null(blocks_evaluate(&t, "x", 4, 0));
        assert_int_equal(diag_error_count(t.sink), 1);
        assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < 2.0);
        arena_free(t.memory);
    }
    blocks t = blocks_of("x.plan", my_ring);
    assert_null(blocks_evaluate(&t, "my_ring", COLL_MAX_RANKS + 1, 0));
    assert_int_equal(diag_error_count(t.sink), 1);
    arena_free(t.memory);
}

static void a_block_is_checked_by_itself(void **state)
{
    (void)state;
    blocks library = blocks_stdlib();
    for (size_t i = 0; i < library.file->count; i++)
        if (library.file->children[i]->kind == AST_TOPOLOGY)
            assert_true(
                coll_check_block(library.file->children[i], library.sources, library.sink, NULL));
    assert_string_equal(blocks_diagnostics(&library), "");
    arena_free(library.memory);
    /* Right on 4 ranks and on 2; not on 3. */
    blocks t = blocks_of("x.plan", "topology x(n) {\n"
                                   "  chunks 1\n"
                                   "  for s in 0 ..< log2(n), r in 0 ..< n {\n"
                                   "    far = 2 ^ s\n"
                                   "    if r // far % 2 == 0 { send 0 from r to r + far reduce }\n"
                                   "    else { send 0 from r to r - far reduce }\n"
                                   "  }\n"
                                   "}\n");
    assert_false(coll_check_block(blocks_find(&t, "x"), t.sources, t.sink, NULL));
    assert_non_null(strstr(blocks_diagnostics(&t), "is no all_reduce on 3 ranks"));
    assert_int_equal(diag_error_count(t.sink), 1);
    arena_free(t.memory);
}

/* Printed, read back, printed: the same text, and the same program. */
static void round_trip(const coll_program *p)
{
    arena *a = arena_new();
    text first = text_in(a), second = text_in(a);
    source_set *sources = source_set_new(a);
    diag_sink *sink = diag_sink_new(a, sources);
    coll_programs read = {0};
    coll_print(p, &first);
    int file = source_add(sources, "p.coll", text_done(&first), first.length);
    assert_true(coll_read(sources, file, &read, sink, a));
    assert_int_equal(read.count, 1);
    coll_print(read.items[0], &second);
    assert_string_equal(text_done(&first), text_done(&second));
    assert_int_equal(read.items[0]->sends.count, p->sends.count);
    coll_fault fault;
    assert_true(coll_prove(read.items[0], &fault, a));
    arena_free(a);
}

static void the_text_form_reads_back(void **state)
{
    (void)state;
    blocks t = blocks_stdlib();
    for (size_t i = 0; i < t.file->count; i++)
        for (int n = 1; n <= 9 && t.file->children[i]->kind == AST_TOPOLOGY; n++) {
            coll_request request = {.ranks = n, .at = SPAN_NONE, .trial = true};
            coll_program *p =
                coll_evaluate(t.file->children[i], &request, t.sources, t.sink, t.memory);
            if (p)
                round_trip(p);
        }
    coll_program *p = coll_program_new(t.memory, COLL_ALL_GATHER, "odd", 2, 2);
    p->weights[1] = 7;
    p->home[0] = 1;
    p->home[1] = 0;
    int32_t route[] = {3, 9};
    vec_push(t.memory, &p->links, route[0]);
    vec_push(t.memory, &p->links, route[1]);
    coll_program_add(p, (coll_send){0, 0, 1, 0, COLL_COPY, 0, 2,
                                    coll_program_place(p, SPAN_NONE, "some where.plan:3")});
    coll_program_add(p, (coll_send){4, 1, 0, 1, COLL_COPY, 0, 0, 0});
    round_trip(p);
    text printed = text_in(t.memory);
    coll_print(p, &printed);
    assert_string_equal(text_done(&printed),
                        "collective all_gather \"odd\" {\n"
                        "  ranks 2\n"
                        "  chunks 2 of weight 1 7\n"
                        "  homes 1 0\n"
                        "  step 0\n"
                        "    send 0 from 1 to 0 copy via 3 9                      at some "
                        "where.plan:3\n"
                        "  step 4\n"
                        "    send 1 from 0 to 1 copy\n"
                        "}\n");
    arena_free(t.memory);
}

static void text_that_is_no_program_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "collective",
        "collective gossip \"x\" { }",
        "collective reduce x { }",
        "collective reduce \"x\" { }",
        "collective reduce \"x\" { ranks 0 }",
        "collective reduce \"x\" { ranks 2 chunks 9999999999 }",
        "collective reduce \"x\" { ranks 2 chunks 1 send 0 from 0 to 1 copy }",
        "collective reduce \"x\" { ranks 2 chunks 1 step 0 send 1 from 0 to 1 copy }",
        "collective reduce \"x\" { ranks 2 chunks 1 step 0 send 0 from 0 to 2 copy }",
        "collective reduce \"x\" { ranks 2 chunks 1 step 0 send 0 from 0 to 1 add }",
        "collective reduce \"x\" { ranks 2 chunks 1 step 1 step 0 }",
        "collective reduce \"x\" { chunks 1 ranks 2 }",
        "collective reduce \"x\" { ranks 2 chunks 1 root 2 }",
        "collective reduce \"x\" { ranks 2 chunks 1",
        "}",
        "collective reduce \"x\" { ranks 2 chunks 1 of weight 0 }",
        ("collective reduce \"x\" { ranks 2 chunks 1 step 0 "
         "send 0 from 0 to 1 copy via }"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena *a = arena_new();
        source_set *sources = source_set_new(a);
        diag_sink *sink = diag_sink_new(a, sources);
        coll_programs read = {0};
        int file = source_add(sources, "p.coll", cases[i], strlen(cases[i]));
        assert_false(coll_read(sources, file, &read, sink, a));
        assert_int_equal(diag_error_count(sink), 1);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ring_of_the_manual),
        cmocka_unit_test(a_ring_that_is_subtly_wrong),
        cmocka_unit_test(a_ring_that_goes_too_far),
        cmocka_unit_test(mistakes_of_a_block),
        cmocka_unit_test(hostile_blocks_end),
        cmocka_unit_test(a_block_is_checked_by_itself),
        cmocka_unit_test(the_text_form_reads_back),
        cmocka_unit_test(text_that_is_no_program_is_refused),
    };
    return cmocka_run_group_tests_name("coll evaluate", tests, NULL, NULL);
}
