#include "support/interpret.h"

#include "graph/op.h"
#include "support/interpret_op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

typedef struct named_input {
    const char *field;
    const double *data;
} named_input;

struct interpreter {
    const graph *g;
    arena *memory;
    int ranks;
    double **variables; /* whole, as before the run */
    double **assigned;  /* what `assign` gave; NULL where it did not */
    VEC(named_input) inputs;
    double step, steps, valid;
    interpret_random_fn *random;
    void *random_context;
    interpret_tensor **values; /* [id][rank] */
    const graph_function *ran;
};

static double hash_random(void *context, const char *name, double step, int64_t element)
{
    (void)context;
    uint64_t h = 14695981039346656037u ^ (uint64_t)element * 0x9e3779b97f4a7c15u ^
                 (uint64_t)step * 0xbf58476d1ce4e5b9u;
    for (; name && *name; name++)
        h = (h ^ (unsigned char)*name) * 1099511628211u;
    h = (h ^ h >> 31) * 0x94d049bb133111ebu;
    h ^= h >> 29;
    return (double)(h >> 11) / 9007199254740992.0;
}

interpreter *interpret_new(const graph *g, arena *a)
{
    interpreter *it = arena_make(a, interpreter);
    it->g = g;
    it->memory = a;
    it->ranks = 1;
    for (size_t axis = 0; axis < g->mesh.count; axis++)
        it->ranks *= g->mesh.items[axis].size;
    it->variables = arena_array(a, double *, g->variables.count + 1);
    for (size_t v = 0; v < g->variables.count; v++)
        it->variables[v] =
            arena_array(a, double, graph_type_count(g, &g->variables.items[v].type) + 1);
    it->random = hash_random;
    return it;
}

int interpret_ranks(const interpreter *it)
{
    return it->ranks;
}

double *interpret_variable(interpreter *it, int variable)
{
    return it->variables[variable];
}

void interpret_input(interpreter *it, const char *field, const double *data)
{
    for (size_t i = 0; i < it->inputs.count; i++)
        if (strcmp(it->inputs.items[i].field, field) == 0) {
            it->inputs.items[i].data = data;
            return;
        }
    vec_push(it->memory, &it->inputs, (named_input){field, data});
}

void interpret_clock(interpreter *it, double step, double steps, double valid)
{
    it->step = step;
    it->steps = steps;
    it->valid = valid;
}

void interpret_random(interpreter *it, interpret_random_fn *random, void *context)
{
    it->random = random;
    it->random_context = context;
}

/* Rank r's coordinate on an axis: r in mixed radix, the first axis major. */
static int coordinate(const interpreter *it, int rank, int axis)
{
    for (int a = (int)it->g->mesh.count - 1; a > axis; a--)
        rank /= it->g->mesh.items[a].size;
    return rank % it->g->mesh.items[axis].size;
}

/* The whole tensor's element number of a part's element. */
static int64_t whole_element(const interpreter *it, const graph_type *type,
                             const graph_layout *layout, int rank, int64_t element)
{
    int64_t at[GRAPH_MAX_RANK], offset = 0;
    for (int slot = type->rank; slot-- > 0;) {
        int axis = layout->axis[slot];
        int64_t size = graph_type_size(it->g, type, slot);
        int64_t local = axis == NO_AXIS ? size : size / it->g->mesh.items[axis].size;
        at[slot] = element % local + (axis == NO_AXIS ? 0 : coordinate(it, rank, axis) * local);
        element /= local;
    }
    for (int slot = 0; slot < type->rank; slot++)
        offset = offset * graph_type_size(it->g, type, slot) + at[slot];
    return offset;
}

static interpret_tensor tensor_for(const interpreter *it, const graph_value *x)
{
    interpret_tensor t = {.rank = x->type.rank};
    for (int slot = 0; slot < t.rank; slot++)
        t.sizes[slot] = graph_local_size(it->g, x, slot);
    t.data = arena_array(it->memory, double, interpret_count(&t) + 1);
    return t;
}

