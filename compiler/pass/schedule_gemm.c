/* Products over named dimensions as matrix products of the library.
 *
 * The operator's indices fall into four groups: m (in a and the result), n (in b and the result), k (summed) and batch (in
 * all three). A group is one index of the library where its strides follow from one another in every operand; a batch
 * index that does not join the others becomes a loop around the product, and an operand that fits in no way is copied.
 */
#include "pass/schedule_internal.h"

#include <assert.h>

typedef struct axis_of {
    int64_t size;
    int64_t a, b, c; /* strides; meaningless where the operand lacks the index */
} axis_of;

typedef struct group {
    int count;
    axis_of at[GRAPH_MAX_INDICES];
} group;

typedef struct product {
    lower *l;
    graph_op *op;
    place a, b, c;
    group m, n, k, batch;
} product;

static int slot_of(const int8_t *map, int rank, int index)
{
    for (int i = 0; i < rank; i++)
        if (map[i] == index)
            return i;
    return -1;
}

static void axis_add(product *p, int index)
{
    graph_op *op = p->op;
    int a = slot_of(op->input_map[0], op->inputs.items[0]->type.rank, index);
    int b = slot_of(op->input_map[1], op->inputs.items[1]->type.rank, index);
    int c = slot_of(op->output_map[0], op->outputs.items[0]->type.rank, index);
    const graph_value *in = a >= 0 ? op->inputs.items[0] : op->inputs.items[1];
    axis_of x = {.size = local_size(p->l, in, a >= 0 ? a : b)};
    x.a = a >= 0 ? p->a.stride[a] : 0;
    x.b = b >= 0 ? p->b.stride[b] : 0;
    x.c = c >= 0 ? p->c.stride[c] : 0;
    group *to = c < 0 ? &p->k : a >= 0 && b >= 0 ? &p->batch : a >= 0 ? &p->m : &p->n;
    if (x.size != 1)
        to->at[to->count++] = x;
}

/* Major first, by the stride in the result, or in a for what is summed. */
static void group_sort(group *g, bool by_result)
{
    for (int i = 1; i < g->count; i++)
        for (int j = i; j > 0; j--) {
            axis_of *x = &g->at[j - 1], *y = &g->at[j];
            if (by_result ? x->c >= y->c : x->a >= y->a)
                break;
            axis_of t = *x;
            *x = *y;
            *y = t;
        }
}

/* Joins neighbours whose strides follow from one another everywhere. */
static void group_join(group *g)
{
    int count = 0;
    for (int i = 0; i < g->count; i++) {
        axis_of next = g->at[i];
        axis_of *last = count ? &g->at[count - 1] : NULL;
        if (last && last->a == next.a * next.size && last->b == next.b * next.size &&
            last->c == next.c * next.size) {
            next.size *= last->size;
            *last = next;
        } else {
            g->at[count++] = next;
        }
    }
    g->count = count;
}

static void groups_make(product *p)
{
    p->m.count = p->n.count = p->k.count = p->batch.count = 0;
    for (int i = 0; i < p->op->index_count; i++)
        axis_add(p, i);
    group_sort(&p->m, true);
    group_sort(&p->n, true);
    group_sort(&p->batch, true);
    group_sort(&p->k, false);
    group_join(&p->m);
    group_join(&p->n);
    group_join(&p->batch);
    group_join(&p->k);
}

/* A matrix whose rows and columns have these strides: stored as it is, or transposed? */
static bool matrix(int64_t rows, int64_t columns, int64_t row, int64_t column, bool *transposed,
                   int64_t *leading)
{
    if (columns == 1 || column == 1) {
        *transposed = false;
        *leading = rows == 1 ? columns : row;
        if (*leading >= columns && (columns == 1 || column == 1))
            return true;
    }
    if (rows == 1 || row == 1) {
        *transposed = true;
        *leading = columns == 1 ? rows : column;
        return *leading >= rows;
    }
    return false;
}

static axis_of single(const group *g)
{
    return g->count ? g->at[0] : (axis_of){.size = 1};
}

/* Fills the shape for one product; false where some operand is no matrix. */
static bool shape_of(const product *p, schedule_gemm *out)
{
    if (p->m.count > 1 || p->n.count > 1 || p->k.count > 1)
        return false;
    axis_of m = single(&p->m), n = single(&p->n), k = single(&p->k);
    bool turned;
    *out = (schedule_gemm){.m = m.size, .n = n.size, .k = k.size, .batch = 1};
    return matrix(m.size, k.size, m.a, k.a, &out->transpose_a, &out->lda) &&
           matrix(k.size, n.size, k.b, n.b, &out->transpose_b, &out->ldb) &&
           matrix(m.size, n.size, m.c, n.c, &turned, &out->ldc) && !turned;
}

