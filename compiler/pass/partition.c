#include "pass/partition.h"

#include "graph/op.h"
#include "pass/partition_internal.h"

#include <assert.h>
#include <string.h>

static int axis_size(const partition *p, int axis)
{
    return p->g->mesh.items[axis].size;
}

graph_layout partition_named(const partition *p, const graph_type *t)
{
    graph_layout layout = graph_layout_none();
    const int8_t *const says[] = {p->axis_of, p->part_of};
    uint32_t used = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int slot = 0; slot < t->rank; slot++) {
            int8_t axis = says[pass][t->dims[slot]];
            if (axis == NO_AXIS || used >> axis & 1 || layout.axis[slot] != NO_AXIS)
                continue;
            layout.axis[slot] = axis;
            used |= 1u << axis;
        }
    return layout;
}

graph_layout partition_seen(const partition *p, const graph_value *x)
{
    graph_layout layout = p->made[x->id];
    if (p->must_sum[x->id])
        layout.partial = 0;
    return layout;
}

static void demand_sum(partition *p, const graph_value *x)
{
    if (!p->must_sum[x->id] && p->made[x->id].partial)
        p->must_sum[x->id] = p->changed = true;
}

/* An axis may split index i when it divides each slot of i. */
static bool divides(const partition *p, const graph_op *op, const split_form *form, int i, int axis)
{
    for (size_t k = 0; k < op->inputs.count; k++)
        for (int slot = 0; slot < op->inputs.items[k]->type.rank; slot++)
            if (form->input_map[k][slot] == i &&
                graph_type_size(p->g, &op->inputs.items[k]->type, slot) % axis_size(p, axis))
                return false;
    for (size_t k = 0; k < op->outputs.count; k++)
        for (int slot = 0; slot < op->outputs.items[k]->type.rank; slot++)
            if (form->output_map[k][slot] == i &&
                graph_type_size(p->g, &op->outputs.items[k]->type, slot) % axis_size(p, axis))
                return false;
    return true;
}

/* Gives index i the axis, unless it has one, must stay whole, or the axis is taken. */
static void try_axis(const partition *p, const graph_op *op, partition_choice *c, int i, int axis)
{
    if (i == SPLIT_WHOLE || axis == NO_AXIS || c->form.whole[i] || c->axis[i] != NO_AXIS)
        return;
    for (int j = 0; j < c->form.count; j++)
        if (c->axis[j] == axis)
            return;
    if (divides(p, op, &c->form, i, axis))
        c->axis[i] = (int8_t)axis;
}

/* Split as the operands are; then as the names of the results' dimensions say: an operand is cut for that. */
static void choose_axes(const partition *p, const graph_op *op, partition_choice *c)
{
    memset(c->axis, NO_AXIS, sizeof c->axis);
    for (size_t k = 0; k < op->inputs.count; k++) {
        graph_layout seen = partition_seen(p, op->inputs.items[k]);
        for (int slot = 0; slot < op->inputs.items[k]->type.rank; slot++)
            try_axis(p, op, c, c->form.input_map[k][slot], seen.axis[slot]);
    }
    for (size_t k = 0; k < op->outputs.count; k++)
        for (int slot = 0; slot < op->outputs.items[k]->type.rank; slot++)
            try_axis(p, op, c, c->form.output_map[k][slot],
                     p->axis_of[op->outputs.items[k]->type.dims[slot]]);
}

/* A product hands on a sum that is not finished only when nothing else reads it: else it is finished once for all. */
static bool may_flow(const partition *p, const graph_op *op, size_t k)
{
    const graph_value *x = op->inputs.items[k];
    if (split_is_extreme(x))
        return false;
    switch (split_flow_of(op)) {
    case SPLIT_FLOW_ALL:
        return true;
    case SPLIT_FLOW_ONE:
        return op->kind == OP_mul && p->readers[x->id] == 1;
    case SPLIT_FLOW_FIRST:
        return k == 0 && p->readers[x->id] == 1;
    case SPLIT_FLOW_TAIL:
        return k > 0;
    default:
        return false;
    }
}

static uint32_t axes_used(const partition_choice *c)
{
    uint32_t used = 0;
    for (int i = 0; i < c->form.count; i++)
        if (c->axis[i] != NO_AXIS)
            used |= 1u << c->axis[i];
    return used;
}

