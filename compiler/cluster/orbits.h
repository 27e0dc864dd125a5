/* orbits.h: ways from rank 0, and how the turns of the digits sort links into orbits.
 *
 * A way leads from rank 0 to the rank with one digit of `step`, over a direct link or switches; moved to rank p it
 * leads from p to the rank with that digit raised by `step`. Two ways over the same orbits are of one class.
 */
#ifndef ESPALIER_CLUSTER_ORBITS_H
#define ESPALIER_CLUSTER_ORBITS_H

#include "cluster/digits.h"

/* As many classes as all-to-all direct links need on the most ranks that a cluster's links allow. */
enum { ORBIT_CLASSES_MOST = 768, ORBIT_WAYS_EACH = 16, ORBIT_SET_WORDS = ORBIT_CLASSES_MOST / 64 };

/* A set of classes. */
typedef struct orbit_set {
    uint64_t words[ORBIT_SET_WORDS];
} orbit_set;

static inline void orbit_set_add(orbit_set *s, int of_class)
{
    s->words[of_class / 64] |= UINT64_C(1) << of_class % 64;
}

static inline bool orbit_set_has(const orbit_set *s, int of_class)
{
    return s->words[of_class / 64] >> of_class % 64 & 1;
}

int orbit_set_size(const orbit_set *s);

/* By their classes, as numbers. */
int orbit_set_compare(const orbit_set *a, const orbit_set *b);

typedef struct orbit_way {
    int digit;
    int step;
    int count;        /* arcs */
    const int *nodes; /* count + 1 net nodes, from rank 0 */
    int of_class;
} orbit_way;

/* Links that share a limit: all classes in `classes` together may use `capacity` (of one tree set, all its edges). */
typedef struct orbit_limit {
    orbit_set classes;
    __int128 capacity; /* number of arcs * units of each */
} orbit_limit;

typedef struct orbit_table {
    VEC(orbit_way) ways;
    int class_count;
    VEC(orbit_limit) limits; /* one for each set of classes, fewest classes first */
    bool usable;             /* few enough classes, no way that uses an orbit twice */
} orbit_table;

orbit_table orbit_table_of(arena *a, const rank_net *net, const rank_digits *d);

#endif
