#include "graph/verify_internal.h"

#include "graph/op.h"
#include "graph/split.h"

const char *verify_layout(const verifier *v, const graph_value *x)
{
    uint32_t used = x->layout.partial;
    int axes = v->spmd ? (int)v->g->mesh.count : 0;
    if (used >> axes)
        return "not yet summed over an axis that there is not";
    for (int slot = 0; slot < x->type.rank; slot++) {
        int axis = x->layout.axis[slot];
        if (axis == NO_AXIS)
            continue;
        if (axis < 0 || axis >= axes)
            return "split by an axis that there is not";
        if (used >> axis & 1)
            return "one axis splits two dimensions, or splits one and is not yet summed";
        used |= 1u << axis;
        if (graph_type_size(v->g, &x->type, slot) % v->g->mesh.items[axis].size != 0)
            return "the axis does not divide the dimension";
    }
    return NULL;
}

/* Every slot of an index is split by the same axis; axis[] gets it. Slots that must stay whole are. */
static const char *check_slots(const graph_value *x, const int8_t *map, const split_form *form,
                               int8_t *axis)
{
    for (int slot = 0; slot < x->type.rank; slot++) {
        int8_t here = x->layout.axis[slot];
        int index = map[slot];
        if (index == SPLIT_WHOLE || form->whole[index]) {
            if (here != NO_AXIS)
                return "a split dimension that this operator needs whole";
            continue;
        }
        if (axis[index] == -2)
            axis[index] = here;
        else if (axis[index] != here)
            return "one index is split in two ways";
    }
    return NULL;
}

/* Axes over which each operand is unsummed, after the operator's flow; sets *wrong when it does not fit. */
static uint32_t partial_in(const graph_op *op, const char **wrong)
{
    split_flow flow = split_flow_of(op);
    uint32_t all = 0;
    int holders = 0;
    for (size_t k = 0; k < op->inputs.count; k++) {
        uint32_t partial = op->inputs.items[k]->layout.partial;
        bool may = flow == SPLIT_FLOW_ALL || flow == SPLIT_FLOW_ONE ||
                   (flow == SPLIT_FLOW_FIRST && k == 0) || (flow == SPLIT_FLOW_TAIL && k > 0);
        if (partial && (!may || split_is_extreme(op->inputs.items[k])))
            *wrong = "an operand that is not yet summed";
        all |= partial;
        holders += partial != 0;
    }
    if (flow == SPLIT_FLOW_ONE && holders > 1)
        *wrong = "a product of two operands that are not yet summed";
    for (size_t k = flow == SPLIT_FLOW_TAIL; k < op->inputs.count; k++)
        if ((flow == SPLIT_FLOW_ALL || flow == SPLIT_FLOW_TAIL) &&
            op->inputs.items[k]->layout.partial != all && !split_is_zero(op->inputs.items[k]))
            *wrong = "operands that are not yet summed over different axes";
    return all;
}

static const char *check_result(const graph_op *op, size_t k, const split_form *form,
                                const int8_t *axis, uint32_t partial)
{
    const graph_value *y = op->outputs.items[k];
    uint32_t has = 0;
    for (int slot = 0; slot < y->type.rank; slot++)
        if (form->output_map[k][slot] != SPLIT_WHOLE)
            has |= 1u << form->output_map[k][slot];
    for (int i = 0; i < form->count; i++)
        if (axis[i] >= 0 && !(has >> i & 1))
            partial |= 1u << axis[i];
    return partial == y->layout.partial ? NULL : "the result is not yet summed over other axes";
}

static const char *check_by_form(const graph *g, const graph_op *op)
{
    split_form form = split_form_of(g, op);
    int8_t axis[SPLIT_MAX_INDICES];
    for (int i = 0; i < SPLIT_MAX_INDICES; i++)
        axis[i] = -2;
    const char *wrong = NULL;
    for (size_t k = 0; k < op->inputs.count && !wrong; k++)
        wrong = check_slots(op->inputs.items[k], form.input_map[k], &form, axis);
    for (size_t k = 0; k < op->outputs.count && !wrong; k++)
        wrong = check_slots(op->outputs.items[k], form.output_map[k], &form, axis);
    if (wrong)
        return wrong;
    uint32_t partial = partial_in(op, &wrong);
    for (size_t k = 0; k < op->outputs.count && !wrong; k++)
        wrong = check_result(op, k, &form, axis, partial);
    return wrong;
}

