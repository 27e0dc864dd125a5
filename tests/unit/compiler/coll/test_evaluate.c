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
            assert_string_equal(a->line, a->op == COLL_REDUCE ? "ring.plan:4" : "ring.plan:5");
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
    arena_free(t.memory);
}

static void a_ring_that_gathers_the_wrong_chunk(void **state)
{
    (void)state;
    check("topology x(n) {\n"
          "  chunks n\n"
          "  for s in 0 ..< n-1, r in 0 ..< n: send (r - s) from r to r + 1 reduce\n"
          "  for s in 0 ..< n-1, r in 0 ..< n: send (r - s) from r to r + 1 copy\n"
          "}\n",
          4,
          "x.plan:1:10: error: topology 'x' is no all_reduce on 4 ranks: after step 5, the last "
          "that writes it, "
          "chunk 0 on rank 0 lacks the contribution of rank 0 [E0330]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ring_of_the_manual),
        cmocka_unit_test(a_ring_that_gathers_the_wrong_chunk),
    };
    return cmocka_run_group_tests_name("coll evaluate", tests, NULL, NULL);
}
