/* clause.h: handlers of clause.def's rows, and how they read what stands in a clause. */
#ifndef ESPALIER_SEMA_CLAUSE_H
#define ESPALIER_SEMA_CLAUSE_H

#include "sema/train.h"

void clause_batch(setup *u, const ast_node *clause);
void clause_optimizer(setup *u, const ast_node *clause);
void clause_epochs(setup *u, const ast_node *clause);
void clause_steps(setup *u, const ast_node *clause);
void clause_seed(setup *u, const ast_node *clause);
void clause_clip(setup *u, const ast_node *clause);
void clause_freeze(setup *u, const ast_node *clause);
void clause_microbatches(setup *u, const ast_node *clause);
void clause_average(setup *u, const ast_node *clause);
void clause_checkpoint(setup *u, const ast_node *clause);
void clause_sample(setup *u, const ast_node *clause);
void clause_init(setup *u, const ast_node *clause); /* weights.c */
void clause_mesh(setup *u, const ast_node *clause);
void clause_split(setup *u, const ast_node *clause);
void clause_reduce(setup *u, const ast_node *clause);
void clause_precision(setup *u, const ast_node *clause);
void clause_require(setup *u, const ast_node *clause);
void clause_place(setup *u, const ast_node *clause);
void clause_pipeline(setup *u, const ast_node *clause);
void clause_shard(setup *u, const ast_node *clause);
void clause_recompute(setup *u, const ast_node *clause);
void clause_save(setup *u, const ast_node *clause);
void clause_later(setup *u, const ast_node *clause);

/* What a data format takes beside paths, fields and factors (data_option.c): `delimiter = ";"`, `holdout(image = …)`.
 * False when the argument is none of these. */
bool data_option_read(setup *u, const ast_node *arg);

/* The files of the held-out samples to their fields, after the last argument. */
void data_holdout_finish(setup *u);

/* May --set give the clause its value? */
bool clause_settable(atom word, clause_block block);
void clause_offer_settable(nearest *n);

/* What --set gives the clause of that word; NULL: nothing. (setting.c) */
const ast_node *clause_setting(const setup *u, atom name);

/* A call of the model or optimizer, and a body, with the settings in place of what is written. */
const ast_node *setting_call(setup *u, const definition *d, const ast_node *said);
const ast_node *setting_body(setup *u, const ast_node *said, clause_block block);

/* False after a report of a setting that names nothing. Behind the train's clauses. */
bool settings_check(setup *u);

/* The folder of the train's file, absolute where the system says so: where paths in it begin. */
atom clause_folder(setup *u);

/* The clause's one expression; NULL after a report that shows `example`. */
const ast_node *clause_only(setup *u, const ast_node *clause, const char *example);

/* Reports that the clause is not written as it should be. */
void clause_malformed(setup *u, span at, const ast_node *clause, const char *example);

/* How a phrase is written: so many expressions, then parts of these words, each at most once and with one term. */
enum { PHRASE_PARTS = 4 };
typedef struct phrase_shape {
    int terms;
    const char *parts[PHRASE_PARTS]; /* NULL behind the last */
    const char *example;
} phrase_shape;

/* False after a report of the first thing that does not fit. */
bool phrase_fits(setup *u, const ast_node *clause, const ast_node *phrase,
                 const phrase_shape *shape);

/* The part of that word of phrase i, or of the next that has one: `split A, F over tp`. NULL if there is none. */
const ast_node *phrase_part(const ast_node *clause, size_t i, const char *word);

/* Which of the words x is; -1 after a report that it is `what`: "no schedule of a pipeline". `words` ends with NULL. */
int clause_word(setup *u, const ast_node *x, const char *what, const char *const *words);

/* Said once everything else is right. */
void clause_postpone(setup *u, postponed what);

/* `int8(block = 256, rounding = stochastic)`: how numbers are kept or sent. False after a report. */
typedef struct encoding {
    const char *type;
    int64_t block; /* 0: not said */
    bool stochastic;
} encoding;
bool encoding_read(setup *u, const ast_node *x, encoding *out);

/* "2 or 5": the divisors of `size` nearest to `axis`; "8 or 12": the multiples of `axis` nearest to `size`. */
const char *divisors_near(arena *a, int64_t size, int axis);
const char *multiples_near(arena *a, int64_t size, int axis);

/* The mesh axis called so; -1 after a report. */
int plan_axis(setup *u, const ast_node *name);

/* The same, and the axis has a use. */
int plan_axis_used(setup *u, const ast_node *name);

#endif
