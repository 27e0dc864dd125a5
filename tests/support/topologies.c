#include "support/topologies.h"

#include <stdlib.h>
#include <string.h>

const char *const topology_names[TOPOLOGY_COUNT] = {"ring",    "tree",   "double_tree",
                                                    "halving", "direct", "server"};

static rt_program begin(int ranks, int chunks)
{
    rt_program p = {.ranks = ranks, .chunks = chunks};
    p.weights = malloc(sizeof *p.weights * (size_t)chunks);
    for (int c = 0; c < chunks; c++)
        p.weights[c] = 1;
    return p;
}

static void add(rt_program *p, rt_send send)
{
    p->sends = realloc(p->sends, sizeof *p->sends * (size_t)(p->send_count + 1));
    p->sends[p->send_count++] = send;
}

static rt_program ring(int n)
{
    rt_program p = begin(n, n);
    for (int s = 0; s < n - 1; s++)
        for (int r = 0; r < n; r++)
            add(&p, (rt_send){s, (r - s + n) % n, r, (r + 1) % n, true});
    for (int s = 0; s < n - 1; s++)
        for (int r = 0; r < n; r++)
            add(&p, (rt_send){n - 1 + s, (r + 1 - s + n) % n, r, (r + 1) % n, false});
    return p;
}

static int depth_of(int node)
{
    int depth = 0;
    for (; node > 0; node = (node - 1) / 2)
        depth++;
    return depth;
}

/* Node i of a heap-shaped tree is rank i, or n - 1 - i where mirrored. */
static int rank_of(int node, int n, bool mirrored)
{
    return mirrored ? n - 1 - node : node;
}

static void tree_level(rt_program *p, int step, int level, bool up)
{
    for (int chunk = 0; chunk < p->chunks; chunk++)
        for (int node = 1; node < p->ranks; node++) {
            int child = rank_of(node, p->ranks, chunk == 1);
            int parent = rank_of((node - 1) / 2, p->ranks, chunk == 1);
            if (depth_of(node) == level)
                add(p, (rt_send){step, chunk, up ? child : parent, up ? parent : child, up});
        }
}

static rt_program tree(int n, int chunks)
{
    rt_program p = begin(n, chunks);
    int depth = depth_of(n - 1);
    for (int s = 0; s < depth; s++)
        tree_level(&p, s, depth - s, true);
    for (int s = 0; s < depth; s++)
        tree_level(&p, depth + s, s + 1, false);
    return p;
}

/* Ranks beyond the largest power of two fold into the others first, and are told the result last. */
static rt_program halving(int n)
{
    int m = 1, step = 0;
    while (2 * m <= n)
        m *= 2;
    rt_program p = begin(n, m);
    for (int r = m; r < n; r++)
        for (int c = 0; c < m; c++)
            add(&p, (rt_send){step, c, r, r - m, true});
    for (int half = m / 2; half >= 1; half /= 2) {
        step++;
        for (int r = 0; r < m; r++)
            for (int c = 0; c < m; c++)
                if (c / (2 * half) == r / (2 * half) && c / half != r / half)
                    add(&p, (rt_send){step, c, r, r ^ half, true});
    }
    for (int half = 1; half < m; half *= 2) {
        step++;
        for (int r = 0; r < m; r++)
            for (int c = 0; c < m; c++)
                if (c / half == r / half)
                    add(&p, (rt_send){step, c, r, r ^ half, false});
    }
    for (int r = m; r < n; r++)
        for (int c = 0; c < m; c++)
            add(&p, (rt_send){step + 1, c, r - m, r, false});
    return p;
}

static rt_program direct(int n)
{
    rt_program p = begin(n, n);
    for (int phase = 0; phase < 2; phase++)
        for (int c = 0; c < n; c++)
            for (int d = 1; d < n; d++) {
                int other = (c + d) % n;
                add(&p, phase == 0 ? (rt_send){0, c, other, c, true}
                                   : (rt_send){1, c, c, other, false});
            }
    return p;
}

static rt_program server(int n)
{
    rt_program p = begin(n, 1);
    for (int r = 1; r < n; r++)
        add(&p, (rt_send){0, 0, r, 0, true});
    for (int r = 1; r < n; r++)
        add(&p, (rt_send){1, 0, 0, r, false});
    return p;
}

rt_program topology_butterfly(int n)
{
    rt_program p = begin(n, 1);
    for (int step = 0, d = 1; d < n; d *= 2, step++)
        for (int r = 0; r < n; r++)
            add(&p, (rt_send){step, 0, r, r ^ d, true});
    return p;
}

rt_program topology_make(const char *name, int n)
{
    if (strcmp(name, "ring") == 0)
        return ring(n);
    if (strcmp(name, "halving") == 0)
        return halving(n);
    if (strcmp(name, "direct") == 0)
        return direct(n);
    if (strcmp(name, "server") == 0)
        return server(n);
    return tree(n, strcmp(name, "double_tree") == 0 ? 2 : 1);
}
