/* islands.h: what hangs together, by the lowest number in it.
 *
 *     for (int node = 0; node < nodes; node++) island[node] = node;
 *     islands_join(island, a, b);                              // for each link
 *     int lowest = islands_find(island, node);
 */
#ifndef ESPALIER_CLUSTER_ISLANDS_H
#define ESPALIER_CLUSTER_ISLANDS_H

static inline int islands_find(int *island, int node)
{
    while (island[node] != node)
        node = island[node] = island[island[node]];
    return node;
}

static inline void islands_join(int *island, int a, int b)
{
    a = islands_find(island, a);
    b = islands_find(island, b);
    if (a != b)
        island[a > b ? a : b] = a > b ? b : a;
}

#endif
