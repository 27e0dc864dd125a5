/* A kernel of the loop form as an LLVM function: void (ptr arena, ptr context, i64 begin, i64 end). */
#include "codegen/codegen_internal.h"

#include <assert.h>
#include <math.h>
#include <string.h>

typedef struct writing {
    codegen_module *m;
    const loop_kernel *k;
    LLVMValueRef function, arena, context;
    LLVMValueRef *values; /* by node id */
    LLVMBasicBlockRef entry;
    LLVMMetadataRef domain;
    VEC(int) buffers;            /* that the kernel touches, by block */
    VEC(LLVMMetadataRef) scopes; /* one for each of them */
    bool by_block;               /* a whole block is touched: its parts are not apart */
} writing;

LLVMTypeRef type_of(const codegen_module *m, int type)
{
    switch (type) {
    case DTYPE_F32:
    case DTYPE_BF16:
        return m->f32;
    case DTYPE_F64:
        return m->f64;
    case DTYPE_I32:
        return m->i32;
    case DTYPE_BOOL:
        return m->i1;
    default:
        return m->i64;
    }
}

LLVMTypeRef stored_type(const codegen_module *m, int type)
{
    if (type == DTYPE_BF16)
        return LLVMInt16TypeInContext(m->context);
    return type == DTYPE_BOOL ? m->i8 : type_of(m, type);
}

static bool is_float(int type)
{
    return type == DTYPE_F32 || type == DTYPE_F64 || type == DTYPE_BF16;
}

/* Products may join sums; that is all that is relaxed outside reductions. */
static LLVMValueRef contract(LLVMValueRef v)
{
    if (LLVMCanValueUseFastMathFlags(v))
        LLVMSetFastMathFlags(v, LLVMFastMathAllowContract);
    return v;
}

static LLVMValueRef integer(writing *w, int64_t x)
{
    return LLVMConstInt(w->m->i64, (unsigned long long)x, 1);
}

static LLVMValueRef value_of(const writing *w, const loop_node *n)
{
    assert(w->values[n->id]);
    return w->values[n->id];
}

static LLVMValueRef sum_of(writing *w, const loop_address *a)
{
    LLVMBuilderRef b = w->m->builder;
    LLVMValueRef sum = integer(w, a->base);
    for (size_t i = 0; i < a->terms.count; i++) {
        LLVMValueRef x = value_of(w, a->terms.items[i].node);
        if (a->terms.items[i].coefficient != 1)
            x = LLVMBuildNSWMul(b, x, integer(w, a->terms.items[i].coefficient), "");
        sum = i || a->base ? LLVMBuildNSWAdd(b, sum, x, "") : x;
    }
    return sum;
}

static int scope_buffer(const writing *w, int buffer)
{
    int block = w->m->s->buffers.items[buffer].block;
    return w->by_block && block >= 0 ? block : buffer;
}

static void note_buffer(loop_node *n, void *state)
{
    writing *w = state;
    if (n->kind != LOOP_LOAD && n->kind != LOOP_STORE)
        return;
    int buffer = scope_buffer(w, n->address.buffer);
    for (size_t i = 0; i < w->buffers.count; i++)
        if (w->buffers.items[i] == buffer)
            return;
    vec_push(w->m->memory, &w->buffers, buffer);
}

static void scopes_make(writing *w)
{
    codegen_module *m = w->m;
    loop_visit((loop_block *)&w->k->body, note_buffer, w);
    for (size_t i = 0; i < w->buffers.count; i++)
        for (size_t j = 0; j < w->buffers.count; j++)
            if (m->s->buffers.items[w->buffers.items[i]].block == w->buffers.items[j])
                w->by_block = true;
    if (w->by_block) {
        w->buffers.count = 0;
        loop_visit((loop_block *)&w->k->body, note_buffer, w);
    }
    const char *name = arena_format(m->memory, "buffers of %s", w->k->name);
    LLVMMetadataRef label = LLVMMDStringInContext2(m->context, name, strlen(name));
    w->domain = LLVMMDNodeInContext2(m->context, &label, 1);
    for (size_t i = 0; i < w->buffers.count; i++) {
        const char *own = arena_format(m->memory, "%s #%d", w->k->name, w->buffers.items[i]);
        LLVMMetadataRef pair[2] = {LLVMMDStringInContext2(m->context, own, strlen(own)), w->domain};
        vec_push(m->memory, &w->scopes, LLVMMDNodeInContext2(m->context, pair, 2));
    }
}

