#include "graph/build_signature.h"

#include <assert.h>
#include <string.h>

build build_at(graph *g, graph_region *region, span at)
{
    return (build){.g = g, .region = region, .at = at};
}

build_operand build_poisoned(void)
{
    return (build_operand){.value = NULL};
}

bool build_fail(build *b, build_problem problem, atom label, const char *text)
{
    b->error = (build_error){.problem = problem, .label = label, .text = text};
    return false;
}

/* An operator that is not yet in its region. */
static graph_op *op_make(build *b, op_kind kind, int inputs, int outputs)
{
    arena *a = b->g->memory;
    graph_op *op = arena_make(a, graph_op);
    op->kind = kind;
    op->at = b->at;
    op->trail = b->trail;
    op->path = b->path;
    op->input_map = arena_alloc(a, sizeof *op->input_map * (size_t)inputs);
    op->output_map = arena_alloc(a, sizeof *op->output_map * (size_t)outputs);
    memset(op->input_map, NO_INDEX, sizeof *op->input_map * (size_t)inputs);
    memset(op->output_map, NO_INDEX, sizeof *op->output_map * (size_t)outputs);
    op->attrs.variable = -1;
    op->inputs.items = arena_array(a, graph_value *, inputs);
    op->inputs.count = op->inputs.room = (size_t)inputs;
    op->outputs.items = arena_array(a, graph_value *, outputs);
    op->outputs.count = op->outputs.room = (size_t)outputs;
    for (int i = 0; i < outputs; i++) {
        op->outputs.items[i] = graph_value_new(b->g, b->region, (graph_type){.rank = 0});
        op->outputs.items[i]->producer = op;
    }
    return op;
}

graph_op *build_op(build *b, op_kind kind, int inputs, int outputs)
{
    graph_op *op = op_make(b, kind, inputs, outputs);
    vec_push(b->g->memory, &b->region->ops, op);
    return op;
}

bool signature_begin(signature *s, build *b, op_kind kind, const build_operand *operands, int count)
{
    *s = (signature){.b = b, .operands = operands};
    for (int k = 0; k < count; k++)
        if (!operands[k].value)
            return build_fail(b, BUILD_POISONED, NULL, "an operand has no value");
    int outputs = kind == OP_attention ? 2 : kind == OP_attention_grad ? 3 : 1;
    s->op = op_make(b, kind, count, outputs);
    for (int k = 0; k < count; k++)
        s->op->inputs.items[k] = operands[k].value;
    return true;
}

int signature_find(const signature *s, atom label)
{
    for (int i = 0; i < s->op->index_count; i++)
        if (s->labels[i] == label)
            return i;
    return NO_INDEX;
}

static bool sizes_differ(signature *s, int index, int operand, dim_id dim)
{
    const graph *g = s->b->g;
    dim_id first = s->op->indices[index].dim;
    const char *text = arena_format(
        g->memory, "dimension '%s' has size %lld in one operand and %lld in another",
        s->labels[index], (long long)graph_dim_size(g, first), (long long)graph_dim_size(g, dim));
    build_fail(s->b, BUILD_SIZES, s->labels[index], text);
    s->b->error.operands[0] = s->owner[index];
    s->b->error.operands[1] = operand;
    s->b->error.dims[0] = first;
    s->b->error.dims[1] = dim;
    return false;
}

/* The index of `label`, made if it is new; NO_INDEX on failure. */
static int index_of(signature *s, atom label, dim_id dim, int operand)
{
    int index = signature_find(s, label);
    if (index == NO_INDEX) {
        if (s->op->index_count == GRAPH_MAX_INDICES) {
            build_fail(s->b, BUILD_RANK, label, "an operator over too many dimensions");
            return NO_INDEX;
        }
        index = s->op->index_count++;
        s->labels[index] = label;
        s->owner[index] = operand;
        s->op->indices[index].dim = dim;
    } else if (graph_dim_size(s->b->g, s->op->indices[index].dim) != graph_dim_size(s->b->g, dim)) {
        sizes_differ(s, index, operand, dim);
        return NO_INDEX;
    }
    return index;
}

static bool label_twice(build *b, const char *whose, atom label)
{
    const char *text = arena_format(b->g->memory, "%s dimension '%s' twice", whose, label);
    return build_fail(b, BUILD_LABEL_TWICE, label, text);
}

bool signature_slot(signature *s, int k, int slot)
{
    const build_operand *x = &s->operands[k];
    int8_t *map = s->op->input_map[k];
    int index = index_of(s, x->labels[slot], x->value->type.dims[slot], k);
    if (index == NO_INDEX)
        return false;
    for (int before = 0; before < slot; before++)
        if (map[before] == index)
            return label_twice(s->b, "an operand has", x->labels[slot]);
    map[slot] = (int8_t)index;
    return true;
}

bool signature_operand(signature *s, int k, atom except)
{
    const build_operand *x = &s->operands[k];
    for (int slot = 0; slot < x->value->type.rank; slot++)
        if ((!except || x->labels[slot] != except) && !signature_slot(s, k, slot))
            return false;
    return true;
}

