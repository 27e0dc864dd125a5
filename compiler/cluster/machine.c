#include "cluster/machine.h"

#include "cluster/cluster_text.h"
#include "cluster/rank_net.h"

#include <string.h>

static const double nvlink_seconds = 1.5e-6, nvswitch_seconds = 1e-6, pcie_seconds = 1e-6;

machine machine_refused(const char *error, int line)
{
    return (machine){.error = error, .line = line};
}

/* Where each GPU stands when sorted by its number. */
static int *machine_order(const machine_draft *d)
{
    int *place = arena_array(d->memory, int, d->gpus.count + 1);
    for (size_t i = 0; i < d->gpus.count; i++)
        for (size_t k = 0; k < d->gpus.count; k++)
            place[i] += d->gpus.items[k].number < d->gpus.items[i].number ||
                        (d->gpus.items[k].number == d->gpus.items[i].number && k < i);
    return place;
}

static link_graph *machine_start(const machine_draft *d)
{
    link_graph *g = link_graph_new(d->memory, d->name);
    for (size_t i = 0; i < d->gpus.count; i++)
        link_graph_add_device(g, arena_format(d->memory, "box.g[%zu]", i), SPAN_NONE);
    return g;
}

static void machine_add_nvlinks(const machine_draft *d, link_graph *g, const int *place)
{
    int fabric = -1;
    for (size_t i = 0; i < d->links.count; i++) {
        const draft_link *l = &d->links.items[i];
        link_rate rate = {l->each, nvlink_seconds, l->lanes};
        link_graph_add_link(g, place[l->a], place[l->b], rate, SPAN_NONE);
    }
    for (size_t i = 0; i < d->gpus.count; i++) {
        if (d->gpus.items[i].fabric == 0)
            continue;
        if (fabric < 0)
            fabric = link_graph_add_switch(g, "box.nvs", SPAN_NONE);
        link_rate rate = {d->gpus.items[i].fabric, nvswitch_seconds, 1};
        link_graph_add_port(g, fabric, place[i], rate, SPAN_NONE);
    }
}

/* Buses that lead to some GPU, as switches, those below before those above; then their ports. */
static void machine_add_buses(const machine_draft *d, link_graph *g, const int *place)
{
    int *hub = arena_array(d->memory, int, d->buses.count + 1);
    for (size_t i = d->buses.count; i-- > 0;)
        hub[i] = link_graph_add_switch(g, arena_format(d->memory, "box.%s", d->buses.items[i].name),
                                       SPAN_NONE);
    for (size_t i = 0; i < d->gpus.count; i++) {
        const draft_gpu *gpu = &d->gpus.items[i];
        if (gpu->bus >= 0)
            link_graph_add_port(g, hub[gpu->bus], place[i],
                                (link_rate){gpu->to_bus, pcie_seconds, 1}, SPAN_NONE);
        if (gpu->to_cpu >= 0)
            link_graph_add_port(g, hub[gpu->to_cpu], place[i],
                                (link_rate){gpu->cpu_links, nvlink_seconds, 1}, SPAN_NONE);
    }
    for (size_t i = d->buses.count; i-- > 0;) {
        const draft_bus *bus = &d->buses.items[i];
        if (bus->above >= 0)
            link_graph_add_port(g, hub[bus->above], hub[i],
                                (link_rate){bus->to_above, pcie_seconds, 1}, SPAN_NONE);
    }
}

static bool machine_connected(arena *a, const link_graph *g)
{
    rank_net net = rank_net_of(a, g, g->devices.items, (int)g->devices.count, true);
    return net.status == SYNTHESIS_OK;
}

/* The graph without switches that lie on no way between two GPUs. */
static link_graph *machine_pruned(arena *a, const link_graph *g)
{
    rank_net net = rank_net_of(a, g, g->devices.items, (int)g->devices.count, true);
    link_graph *kept = link_graph_new(a, g->name);
    for (int i = 0; i < net.node_count; i++) {
        const link_node *node = &g->nodes.items[net.origin[i]];
        if (node->kind == LINK_DEVICE)
            link_graph_add_device(kept, node->name, node->at);
        else
            link_graph_add_switch(kept, node->name, node->at);
    }
    for (size_t i = 0; i < net.arcs.count; i++) {
        const link_arc *arc = &g->arcs.items[net.arcs.items[i].link];
        link_rate rate = {arc->bytes_per_second / arc->lanes, arc->seconds, arc->lanes};
        link_graph_add_arc(kept, net.arcs.items[i].from, net.arcs.items[i].to, rate, arc->at);
    }
    return kept;
}

machine machine_finish(machine_draft *d)
{
    if (d->gpus.count == 0)
        return machine_refused("no GPU in it", 1);
    int *place = machine_order(d);
    link_graph *g = machine_start(d);
    machine_add_nvlinks(d, g, place);
    if (!machine_connected(d->memory, g))
        machine_add_buses(d, g, place);
    g = machine_pruned(d->memory, g);
    cluster_text_options options = {NULL, text_done(&d->remarks)};
    if (d->memory_gib > 0)
        options.attributes = arena_format(d->memory, "memory %d GiB", d->memory_gib);
    return (machine){.graph = g, .text = cluster_text(d->memory, g, &options)};
}
