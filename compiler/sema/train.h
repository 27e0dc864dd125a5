/* train.h: what a `train` and a `plan` say, on the way to the graph and the training.
 *
 * A `setup` gathers the clauses of one train and of one plan of it. Clauses are rows of clause.def: a word, the block that it
 * stands in, its handler, and whether it may stand twice. A row with a code is understood and checked, and not carried out yet:
 * that is an error with this code, and it is said where all else is right.
 *
 * Order: train clauses; plan clauses that others and the graph need (mesh, precision); the graph (model.c, optimize.c); the
 * other plan clauses, which find their paths and dimensions in it; then what several clauses say together (plan.c, plan_check.c).
 */
#ifndef ESPALIER_SEMA_TRAIN_H
#define ESPALIER_SEMA_TRAIN_H

#include "sema/elab.h"

/* A field that the data clause gives: `image = 0..63`. */
typedef struct data_field {
    atom name;
    const ast_node *node;
    int64_t first, last; /* csv columns by number; -1 elsewhere */
    atom array;          /* csv: a column by name */
    atom holdout;        /* npy, idx: the file of the held-out samples */
    bool taken;
} data_field;

typedef struct device {
    int node;       /* of the link graph */
    atom kind;      /* cpu, gpu, … */
    int64_t memory; /* 0: not declared */
    span memory_at;
    int box; /* number of the node around it */
} device;

typedef struct cluster_model {
    const definition *of;
    struct link_graph *links;
    VEC(device) devices;
    int boxes;
    bool poisoned;
} cluster_model;

/* What is right and not carried out yet. */
typedef struct postponed {
    diag_code code;
    span at;
    const char *words, *fix; /* fix: or NULL */
} postponed;

/* `recompute` and `save`: what they speak of. */
typedef struct plan_kept {
    path_set set;
    span at;
} plan_kept;

/* `shard optimizer over dp`. */
typedef struct plan_shard {
    const char *what;
    int axis;
    span at;
} plan_shard;

typedef struct plan_pipeline {
    int axis;   /* -1: no pipeline, or none that could be read */
    int chunks; /* of each stage: more than 1 where the schedule interleaves them */
    int64_t microbatches;
    span at, microbatches_at;
} plan_pipeline;

/* What a plan says beside what `training` holds. */
typedef struct plan_said {
    struct placing *place; /* clause_place.c; NULL: not said, or wrong */
    plan_pipeline pipeline;
    VEC(plan_shard) shards;
    VEC(plan_kept) recomputed, saved;
    span automatic;                /* `recompute auto within X` */
    double budget;                 /* X; 0: not said */
    span canonical, deterministic; /* of `require`; file -1: not said */
    VEC(span) quantized;           /* `as int8` of a reduction */
} plan_said;

/* `optimizer sgd(lr = 0.01) for embed, *.b`. */
typedef struct optimizer_rule {
    const ast_node *call;
    VEC(const ast_node *) paths;
    span at;
} optimizer_rule;

typedef struct setup {
    sema *sema;
    const definition *train, *model, *plan; /* plan: NULL for a train that none lays out */
    const ast_node *model_call;
    const sema_setting *settings;
    int setting_count;
    training *out;
    graph *graph;
    table clauses;    /* (word, block) -> the clause's node */
    path_node *paths; /* the model's layers and results */
    VEC(postponed) later;
    plan_said said;
    const ast_node *data, *optimizer, *clip_value, *freeze, *microbatches;
    VEC(data_field) fields;
    double scale, shift, mean, deviation;
    const ast_node *holdout;      /* `holdout(image = "a.npy", …)` */
    VEC(const ast_node *) frozen; /* paths */
    const ast_node *prompt;       /* of `sample` */
    const ast_node *sampled;      /* the name of the scores, where `sample` says it */
    const ast_node *form;         /* `init from … as gpt2`: the name of a weights block */
    VEC(const ast_node *) fresh;  /* paths behind its `except` */
    bool streams;                 /* the data is one stream of ids: input k starts k later */
    cluster_model *cluster;
    VEC(bool) axis_used;
    VEC(optimizer_rule) rules; /* `optimizer` is for what these leave */
    int *averages;             /* by parameter: its average's variable + 1, or 0 */
    size_t average_count;
    bool size_doubted; /* an axis is reported: it may be its size that is wrong */
    int derived;       /* values of the graph that differentiation made */
    bool wrong;        /* the train or its model has a mistake */
    bool shaped;       /* the model's values and parameters are known, whatever else is wrong */
    bool built;        /* the graph is whole */
    bool data_lost;    /* the data clause could not be read */
    bool mesh_lost;    /* axes of the mesh could not be read */
    bool poisoned;
} setup;

