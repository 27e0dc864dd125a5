/* text_form.h: the text of a program, printed and read back: what --emit=collective writes.
 *
 *     collective all_reduce "ring" {                  at ring.plan:3
 *       ranks 2
 *       chunks 2 of weight 1 1
 *       step 0                                        # nothing but a heading for the reader
 *         send 0 from 0 to 1 reduce                   at ring.plan:5
 *         send 1 from 1 to 0 reduce via 3 7           at ring.plan:5
 *     }
 *
 * Each line that does something names its plan line behind `at`. `root R` stands for broadcast and reduce; `homes` (and
 * `targets` for all_to_all) where they are not those of coll_program_new. What is read back prints to the same text.
 */
#ifndef ESPALIER_COLL_TEXT_FORM_H
#define ESPALIER_COLL_TEXT_FORM_H

#include "base/text.h"
#include "coll/program.h"
#include "diag/diag.h"

void coll_print(const coll_program *p, text *out);

/* One rank's instructions, for people: what it does, with whom, for what it waits, and the plan line. */
void coll_print_rank(const coll_program *p, const coll_rank_program *rank, text *out);

/* All programs of file number `file`, one after another. False: reported. Numbers are checked to be in range. */
typedef VEC(coll_program *) coll_programs;
bool coll_read(const source_set *sources, int file, coll_programs *programs, diag_sink *sink,
               arena *a);

#endif