static interpret_tensor *tensors_for(interpreter *it, const graph_value *x)
{
    interpret_tensor *all = arena_array(it->memory, interpret_tensor, it->ranks);
    for (int r = 0; r < it->ranks; r++)
        all[r] = tensor_for(it, x);
    it->values[x->id] = all;
    return all;
}

static double *assemble(interpreter *it, const graph_value *x, const interpret_tensor *parts)
{
    int64_t count = graph_type_count(it->g, &x->type);
    double *whole = arena_array(it->memory, double, count + 1);
    for (int r = 0; r < it->ranks; r++) {
        bool adds = true; /* of ranks that differ in no partial axis, one holds the term */
        for (size_t axis = 0; axis < it->g->mesh.count; axis++) {
            bool used = x->layout.partial >> axis & 1;
            for (int slot = 0; slot < x->type.rank; slot++)
                used |= x->layout.axis[slot] == (int)axis;
            adds &= used || coordinate(it, r, (int)axis) == 0;
        }
        for (int64_t i = 0; i < interpret_count(&parts[r]); i++) {
            int64_t e = whole_element(it, &x->type, &x->layout, r, i);
            if (adds)
                whole[e] += parts[r].data[i];
        }
    }
    for (int r = 0; r < it->ranks && !x->layout.partial; r++)
        for (int64_t i = 0; i < interpret_count(&parts[r]); i++) {
            double want = whole[whole_element(it, &x->type, &x->layout, r, i)];
            double have = parts[r].data[i];
            if (fabs(want - have) > 1e-12 * (1 + fabs(want)))
                fail_msg("rank %d holds %.17g in %%%d where another holds %.17g", r, have, x->id,
                         want);
        }
    return whole;
}

double *interpret_value(interpreter *it, const graph_value *x)
{
    assert_non_null(it->values[x->id]);
    return assemble(it, x, it->values[x->id]);
}

double interpret_result(interpreter *it, const char *name)
{
    for (size_t i = 0; i < it->ran->results.count; i++)
        if (strcmp(it->ran->results.items[i].name, name) == 0)
            return interpret_value(it, it->ran->results.items[i].value)[0];
    fail_msg("no result '%s'", name);
    return NAN;
}

static const double *input_named(const interpreter *it, const char *field)
{
    for (size_t i = 0; i < it->inputs.count; i++)
        if (strcmp(it->inputs.items[i].field, field) == 0)
            return it->inputs.items[i].data;
    fail_msg("no input '%s' was given", field);
    return NULL;
}

static double clock_value(const interpreter *it, const char *which)
{
    if (strcmp(which, "step") == 0)
        return it->step;
    return strcmp(which, "steps") == 0 ? it->steps : it->valid;
}

/* A random element's number; in a repeat's body each iteration has its own. */
static int64_t random_element(const interpreter *it, const graph_op *op, int64_t element)
{
    if (!op->inputs.count)
        return element;
    int64_t iteration = (int64_t)it->values[op->inputs.items[0]->id][0].data[0];
    return element + iteration * graph_type_count(it->g, &op->outputs.items[0]->type);
}

static double source_element(const interpreter *it, const graph_op *op, int64_t element)
{
    switch (op->kind) {
    case OP_variable:
        return it->variables[op->attrs.variable][element];
    case OP_input:
        return input_named(it, op->attrs.name)[element];
    case OP_constant:
        return op->attrs.f[0];
    case OP_index:
        return (double)element;
    case OP_clock:
        return clock_value(it, op->attrs.name);
    default:
        assert_int_equal(op->kind, OP_random);
        return it->random(it->random_context, op->attrs.name, it->step,
                          random_element(it, op, element));
    }
}

