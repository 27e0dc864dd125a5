/* Transcendental functions as branch-free IR, so that loops over them vectorise and every target agrees.
 *
 * What the series are cut for, against the exact value: f32 at most 2 ulp for exp, log, log1p, sqrt, rsqrt, 3 for erf, sigmoid
 * and tanh, and 1 for sin, cos and pow, which go through f64. In f64 at most 4 ulp; sin and cos within 4 * 2^-53 absolute for
 * |x| <= 2^20; pow within 2 + 2 |y ln x| ulp. Infinities, NaN, zeros and subnormal numbers are handled as the C library does.
 *
 * exp: x = n ln 2 + r, |r| <= ln(2)/2, Taylor in r, 2^n by exponent bits in two steps. log: x = 2^e m with m in
 * [sqrt(1/2), sqrt 2), log m = 2 atanh(f / (2 + f)), arranged as in Kahan's correction. erf: its series below 1, above it
 * 1 - exp(-x^2) q((x - 3) / (x + 3)) with q a Chebyshev fit (math_erf.h).
 */
#include "codegen/codegen_internal.h"

#include <assert.h>
#include <math.h>
#include <string.h>

typedef struct body {
    codegen_module *m;
    LLVMBuilderRef b;
    bool wide; /* f64 */
    LLVMTypeRef real, whole;
} body;

static LLVMValueRef number(const body *f, double x)
{
    return LLVMConstReal(f->real, x);
}

static LLVMValueRef bits(const body *f, int64_t x)
{
    return LLVMConstInt(f->whole, (unsigned long long)x, 1);
}

LLVMValueRef math_intrinsic(codegen_module *m, const char *name, LLVMTypeRef type,
                            const LLVMValueRef *args, int count)
{
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef f = LLVMGetIntrinsicDeclaration(m->module, id, &type, 1);
    return LLVMBuildCall2(m->builder, LLVMIntrinsicGetType(m->context, id, &type, 1), f,
                          (LLVMValueRef *)args, (unsigned)count, "");
}

static LLVMValueRef fma3(const body *f, LLVMValueRef x, LLVMValueRef y, LLVMValueRef z)
{
    return math_intrinsic(f->m, "llvm.fma", f->real, (LLVMValueRef[]){x, y, z}, 3);
}

#define ADD(x, y) LLVMBuildFAdd(f->b, x, y, "")
#define SUB(x, y) LLVMBuildFSub(f->b, x, y, "")
#define MUL(x, y) LLVMBuildFMul(f->b, x, y, "")
#define DIV(x, y) LLVMBuildFDiv(f->b, x, y, "")
#define LESS(x, y) LLVMBuildFCmp(f->b, LLVMRealOLT, x, y, "")
#define EQUAL(x, y) LLVMBuildFCmp(f->b, LLVMRealOEQ, x, y, "")
#define PICK(c, x, y) LLVMBuildSelect(f->b, c, x, y, "")
#define TO_BITS(x) LLVMBuildBitCast(f->b, x, f->whole, "")
#define TO_REAL(x) LLVMBuildBitCast(f->b, x, f->real, "")

/* c[0] + c[1] x + …, by Horner. */
static LLVMValueRef polynomial(const body *f, LLVMValueRef x, const double *c, int count)
{
    LLVMValueRef sum = number(f, c[count - 1]);
    for (int i = count - 2; i >= 0; i--)
        sum = fma3(f, sum, x, number(f, c[i]));
    return sum;
}

static LLVMValueRef absolute(const body *f, LLVMValueRef x)
{
    return math_intrinsic(f->m, "llvm.fabs", f->real, &x, 1);
}

static LLVMValueRef with_sign(const body *f, LLVMValueRef size, LLVMValueRef sign)
{
    return math_intrinsic(f->m, "llvm.copysign", f->real, (LLVMValueRef[]){size, sign}, 2);
}

/* x = n ln 2 + r; n comes as an integer and as a number. Adding 1.5 * 2^52 rounds to an integer without a conversion that
 * NaN would make undefined. */
