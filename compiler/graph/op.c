#include "graph/op.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Attribute words of the operators that have any; op.def says what they mean. */
#define WINDOW_WORDS                                                                               \
    "spatial", "groups", "stride0", "pad0", "dilation0", "stride1", "pad1", "dilation1",           \
        "stride2", "pad2", "dilation2"

static const op_attributes attributes[OP_COUNT] = {
    [OP_variable] = {.variable = true},
    [OP_input] = {.name = true},
    [OP_constant] = {.f = {"value"}},
    [OP_clock] = {.name = true},
    [OP_random] = {.name = true},
    [OP_slice] = {.i = {"slot", "first", "stride"}},
    [OP_pad] = {.i = {"slot", "before", "after", "stride"}, .f = {"value"}},
    [OP_concat] = {.i = {"slot"}},
    [OP_cumsum] = {.i = {"slot", "reverse"}},
    [OP_append] = {.i = {"slot"}},
    [OP_conv] = {.i = {WINDOW_WORDS}},
    [OP_conv_data] = {.i = {WINDOW_WORDS}},
    [OP_conv_weight] = {.i = {WINDOW_WORDS}},
    [OP_max_pool] = {.i = {WINDOW_WORDS, "window0", "window1", "window2"}},
    [OP_max_pool_grad] = {.i = {WINDOW_WORDS, "window0", "window1", "window2"}},
    [OP_sum_pool] = {.i = {WINDOW_WORDS, "window0", "window1", "window2"}},
    [OP_sum_pool_grad] = {.i = {WINDOW_WORDS, "window0", "window1", "window2"}},
    [OP_attention] = {.i = {"causal", "window", "positioned"}, .f = {"scale"}},
    [OP_attention_grad] = {.i = {"causal", "window"}, .f = {"scale"}},
    [OP_repeat] = {.i = {"iterations", "carried", "reverse"}},
    [OP_assign] = {.variable = true},
    [OP_accumulate] = {.variable = true},
    [OP_all_reduce] = {.i = {"axis", "gradient", "max"}, .name = true},
    [OP_all_gather] = {.i = {"axis", "slot"}},
    [OP_reduce_scatter] = {.i = {"axis", "slot"}},
    [OP_shard] = {.i = {"axis", "slot"}},
};

