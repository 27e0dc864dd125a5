/* orbits.h: ways from rank 0, and how the turns of the digits sort links into orbits.
 *
 * A way leads from rank 0 to the rank with one digit of `step`, over a direct link or switches; moved to rank p it
 * leads from p to the rank with that digit raised by `step`. Two ways over the same orbits are of one class.
 */
#ifndef ESPALIER_CLUSTER_ORBITS_H
#define ESPALIER_CLUSTER_ORBITS_H

#include "cluster/digits.h"

enum { ORBIT_CLASSES_MOST = 64, ORBIT_WAYS_EACH = 16 };

typedef struct orbit_way {
    int digit;
    int step;
    int count;        /* arcs */
    const int *nodes; /* count + 1 net nodes, from rank 0 */
    int of_class;
} orbit_way;

/* Links that share a limit: all classes in `classes` together may use `capacity` (of one tree set, all its edges). */
typedef struct orbit_limit {
    uint64_t classes;
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
