#include "support/link_shapes.h"

#include <stdio.h>

typedef struct shape_pair {
    int a;
    int b;
    int lanes;
} shape_pair;

static void shape_add_devices(arena *a, link_graph *g, const char *stem, int count)
{
    for (int i = 0; i < count; i++)
        link_graph_add_device(g, arena_format(a, "%s[%d]", stem, i), SPAN_NONE);
}

static link_graph *shape_of_pairs(arena *a, const char *name, const shape_pair *pairs, int64_t link)
{
    link_graph *g = link_graph_new(a, name);
    shape_add_devices(a, g, "g", 8);
    for (int i = 0; i < 16; i++) {
        link_rate rate = {link, 1.5e-6, pairs[i].lanes};
        link_graph_add_link(g, pairs[i].a, pairs[i].b, rate, SPAN_NONE);
    }
    return g;
}

link_graph *shape_dgx1p(arena *a)
{
    static const shape_pair pairs[16] = {
        {0, 1, 1}, {0, 2, 1}, {0, 3, 1}, {0, 4, 1}, {1, 2, 1}, {1, 3, 1}, {1, 5, 1}, {2, 3, 1},
        {2, 6, 1}, {3, 7, 1}, {4, 5, 1}, {4, 6, 1}, {4, 7, 1}, {5, 6, 1}, {5, 7, 1}, {6, 7, 1}};
    return shape_of_pairs(a, "dgx1p", pairs, 20 * SHAPE_GB);
}

link_graph *shape_dgx1v(arena *a)
{
    static const shape_pair pairs[16] = {
        {0, 1, 2}, {0, 2, 1}, {0, 3, 1}, {0, 4, 2}, {1, 2, 1}, {1, 3, 2}, {1, 5, 1}, {2, 3, 2},
        {2, 6, 2}, {3, 7, 1}, {4, 5, 2}, {4, 6, 1}, {4, 7, 1}, {5, 6, 1}, {5, 7, 2}, {6, 7, 2}};
    return shape_of_pairs(a, "dgx1v", pairs, 25 * SHAPE_GB);
}

link_graph *shape_of_boxes(arena *a, const shape_boxes *s)
{
    link_graph *g = link_graph_new(a, "boxes");
    for (int box = 0; box < s->boxes; box++)
        shape_add_devices(a, g, arena_format(a, "host[%d].g", box), s->size);
    for (int box = 0; box < s->boxes; box++) {
        int *inside = arena_array(a, int, s->size);
        for (int i = 0; i < s->size; i++)
            inside[i] = box * s->size + i;
        link_graph_add_switch_over(g, arena_format(a, "host[%d].nvs", box), inside, s->size,
                                   (link_rate){s->inside, 1e-6, 1});
    }
    int fabric = link_graph_add_switch(g, "ib", SPAN_NONE);
    for (int node = 0; node < s->boxes * s->size; node++) {
        int64_t nic = s->nic[node % s->size] / (s->slower ? s->slower[node / s->size] : 1);
        if (nic > 0)
            link_graph_add_port(g, fabric, node, (link_rate){nic, 5e-6, 1}, SPAN_NONE);
    }
    return g;
}

link_graph *shape_plain_boxes(arena *a, int boxes, int size, int64_t inside, int64_t nic)
{
    int64_t *nics = arena_array(a, int64_t, size);
    for (int i = 0; i < size; i++)
        nics[i] = nic;
    return shape_of_boxes(a, &(shape_boxes){boxes, size, inside, nics, NULL});
}

link_graph *shape_mi250(arena *a, int boxes)
{
    static const shape_pair pairs[12] = {{0, 1, 4}, {2, 3, 4}, {4, 5, 4}, {6, 7, 4},
                                         {0, 2, 1}, {0, 6, 2}, {1, 3, 1}, {1, 5, 1},
                                         {2, 4, 2}, {4, 6, 1}, {5, 7, 1}, {3, 7, 1}};
    link_graph *g = link_graph_new(a, "mi250");
    for (int box = 0; box < boxes; box++)
        shape_add_devices(a, g, arena_format(a, "host[%d].g", box), 8);
    for (int box = 0; box < boxes; box++)
        for (int i = 0; i < 12; i++)
            link_graph_add_link(g, box * 8 + pairs[i].a, box * 8 + pairs[i].b,
                                (link_rate){50 * SHAPE_GB, 1e-6, pairs[i].lanes}, SPAN_NONE);
    if (boxes < 2)
        return g;
    int fabric = link_graph_add_switch(g, "slingshot", SPAN_NONE);
    for (int node = 0; node < boxes * 8; node += 2)
        link_graph_add_port(g, fabric, node, (link_rate){25 * SHAPE_GB, 2e-6, 1}, SPAN_NONE);
    return g;
}

