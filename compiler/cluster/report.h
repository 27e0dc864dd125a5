/* report.h: what `espalier topology` says of a cluster: bounds with their proofs, trees, rates and times.
 *
 * The report finds the bounds, the trees and the rings itself. Rates and times of programs (tree, halving, one's own)
 * come from who can run them through the simulator, by report_add_rate and report_add_time.
 *
 *     topology_report *r = report_of(arena, graph, ranks, count);
 *     report_add_rate(r, REPORT_ALL_REDUCE, "tree", 42.5e9);
 *     report_add_time(r, REPORT_ALL_REDUCE, "trees", 1 << 20, 61e-6);
 *     report_print_json(r, stdout);
 *
 * Rates are bytes of data size per second. A rank is printed as the number of its device in the cluster.
 */
#ifndef ESPALIER_CLUSTER_REPORT_H
#define ESPALIER_CLUSTER_REPORT_H

#include "cluster/bounds.h"
#include "cluster/rings.h"
#include <stdio.h>

typedef enum report_part {
    REPORT_ALL_REDUCE,
    REPORT_ALL_GATHER,
    REPORT_REDUCE_SCATTER,
    REPORT_PARTS
} report_part;

typedef struct report_rate {
    const char *name;
    double rate; /* NAN: the topology cannot run here */
} report_rate;

typedef struct report_time {
    const char *name;
    int64_t bytes;
    double seconds;
} report_time;

typedef struct report_collective {
    bound best;
    synthesis made;
    VEC(report_rate) rates;
    VEC(report_time) times;
} report_collective;

typedef struct topology_report {
    arena *memory;
    const link_graph *graph;
    const int *ranks;
    int count;
    const int *numbers; /* by rank: of its device among the cluster's */
    report_collective parts[REPORT_PARTS];
    double seconds; /* what bounds and trees took */
} topology_report;

/* `ranks` must not have a device twice. The rates "trees", and "ring" of the all-reduce, are there at once. */
topology_report *report_of(arena *a, const link_graph *g, const int *ranks, int count);

void report_add_rate(topology_report *r, report_part part, const char *name, double rate);
void report_add_time(topology_report *r, report_part part, const char *name, int64_t bytes,
                     double seconds);

/* "all_reduce", ... */
const char *report_part_name(report_part part);

/* The number of a rank's device among the cluster's devices. */
int report_device_number(const topology_report *r, int rank);

/* The program whose time is least at each size, as "trees" up to 64 KiB, then "ring": what `auto` takes. */
const char *report_fastest(const topology_report *r, report_part part, int64_t bytes);

void report_print_text(const topology_report *r, FILE *out);
void report_print_json(const topology_report *r, FILE *out);

/* The cluster's links with the trees of the all-reduce on them, a colour each, for Graphviz. */
void report_print_dot(const topology_report *r, FILE *out);

/* The same as a picture: a panel for each tree, the ranks on a circle. */
void report_print_svg(const topology_report *r, FILE *out);

#endif
