/* cluster/bounds.h against linear programs solved by GLPK: another road to the same optima, on larger graphs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glpk.h>
#include <math.h>
#include <stdio.h>

#include "cluster/bounds.h"
#include "support/link_shapes.h"

/* Rows and columns of a program while it is put together. GLPK counts both from 1; entry 0 is not used. */
typedef struct program {
    glp_prob *lp;
    arena *memory;
    VEC(int) row;
    VEC(int) column;
    VEC(double) value;
} program;

static program program_new(arena *a)
{
    program p = {.lp = glp_create_prob(), .memory = a};
    glp_set_obj_dir(p.lp, GLP_MAX);
    vec_push(a, &p.row, 0);
    vec_push(a, &p.column, 0);
    vec_push(a, &p.value, 0);
    return p;
}

static int add_column(program *p, double objective)
{
    int column = glp_add_cols(p->lp, 1);
    glp_set_col_bnds(p->lp, column, GLP_LO, 0, 0);
    glp_set_obj_coef(p->lp, column, objective);
    return column;
}

static int add_row(program *p, int kind, double limit)
{
    int row = glp_add_rows(p->lp, 1);
    glp_set_row_bnds(p->lp, row, kind, limit, limit);
    return row;
}

static void add_entry(program *p, int row, int column, double value)
{
    vec_push(p->memory, &p->row, row);
    vec_push(p->memory, &p->column, column);
    vec_push(p->memory, &p->value, value);
}

static double solved(program *p)
{
    glp_load_matrix(p->lp, (int)p->row.count - 1, p->row.items, p->column.items, p->value.items);
    glp_smcp how;
    glp_init_smcp(&how);
    how.msg_lev = GLP_MSG_ERR;
    how.presolve = GLP_ON;
    assert_int_equal(glp_simplex(p->lp, &how), 0);
    assert_int_equal(glp_get_status(p->lp), GLP_OPT);
    double best = glp_get_obj_val(p->lp);
    glp_delete_prob(p->lp);
    return best;
}

/* Columns of one flow, by arc, conserved at every node but what `out` adds at it and `sink`. Returns the first. */
static int add_flow(program *p, const link_graph *g, int sink, int *row_of_node)
{
    for (size_t node = 0; node < g->nodes.count; node++)
        row_of_node[node] = (int)node == sink ? 0 : add_row(p, GLP_FX, 0);
    int first = 0;
    for (size_t i = 0; i < g->arcs.count; i++) {
        int column = add_column(p, 0);
        first = i == 0 ? column : first;
        if (row_of_node[g->arcs.items[i].from])
            add_entry(p, row_of_node[g->arcs.items[i].from], column, 1);
        if (row_of_node[g->arcs.items[i].to])
            add_entry(p, row_of_node[g->arcs.items[i].to], column, -1);
    }
    return first;
}

/* All-gather: the greatest x such that every rank can be sent x by every other at once, link capacities being for each
 * receiver anew (what goes to several is sent once). In GB/s. */
static double gather_by_lp(const link_graph *g, const int *ranks, int count)
{
    arena *a = arena_new();
    program p = program_new(a);
    int x = add_column(&p, 1), *row_of_node = arena_array(a, int, g->nodes.count);
    for (int v = 0; v < count; v++) {
        int first = add_flow(&p, g, ranks[v], row_of_node);
        for (int r = 0; r < count; r++)
            if (r != v)
                add_entry(&p, row_of_node[ranks[r]], x, -1);
        for (size_t i = 0; i < g->arcs.count; i++)
            glp_set_col_bnds(p.lp, first + (int)i, GLP_DB, 0,
                             (double)g->arcs.items[i].bytes_per_second / 1e9);
    }
    double best = count * solved(&p);
    arena_free(a);
    return best;
}

/* Packing: each link's capacity split between its ways, so that every rank can be sent the rate from rank 0. In GB/s.
 * That this is the rate of trees is Nash-Williams' theorem by way of orientations (Frank). */
static double packing_by_lp(const link_graph *g, const int *ranks, int count)
{
    arena *a = arena_new();
    program p = program_new(a);
    int rate = add_column(&p, 1), *row_of_node = arena_array(a, int, g->nodes.count);
    int way = glp_get_num_cols(p.lp) + 1;
    for (size_t i = 0; i < g->arcs.count; i++)
        add_column(&p, 0);
    for (size_t i = 0; i < g->arcs.count; i++) {
        const link_arc *arc = &g->arcs.items[i];
        if (arc->from > arc->to)
            continue;
        int row = add_row(&p, GLP_UP, (double)arc->bytes_per_second / 1e9);
        add_entry(&p, row, way + (int)i, 1);
        add_entry(&p, row, way + link_graph_find_arc(g, arc->to, arc->from), 1);
    }
    for (int v = 1; v < count; v++) {
        int first = add_flow(&p, g, ranks[v], row_of_node);
        add_entry(&p, row_of_node[ranks[0]], rate, -1);
        for (size_t i = 0; i < g->arcs.count; i++) {
            int row = add_row(&p, GLP_UP, 0);
            add_entry(&p, row, first + (int)i, 1);
            add_entry(&p, row, way + (int)i, -1);
        }
    }
    double best = solved(&p);
    arena_free(a);
    return best;
}

static void check(const char *what, const link_graph *g)
{
    arena *a = arena_new();
    int count = (int)g->devices.count, *ranks = shape_all(a, g);
    bound gather = bound_all_gather(a, g, ranks, count),
          packing = bound_packing(a, g, ranks, count);
    double wanted = gather_by_lp(g, ranks, count), got = rational_value(gather.rate) / 1e9;
    printf("    %-30s all-gather %10.4f, by GLPK %10.4f", what, got, wanted);
    assert_true(fabs(got - wanted) < 1e-6 * wanted);
    if (g->devices.count == g->nodes.count) {
        wanted = packing_by_lp(g, ranks, count);
        got = rational_value(packing.rate) / 1e9;
        printf(", packing %10.4f, by GLPK %10.4f", got, wanted);
        assert_true(fabs(got - wanted) < 1e-6 * wanted);
    }
    printf("\n");
    arena_free(a);
}

static void optima_are_those_of_linear_programs(void **state)
{
    (void)state;
    const int64_t unequal[8] = {50 * SHAPE_GB, 0, 25 * SHAPE_GB, 0, 50 * SHAPE_GB, 0, 0,
                                25 * SHAPE_GB};
    const int slower[2] = {1, 2};
    arena *a = arena_new();
    check("DGX-1V", shape_dgx1v(a));
    check("DGX-1P", shape_dgx1p(a));
    check("MI250", shape_mi250(a, 1));
    check("3x3 torus", shape_torus(a, 3, 3, 1, 50 * SHAPE_GB));
    check("4x3 torus", shape_torus(a, 4, 3, 1, 50 * SHAPE_GB));
    check("2x2x3 torus", shape_torus(a, 2, 2, 3, 50 * SHAPE_GB));
    check("2 boxes of 8 A100", shape_plain_boxes(a, 2, 8, 300 * SHAPE_GB, 25 * SHAPE_GB));
    check("2 boxes of 8, unequal",
          shape_of_boxes(a, &(shape_boxes){2, 8, 300 * SHAPE_GB, unequal, slower}));
    check("2 MI250 boxes", shape_mi250(a, 2));
    check("fat tree 3x3, 3:2",
          shape_of_fat_tree(a, &(shape_fat_tree){3, 3, 2, 10 * SHAPE_GB, 10 * SHAPE_GB}));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(optima_are_those_of_linear_programs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
