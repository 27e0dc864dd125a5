/* random_plan.h: plan files that parse and mean nothing, with blanks, line breaks and comments where they may stand. */
#ifndef ESPALIER_TESTS_SUPPORT_RANDOM_PLAN_H
#define ESPALIER_TESTS_SUPPORT_RANDOM_PLAN_H

#include "base/text.h"
#include <stdint.h>

/* The same seed gives the same text. */
const char *random_plan(arena *a, uint64_t seed);

#endif