static LLVMValueRef reduce_by_ln2(const body *f, LLVMValueRef x, LLVMValueRef *n, LLVMValueRef *r)
{
    double big = f->wide ? 0x1.8p52 : 0x1.8p23;
    double high = f->wide ? 0x1.62e42fefap-1 : 0x1.62e4p-1;
    double low = f->wide ? 0x1.cf79abc9e3b3ap-40 : 0x1.7f7d1cf8p-20;
    LLVMValueRef shifted = fma3(f, x, number(f, 1.4426950408889634), number(f, big));
    *n = LLVMBuildSub(f->b, TO_BITS(shifted), TO_BITS(number(f, big)), "");
    LLVMValueRef whole = SUB(shifted, number(f, big));
    *r = fma3(f, whole, number(f, -high), x);
    *r = fma3(f, whole, number(f, -low), *r);
    return whole;
}

static LLVMValueRef power_of_two(const body *f, LLVMValueRef n)
{
    int bias = f->wide ? 1023 : 127, shift = f->wide ? 52 : 23;
    return TO_REAL(
        LLVMBuildShl(f->b, LLVMBuildAdd(f->b, n, bits(f, bias), ""), bits(f, shift), ""));
}

/* exp(r) - 1 = r + r^2 q(r) for |r| <= ln(2) / 2. */
static LLVMValueRef taylor_tail(const body *f, LLVMValueRef r)
{
    double c[14];
    double factor = 1;
    int count = f->wide ? 13 : 7;
    for (int i = 2; i <= count; i++) {
        factor /= i;
        c[i - 2] = factor;
    }
    return polynomial(f, r, c, count - 1);
}

static LLVMValueRef clamp(const body *f, LLVMValueRef x, double low, double high)
{
    x = PICK(LESS(x, number(f, low)), number(f, low), x);
    return PICK(LESS(number(f, high), x), number(f, high), x);
}

static LLVMValueRef exponential(const body *f, LLVMValueRef x)
{
    LLVMValueRef n, r;
    x = f->wide ? clamp(f, x, -746, 710) : clamp(f, x, -104, 89);
    reduce_by_ln2(f, x, &n, &r);
    LLVMValueRef p = fma3(f, MUL(r, r), taylor_tail(f, r), r);
    p = ADD(p, number(f, 1));
    LLVMValueRef half = LLVMBuildAShr(f->b, n, bits(f, 1), "");
    LLVMValueRef rest = LLVMBuildSub(f->b, n, half, "");
    return MUL(MUL(p, power_of_two(f, half)), power_of_two(f, rest));
}

/* exp(x) - 1 for 0 <= x, x at most where exp stays finite. */
static LLVMValueRef exponential_less_one(const body *f, LLVMValueRef x)
{
    LLVMValueRef n, r;
    reduce_by_ln2(f, x, &n, &r);
    LLVMValueRef p = fma3(f, MUL(r, r), taylor_tail(f, r), r);
    LLVMValueRef scale = power_of_two(f, n);
    return fma3(f, p, scale, SUB(scale, number(f, 1)));
}

/* tanh |x| = e / (e + 2) with e = exp(2 |x|) - 1. */
static LLVMValueRef hyperbolic_tangent(const body *f, LLVMValueRef x)
{
    LLVMValueRef twice = MUL(absolute(f, x), number(f, 2));
    double flat = f->wide ? 44 : 20;
    twice = PICK(LESS(number(f, flat), twice), number(f, flat), twice);
    LLVMValueRef e = exponential_less_one(f, twice);
    return with_sign(f, DIV(e, ADD(e, number(f, 2))), x);
}

/* With e = exp(-|x|): 1 / (1 + e), or e / (1 + e) below 0, which becomes subnormal before it is 0. */
static LLVMValueRef logistic(const body *f, LLVMValueRef x)
{
    LLVMValueRef e = exponential(f, LLVMBuildFNeg(f->b, absolute(f, x), "")), one = number(f, 1);
    return DIV(PICK(LESS(x, number(f, 0)), e, one), ADD(one, e));
}

