/* sema.h: what a plan file means: names resolved, everything checked, and the plan elaborated into a graph.
 *
 *     sema_context context = {arena, atoms, sources, diags, "/usr/share/espalier/stdlib"};
 *     sema *s = sema_new(&context, parse_file(&parsing, file));
 *     sema_check(s);                                         // every definition, train and plan of the file
 *     sema_output out;
 *     if (diag_error_count(diags) == 0 && sema_elaborate(s, "ring4", settings, 1, &out))
 *         compile(out.graph, out.training);
 *
 * Everything lives in the context's arena. A mistake is a diagnostic in the sink, once, at the place that is wrong.
 * The AST is read here and nowhere behind: the graph and the training hold all that the passes need.
 */
#ifndef ESPALIER_SEMA_SEMA_H
#define ESPALIER_SEMA_SEMA_H

#include "ast/ast.h"
#include "diag/diag.h"
#include "graph/training.h"

typedef struct sema_context {
    arena *memory;
    atom_table *atoms;
    source_set *sources;
    diag_sink *diags;
    const char *library; /* folder of the standard library */
} sema_context;

/* `--set NAME=VALUE`: a parameter of the model or a clause of the train. `value` is parsed from a source of its own. */
typedef struct sema_setting {
    atom name;
    const ast_node *value;
} sema_setting;

typedef struct sema_output {
    graph *graph;
    training *training;
} sema_output;

typedef struct sema sema;

/* Reads the files that `file` uses and imports, and checks every definition's names. */
sema *sema_new(const sema_context *context, const ast_node *file);

/* Elaborates every plan of the file, and every train that no plan lays out. True: no error so far. */
bool sema_check(sema *s);

/* One plan alone (the first one for NULL), with its train, model and cluster. Other plans, trains and clusters of the file may be wrong. */
bool sema_check_plan(sema *s, const char *plan);

/* From now on checks do at most one of so many parts of the work that they may: where the compiler itself is slower, under
 * sanitizers. */
void sema_spare(sema *s, int parts);

/* From now on files of weights that a train begins from are opened, if they are there, and compared with its model. */
void sema_read_files(sema *s);

/* From now on each training has its weights as this `weights` block names them, whatever its `init` says. */
void sema_publish(sema *s, const char *weights);

/* The plan of that name, the first one for NULL; NULL if there is none. */
const ast_node *sema_plan(const sema *s, const char *name);

/* The plan (the first one for NULL) as a graph with the functions `step` and `eval`, and its training. False after an error. */
bool sema_elaborate(sema *s, const char *plan, const sema_setting *settings, int count,
                    sema_output *out);

/* The same for samples alone: the functions `prefill` and `decode` of one rank, whatever the plan says; `plan` may be the name of
 * a train too. */
bool sema_elaborate_sampling(sema *s, const char *plan, const sema_setting *settings, int count,
                             sema_output *out);

/* A cluster as its links, for `espalier topology`. Devices are numbered in the order in which the block makes them. */
typedef struct sema_machine {
    struct link_graph *links;
    const int *nodes; /* [count] node of the link graph of each device */
    const int *boxes; /* [count] the node (host) around each device */
    int count;
} sema_machine;

/* The cluster of that name, the first one for NULL. False after a report, or when there is none: then `links` is NULL. */
bool sema_cluster(sema *s, const char *name, sema_machine *out);

/* The topology block of that name that the file or the standard library has; NULL if there is none. */
const ast_node *sema_topology(sema *s, const char *name);

#endif