/* The parameter under an optimizer's hands. */
typedef struct updated {
    int variable;
    span at; /* the optimizer's call */
    label *labels[GRAPH_MAX_RANK];
    build_operand value, gradient;
    atom p, g; /* the names that they have in the optimizer */
    VEC(binding *) states;
} updated;

/* clause.c: carries out the clauses of a body by the table. */
/* In `clauses` of a setup; CLAUSE_AXIS: a name that should be an axis and is reported. */
typedef enum clause_block { CLAUSE_TRAIN = 1, CLAUSE_PLAN = 2, CLAUSE_AXIS = 3 } clause_block;
void clauses_read(setup *u, const ast_node *body, clause_block block);

/* The plan's clauses that others and the graph need; and the rest. */
void clauses_read_first(setup *u, const ast_node *body);
void clauses_read_rest(setup *u, const ast_node *body);

/* clause_train.c */
void clause_data(setup *u, const ast_node *clause);
data_field *data_field_find(setup *u, atom name);

/* model.c */
void input_statement(elaboration *e, const ast_node *node);
bool model_build(setup *u);

/* weights.c: a `weights` block by itself; then on the graph of a train, and beside the file it begins from, if that is there. */
void weights_check(sema *s, const definition *d);
/* Whether the weights that `init … as` names are there, for a model that has a mistake. */
void weights_named(setup *u);
void weights_settle(setup *u);

/* weights_file.c */
void weights_compare(setup *u);

/* Samples of the whole batch that are computed at once. */
static inline int64_t train_microbatch(const training *t)
{
    return t->batch / t->microbatches;
}

/* clause_optimizer.c: by variable, the number + 1 of the rule whose paths name it, or 0; NULL after a report. */
int *optimizer_rules_place(elaboration *e);

/* average.c: nothing without the clause. Begins in the function of the update; then for each parameter and its new value,
 * false after a report. average_of: what a function reads in place of a parameter. */
void average_begin(elaboration *e);
bool average_write(elaboration *e, const updated *p, build_operand now);
int average_of(const elaboration *e, int variable);

/* optimize.c */
void optimizer_state(elaboration *e, const ast_node *node);
bool optimize_build(elaboration *e);

/* plan.c */
void plan_finish(setup *u);
int64_t plan_ranks(const setup *u); /* of the mesh */

/* clause_place.c: the axes' sizes on what they are placed on. */
void plan_check_place(setup *u);

/* plan_check.c: the mesh on the cluster; split dimensions; axes; what clauses say together. */
bool plan_check_cluster(setup *u); /* false: the mesh is too large */
bool plan_check_splits(setup *u);  /* false: an axis is split over that cannot be meant */
void plan_check_axes(setup *u);
void plan_check_together(setup *u);
bool plan_splits_batch(const setup *u, atom dim); /* is the dimension the batch? */

/* plan_memory.c */
void plan_check_memory(setup *u);

/* links.c: each reduction's program on the cluster's links; makes those of `trees` and `auto`. Proved, or reported. */
void reduces_settle(setup *u);

/* How many ranks of each group of an axis stand in one node, if equally many in each, node after node; else 0. */
int reduce_per_node(const setup *u, int axis);

/* cluster.c: NULL after a report. */
cluster_model *cluster_build(sema *s, const definition *d);

/* May a rank be on a device of that kind? */
bool cluster_kind_computes(const char *kind);

#endif
