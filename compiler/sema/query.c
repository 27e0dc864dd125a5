/* What the driver asks of a file beside its plans. */
#include "sema/scope.h"
#include "sema/train.h"

#include <string.h>

static const definition *find_first(const sema *s, ast_kind kind, const char *name)
{
    for (size_t i = 0; i < s->main->definitions.count; i++) {
        const definition *d = s->main->definitions.items[i];
        if (d->kind == kind && (!name || strcmp(d->name, name) == 0))
            return d;
    }
    return NULL;
}

bool sema_cluster(sema *s, const char *name, sema_machine *out)
{
    *out = (sema_machine){0};
    const definition *d = name ? scope_find(s, s->main, AST_CLUSTER, atom_of(s->atoms, name))
                               : find_first(s, AST_CLUSTER, NULL);
    cluster_model *model = d ? cluster_build(s, d) : NULL;
    if (!model)
        return false;
    int *nodes = arena_array(s->memory, int, model->devices.count);
    int *boxes = arena_array(s->memory, int, model->devices.count);
    for (size_t i = 0; i < model->devices.count; i++) {
        nodes[i] = model->devices.items[i].node;
        boxes[i] = model->devices.items[i].box;
    }
    *out = (sema_machine){model->links, nodes, boxes, (int)model->devices.count};
    return true;
}

const ast_node *sema_topology(sema *s, const char *name)
{
    atom wanted = atom_of(s->atoms, name);
    const definition *d = scope_find(s, s->main, AST_TOPOLOGY, wanted);
    sema_file *library = d ? NULL : scope_library(s, atom_of(s->atoms, "topology"));
    if (library)
        d = scope_find(s, library, AST_TOPOLOGY, wanted);
    return d ? d->node : NULL;
}
