/* machine.h: a machine while it is imported: GPUs, NVLinks between them, and the tree of buses above them.
 *
 * Both importers fill a machine_draft; machine_finish decides what of it counts and makes the graph and its text.
 */
#ifndef ESPALIER_CLUSTER_MACHINE_H
#define ESPALIER_CLUSTER_MACHINE_H

#include "base/text.h"
#include "cluster/import.h"

typedef struct draft_gpu {
    int number;     /* as the source numbers it */
    int bus;        /* the bus it hangs on; -1: none known */
    int64_t to_bus; /* bytes/s */
    int64_t fabric; /* bytes/s into the NVLink switches; 0: none */
    int to_cpu;     /* the bus that is the socket NVLinks lead to; -1: none */
    int64_t cpu_links;
} draft_gpu;

typedef struct draft_link {
    int a; /* GPUs by place in the draft */
    int b;
    int lanes;
    int64_t each;
} draft_link;

typedef struct draft_bus {
    const char *name;
    int above; /* bus; -1: none */
    int64_t to_above;
} draft_bus;

typedef struct machine_draft {
    arena *memory;
    const char *name;
    VEC(draft_gpu) gpus;
    VEC(draft_link) links;
    VEC(draft_bus) buses;
    text remarks;
    int memory_gib; /* of each GPU; 0: not known */
} machine_draft;

/* GPUs are renumbered 0, 1, ... in order of their number. */
machine machine_finish(machine_draft *d);

machine machine_refused(const char *error, int line);

#endif
