#include "coll/sharing.h"
#include "coll/heap.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

typedef struct way {
    const int32_t *arcs;
    int count;
    int group;
    int slot;    /* in its group's running ways; -1: at rest */
    double left; /* bytes to go at `since` */
    double since;
    double rate;
    double weight;
    int32_t version; /* of its entry in the heap of ends */
    bool fixed;      /* while rates are found */
} way;

typedef VEC(int) int_list;

/* Ways that may meet on an arc, directly or through others. */
typedef struct group {
    int_list running;
    int_list arcs;
    bool changed;
} group;

struct sharing {
    arena *memory;
    const double *capacities;
    int arcs;
    double now;
    VEC(way) ways;
    VEC(group) groups;
    int_list changed; /* groups */
    int_list done;    /* ways that have ended and were not given yet */
    int *parent;      /* [arcs]: of the union that makes groups */
    bool grouped;
    heap ends;
    double *room;       /* [arcs]: while rates are found */
    int_list *crossing; /* [arcs]: ways that run over it */
    double *claims;     /* [arcs]: weight of the ways without a rate yet */
    int *users;         /* [arcs]: how many these are */
};

sharing *sharing_new(arena *a, const double *capacities, int arcs)
{
    sharing *s = arena_make(a, sharing);
    s->memory = a;
    s->capacities = capacities;
    s->arcs = arcs;
    s->parent = arena_array(a, int, arcs + 1);
    s->room = arena_array(a, double, arcs + 1);
    s->crossing = arena_array(a, int_list, arcs + 1);
    s->claims = arena_array(a, double, arcs + 1);
    s->users = arena_array(a, int, arcs + 1);
    s->ends.memory = a;
    for (int i = 0; i < arcs; i++)
        s->parent[i] = i;
    return s;
}

static int top_of(sharing *s, int arc)
{
    while (s->parent[arc] != arc)
        arc = s->parent[arc] = s->parent[s->parent[arc]];
    return arc;
}

int sharing_add_flow(sharing *s, const int32_t *arcs, int count)
{
    assert(count > 0 && !s->grouped);
    for (int i = 1; i < count; i++)
        s->parent[top_of(s, arcs[i])] = top_of(s, arcs[0]);
    vec_push(s->memory, &s->ways, (way){.arcs = arcs, .count = count, .slot = -1, .weight = 1});
    return (int)s->ways.count - 1;
}

void sharing_set_weight(sharing *s, int flow, double weight)
{
    assert(weight > 0);
    s->ways.items[flow].weight = weight;
}

static void make_groups(sharing *s)
{
    int *group_of = arena_array(s->memory, int, s->arcs + 1);
    memset(group_of, 0xff, sizeof *group_of * (size_t)s->arcs);
    s->grouped = true;
    for (size_t w = 0; w < s->ways.count; w++) {
        int top = top_of(s, s->ways.items[w].arcs[0]);
        if (group_of[top] < 0) {
            group_of[top] = (int)s->groups.count;
            vec_push(s->memory, &s->groups, (group){.changed = false});
        }
        s->ways.items[w].group = group_of[top];
    }
    for (int arc = 0; arc < s->arcs; arc++)
        if (group_of[top_of(s, arc)] >= 0)
            vec_push(s->memory, &s->groups.items[group_of[top_of(s, arc)]].arcs, arc);
}

static void mark_changed(sharing *s, int number)
{
    if (s->groups.items[number].changed)
        return;
    s->groups.items[number].changed = true;
    vec_push(s->memory, &s->changed, number);
}

void sharing_start(sharing *s, int flow, double bytes)
{
    if (!s->grouped)
        make_groups(s);
    way *w = &s->ways.items[flow];
    assert(w->slot < 0);
    if (bytes <= 0) {
        vec_push(s->memory, &s->done, flow);
        return;
    }
    group *g = &s->groups.items[w->group];
    w->left = bytes;
    w->since = s->now;
    w->rate = 0;
    w->slot = (int)g->running.count;
    vec_push(s->memory, &g->running, flow);
    mark_changed(s, w->group);
}

