/* Any bytes as NCCL's XML and as nvidia-smi's matrix; what is understood gets trees, and they are checked. */
#include "fuzz.h"

#include "cluster/import.h"
#include "cluster/synthesis.h"

static void fuzz_machine(arena *a, const machine *m)
{
    fuzz_require((m->graph == NULL) == (m->error != NULL), "neither a machine nor an error");
    if (!m->graph || m->graph->devices.count > 12)
        return;
    const link_graph *g = m->graph;
    synthesis s = synthesis_all_reduce(a, g, g->devices.items, (int)g->devices.count);
    for (int p = 0; s.status == SYNTHESIS_OK && p < s.phase_count; p++)
        fuzz_require(forest_check(a, g, &s.phases[p]) == NULL, "a forest that does not hold");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    arena *a = arena_new();
    machine xml = import_nccl_xml(a, (const char *)bytes, size, "box");
    fuzz_machine(a, &xml);
    machine matrix = import_smi_topo(a, (const char *)bytes, size, "box");
    fuzz_machine(a, &matrix);
    arena_free(a);
    return 0;
}