link_graph *shape_torus(arena *a, int x, int y, int z, int64_t link)
{
    link_graph *g = link_graph_new(a, "torus");
    shape_add_devices(a, g, "t", x * y * z);
    const int size[3] = {x, y, z}, stride[3] = {1, x, x * y};
    for (int node = 0; node < x * y * z; node++) {
        for (int axis = 0; axis < 3; axis++) {
            int at = node / stride[axis] % size[axis];
            bool last = at == size[axis] - 1;
            if (size[axis] == 1 || (last && size[axis] == 2))
                continue;
            int next = last ? node - at * stride[axis] : node + stride[axis];
            link_graph_add_link(g, node, next, (link_rate){link, 1e-6, 1}, SPAN_NONE);
        }
    }
    return g;
}

link_graph *shape_circle(arena *a, int ranks, const int64_t *width)
{
    link_graph *g = link_graph_new(a, "circle");
    shape_add_devices(a, g, "g", ranks);
    for (int i = 0; i < ranks; i++)
        for (int k = 1; 2 * k <= ranks; k++) {
            int j = (i + k) % ranks;
            if (width[k - 1] > 0 && (2 * k < ranks || i < j))
                link_graph_add_link(g, i, j, (link_rate){width[k - 1], 1e-6, 1}, SPAN_NONE);
        }
    return g;
}

link_graph *shape_complete(arena *a, int ranks, int64_t link)
{
    int64_t *width = arena_array(a, int64_t, ranks);
    for (int k = 1; 2 * k <= ranks; k++)
        width[k - 1] = link;
    return shape_circle(a, ranks, width);
}

link_graph *shape_of_fat_tree(arena *a, const shape_fat_tree *s)
{
    link_graph *g = link_graph_new(a, "fat_tree");
    int *spine = arena_array(a, int, s->spines);
    for (int leaf = 0; leaf < s->leaves; leaf++)
        shape_add_devices(a, g, arena_format(a, "leaf[%d].h", leaf), s->hosts);
    for (int i = 0; i < s->spines; i++)
        spine[i] = link_graph_add_switch(g, arena_format(a, "spine[%d]", i), SPAN_NONE);
    for (int leaf = 0; leaf < s->leaves; leaf++) {
        int hub = link_graph_add_switch(g, arena_format(a, "leaf[%d].sw", leaf), SPAN_NONE);
        for (int i = 0; i < s->hosts; i++)
            link_graph_add_port(g, hub, leaf * s->hosts + i, (link_rate){s->port, 1e-6, 1},
                                SPAN_NONE);
        for (int i = 0; i < s->spines; i++)
            link_graph_add_port(g, spine[i], hub, (link_rate){s->uplink, 1e-6, 1}, SPAN_NONE);
    }
    return g;
}

static unsigned shape_next(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

link_graph *shape_random(arena *a, unsigned seed, int devices, int switches)
{
    unsigned state = seed * 2654435761u + 12345u;
    link_graph *g = link_graph_new(a, "random");
    shape_add_devices(a, g, "g", devices);
    for (int i = 0; i < switches; i++)
        link_graph_add_switch(g, arena_format(a, "s[%d]", i), SPAN_NONE);
    int nodes = devices + switches;
    for (int i = 1; i < nodes; i++) /* a tree first, so that all hangs together */
        link_graph_add_link(g, i, (int)(shape_next(&state) % (unsigned)i),
                            (link_rate){1 + shape_next(&state) % 7, 1e-6, 1}, SPAN_NONE);
    for (int i = 0; i < nodes; i++)
        for (int j = i + 1; j < nodes; j++)
            if (shape_next(&state) % 3 == 0)
                link_graph_add_link(g, i, j, (link_rate){1 + shape_next(&state) % 7, 1e-6, 1},
                                    SPAN_NONE);
    return g;
}

int *shape_all(arena *a, const link_graph *g)
{
    int *ranks = arena_array(a, int, g->devices.count);
    for (size_t i = 0; i < g->devices.count; i++)
        ranks[i] = g->devices.items[i];
    return ranks;
}

int shape_subset(const link_graph *g, unsigned mask, int *ranks)
{
    int count = 0;
    for (size_t i = 0; i < g->devices.count; i++)
        if (mask >> i & 1)
            ranks[count++] = g->devices.items[i];
    return count;
}

bool shape_connected(const link_graph *g, const int *ranks, int count)
{
    unsigned reached = 1, all = (1u << count) - 1;
    for (int pass = 0; pass < count; pass++)
        for (int i = 0; i < count; i++)
            for (int j = 0; j < count; j++)
                if ((reached >> i & 1) && link_graph_find_arc(g, ranks[i], ranks[j]) >= 0)
                    reached |= 1u << j;
    return reached == all;
}