static void set_rate(sharing *s, int flow, double rate)
{
    way *w = &s->ways.items[flow];
    w->fixed = true;
    if (rate == w->rate)
        return;
    w->left -= (s->now - w->since) * w->rate;
    w->since = s->now;
    w->rate = rate;
    w->version++;
    heap_push(&s->ends, s->now + (w->left > 0 ? w->left / rate : 0),
              (int64_t)w->version << 32 | flow);
}

/* The least share of room among the arcs in use, or -1. */
static int tightest_arc(const sharing *s, const group *g)
{
    int tightest = -1;
    double least = HUGE_VAL;
    for (size_t i = 0; i < g->arcs.count; i++) {
        int arc = g->arcs.items[i];
        if (s->users[arc] > 0 && s->room[arc] / s->claims[arc] < least) {
            least = s->room[arc] / s->claims[arc];
            tightest = arc;
        }
    }
    return tightest;
}

/* Gathers what each arc has to give, who uses it, and how much they count. */
static void gather_claims(sharing *s, group *g)
{
    for (size_t i = 0; i < g->arcs.count; i++) {
        int arc = g->arcs.items[i];
        s->room[arc] = s->capacities[arc];
        s->claims[arc] = 0;
        s->users[arc] = 0;
        s->crossing[arc].count = 0;
    }
    for (size_t i = 0; i < g->running.count; i++) {
        way *w = &s->ways.items[g->running.items[i]];
        w->fixed = false;
        for (int k = 0; k < w->count; k++) {
            s->claims[w->arcs[k]] += w->weight;
            s->users[w->arcs[k]]++;
            vec_push(s->memory, &s->crossing[w->arcs[k]], g->running.items[i]);
        }
    }
}

/* Fills all ways alike until an arc is full; its ways are done; and so on. */
static void fill(sharing *s, group *g)
{
    gather_claims(s, g);
    for (int arc; (arc = tightest_arc(s, g)) >= 0;) {
        double share = s->room[arc] / s->claims[arc];
        for (size_t i = 0; i < s->crossing[arc].count; i++) {
            way *w = &s->ways.items[s->crossing[arc].items[i]];
            if (w->fixed)
                continue;
            for (int k = 0; k < w->count; k++) {
                s->room[w->arcs[k]] -= share * w->weight;
                s->claims[w->arcs[k]] -= w->weight;
                s->users[w->arcs[k]]--;
            }
            set_rate(s, s->crossing[arc].items[i], share * w->weight);
        }
        s->users[arc] = 0;
    }
}

double sharing_settle(sharing *s)
{
    for (size_t i = 0; i < s->changed.count; i++) {
        group *g = &s->groups.items[s->changed.items[i]];
        g->changed = false;
        fill(s, g);
    }
    s->changed.count = 0;
    if (s->done.count > 0)
        return s->now;
    while (s->ends.items.count > 0) {
        heap_item next = s->ends.items.items[0];
        const way *w = &s->ways.items[next.number & 0xffffffff];
        if (w->slot >= 0 && w->version == (int32_t)(next.number >> 32))
            return next.time > s->now ? next.time : s->now;
        heap_pop(&s->ends);
    }
    return HUGE_VAL;
}

/* Ends that differ by rounding alone are one. */
static double a_little_after(double time)
{
    return time * (1 + 1e-12);
}

void sharing_advance(sharing *s, double time)
{
    s->now = time;
    while (s->ends.items.count > 0 && s->ends.items.items[0].time <= a_little_after(time)) {
        heap_item next = heap_pop(&s->ends);
        int flow = (int)(next.number & 0xffffffff);
        way *w = &s->ways.items[flow];
        if (w->slot < 0 || w->version != (int32_t)(next.number >> 32))
            continue;
        group *g = &s->groups.items[w->group];
        int last = vec_last(&g->running);
        g->running.items[w->slot] = last;
        s->ways.items[last].slot = w->slot;
        g->running.count--;
        w->slot = -1;
        mark_changed(s, w->group);
        vec_push(s->memory, &s->done, flow);
    }
}

int sharing_next_done(sharing *s)
{
    return s->done.count > 0 ? s->done.items[--s->done.count] : -1;
}
