/* Operators that loop: element by element, reductions, running sums, scatters. */
#include "pass/schedule_internal.h"

#include <string.h>

/* Rows are all slots but the last; of a vector the slot itself, so that it joins kernels of its rows. */
static void element_loops(kernel_build *b, const graph_value *v, loop_node **index,
                          loop_node **inner)
{
    int rank = v->type.rank;
    *inner = NULL;
    for (int i = 0; i < rank; i++) {
        int64_t size = local_size(b->l, v, i);
        if (i + 1 < rank || rank == 1)
            index[i] = loop_rows_add(b->k, size);
        else
            index[i] = *inner = loop_for(b->k, NULL, size);
    }
}

void lower_elements(lower *l, graph_value *v, const place *to)
{
    kernel_build b = kernel_begin(l);
    loop_node *index[GRAPH_MAX_RANK] = {0}, *inner;
    element_loops(&b, v, index, &inner);
    loop_node *value =
        l->places[v->id].placed ? element_at(&b, v, index) : element_compute(&b, v, index);
    loop_store(b.k, inner, LOOP_SET, element_address(&b, to, index, v->type.rank), value);
    kernel_end(&b);
}

/* The variable holds another step's sum before the first microbatch. */
void lower_accumulate(lower *l, graph_op *op)
{
    graph_value *x = op->inputs.items[0];
    place to = {.placed = true};
    to.view.buffer = l->s->variable_buffers.items[op->attrs.variable];
    row_major(l, x, to.stride);
    kernel_build b = kernel_begin(l);
    loop_node *index[GRAPH_MAX_RANK] = {0}, *inner;
    element_loops(&b, x, index, &inner);
    dtype type = x->type.dtype;
    loop_address at = element_address(&b, &to, index, x->type.rank);
    loop_address clock = loop_address_at(l->s->clock[CLOCK_MICROBATCH], 0);
    loop_node *later[2] = {loop_const(b.k, DTYPE_F64, 0.5),
                           loop_load(b.k, DTYPE_F64, clock, NULL, 0)};
    loop_node *choice[3] = {loop_map(b.k, OP_lt, DTYPE_BOOL, later, 2),
                            loop_load(b.k, type, at, NULL, 0), loop_const(b.k, type, 0)};
    loop_node *sum[2] = {loop_map(b.k, OP_where, type, choice, 3), element_at(&b, x, index)};
    loop_store(b.k, inner, LOOP_SET, at, loop_map(b.k, OP_add, type, sum, 2));
    kernel_end(&b);
}

/* Whether index `i` of the operator stands in its result. */
static bool kept(const graph_op *op, int index)
{
    for (int i = 0; i < op->outputs.items[0]->type.rank; i++)
        if (op->output_map[0][i] == index)
            return true;
    return false;
}

typedef struct reduction {
    kernel_build b;
    graph_op *op;
    graph_value *x, *y;
    place to;
    loop_node *in[GRAPH_MAX_RANK];  /* index of each slot of x */
    loop_node *out[GRAPH_MAX_RANK]; /* of y */
    loop_node *owner;               /* innermost loop so far */
} reduction;

static loop_fold fold_of(op_kind kind)
{
    return kind == OP_sum ? LOOP_ADD : kind == OP_reduce_min ? LOOP_MIN : LOOP_MAX;
}

static void set_slot(reduction *r, int slot, loop_node *counter)
{
    r->in[slot] = counter;
    for (int i = 0; i < r->y->type.rank; i++)
        if (r->op->output_map[0][i] == r->op->input_map[0][slot])
            r->out[i] = counter;
}

static void reduced_loops(reduction *r)
{
    r->owner = NULL;
    for (int i = 0; i < r->x->type.rank; i++)
        if (!kept(r->op, r->op->input_map[0][i])) {
            r->owner = loop_for(r->b.k, r->owner, local_size(r->b.l, r->x, i));
            set_slot(r, i, r->owner);
        }
}

static loop_node *accumulate(reduction *r, dtype type, loop_fold fold)
{
    loop_node *total = loop_accumulator(r->b.k, NULL, type, fold);
    reduced_loops(r);
    loop_fold_into(r->b.k, r->owner, total, element_at(&r->b, r->x, r->in));
    return loop_total(r->b.k, NULL, total);
}

