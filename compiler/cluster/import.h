/* import.h: machines described by NCCL and by nvidia-smi, as link graphs and as `cluster` blocks.
 *
 *     machine m = import_nccl_xml(arena, bytes, length, "box");       // what NCCL_TOPO_DUMP_FILE writes
 *     machine m = import_smi_topo(arena, bytes, length, "box");       // what `nvidia-smi topo -m` prints
 *     if (!m.graph) fprintf(stderr, "line %d: %s\n", m.line, m.error);
 *     else fputs(m.text, stdout);
 *
 * Where NVLink connects all GPUs, directly or over its switches, the machine is its NVLinks; else it is its PCIe
 * switches and sockets with what NVLinks there are. NICs lead out of the machine: they are named in a remark with the
 * GPU that is nearest, for the `switch` of the whole cluster.
 *
 * Bandwidths are one way. NVLink by compute capability, each link: 20 GB/s (6.x), 25 GB/s (7.0, 8.0, 9.0), 14.0625
 * (8.6, 8.9), 50 GB/s (10.0 and later). PCIe by the speed and width that the XML gives, less the 128b/130b or 8b/10b
 * coding. `nvidia-smi topo -m` says neither: 25 GB/s a link and PCIe 3.0 x16 are taken, and the remarks say so.
 */
#ifndef ESPALIER_CLUSTER_IMPORT_H
#define ESPALIER_CLUSTER_IMPORT_H

#include "cluster/link_graph.h"

typedef struct machine {
    link_graph *graph; /* NULL: not understood */
    const char *text;  /* the `cluster` block, ending with a newline */
    const char *error; /* what was not understood, in lower case */
    int line;
} machine;

machine import_nccl_xml(arena *a, const char *bytes, size_t length, const char *name);
machine import_smi_topo(arena *a, const char *bytes, size_t length, const char *name);

#endif
