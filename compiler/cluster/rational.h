/* rational.h: exact fractions of 64-bit integers, in lowest terms, for rates and bounds.
 *
 * A denominator of 0 stands for "without bound" (one rank has nothing to send). Comparison is exact; sums and
 * products are asserted to fit.
 *
 *     rational half = rational_of(1, 2);
 *     if (rational_compare(half, rational_of(2, 3)) < 0) ...
 */
#ifndef ESPALIER_CLUSTER_RATIONAL_H
#define ESPALIER_CLUSTER_RATIONAL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct rational {
    int64_t numerator;
    int64_t denominator; /* > 0; 0: unbounded */
} rational;

#define RATIONAL_UNBOUNDED ((rational){1, 0})
#define RATIONAL_ZERO ((rational){0, 1})

int64_t integer_gcd(int64_t a, int64_t b);

/* Lowest terms; denominator >= 0. 0/0 is not allowed. */
rational rational_of(int64_t numerator, int64_t denominator);
rational rational_multiply(rational a, rational b);

/* 1 / (1/a + 1/b): the rate of two phases one after the other. */
rational rational_in_turn(rational a, rational b);

/* -1, 0, 1; unbounded is greater than every number. */
int rational_compare(rational a, rational b);
bool rational_is_unbounded(rational a);

/* The nearest double; HUGE_VAL if unbounded. */
double rational_value(rational a);

#endif