/* The first position of the maximum: the least position among elements that equal it. */
static loop_node *position_of(reduction *r, loop_node *most)
{
    kernel_build *b = &r->b;
    loop_node *first = loop_accumulator(b->k, NULL, DTYPE_I32, LOOP_MIN);
    reduced_loops(r);
    loop_node *both[2] = {element_at(b, r->x, r->in), most};
    loop_node *equal = loop_map(b->k, OP_eq, DTYPE_BOOL, both, 2);
    loop_node *choice[3] = {equal, loop_from_index(b->k, DTYPE_I32, r->owner),
                            loop_const(b->k, DTYPE_I32, 0x7fffffff)};
    loop_fold_into(b->k, r->owner, first, loop_map(b->k, OP_where, DTYPE_I32, choice, 3));
    return loop_total(b->k, NULL, first);
}

static void reduce_in_registers(reduction *r)
{
    for (int i = 0; i < r->x->type.rank; i++)
        if (kept(r->op, r->op->input_map[0][i]))
            set_slot(r, i, loop_rows_add(r->b.k, local_size(r->b.l, r->x, i)));
    loop_node *total = accumulate(r, r->x->type.dtype, fold_of(r->op->kind));
    if (r->op->kind == OP_argmax)
        total = position_of(r, total);
    loop_store(r->b.k, NULL, LOOP_SET, element_address(&r->b, &r->to, r->out, r->y->type.rank),
               total);
}

/* The contiguous slot stays: its columns accumulate in memory, pieces of them are the rows. */
static int64_t column_piece(int64_t columns)
{
    for (int64_t piece = 256; piece >= 64; piece /= 2)
        if (columns > piece && columns % piece == 0)
            return piece;
    return columns;
}

static loop_node *column_counter(reduction *r, loop_node *piece, loop_node *owner, int64_t width)
{
    loop_node *inner = loop_for(r->b.k, owner, width);
    loop_address column = loop_address_at(-1, 0);
    if (piece)
        loop_address_add(r->b.k, &column, width, piece);
    loop_address_add(r->b.k, &column, 1, inner);
    set_slot(r, r->x->type.rank - 1, loop_affine(r->b.k, column));
    return inner;
}

static void reduce_in_memory(reduction *r)
{
    static const double neutral[LOOP_FOLD_COUNT] = {0, 0, -1.0 / 0.0, 1.0 / 0.0};
    int last = r->x->type.rank - 1;
    loop_fold fold = fold_of(r->op->kind);
    for (int i = 0; i < last; i++)
        if (kept(r->op, r->op->input_map[0][i]))
            set_slot(r, i, loop_rows_add(r->b.k, local_size(r->b.l, r->x, i)));
    int64_t columns = local_size(r->b.l, r->x, last), width = column_piece(columns);
    loop_node *piece = width < columns ? loop_rows_add(r->b.k, columns / width) : NULL;
    loop_node *clear = column_counter(r, piece, NULL, width);
    loop_store(r->b.k, clear, LOOP_SET, element_address(&r->b, &r->to, r->out, r->y->type.rank),
               loop_const(r->b.k, r->y->type.dtype, neutral[fold]));
    reduced_loops(r);
    loop_node *inner = column_counter(r, piece, r->owner, width);
    loop_store(r->b.k, inner, fold, element_address(&r->b, &r->to, r->out, r->y->type.rank),
               element_at(&r->b, r->x, r->in));
}

void lower_reduce(lower *l, graph_op *op)
{
    reduction r = {
        .b = kernel_begin(l), .op = op, .x = op->inputs.items[0], .y = op->outputs.items[0]};
    r.to = place_for(l, r.y);
    int last = r.x->type.rank - 1;
    if (last > 0 && kept(op, op->input_map[0][last]) && op->kind != OP_argmax)
        reduce_in_memory(&r);
    else
        reduce_in_registers(&r);
    kernel_end(&r.b);
    l->places[r.y->id] = r.to;
}

void lower_cumsum(lower *l, graph_op *op)
{
    graph_value *x = op->inputs.items[0], *y = op->outputs.items[0];
    kernel_build b = kernel_begin(l);
    place to = place_for(l, y);
    loop_node *index[GRAPH_MAX_RANK] = {0};
    int slot = (int)op->attrs.i[0];
    for (int i = 0; i < x->type.rank; i++)
        if (i != slot)
            index[i] = loop_rows_add(b.k, local_size(l, x, i));
    loop_node *sum = loop_accumulator(b.k, NULL, x->type.dtype, LOOP_ADD);
    loop_node *counter = loop_for(b.k, NULL, local_size(l, x, slot));
    loop_address at = loop_address_at(-1, op->attrs.i[1] ? local_size(l, x, slot) - 1 : 0);
    loop_address_add(b.k, &at, op->attrs.i[1] ? -1 : 1, counter);
    index[slot] = loop_affine(b.k, at);
    loop_fold_into(b.k, counter, sum, element_at(&b, x, index));
    loop_node *so_far = loop_total(b.k, counter, sum);
    loop_store(b.k, counter, LOOP_SET, element_address(&b, &to, index, y->type.rank), so_far);
    kernel_end(&b);
    l->places[y->id] = to;
}

