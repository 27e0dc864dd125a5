/* All-reduce by the interpreter between real processes: 1 to 9 ranks, six topologies, awkward sizes, three types. Values are
 * small whole numbers, so that each sum is exact in any order. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "coll/engine.h"
#include "coll/program.h"
#include "exec/control.h"
#include "support/topologies.h"
#include "transport/shared.h"

enum { MOST_RANKS = 9, ARENA = 6 << 20, SCRATCH = 3 << 20 };

static const int64_t sizes[] = {0, 1, 2, 3, 7, 8, 17, 1000, 4097, 70001};
enum { SIZES = sizeof sizes / sizeof *sizes };

typedef struct member {
    rt_control control;
    rt_shared shared;
    rt_group group;
    int ranks[MOST_RANKS];
} member;

static void member_init(member *m, int rank)
{
    int n = m->control.ranks;
    rt_shared_init(&m->shared, m->control.board, m->control.arenas, ARENA, rank);
    m->shared.base.deadline = (int64_t)20 * 1000000000;
    m->shared.mapped_limit = 1 << 20;
    m->group = (rt_group){.transport = &m->shared.base, .ranks = m->ranks, .size = n};
    for (int r = 0; r < n; r++)
        m->ranks[r] = r;
}

static void put(rt_type type, char *at, int64_t i, int value)
{
    if (type == RT_TYPE_F32)
        ((float *)at)[i] = (float)value;
    else if (type == RT_TYPE_F64)
        ((double *)at)[i] = value;
    else
        ((int32_t *)at)[i] = value;
}

static int get(rt_type type, const char *at, int64_t i)
{
    if (type == RT_TYPE_F32)
        return (int)((const float *)at)[i];
    return type == RT_TYPE_F64 ? (int)((const double *)at)[i] : ((const int32_t *)at)[i];
}

static int value_of(int rank, int64_t i, int round)
{
    return (int)((i * 7 + rank * 13 + round * 3) % 101);
}

/* 0 if the collective gave the sum everywhere on this rank, and left what lies around it alone. */
static int reduce_once(member *m, const rt_rank_program *program, rt_type type, int64_t count)
{
    static int round;
    int n = m->control.ranks, rank = m->shared.base.rank;
    char *data = m->control.arenas[rank] + 64;
    round++;
    for (int64_t i = 0; i < count; i++)
        put(type, data, i, value_of(rank, i, round));
    put(type, data, count, -5);
    rt_operand operand = {type, data, count, m->control.arenas[rank] + SCRATCH};
    rt_blocked blocked;
    if (rt_engine_run(&m->group, program, &operand, &blocked) != RT_OK)
        return 1;
    for (int64_t i = 0; i < count; i++) {
        int sum = 0;
        for (int r = 0; r < n; r++)
            sum += value_of(r, i, round);
        if (get(type, data, i) != sum)
            return 2;
    }
    return get(type, data, count) == -5 ? 0 : 3;
}

static int reduce_all(member *m, const rt_program *program)
{
    rt_rank_program mine;
    rt_error error;
    if (rt_program_check(program, &error) != RT_OK ||
        rt_rank_program_make(program, m->shared.base.rank, &mine, &error) != RT_OK)
        return 10;
    int wrong = 0;
    for (int s = 0; s < SIZES && wrong == 0; s++)
        for (rt_type type = RT_TYPE_F32; type <= RT_TYPE_I32 && wrong == 0; type++)
            if (type != RT_TYPE_BF16)
                wrong = reduce_once(m, &mine, type, sizes[s]);
    rt_rank_program_clean_up(&mine);
    return wrong;
}

static int rank_body(member *m, int rank)
{
    member_init(m, rank);
    int n = m->control.ranks, wrong = 0;
    for (int t = 0; t < TOPOLOGY_COUNT && wrong == 0; t++) {
        rt_program program = topology_make(topology_names[t], n);
        wrong = reduce_all(m, &program);
        rt_program_clean_up(&program);
    }
    if (wrong == 0 && (n & (n - 1)) == 0) {
        rt_program program = topology_butterfly(n);
        wrong = reduce_all(m, &program);
        rt_program_clean_up(&program);
    }
    return wrong;
}