build_dims signature_all(const signature *s)
{
    build_dims dims = {.rank = s->op->index_count};
    if (dims.rank > GRAPH_MAX_RANK)
        dims.rank = GRAPH_MAX_RANK + 1;
    for (int i = 0; i < dims.rank && i < GRAPH_MAX_RANK; i++) {
        dims.labels[i] = s->labels[i];
        dims.dims[i] = s->op->indices[i].dim;
    }
    return dims;
}

bool signature_result(signature *s, int output, dtype type, const build_dims *dims, atom except)
{
    graph_value *v = s->op->outputs.items[output];
    if (dims->rank > GRAPH_MAX_RANK)
        return build_fail(s->b, BUILD_RANK, NULL, "a result with too many dimensions");
    v->type.dtype = type;
    v->type.rank = dims->rank;
    for (int slot = 0; slot < dims->rank; slot++) {
        for (int before = 0; before < slot; before++)
            if (dims->labels[before] == dims->labels[slot])
                return label_twice(s->b, "the result would have", dims->labels[slot]);
        v->type.dims[slot] = dims->dims[slot];
        if (except && dims->labels[slot] == except)
            continue;
        int index = index_of(s, dims->labels[slot], dims->dims[slot], -1);
        if (index == NO_INDEX)
            return false;
        s->op->output_map[output][slot] = (int8_t)index;
    }
    return true;
}

void signature_enter(signature *s)
{
    vec_push(s->b->g->memory, &s->b->region->ops, s->op);
}

build_operand signature_end(signature *s, dtype type, const build_dims *dims, atom except)
{
    if (!signature_result(s, 0, type, dims, except))
        return build_poisoned();
    signature_enter(s);
    build_operand result = {.value = s->op->outputs.items[0]};
    memcpy(result.labels, dims->labels, sizeof result.labels);
    return result;
}

static build_operand source(build *b, op_kind kind, dtype type, const build_dims *dims,
                            graph_attrs attrs)
{
    signature s;
    if (!signature_begin(&s, b, kind, NULL, 0))
        return build_poisoned();
    s.op->attrs = attrs;
    return signature_end(&s, type, dims, NULL);
}

build_operand build_variable(build *b, int variable, const atom *labels)
{
    const graph_type *t = &b->g->variables.items[variable].type;
    build_dims dims = {.rank = t->rank};
    memcpy(dims.dims, t->dims, sizeof dims.dims);
    memcpy(dims.labels, labels, sizeof dims.labels[0] * (size_t)t->rank);
    return source(b, OP_variable, t->dtype, &dims, (graph_attrs){.variable = variable});
}

build_operand build_input(build *b, atom field, dtype type, const build_dims *dims)
{
    return source(b, OP_input, type, dims, (graph_attrs){.name = field, .variable = -1});
}

build_operand build_constant(build *b, dtype type, double value)
{
    graph_attrs attrs = {.f = {op_round(type, value)}, .variable = -1};
    return source(b, OP_constant, type, &(build_dims){.rank = 0}, attrs);
}

build_operand build_index(build *b, dim_id dim, atom label)
{
    build_dims dims = {.rank = 1, .dims = {dim}, .labels = {label}};
    return source(b, OP_index, DTYPE_I32, &dims, (graph_attrs){.variable = -1});
}

build_operand build_clock(build *b, const char *which)
{
    graph_attrs attrs = {.name = atom_of(b->g->atoms, which), .variable = -1};
    return source(b, OP_clock, DTYPE_F64, &(build_dims){.rank = 0}, attrs);
}

build_operand build_random(build *b, atom name, dtype type, const build_dims *dims)
{
    build_operand iteration = {.value = NULL};
    signature s;
    if (b->repeat)
        iteration = build_repeat_iteration(b);
    if (!signature_begin(&s, b, OP_random, &iteration, b->repeat ? 1 : 0))
        return build_poisoned();
    s.op->attrs = (graph_attrs){.name = name, .variable = -1};
    return signature_end(&s, type, dims, NULL);
}

static build_operand types_misfit(build *b, op_kind kind, const build_operand *x, int count)
{
    int last = count - 1;
    dtype first = x[count > 2 ? 1 : 0].value->type.dtype, second = x[last].value->type.dtype;
    const char *text =
        count == 1 ? arena_format(b->g->memory, "'%s' does not take %s", op_info_of(kind)->name,
                                  dtype_name(first))
                   : arena_format(b->g->memory, "'%s' does not take %s with %s",
                                  op_info_of(kind)->name, dtype_name(first), dtype_name(second));
    build_fail(b, BUILD_TYPES, NULL, text);
    b->error.operands[0] = last;
    b->error.dtypes[0] = first;
    b->error.dtypes[1] = second;
    return build_poisoned();
}

build_operand build_map(build *b, op_kind kind, const build_operand *operands, int count)
{
    assert(op_info_of(kind)->class == OP_CLASS_MAP && op_info_of(kind)->inputs == count);
    signature s;
    if (!signature_begin(&s, b, kind, operands, count))
        return build_poisoned();
    dtype types[3], type;
    for (int k = 0; k < count; k++) {
        types[k] = operands[k].value->type.dtype;
        if (!signature_operand(&s, k, NULL))
            return build_poisoned();
    }
    if (!op_map_dtype(kind, types, &type))
        return types_misfit(b, kind, operands, count);
    build_dims all = signature_all(&s);
    return signature_end(&s, type, &all, NULL);
}