/* Buffers that live at one time lie apart, which LLVM cannot see through one arena pointer. */
static void scope_set(writing *w, LLVMValueRef access, int buffer)
{
    codegen_module *m = w->m;
    LLVMMetadataRef own = NULL;
    LLVMMetadataRef *others = arena_array(m->memory, LLVMMetadataRef, w->buffers.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < w->buffers.count; i++) {
        if (w->buffers.items[i] == scope_buffer(w, buffer))
            own = w->scopes.items[i];
        else
            others[count++] = w->scopes.items[i];
    }
    LLVMMetadataRef scope = LLVMMDNodeInContext2(m->context, &own, 1);
    LLVMMetadataRef apart = LLVMMDNodeInContext2(m->context, others, count);
    LLVMSetMetadata(access, m->scope_kind, LLVMMetadataAsValue(m->context, scope));
    if (count)
        LLVMSetMetadata(access, m->noalias_kind, LLVMMetadataAsValue(m->context, apart));
}

static LLVMValueRef pointer_to(writing *w, const loop_node *n)
{
    codegen_module *m = w->m;
    LLVMValueRef offset = integer(w, m->s->buffers.items[n->address.buffer].offset);
    LLVMValueRef base = LLVMBuildInBoundsGEP2(m->builder, m->i8, w->arena, &offset, 1, "");
    LLVMValueRef index = sum_of(w, &n->address);
    if (n->guard)
        index = LLVMBuildSelect(m->builder, value_of(w, n->guard), index, integer(w, 0), "");
    return LLVMBuildInBoundsGEP2(m->builder, stored_type(m, n->type), base, &index, 1, "");
}

static LLVMValueRef constant(writing *w, int type, double x)
{
    if (is_float(type))
        return LLVMConstReal(type_of(w->m, type), x);
    return LLVMConstInt(type_of(w->m, type), (unsigned long long)(int64_t)x, 1);
}

static LLVMValueRef from_stored(writing *w, int type, LLVMValueRef v)
{
    LLVMBuilderRef b = w->m->builder;
    if (type == DTYPE_BOOL)
        return LLVMBuildICmp(b, LLVMIntNE, v, LLVMConstInt(w->m->i8, 0, 0), "");
    if (type != DTYPE_BF16)
        return v;
    v = LLVMBuildShl(b, LLVMBuildZExt(b, v, w->m->i32, ""), LLVMConstInt(w->m->i32, 16, 0), "");
    return LLVMBuildBitCast(b, v, w->m->f32, "");
}

/* bf16: to nearest, ties to even; a NaN stays one. */
static LLVMValueRef to_stored(writing *w, int type, LLVMValueRef v)
{
    codegen_module *m = w->m;
    LLVMBuilderRef b = m->builder;
    if (type == DTYPE_BOOL)
        return LLVMBuildZExt(b, v, m->i8, "");
    if (type != DTYPE_BF16)
        return v;
    LLVMValueRef bits = LLVMBuildBitCast(b, v, m->i32, ""), half = LLVMConstInt(m->i32, 16, 0);
    LLVMValueRef odd =
        LLVMBuildAnd(b, LLVMBuildLShr(b, bits, half, ""), LLVMConstInt(m->i32, 1, 0), "");
    LLVMValueRef up = LLVMBuildAdd(b, odd, LLVMConstInt(m->i32, 0x7fff, 0), "");
    LLVMValueRef rounded = LLVMBuildAdd(b, bits, up, "");
    LLVMValueRef nan = LLVMBuildFCmp(b, LLVMRealUNO, v, v, "");
    rounded = LLVMBuildSelect(b, nan, LLVMConstInt(m->i32, 0x7fc00000, 0), rounded, "");
    return LLVMBuildTrunc(b, LLVMBuildLShr(b, rounded, half, ""),
                          LLVMInt16TypeInContext(m->context), "");
}

static LLVMValueRef load_from(writing *w, const loop_node *n, LLVMValueRef pointer)
{
    LLVMValueRef v = LLVMBuildLoad2(w->m->builder, stored_type(w->m, n->type), pointer, "");
    scope_set(w, v, n->address.buffer);
    return from_stored(w, n->type, v);
}

static LLVMValueRef load(writing *w, const loop_node *n)
{
    LLVMValueRef v = load_from(w, n, pointer_to(w, n));
    if (!n->guard)
        return v;
    return LLVMBuildSelect(w->m->builder, value_of(w, n->guard), v, constant(w, n->type, n->value),
                           "");
}

