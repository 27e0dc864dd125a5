/* Reductions on the links of a cluster: laid out, made by trees and auto, refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "coll/route.h"
#include "support/coll_oracle.h"
#include "support/sema_run.h"

static const char dgx1v[] =
    "cluster c { node box { cpu g[8] { memory 32 GiB }\n"
    "link g: 25 GB/s, 1.5 us { 0-1 x2, 0-2, 0-3, 0-4 x2, 1-2, 1-3 x2, 1-5, 2-3 x2, 2-6 x2, 3-7,\n"
    "  4-5 x2, 4-6, 4-7, 5-6, 5-7 x2, 6-7 x2 } } }\n";

static const char two_boxes[] = "cluster c { node host[2] { cpu g[4] { memory 1 GiB }\n"
                                "  switch nvs over g: 300 GB/s, 1 us }\n"
                                "switch ib over host.g: 25 GB/s, 5 us }\n";

static const char digits[] = "model mlp(H: dim, C: dim) {\n"
                             "  input image: f32[B, P]\n"
                             "  input digit: id[B] below C\n"
                             "  y = linear(relu(linear(image, H)), C)\n"
                             "  loss = cross_entropy(y, digit)\n"
                             "}\n"
                             "train digits for mlp(H = 8, C = 10) {\n"
                             "  data csv(\"digits.csv\", image = 0..63, digit = 64)\n"
                             "  batch 64\n"
                             "  optimizer sgd(lr = 0.1)\n"
                             "  epochs 1\n"
                             "}\n";

static sema_run run_of(const char *cluster, const char *plan)
{
    arena *a = arena_new();
    char *whole = arena_format(a, "use nn, optim, topology\n%s%splan p for digits on c { %s }\n",
                               cluster, digits, plan);
    sema_run r = sema_run_text(whole, "p");
    arena_free(a);
    return r;
}

/* The one program of the plan, which is right. */
static const coll_program *program_of(sema_run *r)
{
    if (!r->fine)
        fail_msg("%s", sema_run_words(r));
    assert_int_equal(r->out.training->reduces.count, 1);
    const coll_program *p = r->out.training->reduces.items[0].program;
    assert_non_null(p);
    assert_true(oracle_steps_are_right(p, 3));
    assert_true(oracle_ranks_are_right(p, 2, 3));
    return p;
}

static void trees_are_packed_onto_the_links(void **state)
{
    (void)state;
    sema_run r = run_of(dgx1v, "mesh dp = 8; split B over dp; reduce grad over dp by trees");
    const coll_program *p = program_of(&r);
    assert_string_equal(p->name, "trees");
    int nodes[] = {0, 1, 2, 3, 4, 5, 6, 7};
    coll_routes *routes = coll_routes_new(r.out.training->links, nodes, 8, r.memory);
    double links = coll_rate(p, routes) / 25e9;
    assert_true(links > 24.0 / 7 - 1e-9); /* design.md */
    assert_non_null(coll_place_of(p, &p->sends.items[0]).line);
    sema_run_free(&r);
}

static void a_ring_takes_the_order_that_has_links(void **state)
{
    (void)state;
    sema_run r = run_of(dgx1v, "mesh dp = 8; split B over dp; reduce grad over dp by ring");
    const coll_program *p = program_of(&r);
    assert_string_equal(p->name, "ring");
    assert_true(p->chunks > 8); /* several rings, as ranks 3 and 4 have no link */
    sema_run_free(&r);
}

static void auto_takes_a_topology(void **state)
{
    (void)state;
    sema_run r = run_of(dgx1v, "mesh dp = 8; split B over dp; reduce grad over dp by auto");
    program_of(&r);
    /* Few steps for little data, all links for much; the plan's 618 gradients are 2.4 KiB. */
    const char *weighed = r.out.training->reduces.items[0].weighed;
    assert_non_null(weighed);
    assert_ptr_equal(strstr(weighed, "halving"), weighed + 2);
    assert_non_null(strstr(weighed, "from there on\n  gradients here: 2.4 KiB\n"));
    sema_run_free(&r);
}

static void what_links_cannot_carry_is_an_error(void **state)
{
    (void)state;
    sema_run r = run_of(dgx1v, "mesh dp = 8; split B over dp; reduce grad over dp by direct");
    assert_false(r.fine);
    assert_int_equal(diag_error_count(r.diags), 1);
    assert_non_null(strstr(sema_run_words(&r), "E0341"));
    assert_non_null(strstr(sema_run_words(&r), "no link joins them"));
    sema_run_free(&r);
    r = run_of("cluster c { node box { cpu g[2] { memory 1 GiB } } }\n",
               "mesh dp = 2; split B over dp; reduce grad over dp by auto");
    assert_false(r.fine);
    assert_int_equal(diag_error_count(r.diags), 1);
    assert_non_null(strstr(sema_run_words(&r), "E0342"));
    sema_run_free(&r);
}

static void hierarchical_knows_the_nodes(void **state)
{
    (void)state;
    sema_run r =
        run_of(two_boxes, "mesh dp = 8; split B over dp; reduce grad over dp by hierarchical");
    const coll_program *p = program_of(&r);
    assert_int_equal(p->steps, 2 * 3 + 2 * 1);
    sema_run_free(&r);
    r = run_of(two_boxes, "mesh dp = 2; split B over dp; reduce grad over dp by hierarchical");
    assert_int_equal(program_of(&r)->steps, 2 * 1); /* two ranks of one node */
    sema_run_free(&r);
    r = run_of(two_boxes, "mesh dp = 8; split B over dp; reduce grad over dp by trees");
    program_of(&r);
    sema_run_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_are_packed_onto_the_links),
        cmocka_unit_test(a_ring_takes_the_order_that_has_links),
        cmocka_unit_test(auto_takes_a_topology),
        cmocka_unit_test(what_links_cannot_carry_is_an_error),
        cmocka_unit_test(hierarchical_knows_the_nodes),
    };
    return cmocka_run_group_tests_name("sema links", tests, NULL, NULL);
}