/* A sum that a scan carries, and that starts from 0, may turn out to be unsummed as what is added to it is. That is a bet:
 * when the layouts stand still and the carried value did not become so, it is off, and they are worked out again. */
static bool is_bet(partition *p, const graph_value *x)
{
    if (!p->may_bet[x->id] || p->made[x->id].partial)
        return false;
    vec_push(p->g->memory, &p->bets, x->id);
    return true;
}

/* True when the operands that must be unsummed alike are. */
static bool flows_alike(partition *p, const graph_op *op, uint32_t partial)
{
    split_flow flow = split_flow_of(op);
    if (flow == SPLIT_FLOW_ONE) {
        int holders = 0;
        for (size_t k = 0; k < op->inputs.count; k++)
            holders += partition_seen(p, op->inputs.items[k]).partial != 0;
        return holders <= 1;
    }
    if (flow != SPLIT_FLOW_ALL && flow != SPLIT_FLOW_TAIL)
        return true;
    for (size_t k = flow == SPLIT_FLOW_TAIL; k < op->inputs.count; k++)
        if (partition_seen(p, op->inputs.items[k]).partial != partial &&
            !split_is_zero(op->inputs.items[k]) && !is_bet(p, op->inputs.items[k]))
            return false;
    return true;
}

static void choose_partial(partition *p, const graph_op *op, partition_choice *c)
{
    uint32_t all = 0, used = axes_used(c);
    for (size_t k = 0; k < op->inputs.count; k++) {
        uint32_t partial = partition_seen(p, op->inputs.items[k]).partial;
        if (partial && (!may_flow(p, op, k) || partial & used))
            demand_sum(p, op->inputs.items[k]);
        all |= partition_seen(p, op->inputs.items[k]).partial;
    }
    if (all && !flows_alike(p, op, all)) {
        for (size_t k = 0; k < op->inputs.count; k++)
            demand_sum(p, op->inputs.items[k]);
        all = 0;
    }
    c->partial = all;
}

void partition_choose(partition *p, const graph_op *op, partition_choice *c)
{
    assert(op->inputs.count <= PARTITION_MAX_OPERANDS);
    c->form = split_form_of(p->g, op);
    choose_axes(p, op, c);
    choose_partial(p, op, c);
    for (size_t k = 0; k < op->inputs.count; k++) {
        c->operand[k] = graph_layout_none();
        c->operand[k].partial = partition_seen(p, op->inputs.items[k]).partial;
        for (int slot = 0; slot < op->inputs.items[k]->type.rank; slot++)
            if (c->form.input_map[k][slot] != SPLIT_WHOLE)
                c->operand[k].axis[slot] = c->axis[c->form.input_map[k][slot]];
    }
}

graph_layout partition_result(const partition *p, const graph_op *op, int k,
                              const partition_choice *c)
{
    (void)p;
    graph_layout layout = graph_layout_none();
    uint32_t has = 0;
    for (int slot = 0; slot < op->outputs.items[k]->type.rank; slot++) {
        int i = c->form.output_map[k][slot];
        if (i == SPLIT_WHOLE)
            continue;
        layout.axis[slot] = c->axis[i];
        has |= 1u << i;
    }
    layout.partial = c->partial;
    for (int i = 0; i < c->form.count; i++)
        if (c->axis[i] != NO_AXIS && !(has >> i & 1))
            layout.partial |= 1u << c->axis[i];
    return layout;
}

static void set_made(partition *p, const graph_value *x, graph_layout layout)
{
    if (memcmp(&p->made[x->id], &layout, sizeof layout) != 0) {
        p->made[x->id] = layout;
        p->changed = true;
    }
}

static void visit_region(partition *p, const graph_region *r);

static graph_layout slice_layout(graph_layout whole)
{
    memmove(whole.axis, whole.axis + 1, sizeof whole.axis - 1);
    whole.axis[GRAPH_MAX_RANK - 1] = NO_AXIS;
    return whole;
}

static graph_layout stack_layout(graph_layout slice)
{
    memmove(slice.axis + 1, slice.axis, sizeof slice.axis - 1);
    slice.axis[0] = NO_AXIS;
    return slice;
}