/* Sums of a reduction may be reassociated, so that they vectorise. */
static LLVMValueRef fold(writing *w, loop_fold how, int type, LLVMValueRef a, LLVMValueRef b)
{
    LLVMBuilderRef builder = w->m->builder;
    bool real = is_float(type);
    if (how == LOOP_ADD && real) {
        LLVMValueRef sum = LLVMBuildFAdd(builder, a, b, "");
        LLVMSetFastMathFlags(sum, LLVMFastMathAllowReassoc | LLVMFastMathAllowContract);
        return sum;
    }
    if (how == LOOP_ADD)
        return LLVMBuildAdd(builder, a, b, "");
    const char *name = how == LOOP_MAX ? (real ? "llvm.maximum" : "llvm.smax")
                                       : (real ? "llvm.minimum" : "llvm.smin");
    return math_intrinsic(w->m, name, type_of(w->m, type), (LLVMValueRef[]){a, b}, 2);
}

static void store(writing *w, const loop_node *n)
{
    LLVMValueRef pointer = pointer_to(w, n), value = value_of(w, n->args[0]);
    if (n->fold != LOOP_SET)
        value = fold(w, n->fold, n->type, load_from(w, n, pointer), value);
    LLVMValueRef s = LLVMBuildStore(w->m->builder, to_stored(w, n->type, value), pointer);
    scope_set(w, s, n->address.buffer);
}

static LLVMValueRef cast(writing *w, int from, int to, LLVMValueRef x)
{
    LLVMBuilderRef b = w->m->builder;
    LLVMTypeRef type = type_of(w->m, to);
    if (to == DTYPE_BOOL)
        return is_float(from) ? LLVMBuildFCmp(b, LLVMRealUNE, x, constant(w, from, 0), "")
                              : LLVMBuildICmp(b, LLVMIntNE, x, constant(w, from, 0), "");
    if (is_float(to)) {
        if (is_float(from))
            return LLVMBuildFPCast(b, x, type, "");
        return from == DTYPE_BOOL ? LLVMBuildUIToFP(b, x, type, "")
                                  : LLVMBuildSIToFP(b, x, type, "");
    }
    if (is_float(from)) {
        LLVMTypeRef types[2] = {type, type_of(w->m, from)};
        unsigned id = LLVMLookupIntrinsicID("llvm.fptosi.sat", 15);
        LLVMValueRef f = LLVMGetIntrinsicDeclaration(w->m->module, id, types, 2);
        return LLVMBuildCall2(b, LLVMIntrinsicGetType(w->m->context, id, types, 2), f, &x, 1, "");
    }
    return from == DTYPE_BOOL ? LLVMBuildZExt(b, x, type, "")
                              : LLVMBuildIntCast2(b, x, type, 1, "");
}

static LLVMValueRef compare(writing *w, op_kind op, int type, LLVMValueRef x, LLVMValueRef y)
{
    LLVMBuilderRef b = w->m->builder;
    if (is_float(type)) {
        LLVMRealPredicate p = op == OP_eq   ? LLVMRealOEQ
                              : op == OP_ne ? LLVMRealUNE
                              : op == OP_lt ? LLVMRealOLT
                                            : LLVMRealOLE;
        return LLVMBuildFCmp(b, p, x, y, "");
    }
    LLVMIntPredicate p = op == OP_eq   ? LLVMIntEQ
                         : op == OP_ne ? LLVMIntNE
                         : op == OP_lt ? LLVMIntSLT
                                       : LLVMIntSLE;
    return LLVMBuildICmp(b, p, x, y, "");
}

