/* Whether a program adds as a binary tree over the ranks: held against float sums, which show any other order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "coll/order.h"

enum { MOST_RANKS = 64, TRIALS = 20 };

static uint32_t random_state = 1;

/* Of very different sizes, so that each order rounds otherwise. */
static float random_float(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    uint32_t bits = (random_state & 0x807fffffu) | (110u + (random_state >> 9) % 30u) << 23;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The sum of x[first .. first + size) as one rank adds it, of `count` in all. */
static float tree_sum(const float *x, int first, int size, int count)
{
    if (size == 1)
        return x[first];
    float left = tree_sum(x, first, size / 2, count);
    return first + size / 2 < count ? left + tree_sum(x, first + size / 2, size / 2, count) : left;
}

/* Carries the program out on one number a chunk. True: every rank and chunk ends with the bits of the tree's sum. */
static bool run(const coll_program *p)
{
    static float now[MOST_RANKS][MOST_RANKS], before[MOST_RANKS][MOST_RANKS];
    float wanted[MOST_RANKS] = {0};
    for (int c = 0; c < p->chunks; c++) {
        float x[MOST_RANKS] = {0};
        for (int r = 0; r < p->ranks; r++)
            now[r][c] = x[r] = random_float();
        wanted[c] = tree_sum(x, 0, MOST_RANKS, p->ranks);
    }
    for (size_t i = 0; i < p->sends.count; i++) {
        const coll_send *s = &p->sends.items[i];
        if (i == 0 || s->step != s[-1].step)
            memcpy(before, now, sizeof now);
        float *to = &now[s->to][s->chunk], from = before[s->from][s->chunk];
        *to = s->op == COLL_REDUCE ? *to + from : from;
    }
    bool same = true;
    for (int r = 0; r < p->ranks; r++)
        for (int c = 0; c < p->chunks; c++)
            same = same && memcmp(&now[r][c], &wanted[c], sizeof(float)) == 0;
    return same;
}

static void check(const coll_program *p, arena *a, bool expected)
{
    bool same = true;
    for (int i = 0; i < TRIALS; i++)
        same = run(p) && same;
    assert_int_equal(same, expected);
    assert_int_equal(coll_adds_as_tree(p, a), expected);
}

static void add(coll_program *p, int step, int chunk, int from, int to, coll_op op)
{
    coll_program_add(p,
                     (coll_send){.step = step, .chunk = chunk, .from = from, .to = to, .op = op});
}

/* To rank 0 over distances 1, 2, 4, … or the other way round, and back. */
static coll_program *binomial(arena *a, int n, bool near_first)
{
    coll_program *p = coll_program_new(a, COLL_ALL_REDUCE, "binomial", n, 1);
    int levels = 0, step = 0;
    while (1 << levels < n)
        levels++;
    for (int l = 0; l < levels; l++) {
        int d = 1 << (near_first ? l : levels - 1 - l);
        for (int r = 0; r < n; r++)
            if (near_first ? r % (2 * d) == d : r >= d && r < 2 * d)
                add(p, step, 0, r, r - d, COLL_REDUCE);
        step++;
    }
    for (int r = 1; r < n; r++)
        add(p, step, 0, 0, r, COLL_COPY);
    return p;
}

static coll_program *butterfly(arena *a, int n)
{
    coll_program *p = coll_program_new(a, COLL_ALL_REDUCE, "butterfly", n, 1);
    for (int d = 1, step = 0; d < n; d *= 2, step++)
        for (int r = 0; r < n; r++)
            add(p, step, 0, r, r ^ d, COLL_REDUCE);
    return p;
}

static coll_program *ring(arena *a, int n)
{
    coll_program *p = coll_program_new(a, COLL_ALL_REDUCE, "ring", n, n);
    for (int s = 0; s < 2 * (n - 1); s++)
        for (int r = 0; r < n; r++) {
            int chunk = s < n - 1 ? r - s : r + 1 - (s - (n - 1));
            add(p, s, (chunk % n + n) % n, r, (r + 1) % n, s < n - 1 ? COLL_REDUCE : COLL_COPY);
        }
    return p;
}

static void sums_show_the_order(void **state)
{
    (void)state;
    arena *a = arena_new();
    for (int n = 2; n <= MOST_RANKS; n++) {
        check(binomial(a, n, true), a, true);
        check(binomial(a, n, false), a, n == 2);
        check(ring(a, n), a, n == 2);
        if ((n & (n - 1)) == 0)
            check(butterfly(a, n), a, true);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sums_show_the_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
