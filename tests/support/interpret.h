/* interpret.h: runs a graph in plain loops, in f64: what gradients, partition and generated code are measured against.
 *
 * Both forms: a graph is one rank; a graph in spmd form is all ranks of its mesh in lockstep, each with its own part of
 * each value, and collectives move data between them. Floating-point values are f64 whatever their type says (a cast
 * to bf16 alone rounds), so a result is the exact one up to f64 rounding.
 *
 *     interpreter *it = interpret_new(g, arena);
 *     memcpy(interpret_variable(it, 0), weights, …);           // the whole variable, row-major
 *     interpret_input(it, "image", pixels);                    // the whole batch
 *     interpret_run(it, graph_function_find(g, "step"));
 *     double loss = interpret_result(it, "loss");
 *
 * Variables are read as they were before the run; `assign` takes effect at its end. A failed expectation (ranks that
 * disagree on a value they both hold, an id out of range) ends the test through cmocka.
 */
#ifndef ESPALIER_TESTS_SUPPORT_INTERPRET_H
#define ESPALIER_TESTS_SUPPORT_INTERPRET_H

#include "graph/graph.h"

typedef struct interpreter interpreter;

interpreter *interpret_new(const graph *g, arena *a);

/* The variable's elements, to be written before a run and read after it; zeros at first. */
double *interpret_variable(interpreter *it, int variable);

/* `data` has the elements of the input's whole type; it is read during the run. */
void interpret_input(interpreter *it, const char *field, const double *data);

void interpret_clock(interpreter *it, double step, double steps, double valid);

/* What `random` gives; by default a hash of name, step and element. */
typedef double interpret_random_fn(void *context, const char *name, double step, int64_t element);
void interpret_random(interpreter *it, interpret_random_fn *random, void *context);

void interpret_run(interpreter *it, const graph_function *f);

/* After a run: the whole value, summed over ranks where it is not yet summed. The function's own values and results. */
double *interpret_value(interpreter *it, const graph_value *x);
double interpret_result(interpreter *it, const char *name);

int interpret_ranks(const interpreter *it);

#endif
