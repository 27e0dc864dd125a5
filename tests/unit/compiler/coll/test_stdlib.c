/* stdlib/topology.plan: each topology on 1 to 64 ranks, proved; on numbers where that is fast. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "coll/verify.h"
#include "support/coll_oracle.h"
#include "support/blocks.h"

static bool power_of_two(int n)
{
    return (n & (n - 1)) == 0;
}

/* Those that say that they need a power of two. */
static bool refuses(const char *name, int ranks)
{
    return (strcmp(name, "halving_reduce_scatter") == 0 ||
            strcmp(name, "halving_all_gather") == 0) &&
           !power_of_two(ranks);
}

static void check_one(const blocks *t, const char *name, int ranks)
{
    coll_program *p = blocks_evaluate(t, name, ranks, 0);
    if (refuses(name, ranks)) {
        assert_null(p);
        return;
    }
    coll_fault fault;
    if (!p)
        fail_msg("%s on %d ranks: %s", name, ranks, blocks_diagnostics(t));
    if (!coll_prove(p, &fault, t->memory))
        fail_msg("%s", fault.message);
    if (ranks <= 20) {
        assert_true(oracle_steps_are_right(p, (uint64_t)ranks));
        assert_true(oracle_ranks_are_right(p, 2, (uint64_t)ranks));
    }
}

static void every_topology_on_every_number_of_ranks(void **state)
{
    (void)state;
    blocks first = blocks_stdlib();
    if (diag_error_count(first.sink))
        fail_msg("%s", blocks_diagnostics(&first));
    size_t seen = 0;
    for (int ranks = 1; ranks <= 64; ranks++) {
        blocks t = blocks_stdlib();
        seen = 0;
        for (size_t i = 0; i < t.file->count; i++) {
            if (t.file->children[i]->kind != AST_TOPOLOGY)
                continue;
            check_one(&t, t.file->children[i]->name, ranks);
            seen++;
        }
        arena_free(t.memory);
    }
    assert_true(seen >= 22);
    arena_free(first.memory);
}

static void nodes_divide_the_ranks(void **state)
{
    (void)state;
    static const char *const names[] = {"hierarchical", "hierarchical_all_gather",
                                        "hierarchical_reduce_scatter"};
    for (int ranks = 1; ranks <= 48; ranks++) {
        blocks t = blocks_stdlib();
        for (int per_node = 1; per_node <= ranks; per_node++) {
            for (int k = 0; k < 3; k++) {
                coll_fault fault;
                coll_program *p = blocks_evaluate(&t, names[k], ranks, per_node);
                assert_int_equal(p != NULL, ranks % per_node == 0);
                if (p && !coll_prove(p, &fault, t.memory))
                    fail_msg("%s", fault.message);
                if (p && ranks <= 16)
                    assert_true(oracle_ranks_are_right(p, 1, (uint64_t)ranks));
            }
        }
        arena_free(t.memory);
    }
}

static coll_program *with_argument(const blocks *t, const char *name, int ranks,
                                   coll_argument argument)
{
    coll_request request = {
        .ranks = ranks, .at = SPAN_NONE, .arguments = &argument, .argument_count = 1};
    return coll_evaluate(blocks_find(t, name), &request, t->sources, t->sink, t->memory);
}

static void trees_of_any_arity_and_root(void **state)
{
    (void)state;
    blocks t = blocks_stdlib();
    coll_fault fault;
    for (int ranks = 1; ranks <= 40; ranks += 3) {
        for (int arity = 1; arity <= 8; arity++) {
            coll_program *p =
                with_argument(&t, "tree", ranks, (coll_argument){NULL, arity, SPAN_NONE});
            assert_true(p && coll_prove(p, &fault, t.memory));
            for (int root = 0; root < ranks; root += 5) {
                coll_argument at_root = {atom_of(t.atoms, "from_rank"), root, SPAN_NONE};
                p = with_argument(&t, "tree_broadcast", ranks, at_root);
                assert_true(p && p->root == root && coll_prove(p, &fault, t.memory));
                p = with_argument(&t, "direct_broadcast", ranks, at_root);
                assert_true(p && coll_prove(p, &fault, t.memory));
                at_root.name = atom_of(t.atoms, "to_rank");
                p = with_argument(&t, "ring_reduce", ranks, at_root);
                assert_true(p && p->root == root && coll_prove(p, &fault, t.memory));
            }
        }
    }
    assert_null(with_argument(&t, "tree", 4, (coll_argument){NULL, 0, SPAN_NONE}));
    assert_non_null(strstr(blocks_diagnostics(&t), "it requires arity >= 1"));
    assert_null(
        with_argument(&t, "ring", 4, (coll_argument){atom_of(t.atoms, "size"), 2, SPAN_NONE}));
    assert_non_null(strstr(blocks_diagnostics(&t), "topology 'ring' has no parameter 'size'"));
    arena_free(t.memory);
}

static void steps_are_as_few_as_they_should_be(void **state)
{
    (void)state;
    blocks t = blocks_stdlib();
    for (int ranks = 2; ranks <= 64; ranks++) {
        int floor_log = 31 - __builtin_clz((unsigned)ranks),
            ceil_log = floor_log + !power_of_two(ranks);
        assert_int_equal(blocks_evaluate(&t, "ring", ranks, 0)->steps, 2 * (ranks - 1));
        assert_int_equal(blocks_evaluate(&t, "tree", ranks, 0)->steps, 2 * floor_log);
        assert_int_equal(blocks_evaluate(&t, "double_tree", ranks, 0)->steps, 2 * ceil_log);
        assert_int_equal(blocks_evaluate(&t, "halving", ranks, 0)->steps,
                         2 * floor_log + (power_of_two(ranks) ? 0 : 2));
        assert_int_equal(blocks_evaluate(&t, "direct", ranks, 0)->steps, 2);
        assert_int_equal(blocks_evaluate(&t, "server", ranks, 0)->steps, 2);
    }
    arena_free(t.memory);
}

/* No rank is inside both trees, so none sends or receives more than twice in each half. */
static void double_trees_share_the_load(void **state)
{
    (void)state;
    blocks t = blocks_stdlib();
    for (int ranks = 2; ranks <= 64; ranks++) {
        coll_program *p = blocks_evaluate(&t, "double_tree", ranks, 0);
        int inside[2][64] = {{0}};
        for (size_t i = 0; i < p->sends.count; i++)
            if (p->sends.items[i].op == COLL_REDUCE)
                inside[p->sends.items[i].chunk][p->sends.items[i].to]++;
        int both = 0;
        for (int r = 0; r < ranks; r++)
            both += inside[0][r] > 0 && inside[1][r] > 0;
        assert_true(both <= 1); /* with an odd number one rank is */
    }
    arena_free(t.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_topology_on_every_number_of_ranks),
        cmocka_unit_test(nodes_divide_the_ranks),
        cmocka_unit_test(trees_of_any_arity_and_root),
        cmocka_unit_test(steps_are_as_few_as_they_should_be),
        cmocka_unit_test(double_trees_share_the_load),
    };
    return cmocka_run_group_tests_name("coll stdlib", tests, NULL, NULL);
}
