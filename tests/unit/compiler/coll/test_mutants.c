/* Programs with one thing changed: whatever the proof accepts is right on numbers, and what is right it accepts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "coll/forest.h"
#include "coll/verify.h"
#include "support/blocks.h"
#include "support/coll_oracle.h"
#include "support/graphs.h"

typedef enum mutation {
    DROP,
    DOUBLE,
    MISDIRECT,
    REORDER,
    OTHER_CHUNK,
    OTHER_OP,
    MUTATION_COUNT
} mutation;

typedef struct tally {
    int tried, rejected, equivalent, refused_though_right;
} tally;

static int by_step(const void *a, const void *b)
{
    const coll_send *x = a, *y = b;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    return x->route < y->route ? -1 : 1; /* in the order written */
}

static int below(uint64_t *seed, int bound)
{
    return (int)(oracle_random(seed) % (uint64_t)bound);
}

static void change(coll_send *s, const coll_program *p, mutation kind, uint64_t *seed)
{
    switch (kind) {
    case MISDIRECT:
        *(oracle_random(seed) % 2 ? &s->to : &s->from) = below(seed, p->ranks);
        break;
    case REORDER:
        s->step = below(seed, p->steps);
        break;
    case OTHER_CHUNK:
        s->chunk = below(seed, p->chunks);
        break;
    case OTHER_OP:
        s->op = s->op == COLL_COPY ? COLL_REDUCE : COLL_COPY;
        break;
    default:
        break;
    }
}

/* The sends of `p` with one thing changed. */
static coll_program *mutant(const coll_program *p, mutation kind, uint64_t *seed, arena *a)
{
    coll_program *q = coll_program_new(a, p->kind, p->name, p->ranks, p->chunks);
    q->root = p->root;
    for (int c = 0; c < p->chunks; c++) {
        q->weights[c] = p->weights[c];
        q->home[c] = p->home[c];
    }
    size_t victim = (size_t)below(seed, (int)p->sends.count), count = 0;
    coll_send *sends = arena_array(a, coll_send, p->sends.count + 1);
    for (size_t i = 0; i < p->sends.count; i++) {
        coll_send s = p->sends.items[i];
        s.route_count = s.place = 0;
        if (i == victim)
            change(&s, p, kind, seed);
        if (i != victim || kind != DROP)
            sends[count++] = s;
        if (i == victim && kind == DOUBLE)
            sends[count++] = s;
    }
    for (size_t i = 0; i < count; i++)
        sends[i].route = (int32_t)i;
    qsort(sends, count, sizeof *sends, by_step);
    for (size_t i = 0; i < count; i++)
        coll_program_add(q, sends[i]);
    return q;
}

static void try_mutant(const coll_program *p, mutation kind, uint64_t *seed, tally *sum)
{
    arena *a = arena_new();
    coll_fault fault;
    coll_program *q = mutant(p, kind, seed, a);
    bool proved = coll_prove(q, &fault, a);
    sum->tried++;
    /* A rank that sends to itself and such are refused before they are followed; numbers need ranks that exist. */
    bool right = oracle_steps_are_right(q, *seed);
    if (proved) {
        assert_true(right);
        assert_true(oracle_ranks_are_right(q, 1, *seed));
        sum->equivalent++;
    } else if (right) {
        /* Sends nothing, or to itself: harmless in the end, and refused all the same. */
        assert_true(fault.code == E0332 || fault.code == E0333);
        sum->refused_though_right++;
    } else {
        sum->rejected++;
    }
    arena_free(a);
}

static void try_mutants(const coll_program *p, int rounds, uint64_t *seed, tally *sum)
{
    if (p->sends.count == 0)
        return;
    for (int i = 0; i < rounds; i++)
        for (int kind = 0; kind < MUTATION_COUNT; kind++)
            try_mutant(p, (mutation)kind, seed, sum);
}

static void report(const char *what, tally sum)
{
    printf("%s: %d mutants, %d rejected, %d shown equivalent, %d refused though harmless\n", what,
           sum.tried, sum.rejected, sum.equivalent, sum.refused_though_right);
    assert_int_equal(sum.tried, sum.rejected + sum.equivalent + sum.refused_though_right);
    assert_true(sum.rejected > sum.tried / 2);
}

static void mutants_of_the_standard_topologies(void **state)
{
    (void)state;
    tally sum = {0};
    uint64_t seed = 2026;
    for (int ranks = 2; ranks <= 9; ranks++) {
        blocks t = blocks_stdlib();
        for (size_t i = 0; i < t.file->count; i++) {
            const ast_node *block = t.file->children[i];
            coll_program *p =
                block->kind == AST_TOPOLOGY ? blocks_evaluate(&t, block->name, ranks, 0) : NULL;
            if (p)
                try_mutants(p, 8, &seed, &sum);
        }
        arena_free(t.memory);
    }
    assert_true(sum.tried > 8000);
    report("stdlib", sum);
}

static void mutants_of_synthesised_programs(void **state)
{
    (void)state;
    tally sum = {0};
    uint64_t seed = 6;
    arena *a = arena_new();
    const link_graph *g = graph_dgx1(a, true);
    for (unsigned set = 3; set < 256; set += 2) {
        int nodes[32], count;
        if (!graph_connected(g, set, nodes, &count) || count < 2)
            continue;
        synthesis s = synthesis_all_reduce(a, g, nodes, count);
        try_mutants(coll_program_of_synthesis(&s, COLL_ALL_REDUCE, g, a), 4, &seed, &sum);
    }
    assert_true(sum.tried > 1000);
    report("trees", sum);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutants_of_the_standard_topologies),
        cmocka_unit_test(mutants_of_synthesised_programs),
    };
    return cmocka_run_group_tests_name("coll mutants", tests, NULL, NULL);
}