static void run_source(interpreter *it, const graph_op *op)
{
    const graph_value *y = op->outputs.items[0];
    interpret_tensor *out = tensors_for(it, y);
    for (int r = 0; r < it->ranks; r++)
        for (int64_t i = 0; i < interpret_count(&out[r]); i++)
            out[r].data[i] = source_element(it, op, whole_element(it, &y->type, &y->layout, r, i));
}

/* The ranks that differ from `rank` in their coordinate on `axis` alone, in that order. */
static int peer(const interpreter *it, int rank, int axis, int position)
{
    int stride = 1;
    for (int a = (int)it->g->mesh.count - 1; a > axis; a--)
        stride *= it->g->mesh.items[a].size;
    return rank + (position - coordinate(it, rank, axis)) * stride;
}

static double folded(const interpreter *it, const graph_op *op, const interpret_tensor *in,
                     int rank, int64_t element)
{
    int axis = (int)op->attrs.i[0];
    double y = in[peer(it, rank, axis, 0)].data[element];
    for (int p = 1; p < it->g->mesh.items[axis].size; p++) {
        double x = in[peer(it, rank, axis, p)].data[element];
        y = op->kind == OP_all_reduce && op->attrs.i[2] ? fmax(x, y) : x + y;
    }
    return y;
}

/* The offset of the element at a point. */
static int64_t offset_with(const interpret_tensor *t, const int64_t *at)
{
    int64_t offset = 0;
    for (int s = 0; s < t->rank; s++)
        offset = offset * t->sizes[s] + at[s];
    return offset;
}

static void point_of(const interpret_tensor *t, int64_t element, int64_t *at)
{
    for (int s = t->rank; s-- > 0;) {
        at[s] = element % t->sizes[s];
        element /= t->sizes[s];
    }
}

static void run_collective(interpreter *it, const graph_op *op)
{
    const interpret_tensor *in = it->values[op->inputs.items[0]->id];
    interpret_tensor *out = tensors_for(it, op->outputs.items[0]);
    int axis = (int)op->attrs.i[0], slot = (int)op->attrs.i[1];
    for (int r = 0; r < it->ranks; r++)
        for (int64_t i = 0; i < interpret_count(&out[r]); i++) {
            int64_t at[GRAPH_MAX_RANK];
            point_of(&out[r], i, at);
            if (op->kind == OP_all_reduce) {
                out[r].data[i] = folded(it, op, in, r, i);
                continue;
            }
            if (op->kind == OP_all_gather) {
                int from = peer(it, r, axis, (int)(at[slot] / in[r].sizes[slot]));
                at[slot] %= in[r].sizes[slot];
                out[r].data[i] = in[from].data[offset_with(&in[from], at)];
                continue;
            }
            at[slot] += coordinate(it, r, axis) * out[r].sizes[slot];
            int64_t e = offset_with(&in[r], at);
            out[r].data[i] = op->kind == OP_shard ? in[r].data[e] : folded(it, op, in, r, e);
        }
}

static void run_region(interpreter *it, const graph_region *region);

static int64_t slice_bytes(const interpret_tensor *slice)
{
    return (int64_t)sizeof *slice->data * interpret_count(slice);
}

/* Copies slice i of every stacked operand into the body's arguments, or the body's results into slice i. */
static void run_iteration(interpreter *it, const graph_op *op, int64_t i, bool first)
{
    const graph_region *body = op->body;
    size_t carried = (size_t)op->attrs.i[1];
    interpret_tensor **next = arena_array(it->memory, interpret_tensor *, carried + 1);
    for (size_t k = 0; k < carried; k++)
        next[k] = it->values[first ? op->inputs.items[k]->id : body->results.items[k]->id];
    for (size_t k = 0; k < carried; k++)
        it->values[body->arguments.items[k]->id] = next[k];
    for (size_t k = carried; k < op->inputs.count; k++) {
        interpret_tensor *slice = tensors_for(it, body->arguments.items[k]);
        for (int r = 0; r < it->ranks; r++)
            memcpy(slice[r].data,
                   it->values[op->inputs.items[k]->id][r].data + i * interpret_count(&slice[r]),
                   (size_t)slice_bytes(&slice[r]));
    }
    run_region(it, body);
    for (size_t k = carried; k < op->outputs.count; k++)
        for (int r = 0; r < it->ranks; r++) {
            const interpret_tensor *slice = &it->values[body->results.items[k]->id][r];
            memcpy(it->values[op->outputs.items[k]->id][r].data + i * interpret_count(slice),
                   slice->data, (size_t)slice_bytes(slice));
        }
}

