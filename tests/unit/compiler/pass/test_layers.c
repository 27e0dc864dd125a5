/* pass/: every layer of stdlib/nn.plan beside PyTorch: values, states and gradients by the interpreter in f64 against
 * tests/reference/layers/values.txt, and each gradient against central differences. Prints the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "graph/verify.h"
#include "support/layer_cases.h"

typedef struct trial {
    layer_case *c;
    const graph *g;
    graph_function *step, *eval;
    interpreter *it;
    double values, slopes; /* the largest differences */
} trial;

static void worse(double *most, double off)
{
    if (!(off <= *most))
        *most = off;
}

/* What the step leaves in the states is read behind it, then the variables are as they were given. */
static void compare_values(trial *t)
{
    interpret_run(t->it, t->step);
    for (size_t i = 0; i < t->c->numbers.count; i++) {
        const layer_numbers *n = &t->c->numbers.items[i];
        const graph_value *v = NULL;
        if (strcmp(n->kind, "result") == 0)
            v = layer_out(t->c, "step");
        else if (strcmp(n->kind, "gradient") == 0)
            v = layer_gradient(t->c, layer_variable(t->c, n->name));
        if (v)
            worse(&t->values,
                  layer_difference(interpret_value(t->it, v), graph_type_count(t->g, &v->type), n));
        else if (strcmp(n->kind, "gradient") == 0)
            fail_msg("%s: no gradient for '%s'", t->c->name, n->name);
        if (strcmp(n->kind, "after") == 0) {
            int x = layer_variable(t->c, n->name);
            worse(&t->values,
                  layer_difference(interpret_variable(t->it, x),
                                   graph_type_count(t->g, &t->g->variables.items[x].type), n));
        }
    }
    layer_fill(t->c, t->it);
}

static void compare_eval(trial *t)
{
    for (size_t i = 0; i < t->c->numbers.count; i++) {
        const layer_numbers *n = &t->c->numbers.items[i];
        if (strcmp(n->kind, "eval") != 0)
            continue;
        interpret_run(t->it, t->eval);
        const graph_value *v = layer_out(t->c, "eval");
        worse(&t->values,
              layer_difference(interpret_value(t->it, v), graph_type_count(t->g, &v->type), n));
    }
}

static double loss_at(trial *t, int variable, int64_t element, double by)
{
    layer_fill(t->c, t->it);
    interpret_variable(t->it, variable)[element] += by;
    interpret_run(t->it, t->step);
    return interpret_result(t->it, "loss");
}

/* Inputs are multiples of 1/64, so no difference of 1e-5 crosses a kink but one that lies on it, which has no slope. */
static bool smooth(trial *t, int variable, int64_t element, double *slope)
{
    double h = 1e-5, middle = loss_at(t, variable, element, 0);
    double up = loss_at(t, variable, element, h) - middle,
           down = middle - loss_at(t, variable, element, -h);
    *slope = (up + down) / (2 * h);
    return fabs(up - down) / h < 1e-2;
}

static void compare_slopes(trial *t)
{
    for (size_t i = 0; i < t->c->numbers.count; i++) {
        const layer_numbers *n = &t->c->numbers.items[i];
        if (strcmp(n->kind, "gradient") != 0)
            continue;
        int v = layer_variable(t->c, n->name);
        double slope;
        for (int64_t k = 0; k < n->count; k++)
            if (smooth(t, v, k, &slope))
                worse(&t->slopes, fabs(slope - n->at[k]) / (1 + fabs(n->at[k])));
    }
}

static void every_layer_is_pytorchs(void **state)
{
    (void)state;
    arena *a = arena_new();
    layer_reader r = layer_reader_new(a, "f64");
    layer_case c;
    int count = 0, failed = 0;
    printf("  %-60s %-8s %s\n", "layer", "PyTorch", "differences");
    for (; layer_case_next(&r, &c); count++) {
        trial t = {.c = &c, .g = c.run.out.graph};
        t.step = graph_function_find(c.run.out.graph, "step");
        t.eval = graph_function_find(c.run.out.graph, "eval");
        const char *wrong = graph_verify(t.g, c.run.memory);
        if (wrong)
            fail_msg("%s: %s", c.name, wrong);
        t.it = interpret_new(t.g, c.run.memory);
        layer_fill(&c, t.it);
        compare_values(&t);
        compare_eval(&t);
        compare_slopes(&t);
        bool fine = t.values < 1e-10 && t.slopes < 1e-7;
        printf("  %-60s %.1e  %.1e%s\n", c.name, t.values, t.slopes, fine ? "" : "  too far");
        failed += !fine;
        layer_case_free(&c);
    }
    assert_int_equal(failed, 0);
    assert_true(count > 20);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_layer_is_pytorchs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
