/* draw.h: the next id from the scores of all of them.
 *
 *     rt_candidate *room = …;                                     // [count], filled in order of ids
 *     int32_t id = rt_draw_id(&rule, number, room, count);
 *
 * Temperature 0 takes the largest score, the first of equals. Else ids are drawn with probability softmax(score /
 * temperature), among the `top_k` largest scores (of equals, the smaller ids), and among the most probable of those that
 * together reach `top_p`. Draw `number` of a seed is a function of both alone.
 */
#ifndef ESPALIER_RUNTIME_EXEC_DRAW_H
#define ESPALIER_RUNTIME_EXEC_DRAW_H

#include <stdint.h>

typedef struct rt_draw_rule {
    double temperature;
    int64_t top_k; /* 0: all */
    double top_p;  /* 1: all */
    uint64_t seed;
} rt_draw_rule;

typedef struct rt_candidate {
    double score;
    int32_t id;
} rt_candidate;

/* Reorders the candidates. -1 where a score is not a number or all are minus infinity. */
int32_t rt_draw_id(const rt_draw_rule *rule, uint64_t number, rt_candidate *room, int64_t count);

#endif
