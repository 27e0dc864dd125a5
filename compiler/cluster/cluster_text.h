/* cluster_text.h: a link graph as a `cluster` block of the plan language that says the same.
 *
 * All devices become one `gpu g[N]` of one node, in their order; links go by their number, with x2 for two lanes.
 * Switches keep their last name. The ports of one switch statement are alike; a slower port gets a switch of its own
 * in front, which adds no latency.
 *
 *     cluster dgx1v {
 *       node box {
 *         gpu g[8] { memory 32 GiB }
 *         link g: 25 GB/s, 1.5 us { 0-1 x2, 0-2, ... }
 *       }
 *     }
 */
#ifndef ESPALIER_CLUSTER_CLUSTER_TEXT_H
#define ESPALIER_CLUSTER_CLUSTER_TEXT_H

#include "cluster/link_graph.h"

typedef struct cluster_text_options {
    const char *attributes; /* of the devices, between their braces: "memory 32 GiB"; NULL: none */
    const char *remarks;    /* lines that become comments above the block; NULL: none */
} cluster_text_options;

const char *cluster_text(arena *a, const link_graph *g, const cluster_text_options *options);

#endif