/* x = 2^e m with m in [sqrt(1/2), sqrt 2). */
static LLVMValueRef split_exponent(const body *f, LLVMValueRef x, LLVMValueRef *e)
{
    int shift = f->wide ? 52 : 23;
    LLVMValueRef tiny = LESS(x, number(f, f->wide ? 0x1p-1022 : 0x1p-126));
    LLVMValueRef scaled = PICK(tiny, MUL(x, number(f, f->wide ? 0x1p54 : 0x1p25)), x);
    int64_t root = f->wide ? 0x3fe6a09e667f3bcdLL : 0x3f3504f3;
    LLVMValueRef raw = TO_BITS(scaled);
    LLVMValueRef n =
        LLVMBuildAShr(f->b, LLVMBuildSub(f->b, raw, bits(f, root), ""), bits(f, shift), "");
    LLVMValueRef m =
        TO_REAL(LLVMBuildSub(f->b, raw, LLVMBuildShl(f->b, n, bits(f, shift), ""), ""));
    n = LLVMBuildSub(f->b, n, PICK(tiny, bits(f, f->wide ? 54 : 25), bits(f, 0)), "");
    /* Exponents have few bits: the detour by i32 vectorises where i64 to f64 would not. */
    LLVMValueRef narrow = LLVMBuildIntCast2(f->b, n, f->m->i32, 1, "");
    *e = LLVMBuildSIToFP(f->b, narrow, f->real, "");
    return m;
}

/* log(1 + g) + e ln 2 + extra, with s = g / (2 + g). */
static LLVMValueRef log_sum(const body *f, LLVMValueRef g, LLVMValueRef e, LLVMValueRef extra)
{
    double c[10];
    int count = f->wide ? 10 : 4;
    for (int i = 0; i < count; i++)
        c[i] = 2.0 / (2 * i + 3);
    LLVMValueRef s = DIV(g, ADD(g, number(f, 2))), z = MUL(s, s);
    LLVMValueRef tail = MUL(z, polynomial(f, z, c, count));
    LLVMValueRef half = MUL(number(f, 0.5), MUL(g, g));
    LLVMValueRef low =
        fma3(f, e, number(f, f->wide ? 0x1.a39ef35793c76p-33 : 0x1.7f7d1cf8p-20), extra);
    LLVMValueRef corrected = fma3(f, s, ADD(half, tail), low);
    LLVMValueRef high = number(f, f->wide ? 0x1.62e42feep-1 : 0x1.62e4p-1);
    return fma3(f, e, high, SUB(g, SUB(half, corrected)));
}

static LLVMValueRef log_specials(const body *f, LLVMValueRef x, LLVMValueRef y)
{
    LLVMValueRef zero = number(f, 0), infinite = number(f, (double)INFINITY);
    y = PICK(EQUAL(x, infinite), infinite, y);
    y = PICK(EQUAL(x, zero), number(f, -(double)INFINITY), y);
    LLVMValueRef none = LLVMBuildFCmp(f->b, LLVMRealULT, x, zero, "");
    return PICK(none, number(f, (double)NAN), y);
}

static LLVMValueRef logarithm(const body *f, LLVMValueRef x)
{
    LLVMValueRef e, m = split_exponent(f, x, &e);
    return log_specials(f, x, log_sum(f, SUB(m, number(f, 1)), e, number(f, 0)));
}

/* log u with u = 1 + x rounded, and what the rounding lost, over u. */
static LLVMValueRef logarithm_of_next(const body *f, LLVMValueRef x)
{
    LLVMValueRef one = number(f, 1), u = ADD(one, x);
    LLVMValueRef large = LESS(one, absolute(f, x));
    LLVMValueRef lost = PICK(large, SUB(one, SUB(u, x)), SUB(x, SUB(u, one)));
    LLVMValueRef e, m = split_exponent(f, u, &e);
    LLVMValueRef y = log_sum(f, SUB(m, one), e, DIV(lost, u));
    LLVMValueRef tiny = LESS(absolute(f, x), number(f, f->wide ? 0x1p-54 : 0x1p-25));
    return PICK(tiny, x, log_specials(f, u, y));
}

