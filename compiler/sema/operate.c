/* operate.c: operators over values: constants folded, types promoted, broadcasts by name. */
#include "sema/train.h"

#include <math.h>
#include <string.h>

bool is_real(dtype t)
{
    return t == DTYPE_F32 || t == DTYPE_F64 || t == DTYPE_BF16;
}

void elab_place(elaboration *e, span at)
{
    e->build->at = at;
    e->build->path = e->frame ? e->frame->path : NULL;
}

static diag_code code_of(build_problem problem)
{
    switch (problem) {
    case BUILD_SIZES:
        return E0210;
    case BUILD_NO_LABEL:
        return E0211;
    case BUILD_LABEL_TWICE:
        return E0212;
    case BUILD_RANK:
        return E0238;
    case BUILD_COUNT:
        return E0213;
    case BUILD_RANGE:
        return E0236;
    default:
        return E0218;
    }
}

/* The operand as a value; the builder's error becomes a diagnostic. */
value elab_tensor(elaboration *e, const ast_node *at, build_operand t)
{
    if (t.value)
        return (value){.kind = VALUE_TENSOR, .tensor = t, .quantity = BARE};
    if (e->build->error.problem != BUILD_POISONED)
        sema_report(e->sema, code_of(e->build->error.problem), at->at, "%s", e->build->error.text);
    return value_poison();
}

build_operand elab_clock(elaboration *e, const char *which)
{
    atom name = atom_of(e->sema->atoms, which);
    build_operand *known = table_get(&e->clocks, name, 0);
    if (!known) {
        known = arena_make(e->sema->memory, build_operand);
        e->root->at = e->build->at;
        *known = build_clock(e->root, which);
        table_set(&e->clocks, name, 0, known);
    }
    return *known;
}

static build_operand constant(elaboration *e, dtype type, double number)
{
    return build_constant(e->build, type, number);
}

/* A dimension as a number; the batch of an evaluation holds as many samples as count. */
static value sized(elaboration *e, value v)
{
    if (v.kind != VALUE_DIM)
        return v;
    if (v.dim->batch && !e->learning)
        return (value){.kind = VALUE_TENSOR, .tensor = elab_clock(e, "valid"), .quantity = BARE};
    return value_number((double)v.dim->size);
}

static dtype dtype_of(const value *v, dtype other)
{
    if (v->kind == VALUE_TENSOR)
        return v->tensor.value->type.dtype;
    if (v->kind == VALUE_FLAG)
        return DTYPE_BOOL;
    if (other == DTYPE_I32 && v->number == floor(v->number) && fabs(v->number) < 2147483647.0)
        return DTYPE_I32;
    return is_real(other) ? other : DTYPE_COUNT;
}

/* The type in which x and y meet: scalars of the clock take the type of the tensor. */
static dtype meet(const elaboration *e, const value *x, const value *y)
{
    dtype a = x->kind == VALUE_TENSOR ? x->tensor.value->type.dtype : DTYPE_COUNT;
    dtype b = y->kind == VALUE_TENSOR ? y->tensor.value->type.dtype : DTYPE_COUNT;
    a = a == DTYPE_COUNT ? dtype_of(x, b) : a;
    b = b == DTYPE_COUNT ? dtype_of(y, a) : b;
    if (a == b)
        return a == DTYPE_COUNT ? e->real : a;
    if (a == DTYPE_BOOL || b == DTYPE_BOOL)
        return DTYPE_COUNT;
    if (a == DTYPE_COUNT || b == DTYPE_COUNT)
        return e->real;
    if (is_real(a) && is_real(b)) {
        int rank_x = x->kind == VALUE_TENSOR ? tensor_rank(&x->tensor) : 0;
        int rank_y = y->kind == VALUE_TENSOR ? tensor_rank(&y->tensor) : 0;
        return rank_x == rank_y ? DTYPE_F64 : rank_x > rank_y ? a : b;
    }
    return is_real(a) ? a : b;
}

