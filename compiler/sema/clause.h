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
void clause_checkpoint(setup *u, const ast_node *clause);
void clause_mesh(setup *u, const ast_node *clause);
void clause_split(setup *u, const ast_node *clause);
void clause_reduce(setup *u, const ast_node *clause);
void clause_precision(setup *u, const ast_node *clause);
void clause_require(setup *u, const ast_node *clause);

/* What a data format takes beside paths, fields and factors (data_option.c): `delimiter = ";"`, `holdout(image = …)`.
 * False when the argument is none of these. */
bool data_option_read(setup *u, const ast_node *arg);

/* The files of the held-out samples to their fields, after the last argument. */
void data_holdout_finish(setup *u);

/* What --set gives the name; NULL: nothing. */
const ast_node *clause_setting(const setup *u, atom name);

/* The folder of the train's file, absolute where the system says so: where paths in it begin. */
atom clause_folder(setup *u);

/* The clause's one expression; NULL after a report that shows `example`. */
const ast_node *clause_only(setup *u, const ast_node *clause, const char *example);

/* Reports that the clause is not written as it should be. */
void clause_malformed(setup *u, span at, const ast_node *clause, const char *example);

/* The mesh axis called so; -1 after a report. Marks it as used. */
int plan_axis(setup *u, const ast_node *name);

#endif