static void run_ranks(int n)
{
    member m = {0};
    rt_error error;
    assert_int_equal(rt_control_make(&m.control, n, ARENA, &error), RT_OK);
    for (int r = 0; r < n; r++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            _exit(rank_body(&m, r));
    }
    for (int r = 0; r < n; r++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    rt_control_clean_up(&m.control);
}

static void each_topology_sums_on_each_number_of_ranks(void **state)
{
    (void)state;
    for (int n = 1; n <= MOST_RANKS; n++)
        run_ranks(n);
}

static void a_rank_that_waits_for_nobody_times_out(void **state)
{
    (void)state;
    member m = {0};
    rt_error error;
    assert_int_equal(rt_control_make(&m.control, 2, ARENA, &error), RT_OK);
    member_init(&m, 0);
    m.shared.base.deadline = 30 * 1000000;
    rt_program program = topology_make("ring", 2);
    rt_rank_program mine;
    assert_int_equal(rt_rank_program_make(&program, 0, &mine, &error), RT_OK);
    rt_operand operand = {RT_TYPE_F32, m.control.arenas[0], 100, NULL};
    rt_blocked blocked;
    assert_int_equal(rt_engine_run(&m.group, &mine, &operand, &blocked), RT_TIMEOUT);
    assert_int_equal(blocked.peer, 1);
    assert_false(blocked.sending);
    rt_board_stop(m.control.board);
    assert_int_equal(rt_engine_run(&m.group, &mine, &operand, &blocked), RT_CANCELLED);
    rt_rank_program_clean_up(&mine);
    rt_program_clean_up(&program);
    rt_control_clean_up(&m.control);
}

static coll_program *as_compiled(arena *a, const rt_program *p)
{
    coll_program *made = coll_program_new(a, COLL_ALL_REDUCE, "test", p->ranks, p->chunks);
    for (int64_t i = 0; i < p->send_count; i++) {
        const rt_send *s = &p->sends[i];
        coll_program_add(made, (coll_send){.step = s->step,
                                           .chunk = s->chunk,
                                           .from = s->from,
                                           .to = s->to,
                                           .op = s->reduce ? COLL_REDUCE : COLL_COPY});
    }
    return made;
}

static void assert_same(const rt_rank_program *ours, const coll_rank_program *theirs)
{
    assert_int_equal(ours->code_count, theirs->code.count);
    assert_int_equal(ours->wait_count, theirs->waits.count);
    assert_int_equal(ours->slots, theirs->slots);
    for (int64_t i = 0; i < ours->code_count; i++) {
        const rt_instruction *o = &ours->code[i];
        const coll_instruction *t = &theirs->code.items[i];
        assert_int_equal(o->action, t->action);
        assert_int_equal(o->chunk, t->chunk);
        assert_int_equal(o->peer, t->peer);
        assert_int_equal(o->slot, t->slot);
        assert_int_equal(o->wait_count, t->wait_count);
        if (o->action < RT_APPLY_REDUCE)
            assert_int_equal(o->message, t->message);
    }
    for (int64_t w = 0; w < ours->wait_count; w++) {
        assert_int_equal(ours->waits[w].peer, theirs->waits.items[w].peer);
        assert_int_equal(ours->waits[w].message, theirs->waits.items[w].message);
    }
}

/* What the compiler proves is what the runtime does. */
static void instructions_are_those_that_the_compiler_proves(void **state)
{
    (void)state;
    rt_error error;
    for (int n = 1; n <= 17; n++)
        for (int t = 0; t <= TOPOLOGY_COUNT; t++) {
            if (t == TOPOLOGY_COUNT && (n & (n - 1)) != 0)
                continue;
            rt_program program =
                t < TOPOLOGY_COUNT ? topology_make(topology_names[t], n) : topology_butterfly(n);
            arena *a = arena_new();
            coll_program *compiled = as_compiled(a, &program);
            for (int r = 0; r < n; r++) {
                rt_rank_program mine;
                assert_int_equal(rt_rank_program_make(&program, r, &mine, &error), RT_OK);
                assert_same(&mine, coll_rank_program_of(compiled, r, a));
                rt_rank_program_clean_up(&mine);
            }
            arena_free(a);
            rt_program_clean_up(&program);
        }
}

static void programs_out_of_range_are_refused(void **state)
{
    (void)state;
    rt_error error;
    const rt_send bad[] = {{0, 4, 0, 1, true},  {0, -1, 0, 1, true}, {0, 0, 4, 1, true},
                           {0, 0, 0, -1, true}, {0, 0, 2, 2, true},  {-1, 0, 0, 1, true}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rt_program program = topology_make("ring", 4);
        program.sends[0] = bad[i];
        assert_int_equal(rt_program_check(&program, &error), RT_DAMAGED);
        rt_program_clean_up(&program);
    }
    rt_program program = topology_make("ring", 4);
    program.weights[2] = 0;
    assert_int_equal(rt_program_check(&program, &error), RT_DAMAGED);
    rt_program_clean_up(&program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_topology_sums_on_each_number_of_ranks),
        cmocka_unit_test(a_rank_that_waits_for_nobody_times_out),
        cmocka_unit_test(instructions_are_those_that_the_compiler_proves),
        cmocka_unit_test(programs_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