bool elab_as_tensor(elaboration *e, const ast_node *at, value v, dtype type, build_operand *out)
{
    v = sized(e, v);
    *out = (build_operand){.value = NULL};
    if (v.kind == VALUE_TENSOR && (v.tensor.value->type.dtype == type || type == DTYPE_COUNT)) {
        *out = v.tensor;
        return true;
    }
    if (v.kind == VALUE_TENSOR)
        *out = build_cast(e->build, v.tensor, type);
    else if (v.kind == VALUE_NUMBER && (v.quantity == BARE || v.quantity == SHARE))
        *out = constant(e, type == DTYPE_COUNT ? e->real : type, v.number);
    else if (v.kind == VALUE_FLAG)
        *out = constant(e, DTYPE_BOOL, v.flag);
    else if (v.kind != VALUE_POISON)
        sema_report(e->sema, E0208, at->at, "a tensor is expected here, not %s",
                    value_words(&v, e->sema->memory));
    return v.kind != VALUE_POISON && out->value;
}

/* Two dimensions of one name that are not the same one: a mistake, unless they belong to different definitions. */
static bool names_clash(elaboration *e, const ast_node *at, const build_operand *x,
                        const build_operand *y)
{
    for (int i = 0; i < tensor_rank(x); i++)
        for (int j = 0; j < tensor_rank(y); j++) {
            const label *a = label_of(x->labels[i]), *b = label_of(y->labels[j]);
            if (a == b || a->name != b->name || a->home != b->home)
                continue;
            diag *d = sema_report(e->sema, E0210, at->at,
                                  "dimension '%s' is %lld on the left and %lld on the right",
                                  a->name, (long long)a->size, (long long)b->size);
            diag_note(d, a->at, "'%s' of %lld is made here", a->name, (long long)a->size);
            diag_note(d, b->at, "'%s' of %lld is made here", b->name, (long long)b->size);
            return true;
        }
    return false;
}

/* The result's dimensions stand in the order of the operand that has most, whichever comes first. */
static build_operand widened(elaboration *e, build_operand x, const build_operand *y)
{
    if (tensor_rank(x.value ? &x : y) == 0 || tensor_rank(&x) >= tensor_rank(y))
        return x;
    build_dims dims = {.rank = tensor_rank(y)};
    for (int i = 0; i < dims.rank; i++) {
        dims.dims[i] = y->value->type.dims[i];
        dims.labels[i] = y->labels[i];
    }
    for (int i = 0; i < tensor_rank(&x); i++)
        if (!tensor_label(y, label_of(x.labels[i])))
            return x;
    return build_broadcast(e->build, x, &dims);
}

/* Ids of the data: places, as `index` has them, are numbers in the first place. */
static bool is_ids(const value *v)
{
    return v->kind == VALUE_TENSOR && v->tensor.value->type.dtype == DTYPE_I32 &&
           v->tensor.value->producer && v->tensor.value->producer->kind == OP_input;
}

static bool is_numbers(const value *v)
{
    return v->kind == VALUE_TENSOR && tensor_rank(&v->tensor) &&
           is_real(v->tensor.value->type.dtype);
}

/* Which number an id has says nothing: it is asked for by name. Comparisons take both as they are. */
static bool ids_mix(elaboration *e, const ast_node *at, op_kind kind, const value *x,
                    const value *y)
{
    if (kind == OP_eq || kind == OP_ne || kind == OP_lt || kind == OP_le ||
        !((is_ids(x) && is_numbers(y)) || (is_numbers(x) && is_ids(y))))
        return false;
    diag *d = sema_report(e->sema, E0218, at->at, "ids and numbers do not mix: %s and %s",
                          value_words(x, e->sema->memory), value_words(y, e->sema->memory));
    diag_fix(d, "number(…) around the ids, for the ids as numbers");
    return true;
}

static value map_two(elaboration *e, const ast_node *at, op_kind kind, value x, value y)
{
    if (ids_mix(e, at, kind, &x, &y))
        return value_poison();
    dtype type = meet(e, &x, &y);
    if (type == DTYPE_I32 && (kind == OP_div || kind == OP_pow))
        type = e->real;
    if (type == DTYPE_COUNT ||
        (type == DTYPE_BOOL && kind != OP_and && kind != OP_or && kind != OP_eq && kind != OP_ne)) {
        sema_report(e->sema, E0218, at->at, "numbers and conditions do not mix: %s and %s",
                    value_words(&x, e->sema->memory), value_words(&y, e->sema->memory));
        return value_poison();
    }
    build_operand in[2];
    elab_place(e, at->at);
    if (!elab_as_tensor(e, at, x, type, &in[0]) || !elab_as_tensor(e, at, y, type, &in[1]))
        return value_poison();
    if (names_clash(e, at, &in[0], &in[1]))
        return value_poison();
    in[0] = widened(e, in[0], &in[1]);
    return elab_tensor(e, at, build_map(e->build, kind, in, 2));
}