/* A carried value has one layout: it starts as the operand's and takes on what the body's result adds. It is unsummed
 * only if it starts from 0 and nothing in the body needs it summed. */
static graph_layout carried_layout(partition *p, const graph_op *op, int k)
{
    const graph_value *argument = op->body->arguments.items[k],
                      *result = op->body->results.items[k];
    graph_layout start = partition_seen(p, op->inputs.items[k]), now = p->made[argument->id];
    graph_layout back = partition_seen(p, result);
    uint32_t used = 0;
    demand_sum(p, op->inputs.items[k]);
    for (int slot = 0; slot < argument->type.rank; slot++) {
        if (now.axis[slot] == NO_AXIS)
            now.axis[slot] = start.axis[slot];
        if (now.axis[slot] != NO_AXIS)
            used |= 1u << now.axis[slot];
    }
    for (int slot = 0; slot < argument->type.rank; slot++)
        if (now.axis[slot] == NO_AXIS && back.axis[slot] != NO_AXIS &&
            !(used >> back.axis[slot] & 1)) {
            now.axis[slot] = back.axis[slot];
            used |= 1u << back.axis[slot];
        }
    bool free =
        split_is_zero(op->inputs.items[k]) && !p->must_sum[argument->id] && !(back.partial & used);
    now.partial = free ? now.partial | back.partial : 0;
    if (!free)
        demand_sum(p, result);
    return now;
}

static void visit_repeat(partition *p, const graph_op *op)
{
    const graph_region *body = op->body;
    int carried = (int)op->attrs.i[1];
    for (size_t k = (size_t)carried; k < op->inputs.count; k++) {
        if (p->must_sum[body->arguments.items[k]->id])
            demand_sum(p, op->inputs.items[k]);
        graph_layout whole = partition_seen(p, op->inputs.items[k]);
        whole.axis[0] = NO_AXIS; /* iterations are not split: the stack is gathered */
        set_made(p, body->arguments.items[k], slice_layout(whole));
    }
    for (int k = 0; k < carried; k++) {
        int id = body->arguments.items[k]->id;
        p->may_bet[id] = split_is_zero(op->inputs.items[k]) && !p->must_sum[id] && !p->lost_bet[id];
        set_made(p, body->arguments.items[k], carried_layout(p, op, k));
    }
    visit_region(p, body);
    for (int k = 0; k < carried; k++)
        set_made(p, op->outputs.items[k], p->made[body->arguments.items[k]->id]);
    for (size_t k = (size_t)carried; k < op->outputs.count; k++)
        set_made(p, op->outputs.items[k], stack_layout(partition_seen(p, body->results.items[k])));
}

/* What microbatches add up is summed over the ranks once, by who reads it. */
static void visit_sink(partition *p, const graph_op *op)
{
    const graph_value *x = op->inputs.items[0];
    if (op->kind != OP_accumulate || split_is_extreme(x))
        demand_sum(p, x);
    uint32_t partial = partition_seen(p, x).partial;
    if (p->sums[op->attrs.variable] != partial) {
        p->sums[op->attrs.variable] = partial;
        p->changed = true;
    }
}

static void visit_op(partition *p, const graph_op *op)
{
    partition_choice choice;
    switch (op_info_of(op->kind)->class) {
    case OP_CLASS_SOURCE: {
        graph_layout layout = partition_named(p, &op->outputs.items[0]->type);
        layout.partial = op->kind == OP_variable ? p->sums[op->attrs.variable] : 0;
        set_made(p, op->outputs.items[0], layout);
        return;
    }
    case OP_CLASS_CONTROL:
        visit_repeat(p, op);
        return;
    case OP_CLASS_SINK:
        visit_sink(p, op);
        return;
    default:
        partition_choose(p, op, &choice);
        for (size_t k = 0; k < op->outputs.count; k++) {
            set_made(p, op->outputs.items[k], partition_result(p, op, (int)k, &choice));
            if (choice.form.fold == SPLIT_FOLD_MAX)
                demand_sum(p, op->outputs.items[k]);
        }
    }
}