static void swap_operands(product *p)
{
    group *const groups[4] = {&p->m, &p->n, &p->k, &p->batch};
    place t = p->a;
    p->a = p->b;
    p->b = t;
    for (int g = 0; g < 4; g++)
        for (int i = 0; i < groups[g]->count; i++) {
            int64_t stride = groups[g]->at[i].a;
            groups[g]->at[i].a = groups[g]->at[i].b;
            groups[g]->at[i].b = stride;
        }
    group m = p->m;
    p->m = p->n;
    p->n = m;
}

static void view_step(schedule_view *v, int loop, int64_t stride)
{
    if (stride == 0)
        return;
    assert(v->loop_count < SCHEDULE_MAX_LOOPS);
    v->loops[v->loop_count].loop = loop;
    v->loops[v->loop_count++].stride = stride;
}

static void product_emit(product *p, const schedule_gemm *shape)
{
    lower *l = p->l;
    schedule_block *outer = l->out;
    for (int i = 0; i + 1 < p->batch.count; i++) {
        schedule_instruction *loop = instruction_add(l, SCHEDULE_LOOP);
        axis_of x = p->batch.at[i];
        loop->loop = l->s->loop_count++;
        loop->iterations = x.size;
        loop->counter = schedule_buffer_add(l, NULL, 1, MEMORY_WORKSPACE);
        l->out = &loop->body;
        view_step(&p->a.view, loop->loop, x.a);
        view_step(&p->b.view, loop->loop, x.b);
        view_step(&p->c.view, loop->loop, x.c);
    }
    schedule_instruction *i = instruction_add(l, SCHEDULE_GEMM);
    i->type = p->op->outputs.items[0]->type.dtype;
    i->gemm = *shape;
    if (p->batch.count) {
        axis_of last = p->batch.at[p->batch.count - 1];
        i->gemm.batch = last.size;
        i->gemm.stride_a = last.a;
        i->gemm.stride_b = last.b;
        i->gemm.stride_c = last.c;
    }
    i->operands[0] = p->a.view;
    i->operands[1] = p->b.view;
    i->operands[2] = p->c.view;
    i->operand_count = 3;
    l->out = outer;
}

/* How near an index stands to the end of a copied operand: 0 last. */
static int rank_of(const product *p, const graph_value *v, int index)
{
    graph_op *op = p->op;
    bool a = slot_of(op->input_map[0], op->inputs.items[0]->type.rank, index) >= 0;
    bool b = slot_of(op->input_map[1], op->inputs.items[1]->type.rank, index) >= 0;
    bool c = slot_of(op->output_map[0], op->outputs.items[0]->type.rank, index) >= 0;
    if (a && b && c)
        return 2;
    return v == op->outputs.items[0] ? (b ? 0 : 1) : c;
}

/* Strides of a copy of `v` that is a matrix; indices of a group in the operator's order, the same for all operands. */
static place matrix_place(product *p, const graph_value *v, const int8_t *map)
{
    place q = place_new(p->l, v, MEMORY_WORKSPACE);
    int64_t below = 1;
    for (int rank = 0; rank < 3; rank++)
        for (int index = p->op->index_count - 1; index >= 0; index--) {
            int slot = slot_of(map, v->type.rank, index);
            if (slot < 0 || rank_of(p, v, index) != rank)
                continue;
            q.stride[slot] = below;
            below *= local_size(p->l, v, slot);
        }
    q.fresh = false;
    return q;
}

static place operand_matrix(product *p, int operand)
{
    graph_value *v = p->op->inputs.items[operand];
    place q = matrix_place(p, v, p->op->input_map[operand]);
    lower_copy(p->l, v, &q);
    return q;
}

static bool try_product(product *p)
{
    schedule_gemm shape;
    groups_make(p);
    if (shape_of(p, &shape)) {
        product_emit(p, &shape);
        return true;
    }
    swap_operands(p);
    if (!shape_of(p, &shape))
        return false;
    product_emit(p, &shape);
    return true;
}

/* Every operand as [batch, m, k], [batch, n, k], [batch, m, n]: that always fits. */
static void product_by_copies(product *p)
{
    lower *l = p->l;
    graph_value *out = p->op->outputs.items[0];
    place result = p->c;
    p->a = operand_matrix(p, 0);
    p->b = operand_matrix(p, 1);
    p->c = matrix_place(p, out, p->op->output_map[0]);
    bool fits = try_product(p);
    assert(fits);
    (void)fits;
    l->places[out->id] = p->c;
    lower_copy(l, out, &result);
}

void lower_dot(lower *l, graph_op *op)
{
    product p = {.l = l, .op = op};
    graph_value *out = op->outputs.items[0];
    p.a = place_of(l, op->inputs.items[0]);
    p.b = place_of(l, op->inputs.items[1]);
    place to = place_for(l, out);
    p.c = to;
    product first = p;
    if (local_count(l, op->inputs.items[0]) == 0 || local_count(l, op->inputs.items[1]) == 0)
        lower_zeros(l, out, &to); /* a sum over nothing */
    else if (!try_product(&first))
        product_by_copies(&p);
    l->places[out->id] = to;
}