static bool same_layout(const graph_value *x, const graph_layout *l)
{
    for (int slot = 0; slot < x->type.rank; slot++)
        if (x->layout.axis[slot] != l->axis[slot])
            return false;
    return x->layout.partial == l->partial;
}

static const char *check_collective(const graph_op *op)
{
    const graph_value *x = op->inputs.items[0], *y = op->outputs.items[0];
    int axis = (int)op->attrs.i[0], slot = (int)op->attrs.i[1];
    graph_layout wanted = x->layout;
    if (op->kind == OP_all_reduce || op->kind == OP_reduce_scatter) {
        if (!(wanted.partial >> axis & 1))
            return "a sum over an axis that is summed already";
        wanted.partial &= ~(1u << axis);
        bool folds_max = op->kind == OP_all_reduce && op->attrs.i[2];
        if (split_is_extreme(x) != folds_max)
            return "a maximum is folded by maximum, and a sum by sum";
    }
    if (op->kind != OP_all_reduce) {
        if (slot < 0 || slot >= x->type.rank ||
            wanted.axis[slot] != (op->kind == OP_all_gather ? axis : NO_AXIS))
            return "the slot is not split as it should be";
        wanted.axis[slot] = op->kind == OP_all_gather ? NO_AXIS : (int8_t)axis;
    }
    return same_layout(y, &wanted) ? NULL : "the result's layout is not what the collective gives";
}

static const char *check_stacked(const graph_value *whole, const graph_value *part)
{
    graph_layout slice = whole->layout;
    if (slice.axis[0] != NO_AXIS)
        return "the leading dimension of a repeat is split";
    for (int slot = 0; slot + 1 < whole->type.rank; slot++)
        slice.axis[slot] = slice.axis[slot + 1];
    return same_layout(part, &slice) ? NULL : "a stacked value's layout differs inside the repeat";
}

static const char *check_repeat(const graph_op *op)
{
    size_t carried = (size_t)op->attrs.i[1];
    const graph_region *body = op->body;
    for (size_t k = 0; k < carried; k++)
        if (!same_layout(op->inputs.items[k], &body->arguments.items[k]->layout) ||
            !same_layout(body->results.items[k], &body->arguments.items[k]->layout) ||
            !same_layout(op->outputs.items[k], &body->arguments.items[k]->layout))
            return "a carried value changes its layout";
    const char *wrong = NULL;
    for (size_t k = carried; k < op->inputs.count && !wrong; k++)
        wrong = check_stacked(op->inputs.items[k], body->arguments.items[k]);
    for (size_t k = carried; k < op->outputs.count && !wrong; k++)
        wrong = check_stacked(op->outputs.items[k], body->results.items[k]);
    return wrong;
}

const char *verify_layouts(const verifier *v, const graph_op *op)
{
    switch (op_info_of(op->kind)->class) {
    case OP_CLASS_CONTROL:
        return check_repeat(op);
    case OP_CLASS_COLLECTIVE:
        return check_collective(op);
    case OP_CLASS_SINK: {
        const graph_layout *l = &v->g->variables.items[op->attrs.variable].layout;
        return same_layout(op->inputs.items[0], l) ? NULL : "not the variable's layout";
    }
    case OP_CLASS_SOURCE:
        if (op->kind == OP_variable &&
            !same_layout(op->outputs.items[0], &v->g->variables.items[op->attrs.variable].layout))
            return "not the variable's layout";
        return op->kind != OP_variable && op->outputs.items[0]->layout.partial
                   ? "a source that is not yet summed"
                   : NULL;
    default:
        return check_by_form(v->g, op);
    }
}
