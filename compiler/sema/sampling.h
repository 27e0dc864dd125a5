/* sampling.h: the clause `sample`, and the model's function `scores` that it needs (clause_sample.c).
 *
 *     sample "The licence" length 200, temperature 0.8, top_k 40, seed 1
 *     sample ids "464 3290" length 20, temperature 0, every 1000 steps, context 512, scores y
 *
 * The scores are what the loss's layer takes beside the ids that are wanted: the first call of a layer (y: [.., C], wanted:
 * id[..]) whose ids are an input of the model; `scores NAME` says another value of the model.
 */
#ifndef ESPALIER_SEMA_SAMPLING_H
#define ESPALIER_SEMA_SAMPLING_H

#include "sema/train.h"

/* Notes what a call of layer `callee` says of the scores. */
void sampling_note(elaboration *e, const frame *callee);

/* The value that the model's `scores` function gives; without a value after a report. */
build_operand sampling_scores(elaboration *e);

/* What the clause says against what the model is, once the functions stand. False after a report. */
bool sampling_check(setup *u);

#endif