static LLVMValueRef map_integer(writing *w, op_kind op, int type, const LLVMValueRef *x)
{
    LLVMBuilderRef b = w->m->builder;
    LLVMTypeRef t = type_of(w->m, type);
    LLVMValueRef zero = LLVMConstInt(t, 0, 0);
    switch (op) {
    case OP_add:
        return LLVMBuildAdd(b, x[0], x[1], "");
    case OP_sub:
        return LLVMBuildSub(b, x[0], x[1], "");
    case OP_mul:
        return LLVMBuildMul(b, x[0], x[1], "");
    case OP_neg:
        return LLVMBuildNeg(b, x[0], "");
    case OP_abs:
        return math_intrinsic(w->m, "llvm.smax", t,
                              (LLVMValueRef[]){x[0], LLVMBuildNeg(b, x[0], "")}, 2);
    case OP_max:
        return math_intrinsic(w->m, "llvm.smax", t, x, 2);
    case OP_min:
        return math_intrinsic(w->m, "llvm.smin", t, x, 2);
    case OP_sign: {
        LLVMValueRef up = LLVMBuildZExt(b, LLVMBuildICmp(b, LLVMIntSGT, x[0], zero, ""), t, "");
        LLVMValueRef down = LLVMBuildZExt(b, LLVMBuildICmp(b, LLVMIntSLT, x[0], zero, ""), t, "");
        return LLVMBuildSub(b, up, down, "");
    }
    default: {
        /* mod takes the divisor's sign, as its f64 definition does. */
        assert(op == OP_mod);
        LLVMValueRef rest = LLVMBuildSRem(b, x[0], x[1], "");
        LLVMValueRef apart =
            LLVMBuildICmp(b, LLVMIntSLT, LLVMBuildXor(b, rest, x[1], ""), zero, "");
        LLVMValueRef some = LLVMBuildICmp(b, LLVMIntNE, rest, zero, "");
        return LLVMBuildSelect(b, LLVMBuildAnd(b, apart, some, ""), LLVMBuildAdd(b, rest, x[1], ""),
                               rest, "");
    }
    }
}

/* NaN where either is. */
static LLVMValueRef extreme(writing *w, LLVMRealPredicate wins, const LLVMValueRef *x)
{
    LLVMBuilderRef b = w->m->builder;
    LLVMValueRef first = LLVMBuildFCmp(b, wins, x[0], x[1], "");
    LLVMValueRef nan = LLVMBuildFCmp(b, LLVMRealUNO, x[0], x[0], "");
    return LLVMBuildSelect(b, LLVMBuildOr(b, first, nan, ""), x[0], x[1], "");
}

static LLVMValueRef map_arithmetic(writing *w, op_kind op, int type, const LLVMValueRef *x)
{
    codegen_module *m = w->m;
    LLVMBuilderRef b = m->builder;
    LLVMTypeRef t = type_of(m, type);
    switch (op) {
    case OP_add:
        return contract(LLVMBuildFAdd(b, x[0], x[1], ""));
    case OP_sub:
        return contract(LLVMBuildFSub(b, x[0], x[1], ""));
    case OP_mul:
        return contract(LLVMBuildFMul(b, x[0], x[1], ""));
    case OP_div:
        return LLVMBuildFDiv(b, x[0], x[1], "");
    case OP_neg:
        return LLVMBuildFNeg(b, x[0], "");
    case OP_abs:
        return math_intrinsic(m, "llvm.fabs", t, x, 1);
    case OP_floor:
        return math_intrinsic(m, "llvm.floor", t, x, 1);
    case OP_sqrt:
        return math_intrinsic(m, "llvm.sqrt", t, x, 1);
    case OP_rsqrt:
        return LLVMBuildFDiv(b, LLVMConstReal(t, 1), math_intrinsic(m, "llvm.sqrt", t, x, 1), "");
    case OP_max:
        return extreme(w, LLVMRealOGE, x);
    case OP_min:
        return extreme(w, LLVMRealOLE, x);
    default:
        return math_call(m, op, type == DTYPE_BF16 ? DTYPE_F32 : (dtype)type, x);
    }
}

static LLVMValueRef map(writing *w, const loop_node *n)
{
    LLVMBuilderRef b = w->m->builder;
    LLVMValueRef x[3];
    int type = n->args[0]->type;
    for (int i = 0; i < n->arg_count; i++)
        x[i] = value_of(w, n->args[i]);
    switch (n->op) {
    case OP_cast:
        return cast(w, type, n->type, x[0]);
    case OP_where:
        return LLVMBuildSelect(b, x[0], x[1], x[2], "");
    case OP_not:
        return LLVMBuildNot(b, x[0], "");
    case OP_and:
        return LLVMBuildAnd(b, x[0], x[1], "");
    case OP_or:
        return LLVMBuildOr(b, x[0], x[1], "");
    default:
        break;
    }
    if (op_is_comparison(n->op))
        return compare(w, n->op, type, x[0], x[1]);
    return is_float(type) ? map_arithmetic(w, n->op, type, x) : map_integer(w, n->op, type, x);
}

static LLVMValueRef within(writing *w, const loop_node *n)
{
    LLVMBuilderRef b = w->m->builder;
    int64_t width = n->integer[1] > n->integer[0] ? n->integer[1] - n->integer[0] : 0;
    LLVMValueRef from = LLVMBuildSub(b, value_of(w, n->args[0]), integer(w, n->integer[0]), "");
    return LLVMBuildICmp(b, LLVMIntULT, from, integer(w, width), "");
}