void lower_zeros(lower *l, graph_value *v, const place *to)
{
    kernel_build b = kernel_begin(l);
    loop_node *index[GRAPH_MAX_RANK] = {0}, *inner;
    element_loops(&b, v, index, &inner);
    loop_store(b.k, inner, LOOP_SET, element_address(&b, to, index, v->type.rank),
               loop_const(b.k, v->type.dtype, 0));
    kernel_end(&b);
}

/* Two updates may meet in one row of the table, so the updates go one after another and their columns are the vector. */
static void scatter_updates(kernel_build *b, graph_op *op, const place *to)
{
    graph_value *updates = op->inputs.items[0], *ids = op->inputs.items[1];
    graph_value *table = op->outputs.items[0];
    loop_node *bound[GRAPH_MAX_INDICES] = {0}, *index[GRAPH_MAX_RANK] = {0}, *owner = NULL;
    for (int i = 0; i < updates->type.rank; i++) {
        owner = loop_for(b->k, owner, local_size(b->l, updates, i));
        bound[op->input_map[0][i]] = index[i] = owner;
    }
    loop_node *value = element_at(b, updates, index);
    for (int i = 0; i < ids->type.rank; i++)
        index[i] = bound[op->input_map[1][i]];
    loop_node *row = loop_to_index(b->k, element_at(b, ids, index));
    for (int i = 0; i < table->type.rank; i++) {
        if (op->output_map[0][i] != NO_INDEX) {
            index[i] = bound[op->output_map[0][i]];
            continue;
        }
        index[i] = row;
        if (table->layout.axis[i] == NO_AXIS)
            continue;
        int64_t size = local_size(b->l, table, i);
        loop_address own = loop_address_at(-1, 0);
        loop_address_add(b->k, &own, 1, row);
        loop_address_add(b->k, &own, -size, loop_coordinate(b->k, table->layout.axis[i]));
        loop_node *mine = loop_affine(b->k, own);
        loop_node *here = loop_within(b->k, mine, 0, size);
        loop_node *choice[3] = {here, value, loop_const(b->k, updates->type.dtype, 0)};
        value = loop_map(b->k, OP_where, updates->type.dtype, choice, 3);
        loop_node *safe[3] = {here, loop_from_index(b->k, DTYPE_I32, mine),
                              loop_const(b->k, DTYPE_I32, 0)};
        index[i] = loop_to_index(b->k, loop_map(b->k, OP_where, DTYPE_I32, safe, 3));
    }
    loop_store(b->k, owner, LOOP_ADD, element_address(b, to, index, table->type.rank), value);
}

void lower_scatter(lower *l, graph_op *op)
{
    place to = place_for(l, op->outputs.items[0]);
    lower_zeros(l, op->outputs.items[0], &to);
    kernel_build b = kernel_begin(l);
    scatter_updates(&b, op, &to);
    kernel_end(&b);
    l->places[op->outputs.items[0]->id] = to;
}

/* The rows into the cache's own memory: whoever reads the result reads the cache. */
void lower_append(lower *l, graph_op *op)
{
    graph_value *cache = op->inputs.items[0], *rows = op->inputs.items[1];
    place to = place_of(l, cache);
    kernel_build b = kernel_begin(l);
    loop_node *index[GRAPH_MAX_RANK] = {0}, *inner;
    int slot = (int)op->attrs.i[0];
    element_loops(&b, rows, index, &inner);
    loop_node *value = element_at(&b, rows, index);
    loop_address row = loop_address_at(-1, 0);
    loop_address_add(b.k, &row, 1, index[slot]);
    loop_address_add(b.k, &row, 1, loop_to_index(b.k, element_at(&b, op->inputs.items[2], NULL)));
    index[slot] = loop_affine(b.k, row);
    loop_store(b.k, inner, LOOP_SET, element_address(&b, &to, index, rows->type.rank), value);
    kernel_end(&b);
    to.fresh = false;
    l->places[op->outputs.items[0]->id] = to;
}