static const struct {
    const char *word;
    op_kind kind;
    bool swapped;
} binaries[] = {{"+", OP_add, 0}, {"-", OP_sub, 0},   {"*", OP_mul, 0},  {"/", OP_div, 0},
                {"^", OP_pow, 0}, {"%", OP_mod, 0},   {"//", OP_div, 0}, {"==", OP_eq, 0},
                {"!=", OP_ne, 0}, {"<", OP_lt, 0},    {"<=", OP_le, 0},  {">", OP_lt, 1},
                {">=", OP_le, 1}, {"and", OP_and, 0}, {"or", OP_or, 0}};

static bool is_constant(const value *v)
{
    return v->kind == VALUE_NUMBER || v->kind == VALUE_FLAG || v->kind == VALUE_TEXT ||
           v->kind == VALUE_TUPLE || v->kind == VALUE_RANGE;
}

/* x * x * … by squares, for a whole power from 1 on. */
static value product_power(elaboration *e, const ast_node *node, value x, int times)
{
    if (times == 1)
        return x;
    value half = product_power(e, node, x, times / 2), y = map_two(e, node, OP_mul, half, half);
    return times % 2 && y.kind == VALUE_TENSOR ? map_two(e, node, OP_mul, y, x) : y;
}

/* Powers that are cheaper as something else. */
static value power(elaboration *e, const ast_node *node, value x, value y)
{
    enum { MOST = 8 };
    bool known = y.kind == VALUE_NUMBER && y.quantity == BARE && x.kind == VALUE_TENSOR;
    double p = known ? y.number : 0;
    if (p == 0.5 || p == -0.5)
        return elab_map(e, node, p > 0 ? OP_sqrt : OP_rsqrt, &x, 1);
    bool whole = is_real(x.kind == VALUE_TENSOR ? x.tensor.value->type.dtype : DTYPE_BOOL) &&
                 p == floor(p) && p != 0 && fabs(p) <= MOST;
    if (!whole && p != 2)
        return map_two(e, node, OP_pow, x, y);
    value z = product_power(e, node, x, (int)fabs(p));
    return p > 0 || z.kind != VALUE_TENSOR ? z : map_two(e, node, OP_div, value_number(1), z);
}

const graph_op *elab_ids_input(const elaboration *e, const build_operand *ids, int64_t *below)
{
    const graph_op *op = ids->value->producer;
    while (op && (op->kind == OP_reshape || op->kind == OP_transpose || op->kind == OP_slice ||
                  op->kind == OP_broadcast))
        op = op->inputs.items[0]->producer;
    if (!op || op->kind != OP_input)
        return NULL;
    const training *t = e->setup->out;
    for (size_t i = 0; i < t->data.fields.count; i++)
        if (t->data.fields.items[i].input == op->attrs.name && t->data.fields.items[i].below) {
            *below = t->data.fields.items[i].below;
            return op;
        }
    return NULL;
}

/* `wanted == index(C)` with more ids than C: those that are not among them would be met nowhere, and be no error either. */
static bool all_ids_are_met(elaboration *e, const ast_node *node, const value *ids,
                            const value *all)
{
    int64_t below;
    if (ids->kind != VALUE_TENSOR || all->kind != VALUE_TENSOR)
        return true;
    const graph_op *counts = all->tensor.value->producer;
    const graph_op *input =
        counts && counts->kind == OP_index ? elab_ids_input(e, &ids->tensor, &below) : NULL;
    int64_t size = input ? graph_dim_size(e->graph, all->tensor.value->type.dims[0]) : 0;
    if (!input || below <= size)
        return true;
    diag *d = sema_report(e->sema, E0236, node->at,
                          "ids of '%s' are below %lld, and they are compared with %lld of '%s'",
                          input->attrs.name, (long long)below, (long long)size,
                          label_of(all->tensor.labels[0])->name);
    diag_note(d, input->at, "'%s' is declared here", input->attrs.name);
    return false;
}

