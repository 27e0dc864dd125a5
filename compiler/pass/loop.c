#include "pass/loop.h"

#include <assert.h>

static const char *const kind_words[] = {
#define LOOP_KIND_WORD(kind, word) word,
    LOOP_KINDS(LOOP_KIND_WORD)
#undef LOOP_KIND_WORD
};

const char *loop_kind_word(loop_kind kind)
{
    return kind_words[kind];
}

const char *loop_fold_word(loop_fold fold)
{
    static const char *const words[LOOP_FOLD_COUNT] = {"set", "add", "max", "min"};
    return words[fold];
}

const char *loop_type_name(int type)
{
    return type == LOOP_INDEX ? "index" : dtype_name((dtype)type);
}

loop_kernel *loop_kernel_new(arena *a, atom name, span at)
{
    loop_kernel *k = arena_make(a, loop_kernel);
    k->memory = a;
    k->name = name;
    k->at = at;
    k->grain = 1;
    return k;
}

static loop_node *node_new(loop_kernel *k, loop_kind kind, int type)
{
    loop_node *n = arena_make(k->memory, loop_node);
    n->kind = kind;
    n->type = type;
    n->id = k->next_id++;
    n->address.buffer = -1;
    n->at = k->at;
    return n;
}

loop_node *loop_rows_add(loop_kernel *k, int64_t extent)
{
    loop_node *n = node_new(k, LOOP_FOR, LOOP_INDEX);
    n->integer[0] = extent;
    vec_push(k->memory, &k->rows, n);
    return n;
}

static loop_block *block_of(loop_kernel *k, loop_node *owner)
{
    return owner ? &owner->body : &k->body;
}

static void put(loop_kernel *k, loop_node *owner, loop_node *n)
{
    n->owner = owner;
    n->depth = owner ? owner->depth + 1 : 0;
    vec_push(k->memory, block_of(k, owner), n);
}

/* The block in which a node's value is there: a counter's is its loop's body. */
static loop_node *home(const loop_kernel *k, loop_node *n)
{
    if (n->kind != LOOP_FOR)
        return n->owner;
    for (size_t i = 0; i < k->rows.count; i++)
        if (k->rows.items[i] == n)
            return NULL;
    return n;
}

static int home_depth(const loop_node *owner)
{
    return owner ? owner->depth + 1 : 0;
}

static loop_node *inner(const loop_kernel *k, loop_node *best, loop_node *operand)
{
    loop_node *owner = operand ? home(k, operand) : NULL;
    return home_depth(owner) > home_depth(best) ? owner : best;
}

static bool reads(const loop_node *n, const loop_node *operand)
{
    bool found = n->guard == operand;
    for (int i = 0; i < n->arg_count; i++)
        found = found || n->args[i] == operand;
    for (size_t i = 0; i < n->address.terms.count; i++)
        found = found || n->address.terms.items[i].node == operand;
    return found;
}

/* Before the block's last loop, which may be the one being filled, unless an operand stands behind that. */
static void put_before_loop(loop_kernel *k, loop_node *owner, loop_node *n)
{
    loop_block *block = block_of(k, owner);
    size_t at = block->count;
    while (at > 0 && block->items[at - 1]->kind != LOOP_FOR && !reads(n, block->items[at - 1]))
        at--;
    bool loop = at > 0 && block->items[at - 1]->kind == LOOP_FOR;
    put(k, owner, n);
    if (!loop)
        return;
    for (size_t i = block->count - 1; i >= at; i--)
        block->items[i] = block->items[i - 1];
    block->items[at - 1] = n;
}

/* Into the innermost block among its operands'. */
static loop_node *put_inside(loop_kernel *k, loop_node *n)
{
    loop_node *owner = inner(k, NULL, n->guard);
    for (int i = 0; i < n->arg_count; i++)
        owner = inner(k, owner, n->args[i]);
    for (size_t i = 0; i < n->address.terms.count; i++)
        owner = inner(k, owner, n->address.terms.items[i].node);
    put_before_loop(k, owner, n);
    return n;
}

loop_node *loop_for(loop_kernel *k, loop_node *owner, int64_t extent)
{
    loop_node *n = node_new(k, LOOP_FOR, LOOP_INDEX);
    n->integer[0] = extent;
    put(k, owner, n);
    return n;
}

loop_node *loop_const(loop_kernel *k, dtype type, double value)
{
    loop_node *n = node_new(k, LOOP_CONST, (int)type);
    n->value = value;
    return put_inside(k, n);
}

loop_node *loop_map(loop_kernel *k, op_kind op, dtype type, loop_node *const *args, int count)
{
    loop_node *n = node_new(k, LOOP_MAP, (int)type);
    assert(count <= 3);
    n->op = op;
    n->arg_count = count;
    for (int i = 0; i < count; i++)
        n->args[i] = args[i];
    return put_inside(k, n);
}

loop_node *loop_load(loop_kernel *k, dtype type, loop_address address, loop_node *guard,
                     double otherwise)
{
    loop_node *n = node_new(k, LOOP_LOAD, (int)type);
    n->address = address;
    n->guard = guard;
    n->value = otherwise;
    return put_inside(k, n);
}

static loop_node *unary(loop_kernel *k, loop_kind kind, int type, loop_node *operand)
{
    loop_node *n = node_new(k, kind, type);
    n->args[0] = operand;
    n->arg_count = 1;
    return n;
}

loop_node *loop_to_index(loop_kernel *k, loop_node *value)
{
    return put_inside(k, unary(k, LOOP_TO_INDEX, LOOP_INDEX, value));
}

