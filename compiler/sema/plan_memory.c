/* plan_memory.c: what every rank holds whatever the activations are, beside what it may hold. The rest of its memory is known
 * where it is laid out (pass/bound.h).
 */
#include "sema/clause.h"

#include "pass/bound.h"

static double elements(const setup *u, const graph_variable *v)
{
    double count = 1;
    for (int i = 0; i < v->type.rank; i++)
        count *= (double)u->graph->dims.items[v->type.dims[i]].size;
    return count;
}

/* Parameters, a gradient for each that is trained, and what optimizers keep: of the model, not of a rank. */
static double bytes_of_model(const setup *u)
{
    double bytes = 0;
    for (size_t i = 0; i < u->graph->variables.count; i++) {
        const graph_variable *v = &u->graph->variables.items[i];
        bool twice = v->kind == VARIABLE_PARAMETER && !v->frozen;
        if (v->kind == VARIABLE_PARAMETER || v->kind == VARIABLE_OPTIMIZER)
            bytes += elements(u, v) * (double)dtype_bytes(v->type.dtype) * (twice ? 2 : 1);
    }
    return bytes;
}

/* Over how many ranks the clauses may spread it at the most. */
static double most_parts(const setup *u)
{
    bool spread = u->said.shards.count || u->said.pipeline.axis >= 0;
    double parts = 1;
    for (size_t i = 0; i < u->out->mesh.count; i++) {
        bool inner = spread;
        for (size_t k = 0; k < u->out->splits.count; k++)
            inner = inner || (u->out->splits.items[k].axis == (int)i &&
                              !plan_splits_batch(u, u->out->splits.items[k].dim));
        if (inner)
            parts *= u->out->mesh.items[i].size;
    }
    return parts;
}

/* Devices that are too small for one plan are so for others of the same: one mistake. */
static bool is_said(setup *u)
{
    sema *s = u->sema;
    atom key = atom_of(s->atoms, arena_format(s->memory, "memory at %u", u->out->memory_at.begin));
    bool said = !u->out->required_memory && table_get(&s->reported, key, u->out->memory_at.file);
    table_set(&s->reported, key, u->out->memory_at.file, s);
    return said;
}

void plan_check_memory(setup *u)
{
    for (size_t i = 0; i < u->later.count; i++)
        if (u->later.items[i].code == E0905)
            return; /* kept in smaller forms */
    double least = bytes_of_model(u) / most_parts(u);
    int64_t bytes = least < 9e18 ? (int64_t)least : INT64_MAX;
    bool fits = (!u->out->required_memory || bytes <= u->out->required_memory) &&
                (!u->out->memory_limit || bytes <= u->out->memory_limit);
    if (!fits && !is_said(u))
        pass_bound(u->out, bytes, "for parameters, gradients and the optimizer alone",
                   u->sema->diags);
    u->poisoned = u->poisoned || !fits;
}
