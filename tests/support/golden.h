/* golden.h: plan files that say on the line of each mistake what is to be reported there.
 *
 *     mesh dp = 3           #! error E0214: axis 'dp' of 3 does not divide
 *     #! note: 'B' has 64
 *
 * An annotation behind code is about its line; on a line of its own, about the nearest line above that is no
 * annotation. `error CODE: words` and `note: words` are to be contained in a message of that line, `fix: words` in a
 * fix of an error of that line. Each error is expected once, and no other may be reported. Every fix that brings an
 * edit is applied, and the file checked again: the error must be gone, and no other be there in its place but what is not
 * carried out yet.
 */
#ifndef ESPALIER_TESTS_SUPPORT_GOLDEN_H
#define ESPALIER_TESTS_SUPPORT_GOLDEN_H

#include "base/text.h"
#include <stddef.h>

/* Number of faults found; their descriptions go to `faults`, a line each. `edits`: how many fixes were applied. */
int golden_check(const char *path, const char *bytes, size_t length, text *faults, int *edits);

#endif