value elab_binary(elaboration *e, const ast_node *node, value x, value y)
{
    x = sized(e, x);
    y = sized(e, y);
    if (x.kind == VALUE_POISON || y.kind == VALUE_POISON)
        return value_poison();
    bool equal = !strcmp(node->word, "==");
    if (equal && (!all_ids_are_met(e, node, &x, &y) || !all_ids_are_met(e, node, &y, &x)))
        return value_poison();
    if (is_constant(&x) && is_constant(&y))
        return number_binary(e->sema, node, x, y);
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++) {
        if (strcmp(binaries[i].word, node->word))
            continue;
        if (binaries[i].kind == OP_pow)
            return power(e, node, x, y);
        value z = binaries[i].swapped ? map_two(e, node, binaries[i].kind, y, x)
                                      : map_two(e, node, binaries[i].kind, x, y);
        return strcmp(node->word, "//") ? z : elab_map(e, node, OP_floor, &z, 1);
    }
    sema_report(e->sema, E0218, node->at, "'%s' is no operator here", node->word);
    return value_poison();
}

value elab_unary(elaboration *e, const ast_node *node, op_kind kind, value x)
{
    x = sized(e, x);
    if (x.kind == VALUE_NUMBER || x.kind == VALUE_FLAG)
        return number_unary(e->sema, node, x);
    return elab_map(e, node, kind, &x, 1);
}

/* What MAP operators of one operand take: conditions only `not` and `cast`, whole numbers only some. */
static bool takes(op_kind kind, dtype type)
{
    if (kind == OP_not)
        return type == DTYPE_BOOL;
    return is_real(type) || (type == DTYPE_I32 && (kind == OP_neg || kind == OP_abs ||
                                                   kind == OP_sign || kind == OP_detach));
}

static value map_one(elaboration *e, const ast_node *at, op_kind kind, value x)
{
    build_operand in;
    elab_place(e, at->at);
    if (!elab_as_tensor(e, at, x, DTYPE_COUNT, &in))
        return value_poison();
    dtype type = in.value->type.dtype;
    if (type == DTYPE_I32 && !takes(kind, type) && kind != OP_not)
        in = build_cast(e->build, in, e->real);
    else if (!takes(kind, type)) {
        sema_report(e->sema, E0218, at->at, "'%s' does not take %s", op_info_of(kind)->name,
                    type == DTYPE_BOOL ? "a condition" : "numbers");
        return value_poison();
    }
    return elab_tensor(e, at, build_map(e->build, kind, &in, 1));
}

static value choose(elaboration *e, const ast_node *at, const value *x)
{
    build_operand in[3];
    value a = sized(e, x[1]), b = sized(e, x[2]);
    if (a.kind == VALUE_POISON || b.kind == VALUE_POISON)
        return value_poison();
    dtype type = meet(e, &a, &b);
    if (type == DTYPE_COUNT) {
        sema_report(e->sema, E0218, at->at, "both choices need one type: %s and %s",
                    value_words(&a, e->sema->memory), value_words(&b, e->sema->memory));
        return value_poison();
    }
    elab_place(e, at->at);
    if (!elab_as_tensor(e, at, x[0], DTYPE_COUNT, &in[0]) ||
        !elab_as_tensor(e, at, a, type, &in[1]) || !elab_as_tensor(e, at, b, type, &in[2]))
        return value_poison();
    if (in[0].value->type.dtype != DTYPE_BOOL) {
        sema_report(e->sema, E0218, at->at, "a condition is expected first");
        return value_poison();
    }
    if (names_clash(e, at, &in[0], &in[1]) || names_clash(e, at, &in[1], &in[2]) ||
        names_clash(e, at, &in[0], &in[2]))
        return value_poison();
    const build_operand *widest = tensor_rank(&in[1]) >= tensor_rank(&in[2]) ? &in[1] : &in[2];
    in[0] = widened(e, in[0], widest);
    return elab_tensor(e, at, build_map(e->build, OP_where, in, 3));
}