static LLVMValueRef coordinate(writing *w, const loop_node *n)
{
    LLVMTypeRef type;
    LLVMValueRef f = abi_function(w->m, "esp_coordinate", &type);
    LLVMValueRef args[2] = {w->context,
                            LLVMConstInt(w->m->i32, (unsigned long long)n->integer[0], 0)};
    return LLVMBuildCall2(w->m->builder, type, f, args, 2, "");
}

static const schedule_instruction *loop_numbered(const schedule_block *block, int loop)
{
    for (size_t i = 0; i < block->count; i++) {
        const schedule_instruction *in = block->items[i];
        if (in->kind != SCHEDULE_LOOP)
            continue;
        const schedule_instruction *found = in->loop == loop ? in : loop_numbered(&in->body, loop);
        if (found)
            return found;
    }
    return NULL;
}

static LLVMValueRef iteration(writing *w, const loop_node *n)
{
    codegen_module *m = w->m;
    const schedule_instruction *loop = NULL;
    for (size_t i = 0; i < m->s->functions.count && !loop; i++)
        loop = loop_numbered(&m->s->functions.items[i]->body, (int)n->integer[0]);
    assert(loop);
    LLVMValueRef at = integer(w, m->s->buffers.items[loop->counter].offset);
    LLVMValueRef p = LLVMBuildInBoundsGEP2(m->builder, m->i8, w->arena, &at, 1, "");
    return LLVMBuildLoad2(m->builder, m->i64, p, "");
}

static LLVMValueRef neutral(writing *w, const loop_node *n)
{
    bool real = is_float(n->type);
    switch (n->fold) {
    case LOOP_MAX:
        return real ? LLVMConstReal(type_of(w->m, n->type), -INFINITY)
                    : constant(w, n->type, -2147483648.0);
    case LOOP_MIN:
        return real ? LLVMConstReal(type_of(w->m, n->type), INFINITY)
                    : constant(w, n->type, 2147483647.0);
    default:
        return constant(w, n->type, 0);
    }
}

/* In the entry block, where registers can take its place; it begins anew wherever it stands. */
static LLVMValueRef accumulator(writing *w, const loop_node *n)
{
    LLVMBuilderRef b = w->m->builder;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(b);
    LLVMValueRef first = LLVMGetFirstInstruction(w->entry);
    if (first)
        LLVMPositionBuilderBefore(b, first);
    else
        LLVMPositionBuilderAtEnd(b, w->entry);
    LLVMValueRef cell = LLVMBuildAlloca(b, type_of(w->m, n->type), "");
    LLVMPositionBuilderAtEnd(b, here);
    LLVMBuildStore(b, neutral(w, n), cell);
    return cell;
}

static void write_block(writing *w, const loop_block *block);

typedef struct counted {
    LLVMBasicBlockRef body, done;
    LLVMValueRef counter;
} counted;

static counted loop_open(writing *w, LLVMValueRef from, LLVMValueRef to)
{
    codegen_module *m = w->m;
    counted c;
    LLVMBasicBlockRef before = LLVMGetInsertBlock(m->builder);
    c.body = LLVMAppendBasicBlockInContext(m->context, w->function, "loop");
    c.done = LLVMAppendBasicBlockInContext(m->context, w->function, "done");
    LLVMValueRef some = LLVMBuildICmp(m->builder, LLVMIntSLT, from, to, "");
    LLVMBuildCondBr(m->builder, some, c.body, c.done);
    LLVMPositionBuilderAtEnd(m->builder, c.body);
    c.counter = LLVMBuildPhi(m->builder, m->i64, "");
    LLVMAddIncoming(c.counter, &from, &before, 1);
    return c;
}

static void loop_close(writing *w, counted c, LLVMValueRef to)
{
    codegen_module *m = w->m;
    LLVMValueRef next = LLVMBuildNSWAdd(m->builder, c.counter, integer(w, 1), "");
    LLVMBasicBlockRef last = LLVMGetInsertBlock(m->builder);
    LLVMAddIncoming(c.counter, &next, &last, 1);
    LLVMBuildCondBr(m->builder, LLVMBuildICmp(m->builder, LLVMIntSLT, next, to, ""), c.body,
                    c.done);
    LLVMPositionBuilderAtEnd(m->builder, c.done);
}

static void write_for(writing *w, const loop_node *n)
{
    LLVMValueRef end = integer(w, n->integer[0]);
    counted c = loop_open(w, integer(w, 0), end);
    w->values[n->id] = c.counter;
    write_block(w, &n->body);
    loop_close(w, c, end);
}

