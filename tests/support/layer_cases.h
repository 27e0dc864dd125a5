/* layer_cases.h: the cases of tests/reference/layers/values.txt: a layer of the standard library called once, what goes in,
 * and what PyTorch says comes out.
 *
 *     layer_reader r = layer_reader_new(arena, "f64");
 *     layer_case c;
 *     while (layer_case_next(&r, &c))
 *         …
 *         layer_case_free(&c);
 */
#ifndef ESPALIER_TESTS_SUPPORT_LAYER_CASES_H
#define ESPALIER_TESTS_SUPPORT_LAYER_CASES_H

#include "base/vec.h"
#include "support/interpret.h"
#include "support/sema_run.h"

/* A line of numbers: what `kind` (input, value, result, after, eval, gradient) says of `name` (NULL where it has none). */
typedef struct layer_numbers {
    const char *kind, *name;
    double *at;
    int64_t count;
} layer_numbers;

typedef struct layer_case {
    const char *name;
    const char *plan; /* the whole file */
    VEC(layer_numbers) numbers;
    sema_run run; /* elaborated; its graph has `step` with gradients, and `eval` */
} layer_case;

typedef struct layer_reader {
    arena *memory;
    const char *precision;
    char *at;
} layer_reader;

/* `precision` of the plans: "f32" or "f64". */
layer_reader layer_reader_new(arena *a, const char *precision);

/* Reads and elaborates the next case; false behind the last one. A plan that does not elaborate ends the test. */
bool layer_case_next(layer_reader *r, layer_case *c);
void layer_case_free(layer_case *c);

/* The variable of that path; ends the test if there is none. */
int layer_variable(const layer_case *c, const char *path);

/* What the function binds to `out`. */
graph_value *layer_out(const layer_case *c, const char *function);

/* The gradient that the step has for a variable; NULL if none. */
graph_value *layer_gradient(const layer_case *c, int variable);

/* The elements that were given, into an interpreter of the case's graph. */
void layer_fill(const layer_case *c, interpreter *it);

/* The largest |got - wanted| / (1 + |wanted|); infinite where the counts differ or one is not a number. */
double layer_difference(const double *got, int64_t count, const layer_numbers *wanted);

#endif
