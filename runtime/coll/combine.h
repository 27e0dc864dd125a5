/* combine.h: what a receiver does with the elements it reads: add them to its own, or take them.
 *
 * Sums are own + received, in the element type (bf16: in f32, rounded to nearest even). The ranges do not overlap.
 */
#ifndef ESPALIER_RUNTIME_COLL_COMBINE_H
#define ESPALIER_RUNTIME_COLL_COMBINE_H

#include <stdint.h>

#include "kernel/type.h"

void rt_combine_add(rt_type type, void *own, const void *received, int64_t count);

/* `large`: the whole of what is being moved is larger than the caches. */
void rt_combine_copy(rt_type type, void *own, const void *received, int64_t count, bool large);

/* Whether elements of the type can be added: all but bool. */
bool rt_combine_can_add(rt_type type);

#endif