value elab_map(elaboration *e, const ast_node *at, op_kind kind, const value *x, int count)
{
    for (int i = 0; i < count; i++)
        if (x[i].kind == VALUE_POISON)
            return value_poison();
    if (count == 3)
        return choose(e, at, x);
    if (count == 2)
        return map_two(e, at, kind, sized(e, x[0]), sized(e, x[1]));
    value v = sized(e, x[0]);
    if (v.kind == VALUE_NUMBER && v.quantity == BARE)
        return value_number(op_scalar(kind, &v.number));
    return map_one(e, at, kind, v);
}

/* Evaluation: true for the samples of the batch that count. */
static build_operand counting(elaboration *e)
{
    if (!e->counts.value) {
        build_operand in[2];
        elab_clock(e, "valid");
        in[0] = build_index(e->root, e->batch->dim, e->batch->text);
        in[1] = build_cast(e->root, elab_clock(e, "valid"), DTYPE_I32);
        e->counts = build_map(e->root, OP_lt, in, 2);
    }
    return e->counts;
}

build_operand elab_masked(elaboration *e, build_operand x, double other)
{
    if (e->learning || !e->batch || !tensor_label(&x, e->batch))
        return x;
    build_operand in[3] = {counting(e), x, {0}};
    in[2] = constant(e, x.value->type.dtype, other);
    in[0] = widened(e, in[0], &x);
    return build_map(e->build, OP_where, in, 3);
}

static bool has_batch(const elaboration *e, label *const *over, int count)
{
    for (int i = 0; i < count; i++)
        if (over[i] == e->batch)
            return true;
    return false;
}

/* What a sample that does not count must be, to change nothing. */
static double neutral(op_kind kind)
{
    return kind == OP_sum ? 0 : kind == OP_reduce_min ? INFINITY : -INFINITY;
}

value elab_reduce(elaboration *e, const ast_node *at, op_kind kind, build_operand x,
                  label *const *over, int count)
{
    atom labels[GRAPH_MAX_RANK];
    elab_place(e, at->at);
    for (int i = 0; i < count; i++) {
        labels[i] = over[i]->text;
        if (tensor_label(&x, over[i]))
            continue;
        sema_report(e->sema, E0211, at->at, "the tensor %s has no dimension '%s'",
                    tensor_words(&x, e->sema->memory), over[i]->name);
        return value_poison();
    }
    if (!is_real(x.value->type.dtype) && (kind != OP_sum || x.value->type.dtype == DTYPE_BOOL)) {
        dtype to = x.value->type.dtype == DTYPE_BOOL ? e->real : DTYPE_I32;
        if (to == e->real)
            x = build_cast(e->build, x, to);
    }
    if (has_batch(e, over, count))
        x = elab_masked(e, x, neutral(kind));
    return elab_tensor(e, at, build_reduce(e->build, kind, x, labels, count));
}

value elab_count(elaboration *e, label *const *over, int count)
{
    double size = 1;
    bool counted = !e->learning && has_batch(e, over, count);
    for (int i = 0; i < count; i++)
        if (!counted || over[i] != e->batch)
            size *= (double)over[i]->size;
    value n = value_number(size);
    if (!counted)
        return n;
    n.kind = VALUE_TENSOR;
    n.tensor = elab_clock(e, "valid");
    if (size != 1)
        n.tensor = build_binary(e->build, OP_mul, n.tensor, constant(e, DTYPE_F64, size));
    return n;
}

value elab_mean(elaboration *e, const ast_node *at, build_operand x, label *const *over, int count)
{
    if (!is_real(x.value->type.dtype)) {
        elab_place(e, at->at);
        x = build_cast(e->build, x, e->real);
    }
    value total = elab_reduce(e, at, OP_sum, x, over, count);
    if (total.kind != VALUE_TENSOR)
        return total;
    value by = elab_count(e, over, count);
    if (by.kind == VALUE_TENSOR &&
        tensor_rank(&total.tensor) == 0) /* two scalars meet in f64 otherwise */
        by.tensor = build_cast(e->build, by.tensor, total.tensor.value->type.dtype);
    return map_two(e, at, OP_div, total, by);
}
