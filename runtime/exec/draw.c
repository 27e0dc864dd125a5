#include "exec/draw.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/random.h"

/* Whether x is to be taken before y. */
static bool before(const rt_candidate *x, const rt_candidate *y)
{
    return x->score > y->score || (x->score == y->score && x->id < y->id);
}

static int by_score(const void *a, const void *b)
{
    return before(a, b) ? -1 : before(b, a);
}

static void swap(rt_candidate *x, rt_candidate *y)
{
    rt_candidate t = *x;
    *x = *y;
    *y = t;
}

/* The heap's root is the candidate that goes first when a better one comes. */
static void sift_down(rt_candidate *heap, int64_t count, int64_t at)
{
    for (;;) {
        int64_t worst = at, left = 2 * at + 1;
        for (int64_t child = left; child < left + 2 && child < count; child++)
            if (before(&heap[worst], &heap[child]))
                worst = child;
        if (worst == at)
            return;
        swap(&heap[at], &heap[worst]);
        at = worst;
    }
}

/* The k best to the front, in no order. */
static void select_best(rt_candidate *c, int64_t count, int64_t k)
{
    for (int64_t i = k / 2; i-- > 0;)
        sift_down(c, k, i);
    for (int64_t i = k; i < count; i++)
        if (before(&c[i], &c[0])) {
            swap(&c[0], &c[i]);
            sift_down(c, k, 0);
        }
}

/* Uniform in [0, 1), a multiple of 2^-53. */
static double uniform(uint64_t seed, uint64_t number)
{
    rt_philox_words w = rt_random_block(seed, rt_hash_text("sample"), number);
    uint64_t bits = (uint64_t)w.word[0] << 32 | w.word[1];
    return (double)(bits >> 11) * 0x1p-53;
}

/* Scores become weights: exp((score - largest) / temperature). Returns their sum. */
static double weigh(rt_candidate *c, int64_t count, double largest, double temperature)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        c[i].score = exp((c[i].score - largest) / temperature);
        sum += c[i].score;
    }
    return sum;
}

/* The most probable that together reach the share, the largest first. */
static int64_t cut_share(const rt_candidate *c, int64_t count, double share, double *sum)
{
    double part = 0;
    int64_t kept = 0;
    while (kept < count && (kept == 0 || part < share * *sum))
        part += c[kept++].score;
    *sum = part;
    return kept;
}

int32_t rt_draw_id(const rt_draw_rule *rule, uint64_t number, rt_candidate *c, int64_t count)
{
    int64_t best = 0;
    for (int64_t i = 0; i < count; i++) {
        if (isnan(c[i].score))
            return -1;
        if (c[i].score > c[best].score)
            best = i;
    }
    if (count == 0 || c[best].score == -INFINITY)
        return -1;
    if (rule->temperature == 0 || isinf(c[best].score))
        return c[best].id;
    double largest = c[best].score;
    if (rule->top_k > 0 && rule->top_k < count) {
        select_best(c, count, rule->top_k);
        count = rule->top_k;
    }
    bool cut = rule->top_p < 1;
    if (cut)
        qsort(c, (size_t)count, sizeof *c, by_score);
    double sum = weigh(c, count, largest, rule->temperature);
    if (cut)
        count = cut_share(c, count, rule->top_p, &sum);
    double at = uniform(rule->seed, number) * sum, reached = 0;
    int32_t last = c[0].id;
    for (int64_t i = 0; i < count; i++) {
        if (c[i].score == 0)
            continue;
        last = c[i].id;
        reached += c[i].score;
        if (at < reached)
            break;
    }
    return last;
}