const op_info *op_info_of(op_kind kind)
{
    static const op_info table[OP_COUNT] = {
#define OP(kind, word, class_word, count, gradient)                                                \
    [OP_##kind] = {word, OP_CLASS_##class_word, count, &attributes[OP_##kind]},
#include "graph/op.def"
#undef OP
    };
    assert(kind < OP_COUNT);
    return &table[kind];
}

op_kind op_find(const char *name, size_t length)
{
    for (int k = 0; k < OP_COUNT; k++) {
        const char *word = op_info_of((op_kind)k)->name;
        if (strlen(word) == length && memcmp(word, name, length) == 0)
            return (op_kind)k;
    }
    return OP_COUNT;
}

static double scalar_unary(op_kind kind, double x)
{
    switch (kind) {
    case OP_cast:
    case OP_detach:
        return x;
    case OP_neg:
        return -x;
    case OP_abs:
        return fabs(x);
    case OP_sign:
        return (double)((x > 0) - (x < 0));
    case OP_floor:
        return floor(x);
    case OP_exp:
        return exp(x);
    case OP_log:
        return log(x);
    case OP_log1p:
        return log1p(x);
    case OP_sqrt:
        return sqrt(x);
    case OP_rsqrt:
        return 1 / sqrt(x);
    case OP_sin:
        return sin(x);
    case OP_cos:
        return cos(x);
    case OP_tanh:
        return tanh(x);
    case OP_sigmoid:
        return 1 / (1 + exp(-x));
    case OP_erf:
        return erf(x);
    case OP_not:
        return x == 0;
    default:
        assert(false && "a unary scalar function");
        return NAN;
    }
}

/* Larger and smaller of two, NaN if one is NaN. */
static double extreme(double x, double y, bool larger)
{
    if (isnan(x) || isnan(y))
        return NAN;
    return (x > y) == larger ? x : y;
}

/* The remainder has the divisor's sign, as in Python. */
static double modulo(double x, double y)
{
    double r = fmod(x, y);
    return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

static double scalar_binary(op_kind kind, double x, double y)
{
    switch (kind) {
    case OP_add:
        return x + y;
    case OP_sub:
        return x - y;
    case OP_mul:
        return x * y;
    case OP_div:
        return x / y;
    case OP_pow:
        return pow(x, y);
    case OP_max:
        return extreme(x, y, true);
    case OP_min:
        return extreme(x, y, false);
    case OP_mod:
        return modulo(x, y);
    case OP_eq:
        return x == y;
    case OP_ne:
        return x != y;
    case OP_lt:
        return x < y;
    case OP_le:
        return x <= y;
    case OP_and:
        return x != 0 && y != 0;
    case OP_or:
        return x != 0 || y != 0;
    default:
        assert(false && "a binary scalar function");
        return NAN;
    }
}

double op_scalar(op_kind kind, const double *x)
{
    switch (op_info_of(kind)->inputs) {
    case 1:
        return scalar_unary(kind, x[0]);
    case 2:
        return scalar_binary(kind, x[0], x[1]);
    default:
        assert(kind == OP_where);
        return x[0] != 0 ? x[1] : x[2];
    }
}

/* To the nearest bf16, ties to even, by way of f32. */
static double round_bf16(double x)
{
    float f = (float)x;
    if (isnan(f))
        return f;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    bits += 0x7fff + ((bits >> 16) & 1);
    bits &= 0xffff0000u;
    memcpy(&f, &bits, sizeof f);
    return f;
}

double op_round(dtype t, double x)
{
    switch (t) {
    case DTYPE_F32:
        return (double)(float)x;
    case DTYPE_BF16:
        return round_bf16(x);
    case DTYPE_I32:
        return trunc(x);
    case DTYPE_BOOL:
        return x != 0;
    default:
        return x;
    }
}

bool op_is_comparison(op_kind kind)
{
    return kind == OP_eq || kind == OP_ne || kind == OP_lt || kind == OP_le;
}

static bool all_of(const dtype *types, int count, dtype t)
{
    for (int i = 0; i < count; i++)
        if (types[i] != t)
            return false;
    return true;
}

bool op_map_dtype(op_kind kind, const dtype *inputs, dtype *result)
{
    int count = op_info_of(kind)->inputs;
    *result = inputs[0];
    switch (kind) {
    case OP_cast:
    case OP_detach:
        return true;
    case OP_not:
    case OP_and:
    case OP_or:
        return all_of(inputs, count, DTYPE_BOOL);
    case OP_where:
        *result = inputs[1];
        return inputs[0] == DTYPE_BOOL && inputs[1] == inputs[2];
    case OP_eq:
    case OP_ne:
    case OP_lt:
    case OP_le:
        *result = DTYPE_BOOL;
        return all_of(inputs, count, inputs[0]);
    case OP_neg:
    case OP_abs:
    case OP_sign:
    case OP_add:
    case OP_sub:
    case OP_mul:
    case OP_max:
    case OP_min:
    case OP_mod:
        return inputs[0] != DTYPE_BOOL && all_of(inputs, count, inputs[0]);
    default:
        return dtype_is_float(inputs[0]) && all_of(inputs, count, inputs[0]);
    }
}

/* Extends a group until both sides hold the same number of elements, or a side ends. */
static bool group_close(const graph *g, const graph_type *from, const graph_type *to,
                        reshape_group *group)
{
    int64_t a = 1, b = 1;
    if (group->from_end < from->rank)
        a = graph_type_size(g, from, group->from_end++);
    if (group->to_end < to->rank)
        b = graph_type_size(g, to, group->to_end++);
    while (a != b) {
        if (a < b && group->from_end < from->rank)
            a *= graph_type_size(g, from, group->from_end++);
        else if (b < a && group->to_end < to->rank)
            b *= graph_type_size(g, to, group->to_end++);
        else
            return false;
    }
    return true;
}

int op_reshape_groups(const graph *g, const graph_type *from, const graph_type *to,
                      reshape_group *groups)
{
    if (graph_type_count(g, from) != graph_type_count(g, to))
        return -1;
    int count = 0;
    reshape_group at = {0};
    while (at.from_end < from->rank || at.to_end < to->rank) {
        at.from_begin = at.from_end;
        at.to_begin = at.to_end;
        if (!group_close(g, from, to,
                         &at)) { /* only with an empty dimension: the rest is one group */
            at.from_end = from->rank;
            at.to_end = to->rank;
        }
        groups[count++] = at;
    }
    return count;
}

int64_t op_window_size(int64_t in, int64_t window, int64_t stride, int64_t pad, int64_t dilation)
{
    int64_t room = in + 2 * pad - dilation * (window - 1) - 1;
    return room < 0 ? 0 : room / stride + 1;
}