static void visit_region(partition *p, const graph_region *r)
{
    for (size_t i = 0; i < r->ops.count; i++)
        visit_op(p, r->ops.items[i]);
}

static void visit_function(partition *p, const graph_function *f)
{
    visit_region(p, &f->region);
    for (size_t i = 0; i < f->gradients.count; i++)
        demand_sum(p, f->gradients.items[i].value);
    for (size_t i = 0; i < f->results.count; i++)
        demand_sum(p, f->results.items[i].value);
}

static void count_readers(partition *p, const graph_region *r)
{
    for (size_t i = 0; i < r->ops.count; i++) {
        const graph_op *op = r->ops.items[i];
        for (size_t k = 0; k < op->inputs.count; k++)
            p->readers[op->inputs.items[k]->id]++;
        if (op->body)
            count_readers(p, op->body);
    }
    for (size_t k = 0; k < r->results.count; k++)
        p->readers[r->results.items[k]->id]++;
}

static const training_split *split_of(const training *t, const graph *g, dim_id dim)
{
    for (size_t i = 0; i < t->splits.count; i++)
        if (t->splits.items[i].dim == g->dims.items[dim].name &&
            t->mesh.items[t->splits.items[i].axis].size > 1)
            return &t->splits.items[i];
    return NULL;
}

/* The sizes nearest to the axis's that divide, as words. */
static void fix_division(diag *d, const graph_axis *axis, const graph_dim *dim)
{
    int64_t up = (dim->size / axis->size + 1) * axis->size,
            down = dim->size / axis->size * axis->size;
    if (down > 0)
        diag_fix(d, "%s = %lld or %lld", dim->name, (long long)down, (long long)up);
    else
        diag_fix(d, "%s = %lld", dim->name, (long long)up);
}

static bool find_axes(partition *p, diag_sink *diags)
{
    bool fine = true;
    for (size_t d = 0; d < p->g->dims.count; d++) {
        const training_split *split = split_of(p->t, p->g, (dim_id)d);
        const graph_dim *dim = &p->g->dims.items[d];
        p->axis_of[d] = (int8_t)(split ? split->axis : NO_AXIS);
        if (!split || dim->size % p->t->mesh.items[split->axis].size == 0)
            continue;
        const graph_axis *axis = &p->t->mesh.items[split->axis];
        diag *report = diag_report(diags, E0214, split->at,
                                   "axis '%s' of %d does not divide dimension '%s' of %lld",
                                   axis->name, axis->size, dim->name, (long long)dim->size);
        diag_note(report, dim->declared, "'%s' has its size here", dim->name);
        diag_note(report, axis->declared, "axis '%s' declared here", axis->name);
        fix_division(report, axis, dim);
        fine = false;
    }
    return fine;
}

/* One axis splits at most one dimension of a tensor. */
static bool check_twice(const partition *p, const graph_variable *v, diag_sink *diags)
{
    for (int slot = 1; slot < v->type.rank; slot++)
        for (int before = 0; before < slot; before++) {
            dim_id a = v->type.dims[before], b = v->type.dims[slot];
            if (p->axis_of[a] == NO_AXIS || p->axis_of[a] != p->axis_of[b])
                continue;
            const graph_axis *axis = &p->t->mesh.items[p->axis_of[a]];
            const training_split *first = split_of(p->t, p->g, a),
                                 *second = split_of(p->t, p->g, b);
            diag *d = diag_report(diags, E0235, second->at,
                                  "axis '%s' would split both '%s' and '%s' of '%s'", axis->name,
                                  p->g->dims.items[a].name, p->g->dims.items[b].name, v->path);
            if (first != second)
                diag_note(d, first->at, "'%s' is split here", p->g->dims.items[a].name);
            diag_note(d, v->at, "'%s' is declared here", v->path);
            diag_note(d, p->g->dims.items[b].declared, "its dimension '%s' is made here",
                      p->g->dims.items[b].name);
            diag_fix(d, "split one of the two, or over different axes");
            return false;
        }
    return true;
}

static int8_t split_over(const partition *p, dim_id d)
{
    return p->axis_of[d] != NO_AXIS ? p->axis_of[d] : p->part_of[d];
}

