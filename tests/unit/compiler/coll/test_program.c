/* coll/program.h: shares of chunks, owners, and the instructions of a rank. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "coll/program.h"

static coll_send send_of(int step, int chunk, int from, int to, coll_op op)
{
    return (coll_send){.step = step, .chunk = chunk, .from = from, .to = to, .op = op};
}

static void chunks_cover_the_vector_by_weight(void **state)
{
    (void)state;
    arena *a = arena_new();
    coll_program *p = coll_program_new(a, COLL_ALL_REDUCE, "x", 3, 3);
    p->weights[0] = 1;
    p->weights[1] = 2;
    p->weights[2] = 1;
    int64_t counts[] = {0, 1, 3, 4, 1000, INT64_MAX};
    int64_t second[] = {0, 0, 0, 1, 250, INT64_MAX / 4};
    int64_t third[] = {0, 0, 2, 3, 750, 6917529027641081855};
    for (int i = 0; i < 6; i++) {
        assert_int_equal(coll_chunk_begin(p, 0, counts[i]), 0);
        assert_int_equal(coll_chunk_begin(p, 1, counts[i]), second[i]);
        assert_int_equal(coll_chunk_begin(p, 2, counts[i]), third[i]);
        assert_int_equal(coll_chunk_begin(p, 3, counts[i]), counts[i]);
    }
    arena_free(a);
}

static void owners_follow_the_kind(void **state)
{
    (void)state;
    arena *a = arena_new();
    coll_program *gather = coll_program_new(a, COLL_ALL_GATHER, "x", 3, 6);
    int32_t owners[] = {0, 0, 1, 1, 2, 2};
    assert_memory_equal(gather->home, owners, sizeof owners);
    coll_program *exchange = coll_program_new(a, COLL_ALL_TO_ALL, "x", 2, 4);
    int32_t from[] = {0, 0, 1, 1}, to[] = {0, 1, 0, 1};
    assert_memory_equal(exchange->home, from, sizeof from);
    assert_memory_equal(exchange->target, to, sizeof to);
    coll_kind kind;
    for (int k = 0; k < COLL_KIND_COUNT; k++) {
        assert_true(coll_kind_of_name(coll_kind_name((coll_kind)k), &kind));
        assert_int_equal(kind, k);
    }
    assert_false(coll_kind_of_name("all-reduce", &kind));
    arena_free(a);
}

/* Rank 0 sends chunk 0 twice, then takes it back: both readers must be done first. */
static void a_write_waits_for_its_readers(void **state)
{
    (void)state;
    arena *a = arena_new();
    coll_program *p = coll_program_new(a, COLL_ALL_REDUCE, "x", 3, 1);
    coll_program_add(p, send_of(0, 0, 0, 1, COLL_REDUCE));
    coll_program_add(p, send_of(0, 0, 0, 2, COLL_REDUCE));
    coll_program_add(p, send_of(1, 0, 1, 0, COLL_COPY));
    coll_rank_program *zero = coll_rank_program_of(p, 0, a);
    assert_int_equal(zero->code.count, 3);
    assert_int_equal(zero->code.items[2].action, COLL_RECV_COPY);
    assert_int_equal(zero->code.items[2].wait_count, 2);
    assert_int_equal(zero->waits.items[0].peer + zero->waits.items[1].peer, 3);
    assert_int_equal(zero->slots, 0);
    assert_int_equal(zero->sent[1], 1);
    assert_int_equal(zero->received[1], 1);
    arena_free(a);
}

/* Both ranks exchange one chunk in one step: neither may overwrite its own first. */
static void an_exchange_is_staged(void **state)
{
    (void)state;
    arena *a = arena_new();
    coll_program *p = coll_program_new(a, COLL_ALL_REDUCE, "x", 2, 1);
    coll_program_add(p, send_of(0, 0, 0, 1, COLL_REDUCE));
    coll_program_add(p, send_of(0, 0, 1, 0, COLL_REDUCE));
    for (int rank = 0; rank < 2; rank++) {
        coll_rank_program *mine = coll_rank_program_of(p, rank, a);
        coll_action expected[] = {COLL_SEND, COLL_RECV_STAGE, COLL_APPLY_REDUCE};
        assert_int_equal(mine->code.count, 3);
        for (int i = 0; i < 3; i++)
            assert_int_equal(mine->code.items[i].action, expected[i]);
        assert_int_equal(mine->code.items[1].wait_count, 0);
        assert_int_equal(mine->code.items[2].wait_count, 1);
        assert_int_equal(mine->slots, 1);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_cover_the_vector_by_weight),
        cmocka_unit_test(owners_follow_the_kind),
        cmocka_unit_test(a_write_waits_for_its_readers),
        cmocka_unit_test(an_exchange_is_staged),
    };
    return cmocka_run_group_tests_name("coll program", tests, NULL, NULL);
}