/* x = n pi/2 + r in f64, with pi/2 in three parts; then the series of sin or cos by the quadrant. */
static LLVMValueRef circular(const body *f, LLVMValueRef x, int quarter)
{
    static const double sine[] = {1,
                                  -1.0 / 6,
                                  1.0 / 120,
                                  -1.0 / 5040,
                                  1.0 / 362880,
                                  -1.0 / 39916800,
                                  1.0 / 6227020800.0,
                                  -1.0 / 1307674368000.0,
                                  1.0 / 355687428096000.0};
    static const double cosine[] = {1,
                                    -1.0 / 2,
                                    1.0 / 24,
                                    -1.0 / 720,
                                    1.0 / 40320,
                                    -1.0 / 3628800,
                                    1.0 / 479001600.0,
                                    -1.0 / 87178291200.0,
                                    1.0 / 20922789888000.0,
                                    -1.0 / 6402373705728000.0};
    LLVMValueRef big = number(f, 0x1.8p52);
    LLVMValueRef shifted = ADD(MUL(x, number(f, 0.63661977236758134)), big);
    LLVMValueRef whole = SUB(shifted, big);
    LLVMValueRef r = fma3(f, whole, number(f, -0x1.921fb54442d18p0), x);
    r = fma3(f, whole, number(f, -0x1.1a62633145c07p-54), r);
    LLVMValueRef z = MUL(r, r);
    LLVMValueRef s = MUL(r, polynomial(f, z, sine, 9)), c = polynomial(f, z, cosine, 10);
    LLVMValueRef n = LLVMBuildAdd(f->b, TO_BITS(shifted), bits(f, quarter), "");
    LLVMValueRef odd =
        LLVMBuildICmp(f->b, LLVMIntNE, LLVMBuildAnd(f->b, n, bits(f, 1), ""), bits(f, 0), "");
    LLVMValueRef y = PICK(odd, c, s);
    LLVMValueRef flip = LLVMBuildShl(f->b, LLVMBuildAnd(f->b, n, bits(f, 2), ""), bits(f, 62), "");
    return TO_REAL(LLVMBuildXor(f->b, TO_BITS(y), flip, ""));
}

#include "codegen/math_erf.h"

static LLVMValueRef error_function(const body *f, LLVMValueRef x)
{
    double series[24], factor = 1.1283791670955126;
    for (int i = 0; i < 24; i++) {
        series[i] = factor / (2 * i + 1);
        factor /= -(i + 1);
    }
    LLVMValueRef a = absolute(f, x), z = MUL(a, a);
    LLVMValueRef small = MUL(a, polynomial(f, z, series, f->wide ? 24 : 12));
    LLVMValueRef bounded = PICK(LESS(number(f, 6.5), a), number(f, 6.5), a);
    LLVMValueRef t = DIV(SUB(bounded, number(f, 3)), ADD(bounded, number(f, 3)));
    int terms = f->wide ? sizeof erfc_fit / sizeof *erfc_fit : 12;
    LLVMValueRef rest = polynomial(f, t, erfc_fit, terms);
    LLVMValueRef square = LLVMBuildFNeg(f->b, MUL(bounded, bounded), "");
    LLVMValueRef large = SUB(number(f, 1), MUL(exponential(f, square), rest));
    LLVMValueRef y = PICK(LESS(a, number(f, 1)), small, large);
    y = PICK(LLVMBuildFCmp(f->b, LLVMRealUNO, x, x, ""), x, y);
    return with_sign(f, y, x);
}

static LLVMValueRef floor_of(const body *f, LLVMValueRef x)
{
    return math_intrinsic(f->m, "llvm.floor", f->real, &x, 1);
}

/* exp(y log |x|), then the sign of an odd power and the cases that have none. */
static LLVMValueRef power(const body *f, LLVMValueRef x, LLVMValueRef y)
{
    LLVMValueRef zero = number(f, 0), one = number(f, 1), infinite = number(f, (double)INFINITY);
    LLVMValueRef size = exponential(f, MUL(y, logarithm(f, absolute(f, x))));
    LLVMValueRef half = MUL(y, number(f, 0.5));
    LLVMValueRef whole = EQUAL(floor_of(f, y), y);
    LLVMValueRef even = EQUAL(floor_of(f, half), half);
    LLVMValueRef odd = LLVMBuildAnd(f->b, whole, LLVMBuildNot(f->b, even, ""), "");
    LLVMValueRef z = PICK(odd, with_sign(f, size, x), size);
    LLVMValueRef negative =
        LLVMBuildAnd(f->b, LESS(x, zero), LESS(LLVMBuildFNeg(f->b, infinite, ""), x), "");
    LLVMValueRef none = LLVMBuildAnd(f->b, negative, LLVMBuildNot(f->b, whole, ""), "");
    z = PICK(none, number(f, (double)NAN), z);
    LLVMValueRef endless = EQUAL(absolute(f, y), infinite);
    LLVMValueRef turned = LLVMBuildAnd(f->b, endless, EQUAL(x, number(f, -1)), "");
    LLVMValueRef unit = LLVMBuildOr(f->b, EQUAL(y, zero), EQUAL(x, one), "");
    return PICK(LLVMBuildOr(f->b, unit, turned, ""), one, z);
}

