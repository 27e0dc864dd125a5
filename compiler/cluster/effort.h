/* effort.h: how much work may be spent on a search; a count, so that the same input always ends the same way.
 *
 * Work is counted in arcs looked at; what takes longer than that counts for as many. What shares an effort shares its budget. Once it is spent, searches end at the
 * next look and their results mean nothing: who began one asks effort_is_spent before it uses them.
 *
 *     effort e = {.left = EFFORT_OF_CHECK, .edges = COLL_MAX_SENDS / 2};
 *     while (effort_spend(&e, arcs)) ...
 *
 * NULL stands for work without limit.
 */
#ifndef ESPALIER_CLUSTER_EFFORT_H
#define ESPALIER_CLUSTER_EFFORT_H

#include <stdbool.h>
#include <stdint.h>

/* What the trees of one file's plans may take together: some tenths of a second. */
#define EFFORT_OF_CHECK INT64_C(150000000)

/* A new arena and what is set up in it. */
#define EFFORT_OF_ARENA 1000

/* Of a cluster whose bounds and trees alone are asked for: some seconds, and some hundred megabytes. */
#define EFFORT_OF_SURVEY INT64_C(2000000000)
#define EFFORT_SURVEY_EDGES (INT64_C(1) << 23)

typedef struct effort {
    int64_t left;  /* below 0: spent */
    int64_t edges; /* that the trees of one forest may have in all: with more they are of no use */
} effort;

/* False: the effort is spent. */
static inline bool effort_spend(effort *e, int64_t work)
{
    if (!e)
        return true;
    if (e->left >= 0)
        e->left -= work;
    return e->left >= 0;
}

static inline bool effort_is_spent(const effort *e)
{
    return e && e->left < 0;
}

static inline bool effort_allows_edges(const effort *e, int64_t edges)
{
    return !e || edges <= e->edges;
}

#endif
