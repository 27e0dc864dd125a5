/* draw.h: frequencies of drawn ids against the probabilities by definition, and the rules about ties, cuts and seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/draw.h"

enum { IDS = 40, DRAWS = 200000 };

static void fill(rt_candidate *room, const double *scores, int count)
{
    for (int i = 0; i < count; i++)
        room[i] = (rt_candidate){scores[i], i};
}

static int32_t draw(const rt_draw_rule *rule, uint64_t number, const double *scores, int count)
{
    rt_candidate room[IDS];
    fill(room, scores, count);
    return rt_draw_id(rule, number, room, count);
}

/* Scores with equal ones among them, in no order. */
static void make_scores(double *scores)
{
    for (int i = 0; i < IDS; i++)
        scores[i] = 2.5 * sin(7.0 * (i % 31) + 1);
}

/* Ids by falling score, of equals the smaller first: by counting those before each. */
static int rank_of(const double *scores, int id)
{
    int rank = 0;
    for (int i = 0; i < IDS; i++)
        rank += scores[i] > scores[id] || (scores[i] == scores[id] && i < id);
    return rank;
}

/* By definition: softmax, cut at k, softmax again, cut at the smallest head that reaches p, softmax again. */
static void probabilities(const rt_draw_rule *rule, const double *scores, double *p)
{
    double sum = 0, head = 0;
    for (int i = 0; i < IDS; i++) {
        bool in = !rule->top_k || rank_of(scores, i) < rule->top_k;
        p[i] = in ? exp(scores[i] / rule->temperature) : 0;
        sum += p[i];
    }
    for (int rank = 0; rank < IDS; rank++)
        for (int i = 0; i < IDS; i++)
            if (rank_of(scores, i) == rank) {
                bool in = rank == 0 || head < rule->top_p * sum;
                head += p[i];
                p[i] = in ? p[i] : 0;
            }
    sum = 0;
    for (int i = 0; i < IDS; i++)
        sum += p[i];
    for (int i = 0; i < IDS; i++)
        p[i] /= sum;
}

/* Laurent and Massart (2000), lemma 1: a chi-square of d degrees lies outside d - 2 sqrt(dt) .. d + 2 sqrt(dt) + 2t with a
 * probability of at most 2 exp(-t). */
static void check_frequencies(const rt_draw_rule *rule)
{
    double scores[IDS], p[IDS], square = 0, t = 25;
    int seen[IDS] = {0}, cells = 0;
    make_scores(scores);
    probabilities(rule, scores, p);
    for (int n = 0; n < DRAWS; n++) {
        int32_t id = draw(rule, (uint64_t)n, scores, IDS);
        assert_in_range(id, 0, IDS - 1);
        seen[id]++;
    }
    for (int i = 0; i < IDS; i++) {
        if (p[i] == 0) {
            assert_int_equal(seen[i], 0);
            continue;
        }
        double expected = p[i] * DRAWS;
        assert_true(expected > 5);
        square += (seen[i] - expected) * (seen[i] - expected) / expected;
        cells++;
    }
    double d = cells - 1;
    printf("  temperature %.2f top_k %d top_p %.2f: %d ids, chi-square %.1f\n", rule->temperature,
           (int)rule->top_k, rule->top_p, cells, square);
    if (cells == 1)
        return;
    assert_true(square <= d + 2 * sqrt(d * t) + 2 * t);
    assert_true(square >= d - 2 * sqrt(d * t));
}

static void frequencies_are_the_probabilities(void **state)
{
    (void)state;
    static const rt_draw_rule rules[] = {
        {1, 0, 1, 1},   {1, 0, 1, 2},     {0.7, 0, 1, 3},  {3, 0, 1, 4},     {1, 5, 1, 5},
        {0.9, 1, 1, 6}, {1.3, 39, 1, 7},  {1, 40, 1, 8},   {1, 0, 0.5, 9},   {2, 0, 0.95, 10},
        {1, 0, 0, 11},  {1, 10, 0.8, 12}, {1, 400, 1, 13}, {1.5, 17, 1, 14},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        check_frequencies(&rules[i]);
}

static void at_zero_the_first_of_the_largest_is_taken(void **state)
{
    (void)state;
    const rt_draw_rule rule = {.temperature = 0, .top_k = 3, .top_p = 0.5, .seed = 9};
    const double scores[] = {1, 4, -2, 4, 3.9}, equal[] = {-7, -7, -7};
    for (uint64_t n = 0; n < 100; n++) {
        assert_int_equal(draw(&rule, n, scores, 5), 1);
        assert_int_equal(draw(&rule, n, equal, 3), 0);
    }
}

static void a_seed_gives_its_ids_again(void **state)
{
    (void)state;
    double scores[IDS];
    int differ = 0;
    make_scores(scores);
    for (uint64_t n = 0; n < 200; n++) {
        const rt_draw_rule one = {1, 0, 1, 77}, other = {1, 0, 1, 78};
        int32_t id = draw(&one, n, scores, IDS);
        assert_int_equal(draw(&one, n, scores, IDS), id);
        differ += draw(&other, n, scores, IDS) != id;
    }
    assert_true(differ > 100);
}

static void scores_far_apart_do_not_overflow(void **state)
{
    (void)state;
    const rt_draw_rule rule = {1, 0, 1, 1}, hot = {1000, 0, 1, 1};
    const double far[] = {-1e30, 1e30, 0}, barred[] = {-INFINITY, 2, -INFINITY, 2};
    for (uint64_t n = 0; n < 1000; n++) {
        assert_int_equal(draw(&rule, n, far, 3), 1);
        assert_int_equal(draw(&hot, n, barred, 4) % 2, 1);
    }
}

static void what_is_no_number_gives_no_id(void **state)
{
    (void)state;
    const rt_draw_rule rules[] = {{0, 0, 1, 1}, {1, 2, 1, 1}};
    const double none[] = {1, NAN, 3}, barred[] = {-INFINITY, -INFINITY}, over[] = {1, INFINITY};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(draw(&rules[i], 0, none, 3), -1);
        assert_int_equal(draw(&rules[i], 0, barred, 2), -1);
        assert_int_equal(draw(&rules[i], 0, over, 2), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frequencies_are_the_probabilities),
        cmocka_unit_test(at_zero_the_first_of_the_largest_is_taken),
        cmocka_unit_test(a_seed_gives_its_ids_again),
        cmocka_unit_test(scores_far_apart_do_not_overflow),
        cmocka_unit_test(what_is_no_number_gives_no_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