static void run_repeat(interpreter *it, const graph_op *op)
{
    int64_t count = op->attrs.i[0];
    size_t carried = (size_t)op->attrs.i[1];
    for (size_t k = carried; k < op->outputs.count; k++)
        tensors_for(it, op->outputs.items[k]);
    for (int64_t n = 0; n < count; n++)
        run_iteration(it, op, op->attrs.i[2] ? count - 1 - n : n, n == 0);
    for (size_t k = 0; k < carried; k++)
        it->values[op->outputs.items[k]->id] =
            it->values[count ? op->body->results.items[k]->id : op->inputs.items[k]->id];
}

/* The first row of a table that is split by its rows; 0 otherwise. */
static int64_t first_row(const interpreter *it, const graph_op *op, int rank)
{
    if (op->kind != OP_gather && op->kind != OP_scatter_add)
        return 0;
    bool gather = op->kind == OP_gather;
    const graph_value *table = gather ? op->inputs.items[0] : op->outputs.items[0];
    const int8_t *map = gather ? op->input_map[0] : op->output_map[0];
    for (int slot = 0; slot < table->type.rank; slot++)
        if (map[slot] == NO_INDEX && table->layout.axis[slot] != NO_AXIS)
            return coordinate(it, rank, table->layout.axis[slot]) *
                   graph_local_size(it->g, table, slot);
    return 0;
}

static void run_plain(interpreter *it, const graph_op *op)
{
    interpret_tensor in[16], out[4];
    assert_in_range(op->inputs.count, 1, 16);
    for (size_t k = 0; k < op->outputs.count; k++)
        tensors_for(it, op->outputs.items[k]);
    for (int r = 0; r < it->ranks; r++) {
        for (size_t k = 0; k < op->inputs.count; k++)
            in[k] = it->values[op->inputs.items[k]->id][r];
        for (size_t k = 0; k < op->outputs.count; k++)
            out[k] = it->values[op->outputs.items[k]->id][r];
        interpret_op(op, in, out, first_row(it, op, r));
    }
}

static void run_region(interpreter *it, const graph_region *region)
{
    for (size_t i = 0; i < region->ops.count; i++) {
        const graph_op *op = region->ops.items[i];
        switch (op_info_of(op->kind)->class) {
        case OP_CLASS_SOURCE:
            run_source(it, op);
            break;
        case OP_CLASS_CONTROL:
            run_repeat(it, op);
            break;
        case OP_CLASS_SINK:
            it->assigned[op->attrs.variable] = interpret_value(it, op->inputs.items[0]);
            break;
        case OP_CLASS_COLLECTIVE:
            run_collective(it, op);
            break;
        default:
            run_plain(it, op);
        }
    }
}

void interpret_run(interpreter *it, const graph_function *f)
{
    it->values = arena_array(it->memory, interpret_tensor *, it->g->next_value + 1);
    it->assigned = arena_array(it->memory, double *, it->g->variables.count + 1);
    it->ran = f;
    run_region(it, &f->region);
    for (size_t v = 0; v < it->g->variables.count; v++)
        if (it->assigned[v])
            memcpy(it->variables[v], it->assigned[v],
                   sizeof(double) *
                       (size_t)graph_type_count(it->g, &it->g->variables.items[v].type));
}