loop_node *loop_from_index(loop_kernel *k, dtype type, loop_node *index)
{
    return put_inside(k, unary(k, LOOP_FROM_INDEX, (int)type, index));
}

loop_node *loop_affine(loop_kernel *k, loop_address sum)
{
    if (sum.base == 0 && sum.terms.count == 1 && sum.terms.items[0].coefficient == 1)
        return sum.terms.items[0].node;
    loop_node *n = node_new(k, LOOP_AFFINE, LOOP_INDEX);
    n->address = sum;
    return put_inside(k, n);
}

static loop_node *by_constant(loop_kernel *k, loop_kind kind, loop_node *index, int64_t by)
{
    loop_node *n = unary(k, kind, LOOP_INDEX, index);
    n->integer[0] = by;
    return put_inside(k, n);
}

loop_node *loop_div(loop_kernel *k, loop_node *index, int64_t by)
{
    return by == 1 ? index : by_constant(k, LOOP_DIV, index, by);
}

loop_node *loop_mod(loop_kernel *k, loop_node *index, int64_t by)
{
    return by_constant(k, LOOP_MOD, index, by);
}

loop_node *loop_within(loop_kernel *k, loop_node *index, int64_t from, int64_t to)
{
    loop_node *n = unary(k, LOOP_WITHIN, DTYPE_BOOL, index);
    n->integer[0] = from;
    n->integer[1] = to;
    return put_inside(k, n);
}

/* One such node in the kernel's own block serves all. */
static loop_node *shared(loop_kernel *k, loop_kind kind, int64_t integer)
{
    for (size_t i = 0; i < k->body.count; i++) {
        loop_node *n = k->body.items[i];
        if (n->kind == kind && n->integer[0] == integer)
            return n;
    }
    loop_node *n = node_new(k, kind, LOOP_INDEX);
    n->integer[0] = integer;
    put_before_loop(k, NULL, n);
    return n;
}

loop_node *loop_coordinate(loop_kernel *k, int axis)
{
    return shared(k, LOOP_COORDINATE, axis);
}

loop_node *loop_iteration(loop_kernel *k, int loop)
{
    return shared(k, LOOP_ITERATION, loop);
}

loop_node *loop_random(loop_kernel *k, dtype type, loop_node *index, loop_node *step, uint64_t key)
{
    loop_node *n = unary(k, LOOP_RANDOM, (int)type, index);
    n->args[1] = step;
    n->arg_count = 2;
    n->key = key;
    return put_inside(k, n);
}

loop_node *loop_accumulator(loop_kernel *k, loop_node *owner, dtype type, loop_fold fold)
{
    loop_node *n = node_new(k, LOOP_ACCUMULATOR, (int)type);
    n->fold = fold;
    put(k, owner, n);
    return n;
}

void loop_fold_into(loop_kernel *k, loop_node *owner, loop_node *accumulator, loop_node *value)
{
    loop_node *n = unary(k, LOOP_FOLD, accumulator->type, accumulator);
    n->args[1] = value;
    n->arg_count = 2;
    n->fold = accumulator->fold;
    put(k, owner, n);
}

loop_node *loop_total(loop_kernel *k, loop_node *owner, loop_node *accumulator)
{
    loop_node *n = unary(k, LOOP_TOTAL, accumulator->type, accumulator);
    put(k, owner, n);
    return n;
}

void loop_store(loop_kernel *k, loop_node *owner, loop_fold fold, loop_address address,
                loop_node *value)
{
    loop_node *n = unary(k, LOOP_STORE, value->type, value);
    n->fold = fold;
    n->address = address;
    put(k, owner, n);
}

loop_address loop_address_at(int buffer, int64_t base)
{
    return (loop_address){.buffer = buffer, .base = base};
}

/* Affine nodes are opened, so that addresses are sums over counters wherever they can be. */
void loop_address_add(loop_kernel *k, loop_address *a, int64_t coefficient, loop_node *index)
{
    assert(index->type == LOOP_INDEX);
    if (coefficient == 0)
        return;
    if (index->kind == LOOP_AFFINE) {
        a->base += coefficient * index->address.base;
        for (size_t i = 0; i < index->address.terms.count; i++) {
            loop_term t = index->address.terms.items[i];
            loop_address_add(k, a, coefficient * t.coefficient, t.node);
        }
        return;
    }
    for (size_t i = 0; i < a->terms.count; i++)
        if (a->terms.items[i].node == index) {
            a->terms.items[i].coefficient += coefficient;
            return;
        }
    vec_push(k->memory, &a->terms, (loop_term){coefficient, index});
}

int64_t loop_row_count(const loop_kernel *k)
{
    int64_t rows = 1;
    for (size_t i = 0; i < k->rows.count; i++)
        rows *= k->rows.items[i]->integer[0];
    return rows;
}

static int64_t block_work(const loop_block *block)
{
    int64_t work = 0;
    for (size_t i = 0; i < block->count; i++) {
        const loop_node *n = block->items[i];
        if (n->kind == LOOP_FOR)
            work += n->integer[0] * block_work(&n->body);
        else if (n->kind == LOOP_MAP || n->kind == LOOP_FOLD || n->kind == LOOP_RANDOM ||
                 (n->kind == LOOP_STORE && n->fold != LOOP_SET))
            work++;
    }
    return work;
}

int64_t loop_work(const loop_kernel *k)
{
    return block_work(&k->body);
}

void loop_visit(loop_block *block, loop_visit_fn *visit, void *state)
{
    for (size_t i = 0; i < block->count; i++) {
        loop_node *n = block->items[i];
        visit(n, state);
        if (n->kind == LOOP_FOR)
            loop_visit(&n->body, visit, state);
    }
}