static LLVMValueRef sign_of(const body *f, LLVMValueRef x)
{
    LLVMValueRef zero = number(f, 0), one = number(f, 1), y = PICK(LESS(x, zero), number(f, -1), x);
    return PICK(LESS(zero, x), one, y);
}

/* The divisor's sign, as in Python. */
static LLVMValueRef modulo(const body *f, LLVMValueRef x, LLVMValueRef y)
{
    LLVMValueRef zero = number(f, 0), r = LLVMBuildFRem(f->b, x, y, "");
    LLVMValueRef apart = LLVMBuildXor(f->b, LESS(r, zero), LESS(y, zero), "");
    LLVMValueRef some = LLVMBuildFCmp(f->b, LLVMRealUNE, r, zero, "");
    return PICK(LLVMBuildAnd(f->b, apart, some, ""), ADD(r, y), r);
}

static LLVMValueRef write_function(const body *f, op_kind op, LLVMValueRef x, LLVMValueRef y)
{
    switch (op) {
    case OP_exp:
        return exponential(f, x);
    case OP_log:
        return logarithm(f, x);
    case OP_log1p:
        return logarithm_of_next(f, x);
    case OP_tanh:
        return hyperbolic_tangent(f, x);
    case OP_sigmoid:
        return logistic(f, x);
    case OP_sin:
        return circular(f, x, 0);
    case OP_cos:
        return circular(f, x, 1);
    case OP_erf:
        return error_function(f, x);
    case OP_pow:
        return power(f, x, y);
    case OP_sign:
        return sign_of(f, x);
    default:
        assert(op == OP_mod);
        return modulo(f, x, y);
    }
}

static bool through_f64(op_kind op)
{
    return op == OP_sin || op == OP_cos || op == OP_pow;
}

static void always_inline(codegen_module *m, LLVMValueRef f)
{
    unsigned kind = LLVMGetEnumAttributeKindForName("alwaysinline", 12);
    LLVMAddAttributeAtIndex(f, FUNCTION_INDEX, LLVMCreateEnumAttribute(m->context, kind, 0));
    LLVMSetLinkage(f, LLVMInternalLinkage);
}

static LLVMValueRef function_make(codegen_module *m, op_kind op, dtype type, const char *name)
{
    bool wide = type == DTYPE_F64;
    LLVMTypeRef real = wide ? m->f64 : m->f32, both[2] = {real, real};
    unsigned count = (unsigned)op_info_of(op)->inputs;
    LLVMValueRef function =
        LLVMAddFunction(m->module, name, LLVMFunctionType(real, both, count, 0));
    LLVMBasicBlockRef here = LLVMGetInsertBlock(m->builder);
    LLVMMetadataRef at = LLVMGetCurrentDebugLocation2(m->builder);
    LLVMSetCurrentDebugLocation2(m->builder, NULL);
    LLVMPositionBuilderAtEnd(m->builder, LLVMAppendBasicBlockInContext(m->context, function, ""));
    always_inline(m, function);
    LLVMValueRef x[2] = {LLVMGetParam(function, 0), count > 1 ? LLVMGetParam(function, 1) : NULL};
    bool detour = !wide && through_f64(op);
    for (unsigned i = 0; detour && i < count; i++)
        x[i] = LLVMBuildFPExt(m->builder, x[i], m->f64, "");
    wide = wide || detour;
    body f = {m, m->builder, wide, wide ? m->f64 : m->f32, wide ? m->i64 : m->i32};
    LLVMValueRef y = write_function(&f, op, x[0], x[1]);
    LLVMBuildRet(m->builder, detour ? LLVMBuildFPTrunc(m->builder, y, real, "") : y);
    LLVMPositionBuilderAtEnd(m->builder, here);
    LLVMSetCurrentDebugLocation2(m->builder, at);
    return function;
}

LLVMValueRef math_call(codegen_module *m, op_kind op, dtype type, const LLVMValueRef *args)
{
    const char *name =
        arena_format(m->memory, "math_%s_%s", op_info_of(op)->name, dtype_name(type));
    LLVMValueRef f = LLVMGetNamedFunction(m->module, name);
    if (!f)
        f = function_make(m, op, type, name);
    return LLVMBuildCall2(m->builder, LLVMGlobalGetValueType(f), f, (LLVMValueRef *)args,
                          (unsigned)op_info_of(op)->inputs, "");
}
