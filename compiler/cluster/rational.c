#include "cluster/rational.h"

#include <assert.h>
#include <math.h>

typedef __int128 wide;

int64_t integer_gcd(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

static wide wide_gcd(wide a, wide b)
{
    while (b != 0) {
        wide rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

static rational rational_reduce(wide numerator, wide denominator)
{
    assert(numerator != 0 || denominator != 0);
    wide common = wide_gcd(numerator, denominator);
    if (denominator < 0)
        common = -common;
    numerator /= common;
    denominator /= common;
    assert(numerator <= INT64_MAX && numerator >= -INT64_MAX && denominator <= INT64_MAX);
    return (rational){(int64_t)numerator, (int64_t)denominator};
}

rational rational_of(int64_t numerator, int64_t denominator)
{
    return rational_reduce(numerator, denominator);
}

rational rational_multiply(rational a, rational b)
{
    return rational_reduce((wide)a.numerator * b.numerator, (wide)a.denominator * b.denominator);
}

rational rational_in_turn(rational a, rational b)
{
    if (rational_is_unbounded(a))
        return b;
    if (rational_is_unbounded(b))
        return a;
    if (a.numerator == 0 || b.numerator == 0)
        return RATIONAL_ZERO;
    wide sum = (wide)a.numerator * b.denominator + (wide)b.numerator * a.denominator;
    return rational_reduce((wide)a.numerator * b.numerator, sum);
}

int rational_compare(rational a, rational b)
{
    if (a.denominator == 0 || b.denominator == 0)
        return (a.denominator == 0) - (b.denominator == 0);
    wide left = (wide)a.numerator * b.denominator, right = (wide)b.numerator * a.denominator;
    return (left > right) - (left < right);
}

bool rational_is_unbounded(rational a)
{
    return a.denominator == 0;
}

double rational_value(rational a)
{
    return a.denominator == 0 ? HUGE_VAL : (double)a.numerator / (double)a.denominator;
}