/* One of the two is split, and the other is not: it is split alike. */
static void part_alike(partition *p, dim_id a, dim_id b)
{
    int8_t over[2] = {split_over(p, a), split_over(p, b)};
    if ((over[0] == NO_AXIS) == (over[1] == NO_AXIS))
        return;
    dim_id whole = over[0] == NO_AXIS ? a : b;
    int8_t axis = over[0] == NO_AXIS ? over[1] : over[0];
    if (graph_dim_size(p->g, whole) % p->t->mesh.items[axis].size)
        return;
    p->part_of[whole] = axis;
    p->changed = true;
}

/* What a reshape makes of a dimension, or makes it of, major first, is split as that is: the [D, Q] of a product whose Q is
 * taken apart into heads A and depth has the split of A. */
static void inherit(partition *p, const graph_region *r)
{
    for (size_t i = 0; i < r->ops.count; i++) {
        const graph_op *op = r->ops.items[i];
        if (op->body)
            inherit(p, op->body);
        if (op->kind != OP_reshape)
            continue;
        const graph_type *from = &op->inputs.items[0]->type, *to = &op->outputs.items[0]->type;
        split_form form = split_form_of(p->g, op);
        for (int a = 0; a < from->rank; a++)
            for (int b = 0; b < to->rank; b++)
                if (form.input_map[0][a] >= 0 && form.input_map[0][a] == form.output_map[0][b])
                    part_alike(p, from->dims[a], to->dims[b]);
    }
}

static void inherit_splits(partition *p)
{
    p->part_of = arena_array(p->g->memory, int8_t, p->g->dims.count + 1);
    memset(p->part_of, NO_AXIS, p->g->dims.count + 1);
    do {
        p->changed = false;
        for (size_t i = 0; i < p->g->functions.count; i++)
            inherit(p, &p->g->functions.items[i]->region);
    } while (p->changed);
}

static bool prepare(partition *p, diag_sink *diags)
{
    graph *g = p->g;
    p->axis_of = arena_array(g->memory, int8_t, g->dims.count + 1);
    bool fine = find_axes(p, diags);
    for (size_t v = 0; v < g->variables.count && fine; v++)
        if (g->variables.items[v].of < 0)
            fine &= check_twice(p, &g->variables.items[v], diags);
    if (!fine)
        return false;
    g->mesh.count = 0;
    for (size_t a = 0; a < p->t->mesh.count; a++)
        vec_push(g->memory, &g->mesh, p->t->mesh.items[a]);
    inherit_splits(p);
    p->values = g->next_value;
    p->made = arena_array(g->memory, graph_layout, p->values + 1);
    p->must_sum = arena_array(g->memory, bool, p->values + 1);
    p->may_bet = arena_array(g->memory, bool, p->values + 1);
    p->lost_bet = arena_array(g->memory, bool, p->values + 1);
    p->readers = arena_array(g->memory, int, p->values + 1);
    p->sums = arena_array(g->memory, uint32_t, g->variables.count + 1);
    for (int i = 0; i < p->values; i++)
        p->made[i] = graph_layout_none();
    for (size_t i = 0; i < g->functions.count; i++)
        count_readers(p, &g->functions.items[i]->region);
    return true;
}

/* Visits every function until the layouts stand still. */
static void settle(partition *p)
{
    int rounds = 0;
    do {
        p->changed = false;
        p->bets.count = 0;
        for (size_t i = 0; i < p->g->functions.count; i++)
            visit_function(p, p->g->functions.items[i]);
        for (size_t i = 0; i < p->bets.count && !p->changed; i++)
            p->lost_bet[p->bets.items[i]] = true;
        rounds++;
        assert(rounds < 1000 && "layouts stand still");
    } while (p->changed || p->bets.count);
}

bool pass_partition(graph *g, const training *t, diag_sink *diags)
{
    partition p = {.g = g, .t = t};
    if (!prepare(&p, diags))
        return false;
    settle(&p);
    for (size_t v = 0; v < g->variables.count; v++) {
        g->variables.items[v].layout = partition_named(&p, &g->variables.items[v].type);
        g->variables.items[v].layout.partial = p.sums[v];
    }
    partition_insert(&p);
    g->form = atom_of(g->atoms, "spmd");
    return true;
}
