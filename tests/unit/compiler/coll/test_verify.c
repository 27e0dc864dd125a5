/* coll/verify.h against an executor that works on numbers: right programs, and programs with one thing changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "coll/verify.h"
#include "support/coll_oracle.h"

static coll_send send_of(int step, int chunk, int from, int to, coll_op op)
{
    return (coll_send){.step = step, .chunk = chunk, .from = from, .to = to, .op = op};
}

static coll_program *ring(arena *a, int n)
{
    coll_program *p = coll_program_new(a, COLL_ALL_REDUCE, "ring", n, n);
    for (int s = 0; s < n - 1; s++)
        for (int r = 0; r < n; r++)
            coll_program_add(p, send_of(s, (r - s + n) % n, r, (r + 1) % n, COLL_REDUCE));
    for (int s = 0; s < n - 1; s++)
        for (int r = 0; r < n; r++)
            coll_program_add(p, send_of(n - 1 + s, (r + 1 - s + n) % n, r, (r + 1) % n, COLL_COPY));
    return p;
}

/* Each pair exchanges the whole vector: staged in the ranks' instructions. */
static coll_program *doubling(arena *a, int n)
{
    coll_program *p = coll_program_new(a, COLL_ALL_REDUCE, "doubling", n, 1);
    for (int s = 0; 1 << s < n; s++)
        for (int r = 0; r < n; r++)
            coll_program_add(p, send_of(s, 0, r, r ^ (1 << s), COLL_REDUCE));
    return p;
}

/* All send all they have to all at once. */
static coll_program *one_shot(arena *a, int n)
{
    coll_program *p = coll_program_new(a, COLL_ALL_REDUCE, "one_shot", n, 2);
    for (int c = 0; c < 2; c++)
        for (int r = 0; r < n; r++)
            for (int d = 1; d < n; d++)
                coll_program_add(p, send_of(0, c, r, (r + d) % n, COLL_REDUCE));
    return p;
}

static bool proved(const coll_program *p, coll_fault *fault)
{
    arena *a = arena_new();
    bool right = coll_prove(p, fault, a);
    arena_free(a);
    return right;
}

static void right_programs_pass(void **state)
{
    (void)state;
    arena *a = arena_new();
    for (int n = 1; n <= 16; n++) {
        coll_program *programs[] = {ring(a, n), one_shot(a, n),
                                    (n & (n - 1)) ? NULL : doubling(a, n)};
        for (int k = 0; k < 3; k++) {
            coll_fault fault;
            if (!programs[k])
                continue;
            assert_true(proved(programs[k], &fault));
            assert_true(oracle_steps_are_right(programs[k], 17));
            for (uint64_t seed = 0; seed < 4; seed++)
                assert_true(oracle_ranks_are_right(programs[k], 1 + (int)seed, seed));
        }
    }
    arena_free(a);
}

static void a_lost_contribution_is_named(void **state)
{
    (void)state;
    arena *a = arena_new();
    coll_program *p = ring(a, 4);
    coll_program *q = coll_program_new(a, COLL_ALL_REDUCE, "ring", 4, 4);
    for (size_t i = 0; i < p->sends.count; i++)
        if (i != 6) /* step 1: chunk 1 from rank 2 to rank 3 */
            coll_program_add(q, p->sends.items[i]);
    coll_fault fault;
    assert_false(coll_prove(q, &fault, a));
    assert_int_equal(fault.code, E0330);
    assert_int_equal(fault.chunk, 1);
    assert_int_equal(fault.missing, 1);
    assert_non_null(strstr(fault.message, "lacks the contribution of rank 1"));
    arena_free(a);
}

static void a_double_contribution_is_named(void **state)
{
    (void)state;
    arena *a = arena_new();
    coll_program *p = coll_program_new(a, COLL_REDUCE_TO_ROOT, "x", 3, 1);
    coll_program_add(p, send_of(0, 0, 1, 0, COLL_REDUCE));
    coll_program_add(p, send_of(1, 0, 2, 1, COLL_REDUCE));
    coll_program_add(p, send_of(2, 0, 1, 0, COLL_REDUCE));
    coll_fault fault;
    assert_false(coll_prove(p, &fault, a));
    assert_int_equal(fault.code, E0331);
    assert_int_equal(fault.step, 2);
    assert_int_equal(fault.rank, 0);
    assert_int_equal(fault.missing, 1);
    arena_free(a);
}

static void what_is_not_there_cannot_be_sent(void **state)
{
    (void)state;
    arena *a = arena_new();
    coll_program *p = coll_program_new(a, COLL_BROADCAST, "x", 3, 1);
    coll_program_add(p, send_of(0, 0, 0, 1, COLL_COPY));
    coll_program_add(p, send_of(0, 0, 1, 2, COLL_COPY)); /* one step early */
    coll_fault fault;
    assert_false(coll_prove(p, &fault, a));
    assert_int_equal(fault.code, E0332);
    assert_int_equal(fault.rank, 1);
    p = coll_program_new(a, COLL_BROADCAST, "x", 2, 1);
    coll_program_add(p, send_of(0, 0, 0, 1, COLL_REDUCE));
    assert_false(coll_prove(p, &fault, a));
    assert_int_equal(fault.code, E0332);
    p = coll_program_new(a, COLL_BROADCAST, "x", 2, 1);
    coll_program_add(p, send_of(0, 0, 1, 1, COLL_COPY));
    assert_false(coll_prove(p, &fault, a));
    assert_int_equal(fault.code, E0333);
    arena_free(a);
}

/* Instructions that wait for one another, or that write under a reader, are found in the instructions alone. */
static void wrong_instructions_are_found(void **state)
{
    (void)state;
    arena *a = arena_new();
    coll_program *p = ring(a, 3);
    coll_fault fault;
    coll_rank_program **ranks = coll_rank_programs_of(p, a);
    assert_true(coll_prove_ranks(p, ranks, &fault, a));
    for (int r = 0; r < 3; r++) { /* each receives before it sends */
        coll_instruction first = ranks[r]->code.items[0];
        ranks[r]->code.items[0] = ranks[r]->code.items[1];
        ranks[r]->code.items[1] = first;
    }
    assert_false(coll_prove_ranks(p, ranks, &fault, a));
    assert_non_null(strstr(fault.message, "deadlock"));
    ranks = coll_rank_programs_of(p, a);
    for (size_t i = 0; i < ranks[1]->code.count; i++)
        ranks[1]->code.items[i].wait_count = 0;
    assert_false(coll_prove_ranks(p, ranks, &fault, a));
    assert_non_null(strstr(fault.message, "still to be read"));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_programs_pass),
        cmocka_unit_test(a_lost_contribution_is_named),
        cmocka_unit_test(a_double_contribution_is_named),
        cmocka_unit_test(what_is_not_there_cannot_be_sent),
        cmocka_unit_test(wrong_instructions_are_found),
    };
    return cmocka_run_group_tests_name("coll proof", tests, NULL, NULL);
}
