/* incremental.h: from a model's scores of a whole sequence to its scores of the next few ids, for sampling.
 *
 *     if (!pass_incremental(g, training, diags)) …        // `scores` is gone; `prefill` and `decode` are there
 *
 * The function `scores` gives, for ids [B, S], scores [B, S, C] of the id that follows each. From it come two functions for
 * one sequence: `prefill` takes the next T ids and `decode` the next one, and both give the scores [C] that follow the last.
 * The clock `position` says where the first of the ids stands; ids before it have been given in earlier calls.
 *
 * Every operator is written anew with T positions in place of S and one sequence in place of B. What an operator does along
 * positions decides what becomes of it:
 *   - a position that is a plain index of operands and result: nothing changes;
 *   - index(S) becomes position + index(T); a parameter over S is read at those rows;
 *   - causal attention keeps the keys and values of all positions in a cache (OP_append), a variable of C positions, one for
 *     each layer of a repeat;
 *   - a running sum adds the sum so far, which it keeps;
 *   - what moves positions back (pad, slice, convolutions) keeps the rows that later ones read (incremental_shift.c);
 *   - all else that mixes positions (a sum over them, attention that is not causal, a convolution that reads ahead, positions
 *     merged with another dimension) or sequences is refused at its place.
 * A dimension that is S under another name (a rename, B and S merged) is S.
 */
#ifndef ESPALIER_PASS_INCREMENTAL_H
#define ESPALIER_PASS_INCREMENTAL_H

#include "diag/diag.h"
#include "graph/training.h"

/* Ids that one call of `prefill` takes, where there is room for so many. */
enum { INCREMENTAL_CHUNK = 32 };

/* True without a change when there is no function `scores`. False after a diagnostic. Sets t->sampling's positions, chunk and
 * input. */
bool pass_incremental(graph *g, training *t, diag_sink *diags);

#endif