build_operand build_unary(build *b, op_kind kind, build_operand x)
{
    return build_map(b, kind, &x, 1);
}

build_operand build_binary(build *b, op_kind kind, build_operand x, build_operand y)
{
    return build_map(b, kind, (build_operand[]){x, y}, 2);
}

build_operand build_cast(build *b, build_operand x, dtype type)
{
    if (x.value && x.value->type.dtype == type)
        return x;
    build_operand y = build_map(b, OP_cast, &x, 1);
    if (y.value)
        y.value->type.dtype = type;
    return y;
}

/* All indices but those of `labels`. False when one of `labels` is no index. */
static bool dims_without(signature *s, const atom *labels, int count, build_dims *rest)
{
    *rest = (build_dims){.rank = 0};
    for (int i = 0; i < count; i++)
        if (signature_find(s, labels[i]) == NO_INDEX) {
            const char *text =
                arena_format(s->b->g->memory, "no operand has dimension '%s'", labels[i]);
            return build_fail(s->b, BUILD_NO_LABEL, labels[i], text);
        }
    for (int slot = 0; slot < s->op->index_count; slot++) {
        bool gone = false;
        for (int i = 0; i < count; i++)
            gone |= s->labels[slot] == labels[i];
        if (gone)
            continue;
        if (rest->rank == GRAPH_MAX_RANK)
            return build_fail(s->b, BUILD_RANK, NULL, "a result with too many dimensions");
        rest->labels[rest->rank] = s->labels[slot];
        rest->dims[rest->rank++] = s->op->indices[slot].dim;
    }
    return true;
}

build_operand build_reduce(build *b, op_kind kind, build_operand x, const atom *labels, int count)
{
    assert(op_info_of(kind)->class == OP_CLASS_REDUCE && (kind != OP_argmax || count == 1));
    if (count == 0)
        return x;
    signature s;
    build_dims rest;
    if (!signature_begin(&s, b, kind, &x, 1) || !signature_operand(&s, 0, NULL) ||
        !dims_without(&s, labels, count, &rest))
        return build_poisoned();
    if (x.value->type.dtype == DTYPE_BOOL)
        return types_misfit(b, kind, &x, 1);
    return signature_end(&s, kind == OP_argmax ? DTYPE_I32 : x.value->type.dtype, &rest, NULL);
}

/* True when every one of `labels` is a label of both operands. */
static bool both_have(build *b, const build_operand *x, const atom *labels, int count)
{
    for (int i = 0; i < count; i++)
        for (int k = 0; k < 2; k++) {
            bool found = false;
            for (int slot = 0; slot < x[k].value->type.rank; slot++)
                found |= x[k].labels[slot] == labels[i];
            if (!found) {
                const char *text =
                    arena_format(b->g->memory, "the %s operand has no dimension '%s'",
                                 k ? "right" : "left", labels[i]);
                build_fail(b, BUILD_NO_LABEL, labels[i], text);
                b->error.operands[0] = k;
                return false;
            }
        }
    return true;
}

build_operand build_dot(build *b, build_operand x, build_operand y, const atom *labels, int count)
{
    build_operand operands[2] = {x, y};
    signature s;
    build_dims rest;
    if (!signature_begin(&s, b, OP_dot, operands, 2) || !both_have(b, operands, labels, count) ||
        !signature_operand(&s, 0, NULL) || !signature_operand(&s, 1, NULL) ||
        !dims_without(&s, labels, count, &rest))
        return build_poisoned();
    dtype type = x.value->type.dtype;
    if (type != y.value->type.dtype || !dtype_is_float(type))
        return types_misfit(b, OP_dot, operands, 2);
    return signature_end(&s, type, &rest, NULL);
}

static void sink(build *b, op_kind kind, int variable, build_operand x)
{
    signature s;
    if (!signature_begin(&s, b, kind, &x, 1) || !signature_operand(&s, 0, NULL))
        return;
    s.op->outputs.count = 0;
    s.op->attrs.variable = variable;
    signature_enter(&s);
}

void build_assign(build *b, int variable, build_operand x)
{
    sink(b, OP_assign, variable, x);
}

void build_accumulate(build *b, int variable, build_operand x)
{
    sink(b, OP_accumulate, variable, x);
}

atom build_index_label(const build *b, int index)
{
    return atom_of(b->g->atoms, arena_format(b->g->memory, "%d", index));
}

build_operand build_by_index(const build *b, graph_value *x, const int8_t *map)
{
    build_operand o = {.value = x};
    for (int slot = 0; slot < x->type.rank; slot++)
        o.labels[slot] = map[slot] == NO_INDEX
                             ? atom_of(b->g->atoms, arena_format(b->g->memory, ".%d", slot))
                             : build_index_label(b, map[slot]);
    return o;
}
