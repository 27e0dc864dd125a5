/* link_shapes.h: link graphs of real and of regular machines, for tests.
 *
 * Devices are numbered box by box, so rank i of `shape_all` is device i. Bandwidths are bytes/s.
 *
 *     link_graph *g = shape_dgx1v(arena);
 *     int *ranks = shape_all(arena, g);
 */
#ifndef ESPALIER_TESTS_SUPPORT_LINK_SHAPES_H
#define ESPALIER_TESTS_SUPPORT_LINK_SHAPES_H

#include "cluster/link_graph.h"

#define SHAPE_GB INT64_C(1000000000)

/* Eight GPUs of a DGX-1: Pascal with 4 links of 20 GB/s each, Volta with 6 of 25 GB/s. */
link_graph *shape_dgx1p(arena *a);
link_graph *shape_dgx1v(arena *a);

/* `boxes` boxes of `size` GPUs on a switch of their own, and each GPU with a NIC into one switch for all. */
typedef struct shape_boxes {
    int boxes;
    int size;
    int64_t inside;     /* port of the box's switch */
    const int64_t *nic; /* by GPU of a box; 0: no NIC */
    const int *slower;  /* by box: its NICs' rates are divided by this; NULL: 1 for all */
} shape_boxes;
link_graph *shape_of_boxes(arena *a, const shape_boxes *s);

/* Boxes with the same NIC everywhere. */
link_graph *shape_plain_boxes(arena *a, int boxes, int size, int64_t inside, int64_t nic);

/* Eight dies in four pairs, 4 links of 50 GB/s in a pair, 2 or 1 between pairs; several boxes have NICs for every
 * other die. */
link_graph *shape_mi250(arena *a, int boxes);

/* Grid of x * y * z devices whose every line is closed to a ring (a line of two is one link). */
link_graph *shape_torus(arena *a, int x, int y, int z, int64_t link);

/* `ranks` devices in a circle, each linked to those k further on at width[k - 1]; 0: not. k is up to ranks / 2. */
link_graph *shape_circle(arena *a, int ranks, const int64_t *width);

/* Every device linked to every other. */
link_graph *shape_complete(arena *a, int ranks, int64_t link);

/* `leaves` switches of `hosts` devices each, every leaf with an uplink to each of `spines`. */
typedef struct shape_fat_tree {
    int leaves;
    int hosts;
    int spines;
    int64_t port;
    int64_t uplink;
} shape_fat_tree;
link_graph *shape_of_fat_tree(arena *a, const shape_fat_tree *s);

/* A small connected graph with unequal links and perhaps switches, from a seed. */
link_graph *shape_random(arena *a, unsigned seed, int devices, int switches);

/* All devices, in order. */
int *shape_all(arena *a, const link_graph *g);

/* The devices whose bit is set, in order; how many. */
int shape_subset(const link_graph *g, unsigned mask, int *ranks);

/* Whether those devices are connected by links among themselves. */
bool shape_connected(const link_graph *g, const int *ranks, int count);

#endif