static LLVMValueRef write_value(writing *w, const loop_node *n)
{
    LLVMBuilderRef b = w->m->builder;
    switch (n->kind) {
    case LOOP_CONST:
        return constant(w, n->type, n->value);
    case LOOP_AFFINE:
        return sum_of(w, &n->address);
    case LOOP_DIV:
        return LLVMBuildUDiv(b, value_of(w, n->args[0]), integer(w, n->integer[0]), "");
    case LOOP_MOD:
        return LLVMBuildURem(b, value_of(w, n->args[0]), integer(w, n->integer[0]), "");
    case LOOP_WITHIN:
        return within(w, n);
    case LOOP_COORDINATE:
        return coordinate(w, n);
    case LOOP_ITERATION:
        return iteration(w, n);
    case LOOP_TO_INDEX:
        return cast(w, n->args[0]->type, LOOP_INDEX, value_of(w, n->args[0]));
    case LOOP_FROM_INDEX:
        return is_float(n->type)
                   ? LLVMBuildSIToFP(b, value_of(w, n->args[0]), type_of(w->m, n->type), "")
                   : LLVMBuildTrunc(b, value_of(w, n->args[0]), type_of(w->m, n->type), "");
    case LOOP_LOAD:
        return load(w, n);
    case LOOP_MAP:
        return map(w, n);
    case LOOP_ACCUMULATOR:
        return accumulator(w, n);
    case LOOP_TOTAL:
        return LLVMBuildLoad2(b, type_of(w->m, n->type), value_of(w, n->args[0]), "");
    default:
        assert(n->kind == LOOP_RANDOM);
        return cast(w, DTYPE_F32, n->type,
                    math_random(w->m, value_of(w, n->args[0]), value_of(w, n->args[1]), n->key));
    }
}

static void write_block(writing *w, const loop_block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        const loop_node *n = block->items[i];
        debug_at(w->m, n->at);
        if (n->kind == LOOP_FOR) {
            write_for(w, n);
        } else if (n->kind == LOOP_STORE) {
            store(w, n);
        } else if (n->kind == LOOP_FOLD) {
            LLVMValueRef cell = value_of(w, n->args[0]);
            LLVMValueRef so_far = LLVMBuildLoad2(w->m->builder, type_of(w->m, n->type), cell, "");
            LLVMBuildStore(w->m->builder,
                           fold(w, n->fold, n->type, so_far, value_of(w, n->args[1])), cell);
        } else {
            w->values[n->id] = write_value(w, n);
        }
    }
}

/* One flat number runs over all rows; the counters of more than one row loop are its digits. */
static void rows_split(writing *w, LLVMValueRef row)
{
    LLVMBuilderRef b = w->m->builder;
    for (size_t i = w->k->rows.count; i-- > 0;) {
        const loop_node *n = w->k->rows.items[i];
        LLVMValueRef extent = integer(w, n->integer[0]);
        w->values[n->id] = i ? LLVMBuildURem(b, row, extent, "") : row;
        if (i)
            row = LLVMBuildUDiv(b, row, extent, "");
    }
}

LLVMValueRef kernel_generate(codegen_module *m, const loop_kernel *k)
{
    LLVMTypeRef parameters[4] = {m->ptr, m->ptr, m->i64, m->i64};
    LLVMTypeRef type = LLVMFunctionType(m->nothing, parameters, 4, 0);
    LLVMValueRef f = function_new(m, k->name, type, k->at);
    writing w = {.m = m, .k = k, .function = f, .arena = LLVMGetParam(f, 0)};
    w.context = LLVMGetParam(f, 1);
    w.values = arena_array(m->memory, LLVMValueRef, k->next_id + 1);
    w.entry = LLVMGetInsertBlock(m->builder);
    scopes_make(&w);
    LLVMBasicBlockRef start = LLVMAppendBasicBlockInContext(m->context, f, "rows");
    LLVMPositionBuilderAtEnd(m->builder, start);
    counted c = loop_open(&w, LLVMGetParam(f, 2), LLVMGetParam(f, 3));
    rows_split(&w, c.counter);
    write_block(&w, &k->body);
    loop_close(&w, c, LLVMGetParam(f, 3));
    LLVMBuildRetVoid(m->builder);
    LLVMPositionBuilderAtEnd(m->builder, w.entry);
    LLVMBuildBr(m->builder, start);
    return f;
}
