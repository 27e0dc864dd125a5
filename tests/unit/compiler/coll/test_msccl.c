/* coll/msccl.h: exported programs keep the format's rules and do, executed, what they should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "coll/forest.h"
#include "coll/msccl.h"
#include "support/blocks.h"
#include "support/graphs.h"
#include "support/msccl_machine.h"

static void check(const coll_program *p, uint64_t seed)
{
    arena *a = arena_new();
    text xml = text_in(a);
    const char *why = coll_write_msccl(p, &xml, a);
    if (why)
        fail_msg("%s on %d ranks: %s", p->name, p->ranks, why);
    const char *wrong = msccl_run(text_done(&xml), p->kind, p->root, seed, a);
    if (wrong)
        fail_msg("%s on %d ranks: %s", p->name, p->ranks, wrong);
    arena_free(a);
}

static void the_standard_topologies(void **state)
{
    (void)state;
    for (int ranks = 1; ranks <= 17; ranks++) {
        blocks t = blocks_stdlib();
        for (size_t i = 0; i < t.file->count; i++) {
            coll_request request = {.ranks = ranks, .at = SPAN_NONE, .trial = true};
            const ast_node *block = t.file->children[i];
            coll_program *p = block->kind == AST_TOPOLOGY
                                  ? coll_evaluate(block, &request, t.sources, t.sink, t.memory)
                                  : NULL;
            for (uint64_t seed = 1; p && seed <= 3; seed++)
                check(p, seed);
        }
        arena_free(t.memory);
    }
}

static void rings_and_trees_of_64(void **state)
{
    (void)state;
    static const char *const names[] = {"ring", "tree", "double_tree", "halving"};
    blocks t = blocks_stdlib();
    for (int i = 0; i < 4; i++)
        check(blocks_evaluate(&t, names[i], 64, 0), 9);
    arena_free(t.memory);
}

static void synthesised_trees(void **state)
{
    (void)state;
    arena *a = arena_new();
    for (int volta = 0; volta < 2; volta++) {
        const link_graph *g = graph_dgx1(a, volta);
        for (unsigned set = 3; set < 256; set++) {
            int nodes[32], count;
            if (!graph_connected(g, set, nodes, &count) || count < 2)
                continue;
            synthesis s = synthesis_all_reduce(a, g, nodes, count);
            check(coll_program_of_synthesis(&s, COLL_ALL_REDUCE, g, a), set);
            s = synthesis_all_gather(a, g, nodes, count);
            check(coll_program_of_synthesis(&s, COLL_ALL_GATHER, g, a), set);
        }
    }
    arena_free(a);
}

static void a_pair_in_full(void **state)
{
    (void)state;
    blocks t = blocks_stdlib();
    text xml = text_in(t.memory);
    assert_null(coll_write_msccl(blocks_evaluate(&t, "server", 2, 0), &xml, t.memory));
    assert_string_equal(text_done(&xml),
                        "<algo name=\"server\" proto=\"Simple\" nchannels=\"1\" "
                        "nchunksperloop=\"1\" ngpus=\"2\" coll=\"allreduce\" "
                        "inplace=\"1\" outofplace=\"0\" minBytes=\"0\" maxBytes=\"0\">\n"
                        "  <gpu id=\"0\" i_chunks=\"1\" o_chunks=\"1\" s_chunks=\"0\">\n"
                        "    <tb id=\"0\" send=\"-1\" recv=\"1\" chan=\"0\">\n"
                        "      <step s=\"0\" type=\"rrc\" srcbuf=\"i\" srcoff=\"0\" dstbuf=\"i\" "
                        "dstoff=\"0\" cnt=\"1\" depid=\"-1\" "
                        "deps=\"-1\" hasdep=\"1\"/>\n"
                        "    </tb>\n"
                        "    <tb id=\"1\" send=\"1\" recv=\"-1\" chan=\"0\">\n"
                        "      <step s=\"0\" type=\"s\" srcbuf=\"i\" srcoff=\"0\" dstbuf=\"i\" "
                        "dstoff=\"0\" cnt=\"1\" depid=\"0\" "
                        "deps=\"0\" hasdep=\"0\"/>\n"
                        "    </tb>\n"
                        "  </gpu>\n"
                        "  <gpu id=\"1\" i_chunks=\"1\" o_chunks=\"1\" s_chunks=\"0\">\n"
                        "    <tb id=\"0\" send=\"0\" recv=\"-1\" chan=\"0\">\n"
                        "      <step s=\"0\" type=\"s\" srcbuf=\"i\" srcoff=\"0\" dstbuf=\"i\" "
                        "dstoff=\"0\" cnt=\"1\" depid=\"-1\" "
                        "deps=\"-1\" hasdep=\"1\"/>\n"
                        "    </tb>\n"
                        "    <tb id=\"1\" send=\"-1\" recv=\"0\" chan=\"0\">\n"
                        "      <step s=\"0\" type=\"r\" srcbuf=\"i\" srcoff=\"0\" dstbuf=\"i\" "
                        "dstoff=\"0\" cnt=\"1\" depid=\"0\" "
                        "deps=\"0\" hasdep=\"0\"/>\n"
                        "    </tb>\n"
                        "  </gpu>\n"
                        "</algo>\n");
    arena_free(t.memory);
}

/* The checker finds what is taken out of a right file. */
static void the_machine_notices(void **state)
{
    (void)state;
    blocks t = blocks_stdlib();
    static const struct {
        const char *from, *to;
    } changes[] = {{"depid=\"0\" deps=\"0\"", "depid=\"-1\" deps=\"-1\""},
                   {"type=\"rrc\"", "type=\"r\""},
                   {"hasdep=\"1\"", "hasdep=\"0\""},
                   {"cnt=\"1\"", "cnt=\"2\""},
                   {"chan=\"0\"", "chan=\"1\""},
                   {"s=\"0\" type", "s=\"1\" type"}};
    for (int i = 0; i < 6; i++) {
        text xml = text_in(t.memory), changed = text_in(t.memory);
        assert_null(coll_write_msccl(blocks_evaluate(&t, "server", 3, 0), &xml, t.memory));
        const char *whole = text_done(&xml), *found = strstr(whole, changes[i].from);
        assert_non_null(found);
        text_add_bytes(&changed, whole, (size_t)(found - whole));
        text_add(&changed, "%s%s", changes[i].to, found + strlen(changes[i].from));
        bool noticed = false;
        for (uint64_t seed = 1; seed <= 20; seed++)
            noticed |= msccl_run(text_done(&changed), COLL_ALL_REDUCE, 0, seed, t.memory) != NULL;
        assert_true(noticed);
    }
    arena_free(t.memory);
}

static void what_msccl_cannot_hold_is_said(void **state)
{
    (void)state;
    arena *a = arena_new();
    text xml = text_in(a);
    coll_program *p = coll_program_new(a, COLL_ALL_REDUCE, "fine", 2, 2);
    p->weights[0] = 100000;
    assert_non_null(strstr(coll_write_msccl(p, &xml, a), "equal parts"));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standard_topologies), cmocka_unit_test(rings_and_trees_of_64),
        cmocka_unit_test(synthesised_trees),       cmocka_unit_test(a_pair_in_full),
        cmocka_unit_test(the_machine_notices),     cmocka_unit_test(what_msccl_cannot_hold_is_said),
    };
    return cmocka_run_group_tests_name("coll msccl", tests, NULL, NULL);
}
