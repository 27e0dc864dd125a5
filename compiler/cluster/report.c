#include "cluster/report.h"

#include <math.h>
#include <string.h>
#include <time.h>

static double report_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

const char *report_part_name(report_part part)
{
    static const char *const names[REPORT_PARTS] = {"all_reduce", "all_gather", "reduce_scatter"};
    return names[part];
}

int report_device_number(const topology_report *r, int rank)
{
    return r->numbers[rank];
}

static const int *report_number_devices(const topology_report *r)
{
    int *of_node = arena_array(r->memory, int, r->graph->nodes.count + 1);
    int *numbers = arena_array(r->memory, int, r->count + 1);
    for (size_t i = 0; i < r->graph->devices.count; i++)
        of_node[r->graph->devices.items[i]] = (int)i;
    for (int rank = 0; rank < r->count; rank++)
        numbers[rank] = of_node[r->ranks[rank]];
    return numbers;
}

void report_add_rate(topology_report *r, report_part part, const char *name, double rate)
{
    report_rate added = {arena_copy_text(r->memory, name, strlen(name)), rate};
    vec_push(r->memory, &r->parts[part].rates, added);
}

void report_add_time(topology_report *r, report_part part, const char *name, int64_t bytes,
                     double seconds)
{
    report_time added = {arena_copy_text(r->memory, name, strlen(name)), bytes, seconds};
    vec_push(r->memory, &r->parts[part].times, added);
}

const char *report_fastest(const topology_report *r, report_part part, int64_t bytes)
{
    const report_time *best = NULL;
    for (size_t i = 0; i < r->parts[part].times.count; i++) {
        const report_time *t = &r->parts[part].times.items[i];
        if (t->bytes == bytes && (!best || t->seconds < best->seconds))
            best = t;
    }
    return best ? best->name : NULL;
}

/* On a symmetric graph the reduce-scatter is the all-gather turned round; it is not sought twice. */
static void report_gather_and_scatter(topology_report *r)
{
    report_collective *gather = &r->parts[REPORT_ALL_GATHER];
    report_collective *scatter = &r->parts[REPORT_REDUCE_SCATTER];
    gather->best = bound_all_gather(r->memory, r->graph, r->ranks, r->count);
    gather->made = synthesis_all_gather(r->memory, r->graph, r->ranks, r->count);
    scatter->best = bound_reduce_scatter(r->memory, r->graph, r->ranks, r->count);
    scatter->made = synthesis_reduce_scatter(r->memory, r->graph, r->ranks, r->count);
}

static double report_rate_of(const synthesis *s)
{
    return s->status == SYNTHESIS_OK ? rational_value(s->rate) : NAN;
}

topology_report *report_of(arena *a, const link_graph *g, const int *ranks, int count)
{
    topology_report *r = arena_make(a, topology_report);
    int *kept = arena_array(a, int, count + 1);
    memcpy(kept, ranks, sizeof(int) * (size_t)count);
    *r = (topology_report){.memory = a, .graph = g, .ranks = kept, .count = count};
    r->numbers = report_number_devices(r);
    double begin = report_clock();
    report_collective *both = &r->parts[REPORT_ALL_REDUCE];
    both->best = bound_all_reduce(a, g, kept, count);
    both->made = synthesis_all_reduce(a, g, kept, count);
    report_gather_and_scatter(r);
    r->seconds = report_clock() - begin;
    ring_set rings = rings_of(a, g, kept, count);
    report_add_rate(r, REPORT_ALL_REDUCE, "ring",
                    rings.rate.numerator > 0 ? rational_value(rings.rate) : NAN);
    for (report_part part = 0; part < REPORT_PARTS; part++)
        report_add_rate(r, part, "trees", report_rate_of(&r->parts[part].made));
    return r;
}
