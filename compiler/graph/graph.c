#include "graph/graph.h"

#include <assert.h>
#include <string.h>

size_t dtype_bytes(dtype t)
{
    static const size_t bytes[DTYPE_COUNT] = {4, 8, 2, 4, 1};
    assert(t < DTYPE_COUNT);
    return bytes[t];
}

const char *dtype_name(dtype t)
{
    static const char *const names[DTYPE_COUNT] = {"f32", "f64", "bf16", "i32", "bool"};
    assert(t < DTYPE_COUNT);
    return names[t];
}

bool dtype_is_float(dtype t)
{
    return t == DTYPE_F32 || t == DTYPE_F64 || t == DTYPE_BF16;
}

graph_layout graph_layout_none(void)
{
    graph_layout layout = {.partial = 0};
    memset(layout.axis, NO_AXIS, sizeof layout.axis);
    return layout;
}

graph *graph_new(arena *a, atom_table *atoms, const source_set *sources)
{
    graph *g = arena_make(a, graph);
    g->memory = a;
    g->atoms = atoms;
    g->sources = sources;
    g->form = atom_of(atoms, "graph");
    return g;
}

graph_function *graph_function_add(graph *g, const char *name)
{
    graph_function *f = arena_make(g->memory, graph_function);
    f->name = atom_of(g->atoms, name);
    vec_push(g->memory, &g->functions, f);
    return f;
}

graph_function *graph_function_find(const graph *g, const char *name)
{
    for (size_t i = 0; i < g->functions.count; i++)
        if (strcmp(g->functions.items[i]->name, name) == 0)
            return g->functions.items[i];
    return NULL;
}

dim_id graph_dim_add(graph *g, atom name, int64_t size, span declared)
{
    assert(size >= 0);
    vec_push(g->memory, &g->dims, (graph_dim){.name = name, .size = size, .declared = declared});
    return (dim_id)g->dims.count - 1;
}

int graph_variable_add(graph *g, graph_variable v)
{
    v.layout = graph_layout_none();
    vec_push(g->memory, &g->variables, v);
    return (int)g->variables.count - 1;
}

int64_t graph_dim_size(const graph *g, dim_id d)
{
    assert(d >= 0 && (size_t)d < g->dims.count);
    return g->dims.items[d].size;
}

int64_t graph_type_size(const graph *g, const graph_type *t, int slot)
{
    assert(slot >= 0 && slot < t->rank);
    return graph_dim_size(g, t->dims[slot]);
}

int64_t graph_type_count(const graph *g, const graph_type *t)
{
    int64_t count = 1;
    for (int slot = 0; slot < t->rank; slot++)
        count *= graph_type_size(g, t, slot);
    return count;
}

int64_t graph_local_size(const graph *g, const graph_value *v, int slot)
{
    int64_t size = graph_type_size(g, &v->type, slot);
    int axis = v->layout.axis[slot];
    return axis == NO_AXIS ? size : size / g->mesh.items[axis].size;
}

int64_t graph_local_count(const graph *g, const graph_value *v)
{
    int64_t count = 1;
    for (int slot = 0; slot < v->type.rank; slot++)
        count *= graph_local_size(g, v, slot);
    return count;
}

graph_value *graph_value_new(graph *g, graph_region *region, graph_type type)
{
    graph_value *v = arena_make(g->memory, graph_value);
    v->id = g->next_value++;
    v->type = type;
    v->layout = graph_layout_none();
    v->region = region;
    return v;
}
