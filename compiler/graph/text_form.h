/* text_form.h: the text form of graphs, graph and spmd: complete, one line an operator, each with its plan line.
 *
 *     graph
 *     dim B = 64 batch @ digits.plan:14
 *     variable linear.w : f32[P, H] parameter init normal(0, 0.125) @ stdlib/nn.plan:3
 *     function step
 *       %0 = input name="image" -> [b p] : f32[B, P] as image @ digits.plan:12
 *       %1 = variable variable=linear.w -> [p h] : f32[P, H] path linear from "digits.plan:14" @ stdlib/nn.plan:3
 *       %2 = dot %0[b p], %1[p h] -> [b h] : f32[B, H] path linear from "digits.plan:14" @ stdlib/nn.plan:4
 *       %3, %4 = repeat %2, %9 iterations=4 carried=1 : f32[B, H], f32[L, B, H] @ digits.plan:15
 *         arguments %5 : f32[B, H], %6 : f32[H, H]
 *         …
 *         yield %7, %8
 *       end
 *       gradient linear.w = %31
 *       result loss "loss" = %12
 *     end
 *
 * A slot's letter is its index (`_`: none); letters are local to a line. Attributes that are zero are left out. Of two
 * dimensions with one name the second is written D'2. A layout stands in the type: f32[B@dp, F@tp]{+dp}.
 * `path` is graph_op.path, `from` its trail. A place that is not known is `-`.
 *
 * Reading back gives a graph that prints the same. Spans come back as whole lines: in the source of that name if `sources`
 * has it; else a source of empty lines is added, which stands for it.
 */
#ifndef ESPALIER_GRAPH_TEXT_FORM_H
#define ESPALIER_GRAPH_TEXT_FORM_H

#include "graph/graph.h"

/* The text lives in `a`. */
const char *graph_print(const graph *g, arena *a);

/* One operator's line without its indent, for messages. */
const char *graph_print_op(const graph *g, const graph_op *op, arena *a);

/* f32[B@dp, F]{+tp} */
const char *graph_print_type(const graph *g, const graph_type *t, const graph_layout *layout,
                             arena *a);

typedef struct graph_parse_error {
    int line; /* from 1 */
    const char *text;
} graph_parse_error;

/* NULL with `error` filled in when the text is not a graph. `error->text` lives in `a`. */
graph *graph_parse(arena *a, atom_table *atoms, source_set *sources, const char *text,
                   graph_parse_error *error);

#endif
